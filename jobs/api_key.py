"""Make an API key for the HTTP endpoint: it is shown once, and only its digest is kept.

Examples:
    seshat api-key ana keys=keys.txt
"""

import argparse

from seshat.command import main
from seshat.messages import say
from seshat.settings import Settings

ARGUMENTS = argparse.ArgumentParser(add_help=False)
ARGUMENTS.add_argument("name", metavar="NAME", help="who will use it, for you to know: a word")


def run(settings: Settings, *, name: str) -> None:
    from serve.access import KEYS, add_key

    path = settings.serving.keys or f"{settings.root}/{KEYS}"
    key = add_key(path, name)
    say(f"{key}\nThis is shown once; its digest is in {path}. Serve with: make serve ARGS=serving.keys={path}")


if __name__ == "__main__":
    main(run, __doc__, section="serving", arguments=ARGUMENTS)
