"""Write a sheet of the lines of scans that nobody can believe, for people who know the language to correct.

With --answered, the lines that they have answered are written as pictures and texts, for 'seshat ocr-learn' to learn from.

Examples:
    seshat lines root=workspaces/shipibo --most 100
    seshat lines root=workspaces/shipibo --answered corrected
"""

import argparse

from seshat.command import main
from seshat.review.lines import write_answered, write_lines
from seshat.settings import Settings
from seshat.step import Outcome
from seshat.store import Store

ARGUMENTS = argparse.ArgumentParser(add_help=False)
ARGUMENTS.add_argument("--most", type=int, default=300, metavar="N", help="show so many (default 300; 0: all)")
ARGUMENTS.add_argument("--answered", default="", metavar="DIR", help="write the answered lines there, as NAME.png and NAME.gt.txt")


def run(settings: Settings, *, most: int = 300, answered: str = "") -> Outcome:
    store = Store(settings.root)
    raw = store.path(settings.data.raw)
    if answered:
        return write_answered(settings.ocr, store, raw, answered)
    return write_lines(settings.ocr, settings.language, store, raw, most=most)


if __name__ == "__main__":
    main(run, __doc__, arguments=ARGUMENTS)
