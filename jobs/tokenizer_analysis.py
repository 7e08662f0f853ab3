"""Report how well the base model's tokenizer fits the language, with the guide's thresholds and a recommendation.

Examples:
    seshat tokenizer-analysis root=workspaces/shipibo
"""

import argparse

from seshat.command import main
from seshat.data.tokenizer import Analysis, tokenizer_analysis
from seshat.messages import say, spoken
from seshat.settings import Settings
from seshat.step import Outcome
from seshat.store import Store
from seshat.training.run import base_folder
from seshat.working_copy import BASE, on_files

ARGUMENTS = argparse.ArgumentParser(add_help=False)
ARGUMENTS.add_argument("--json", action="store_true", help="print JSON")


def run(settings: Settings) -> Outcome:
    outcome, analysis = analyse(settings)
    say(analysis)
    return outcome


def show(settings: Settings, *, json: bool = False) -> Outcome | None:
    """As a command of its own it may print JSON."""
    outcome, analysis = analyse(settings)
    print(analysis.model_dump_json(indent=1) if json else spoken(analysis))
    return None if json else outcome


@on_files(*BASE)
def analyse(settings: Settings) -> tuple[Outcome, Analysis]:
    """Of the base model of the settings."""
    store = Store(settings.root)
    base = store.path(base_folder(settings.training, store))
    return tokenizer_analysis(settings.tokenizer, settings.language, store, base)


if __name__ == "__main__":
    main(show, __doc__, arguments=ARGUMENTS, previews=True)
