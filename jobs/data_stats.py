"""Count and describe the training data: tasks, lengths, letters, duplicates, what was rejected, samples to read.

Examples:
    seshat data-stats root=workspaces/shipibo
    seshat data-stats root=workspaces/shipibo --json
"""

import argparse

from seshat.command import main
from seshat.data.stats import data_stats
from seshat.settings import Settings
from seshat.step import Outcome
from seshat.store import Store

ARGUMENTS = argparse.ArgumentParser(add_help=False)
ARGUMENTS.add_argument("--json", action="store_true", help="print JSON")


def run(settings: Settings) -> Outcome:
    outcome, stats = data_stats(Store(settings.root), settings.language)
    if not outcome.done_before:
        print(stats)
    return outcome


def show(settings: Settings, *, json: bool = False) -> Outcome | None:
    """As a command of its own it always prints."""
    outcome, stats = data_stats(Store(settings.root), settings.language)
    print(stats.model_dump_json(indent=1) if json else stats)
    return None if json else outcome


if __name__ == "__main__":
    main(show, __doc__, arguments=ARGUMENTS, previews=True)
