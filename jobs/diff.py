"""Is RUN_B better than RUN_A: what they were made of, scores with paired significance, sentences that gained and lost most.

A run is called by its training.name; FOLDER:NAME is one of another workspace. Both must have been evaluated (make eval).

Examples:
    seshat diff first second root=workspaces/shipibo
    seshat diff workspaces/old:first second root=workspaces/new
"""

import argparse

from seshat.command import main
from seshat.evaluation.diff import diff
from seshat.evaluation.runs import read_run
from seshat.settings import Settings
from seshat.store import Store

ARGUMENTS = argparse.ArgumentParser(add_help=False)
ARGUMENTS.add_argument("before", metavar="RUN_A")
ARGUMENTS.add_argument("after", metavar="RUN_B")
ARGUMENTS.add_argument("--sentences", type=int, default=10, metavar="N", help="show so many that gained and lost (default 10)")
ARGUMENTS.add_argument("--json", action="store_true", help="print JSON")


def run(settings: Settings, *, before: str, after: str, sentences: int, json: bool) -> None:
    store = Store(settings.root)
    found = diff(read_run(before, store), read_run(after, store), settings.evaluation, num_sentences=sentences)
    print(found.model_dump_json(indent=1) if json else found)


if __name__ == "__main__":
    main(run, __doc__, arguments=ARGUMENTS)
