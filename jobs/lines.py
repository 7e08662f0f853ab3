"""Write a sheet of the lines of scans that nobody can believe, for people who know the language to correct."""

import argparse

from seshat.command import main
from seshat.review.lines import write_lines
from seshat.settings import Settings
from seshat.step import Outcome
from seshat.store import Store

ARGUMENTS = argparse.ArgumentParser(add_help=False)
ARGUMENTS.add_argument("--most", type=int, default=300, metavar="N", help="show so many (default 300; 0: all)")


def run(settings: Settings, *, most: int = 300) -> Outcome:
    store = Store(settings.root)
    return write_lines(settings.ocr, settings.language, store, store.path(settings.data.raw), most=most)


if __name__ == "__main__":
    main(run, __doc__, arguments=ARGUMENTS)
