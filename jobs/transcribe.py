"""Transcribe recordings (optional: left out where there are none, or no model)."""

from seshat.cluster.data import run_step
from seshat.command import main
from seshat.config import to_yaml
from seshat.data import transcribe
from seshat.errors import EngineError
from seshat.settings import Settings
from seshat.step import Outcome
from seshat.store import Store


def run(settings: Settings) -> Outcome:
    raw = Store(settings.root).path(settings.data.raw)
    try:
        step = transcribe.step(settings.transcribe, settings.language, raw, to_yaml(settings), settings.root)
    except EngineError as error:
        return Outcome(stage="transcribe", left_out=True, note=str(error))
    if not step.parts:
        return Outcome(stage="transcribe", left_out=True, note=f"no recordings in {raw}/audio")
    return run_step(step, settings)


if __name__ == "__main__":
    main(run, __doc__)
