"""``reports/summary.json``: what every verb of a workspace did last, one row each, in the order of the pipeline."""

from __future__ import annotations

import json
from collections.abc import Iterable

from seshat.step import Outcome
from seshat.store import Store

SUMMARY = "reports/summary.json"
ORDER = (
    "sample",
    "ingest",
    "ocr",
    "transcribe",
    "align",
    "format",
    "data-stats",
    "download-model",
    "tokenizer-analysis",
    "train",
    "tune",
    "eval",
    "export-gguf",
)


def record(outcome: Outcome, store: Store) -> None:
    """Put the row of a verb in place; a verb that had nothing to do keeps the seconds that it once took."""
    if outcome.stage not in ORDER:
        return
    before = {row["stage"]: row for row in _rows(store)}
    old = before.get(outcome.stage)
    if outcome.done_before and old:
        return
    before[outcome.stage] = {
        "stage": outcome.stage,
        "rows_in": outcome.rows_in,
        "kept": outcome.kept,
        "rejected": outcome.rejected,
        "seconds": round(outcome.seconds, 2),
        "note": outcome.note,
    }
    rows = sorted(before.values(), key=lambda row: ORDER.index(row["stage"]))
    store.write(SUMMARY, json.dumps(rows, ensure_ascii=False, indent=1).encode())


def table(outcomes: Iterable[Outcome]) -> str:
    """The summary that ends a run."""
    return "\n".join(str(outcome) for outcome in outcomes)


def _rows(store: Store) -> list[dict[str, object]]:
    if store.size(SUMMARY) < 0:
        return []
    rows = json.loads(store.read(SUMMARY))
    return [row for row in rows if row.get("stage") in ORDER]
