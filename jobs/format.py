"""Write data/training/{train,val,test}.jsonl: chat examples by task weights, split so that nothing leaks."""

from seshat.cluster.data import run_step
from seshat.command import main
from seshat.config import to_yaml
from seshat.data import format as formatting
from seshat.rights import read_rights
from seshat.settings import Settings
from seshat.step import Outcome
from seshat.store import Store


def run(settings: Settings) -> Outcome:
    store = Store(settings.root)
    step = formatting.step(
        settings.format,
        settings.prompts,
        settings.language,
        store,
        dictionary=settings.ocr.dictionary,
        settings_yaml=to_yaml(settings),
    )
    outcome = run_step(step, settings)
    splits = formatting.publish(store, read_rights(store.path(settings.data.raw)))
    return outcome.model_copy(update={"note": ", ".join(f"{name} {rows:,}" for name, rows in splits.items())})


if __name__ == "__main__":
    main(run, __doc__)
