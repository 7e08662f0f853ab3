"""What was rejected, and why: reason, origin, what it says and its id (for seshat trace), separated by tabs; or as a page, with --page.

Examples:
    seshat rejected align --reason ratio root=workspaces/shipibo
    seshat rejected --page root=workspaces/shipibo
"""

import argparse

from seshat.command import main
from seshat.data.rejected import rejected
from seshat.errors import ConfigError
from seshat.review.rejected import write_rejected
from seshat.settings import Settings
from seshat.step import Outcome
from seshat.store import Store

ARGUMENTS = argparse.ArgumentParser(add_help=False)
ARGUMENTS.add_argument("stage", metavar="STAGE", nargs="?", default="", help="ingest, ocr, transcribe, align or format")
ARGUMENTS.add_argument("--page", action="store_true", help="write data/processed/rejected.html, of all stages")
ARGUMENTS.add_argument("--json", action="store_true", help="print JSON, a line for each")
ARGUMENTS.add_argument("--reason", default="", help="the first word of a reason: ratio")
ARGUMENTS.add_argument("--most", type=int, default=20, metavar="N", help="show so many for each reason (default 20; 0: all)")


def run(settings: Settings, *, stage: str, page: bool, json: bool, reason: str, most: int) -> Outcome | None:
    if page:
        return write_rejected(Store(settings.root), settings.language, most=most, raw=settings.data.raw)
    if not stage:
        raise ConfigError("rejected: say of which stage (ingest, ocr, transcribe, align or format), or --page")
    for one in rejected(Store(settings.root), stage, reason=reason, most=most):
        print(one.model_dump_json() if json else one)
    return None


if __name__ == "__main__":
    main(run, __doc__, arguments=ARGUMENTS)
