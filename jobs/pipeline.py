"""The whole way, from raw material to a GGUF file, in one Ray session; what is up to date is not done again.

Examples:
    seshat pipeline --config configs/quickstart.yaml
    seshat pipeline root=workspaces/shipibo language=configs/languages/shp.yaml training=configs/training/shipibo.yaml
"""

import time
from collections.abc import Iterator
from types import ModuleType

from jobs import (
    align,
    data_stats,
    download_model,
    evaluate,
    export_gguf,
    format,
    ingest,
    ocr,
    sample,
    tokenizer_analysis,
    tokenizer_extend,
    train,
    transcribe,
)
from seshat.cluster.connect import one_session
from seshat.command import main
from seshat.cost import watching
from seshat.messages import say
from seshat.preview import is_on
from seshat.review.rejected import write_rejected
from seshat.settings import Settings
from seshat.status import NAMES, states
from seshat.step import Outcome
from seshat.store import Store
from seshat.summary import closing, failing, record

SHOWN = 50
"""Rejected records of each reason on the page."""
STEPS = (ingest, ocr, transcribe, align, format, data_stats, download_model, tokenizer_analysis, train, evaluate, export_gguf)


def steps(settings: Settings) -> Iterator[ModuleType]:
    """The verbs of a run; new tokens are made before training, and compared once more when they are trained."""
    if sample.wanted(settings):
        yield sample
    for job in STEPS:
        around = (tokenizer_extend,) if job is train and tokenizer_extend.wanted(settings) else ()
        yield from (*around, job, *around)


def run(settings: Settings) -> Outcome | None:
    if is_on():
        say("\n".join(map(str, states(settings, steps(settings)))))
        return None
    store, start = Store(settings.root), time.monotonic()
    outcomes = []
    with one_session():
        for job in steps(settings):
            with watching() as peak, failing(NAMES[job.__name__], store):
                outcome = job.run(settings)
            record(outcome, store, peak.memory)
            say(outcome.funnel)
            outcomes.append(outcome)
    evaluate.report(settings)
    write_rejected(store, settings.language, most=SHOWN, raw=settings.data.raw)
    say(closing(outcomes, store, settings.training.name))
    return Outcome(stage="pipeline", seconds=time.monotonic() - start, done_before=all(one.done_before or one.left_out for one in outcomes))


if __name__ == "__main__":
    main(run, __doc__, previews=True)
