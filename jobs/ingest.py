"""Read dictionaries, transcriptions and translations from the raw folder into entries, pairs and documents.

Examples:
    seshat ingest root=workspaces/shipibo language=configs/languages/shp.yaml
    seshat ingest --config shipibo/seshat.yaml --dry-run
"""

from seshat.cluster.data import run_step
from seshat.command import main
from seshat.config import to_yaml
from seshat.data import ingest
from seshat.settings import Settings
from seshat.step import Outcome
from seshat.store import Store
from seshat.withdrawals import read_withdrawals


def run(settings: Settings) -> Outcome:
    store = Store(settings.root)
    raw, withdrawn = store.path(settings.data.raw), read_withdrawals(store)
    return run_step(ingest.step(settings.ingest, settings.language, raw, to_yaml(settings), withdrawn=withdrawn), settings)


if __name__ == "__main__":
    main(run, __doc__, previews=True)
