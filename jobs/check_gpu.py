"""Say whether a GPU is there, and whether torch and 4-bit arithmetic really use it.

Examples:
    seshat check-gpu
"""

import argparse
from json import dumps

from seshat.command import main
from seshat.messages import say
from seshat.settings import Settings
from seshat.step import Outcome
from seshat.training.hardware import describe

ARGUMENTS = argparse.ArgumentParser(add_help=False)
ARGUMENTS.add_argument("--json", action="store_true", help="print JSON")


def run(settings: Settings, *, json: bool = False) -> Outcome | None:
    verdict, *details = describe()
    if json:
        print(dumps({"verdict": verdict, "details": details}, indent=1))
        return None
    say("\n".join(details))
    return Outcome(stage="check-gpu", note=verdict)


if __name__ == "__main__":
    main(run, __doc__, arguments=ARGUMENTS)
