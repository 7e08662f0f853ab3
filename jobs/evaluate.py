"""Score the trained model on the held-out test set beside its floors, and write the report.

Examples:
    seshat eval root=workspaces/shipibo training.name=first
    seshat eval root=workspaces/shipibo max_test=500 decoding.method=mbr
"""

from seshat.cluster.connect import one_session
from seshat.cluster.generate import translator_of
from seshat.command import main
from seshat.evaluation.conclude import conclude
from seshat.evaluation.evaluate import evaluate
from seshat.evaluation.progress import not_better_than
from seshat.evaluation.report import write_report
from seshat.export.package import package
from seshat.preview import is_on
from seshat.settings import Settings
from seshat.step import Outcome
from seshat.store import Store
from seshat.working_copy import BASE, on_files


@on_files(*BASE, "models/adapters/{training.name}", "models/merged/{training.name}")
def run(settings: Settings) -> Outcome:
    store, name = Store(settings.root), settings.training.name
    with one_session():
        outcome = evaluate(
            settings.evaluation,
            settings.language,
            settings.prompts,
            store,
            name,
            ours=lambda: translator_of(settings, "ours"),
            base=lambda: translator_of(settings, "base"),
        )
    if is_on():
        return outcome
    package(store, name)
    before = not_better_than(store, name, settings.evaluation)
    conclude(store, settings.language, bridge_texts=settings.next.texts, not_better_than=before)
    report(settings)
    return outcome


@on_files("models/adapters/{training.name}")
def report(settings: Settings) -> str:
    """Render the report again from what is on disk; the path of its page."""
    number, bands = settings.evaluation.samples, settings.serving.bands
    return write_report(Store(settings.root), settings.language, num_samples=number, bands=bands, raw=settings.data.raw)


if __name__ == "__main__":
    main(run, __doc__, section="evaluation", previews=True)
