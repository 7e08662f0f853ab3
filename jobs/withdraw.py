"""Take a source back: its records and examples are deleted, the data is made again without it, and what saw it is listed.

Examples:
    seshat withdraw translations/laws root=workspaces/shipibo
"""

import argparse
import importlib

from seshat.cluster.connect import one_session
from seshat.command import main
from seshat.data import withdraw
from seshat.messages import say
from seshat.settings import Settings
from seshat.step import Outcome
from seshat.store import Store
from seshat.summary import record

ARGUMENTS = argparse.ArgumentParser(add_help=False)
ARGUMENTS.add_argument("source", metavar="SOURCE", help="a folder or file below data/raw: translations/laws")
ARGUMENTS.add_argument("--why", default="", help="a reason, kept with the withdrawal")
ARGUMENTS.add_argument("--dry-run", action="store_true", help="show all that without doing it")
ARGUMENTS.add_argument("--undo", action="store_true", help="take the withdrawal back")


def run(settings: Settings, *, source: str, why: str, dry_run: bool, undo: bool) -> Outcome:
    store = Store(settings.root)
    plan = withdraw.plan(store, store.path(settings.data.raw), source, why=why, undo=undo)
    say(plan)
    if dry_run:
        return Outcome(stage="withdraw", note="nothing was changed")
    withdraw.carry_out(plan, store)
    with one_session():
        for verb in plan.verbs:
            outcome = importlib.import_module(f"jobs.{verb}").run(settings)
            record(outcome, store)
            say(outcome.funnel)
    withdraw.check_gone(plan, store)
    return Outcome(stage="withdraw", note=f"{len(plan.files)} files {'back' if undo else 'left out'}; listed in data/withdrawn.yaml")


if __name__ == "__main__":
    main(run, __doc__, arguments=ARGUMENTS)
