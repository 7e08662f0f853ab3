"""Report how well the base model's tokenizer fits the language, with the guide's thresholds and a recommendation."""

from seshat.command import main
from seshat.data.tokenizer import tokenizer_analysis
from seshat.settings import Settings
from seshat.step import Outcome
from seshat.store import Store
from seshat.training.run import base_folder


def run(settings: Settings) -> Outcome:
    store = Store(settings.root)
    base = store.path(base_folder(settings.training, store))
    outcome, analysis = tokenizer_analysis(settings.tokenizer, settings.language, store, base)
    print(analysis)
    return outcome


if __name__ == "__main__":
    main(run, __doc__, previews=True)
