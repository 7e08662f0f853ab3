"""Read dictionaries, transcriptions and translations from the raw folder into entries, pairs and documents."""

from seshat.cluster.data import run_step
from seshat.command import main
from seshat.config import to_yaml
from seshat.data import ingest
from seshat.settings import Settings
from seshat.step import Outcome
from seshat.store import Store


def run(settings: Settings) -> Outcome:
    raw = Store(settings.root).path(settings.data.raw)
    return run_step(ingest.step(settings.ingest, settings.language, raw, to_yaml(settings)), settings)


if __name__ == "__main__":
    main(run, __doc__)
