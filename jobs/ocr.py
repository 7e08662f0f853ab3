"""Read scanned pages (optional: left out where there are no scans or no engine)."""

from seshat.cluster.data import run_step
from seshat.command import main
from seshat.config import to_yaml
from seshat.data import ocr
from seshat.errors import EngineError
from seshat.settings import Settings
from seshat.step import Outcome
from seshat.store import Store


def run(settings: Settings) -> Outcome:
    raw = Store(settings.root).path(settings.data.raw)
    step = ocr.step(settings.ocr, settings.language, raw, to_yaml(settings))
    if not step.parts:
        return Outcome(stage="ocr", left_out=True, note=f"no scans in {raw}/scans")
    try:
        ocr.check(settings.ocr)
    except EngineError as error:
        return Outcome(stage="ocr", left_out=True, note=str(error))
    return run_step(step, settings)


if __name__ == "__main__":
    main(run, __doc__)
