"""Count and describe the training data: tasks, lengths, letters, duplicates, what was rejected, samples to read."""

from seshat.command import main
from seshat.data.stats import data_stats
from seshat.settings import Settings
from seshat.step import Outcome
from seshat.store import Store


def run(settings: Settings) -> Outcome:
    outcome, stats = data_stats(Store(settings.root), settings.language)
    if not outcome.done_before:
        print(stats)
    return outcome


def show(settings: Settings) -> Outcome:
    """As a command of its own it always prints."""
    outcome, stats = data_stats(Store(settings.root), settings.language)
    print(stats)
    return outcome


if __name__ == "__main__":
    main(show, __doc__, previews=True)
