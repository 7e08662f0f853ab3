"""Write a review sheet of the last evaluation for speakers and linguists; with --read, say what the filled sheets say.

Examples:
    seshat review root=workspaces/shipibo
    seshat review --read root=workspaces/shipibo
"""

import argparse

from seshat.command import main
from seshat.messages import say
from seshat.review.review import read_review, write_review
from seshat.settings import Settings
from seshat.step import Outcome
from seshat.store import Store
from seshat.working_copy import on_files

ARGUMENTS = argparse.ArgumentParser(add_help=False)
ARGUMENTS.add_argument("--read", action="store_true", help="read the filled sheets in review.returned (default data/raw/reviews)")


@on_files()
def run(settings: Settings, *, read: bool = False) -> Outcome:
    store = Store(settings.root)
    if not read:
        return write_review(settings.review, settings.language, store)
    said, outcome = read_review(settings.review, settings.format, store, store.path(settings.data.raw))
    say(said, end="\n\n")
    return outcome


if __name__ == "__main__":
    main(run, __doc__, section="review", arguments=ARGUMENTS)
