"""Read scanned pages (optional: left out where there are no scans or no engine).

Examples:
    seshat ocr root=workspaces/shipibo language=configs/languages/shp.yaml
    seshat ocr ocr.engine=paddleocr ocr.languages=[spa] ocr.dpi=400
"""

from seshat.cluster.data import run_step
from seshat.command import main
from seshat.config import to_yaml
from seshat.data import ocr
from seshat.errors import EngineError
from seshat.settings import Settings
from seshat.step import Outcome
from seshat.store import Store
from seshat.withdrawals import read_withdrawals


def run(settings: Settings) -> Outcome:
    store = Store(settings.root)
    raw = store.path(settings.data.raw)
    try:
        model = store.path(settings.ocr.model) if settings.ocr.model else ""
        asked = settings.ocr.model_copy(update={"model": model})
        step = ocr.step(asked, settings.language, raw, to_yaml(settings), withdrawn=read_withdrawals(store))
    except EngineError as error:
        return Outcome(stage="ocr", left_out=True, note=str(error))
    if not step.parts and not store.has_run("ocr"):  # where it has, what was read of scans that are gone must go
        return Outcome(stage="ocr", left_out=True, note=step.note or f"no scans in {raw}/scans")
    return run_step(step, settings)


if __name__ == "__main__":
    main(run, __doc__, previews=True)
