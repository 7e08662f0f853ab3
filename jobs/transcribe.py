"""Transcribe recordings (optional: left out where there are none, or no model).

Examples:
    seshat transcribe root=workspaces/shipibo language=configs/languages/shp.yaml
    seshat transcribe transcribe.model=large-v3 transcribe.channels=split
"""

from seshat.cluster.data import run_step
from seshat.command import main
from seshat.config import to_yaml
from seshat.data import transcribe
from seshat.errors import EngineError
from seshat.settings import Settings
from seshat.step import Outcome
from seshat.store import Store
from seshat.withdrawals import read_withdrawals


def run(settings: Settings) -> Outcome:
    store = Store(settings.root)
    raw, withdrawn = store.path(settings.data.raw), read_withdrawals(store)
    try:
        step = transcribe.step(settings.transcribe, settings.language, raw, to_yaml(settings), settings.root, withdrawn=withdrawn)
    except EngineError as error:
        return Outcome(stage="transcribe", left_out=True, note=str(error))
    if not step.parts and not store.has_run("transcribe"):  # where it has, what was heard in recordings that are gone must go
        return Outcome(stage="transcribe", left_out=True, note=step.note or f"no recordings in {raw}/audio")
    return run_step(step, settings)


if __name__ == "__main__":
    main(run, __doc__, previews=True)
