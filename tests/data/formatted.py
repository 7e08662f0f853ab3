"""What ``make format`` makes of records, wherever they come from."""

from __future__ import annotations

from collections.abc import Sequence

from seshat.data import format as formatting
from seshat.data.format import Format
from seshat.prompts import Prompts
from seshat.records import Example, Page, Record, SentencePair, Utterance
from seshat.store import Store
from tests.make import LANGUAGE, finish

ALL_TRAIN = Format(test=0, val=0, max_rejected=1)


def examples(store: Store, settings: Format, records: Sequence[Record], dictionary: tuple[str, ...] = ()) -> list[Example]:
    """All examples, rejected ones too, that ``make format`` makes of records, wherever they come from."""
    pages, others = [one for one in records if isinstance(one, Page)], [one for one in records if not isinstance(one, Page)]
    finish(store, "align", [one for one in others if isinstance(one, SentencePair)])
    finish(store, "ingest", [one for one in others if not isinstance(one, SentencePair | Utterance)])
    finish(store, "transcribe", [one for one in others if isinstance(one, Utterance)])
    finish(store, "ocr", *([page] for page in pages))
    step = formatting.step(settings, Prompts(), LANGUAGE, store, dictionary=dictionary)
    for part in step.parts:
        step.work(part, store)
    step.finish(store)
    return [one for rejected in (False, True) for one in store.records("format", Example, rejected=rejected)]
