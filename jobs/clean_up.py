"""Delete what later runs have replaced: parts in data/processed that no manifest names. Raw files and models are not touched.

Examples:
    seshat clean-up --dry-run root=workspaces/shipibo
"""

import argparse
import time

from seshat.command import main
from seshat.data.clean_up import DAY, superseded
from seshat.messages import say
from seshat.settings import Settings
from seshat.step import Outcome
from seshat.store import Store

ARGUMENTS = argparse.ArgumentParser(add_help=False)
ARGUMENTS.add_argument("--dry-run", action="store_true", help="show it without deleting")
ARGUMENTS.add_argument("--now", action="store_true", help="also where something was written in the last day; nothing else may be running")


def run(settings: Settings, *, dry_run: bool, now: bool) -> Outcome:
    store = Store(settings.root)
    found = superseded(store, time.time(), age=0.0 if now else DAY)
    say(found)
    for name in () if dry_run else found.files:
        store.remove(name)
    did = "could go" if dry_run else "deleted"
    return Outcome(stage="clean-up", note=f"{len(found.files)} files {did}, {found.num_bytes / 1e6:.1f} MB")


if __name__ == "__main__":
    main(run, __doc__, arguments=ARGUMENTS)
