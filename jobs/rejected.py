"""What was rejected, and why: reason, origin, what it says and its id (for seshat trace), separated by tabs."""

import argparse

from seshat.command import main
from seshat.data.rejected import rejected
from seshat.settings import Settings
from seshat.store import Store

ARGUMENTS = argparse.ArgumentParser(add_help=False)
ARGUMENTS.add_argument("stage", metavar="STAGE", help="ingest, ocr, transcribe, align or format")
ARGUMENTS.add_argument("--reason", default="", help="the first word of a reason: ratio")
ARGUMENTS.add_argument("--most", type=int, default=20, metavar="N", help="show so many for each reason (default 20; 0: all)")


def run(settings: Settings, *, stage: str, reason: str, most: int) -> None:
    for one in rejected(Store(settings.root), stage, reason=reason, most=most):
        print(one)


if __name__ == "__main__":
    main(run, __doc__, arguments=ARGUMENTS)
