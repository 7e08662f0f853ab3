"""Score the trained model on the held-out test set beside its floors, and write the report."""

from seshat.command import main
from seshat.engines.transformers_model import TransformersModel
from seshat.evaluation.conclude import conclude
from seshat.evaluation.evaluate import evaluate
from seshat.evaluation.progress import not_better_than
from seshat.evaluation.report import write_report
from seshat.export.export import base_folder
from seshat.export.package import package
from seshat.hints import Knowledge
from seshat.prompts import ChatTokenizer
from seshat.settings import Settings
from seshat.step import Outcome
from seshat.store import Store
from seshat.translate import Translator, read_card


def run(settings: Settings) -> Outcome:
    store, name = Store(settings.root), settings.training.name
    adapter = store.path(f"models/adapters/{name}")
    card = read_card(adapter)
    base = base_folder(card, store)
    knowledge = Knowledge.read(adapter, card.hints)
    outcome = evaluate(
        settings.evaluation,
        settings.language,
        settings.prompts,
        store,
        name,
        ours=lambda: Translator(TransformersModel(base, adapter=adapter), ChatTokenizer.load(adapter), card, knowledge),
        base=lambda: Translator(TransformersModel(base), ChatTokenizer.load(base), card, knowledge),
    )
    package(store, name)
    before = not_better_than(store, name, settings.evaluation)
    conclude(store, settings.language, bridge_texts=settings.next.texts, not_better_than=before)
    report(settings)
    return outcome


def report(settings: Settings) -> str:
    """Render the report again from what is on disk; the path of its page."""
    return write_report(Store(settings.root), settings.language, num_samples=settings.evaluation.samples)


if __name__ == "__main__":
    main(run, __doc__, section="evaluation")
