"""Align parallel documents into sentence pairs, and clean them.

Examples:
    seshat align root=workspaces/shipibo language=configs/languages/shp.yaml
    seshat align root=workspaces/shipibo --dry-run
"""

import time

from seshat.cluster.connect import one_session
from seshat.cluster.data import run_step
from seshat.command import main
from seshat.config import to_yaml
from seshat.data import align, clean, mend
from seshat.settings import Settings
from seshat.step import Outcome
from seshat.store import Store


def run(settings: Settings) -> Outcome:
    store, start = Store(settings.root), time.monotonic()
    with one_session():
        if settings.ocr.confusions or store.has_run(mend.MENDED):
            run_step(mend.step(settings.ocr.confusions, settings.language, store), settings)
        for step in align.passes(settings.align, settings.language, store):
            run_step(step, settings)
        maximum = settings.align.max_rejected
        step = clean.step(settings.clean, settings.language, store, max_rejected=maximum, settings_yaml=to_yaml(settings))
        outcome = run_step(step, settings)
    seconds = 0.0 if outcome.done_before else time.monotonic() - start
    return outcome.model_copy(update={"seconds": seconds, "note": "; ".join(filter(None, (outcome.note, mend.note(store))))})


if __name__ == "__main__":
    main(run, __doc__, previews=True)
