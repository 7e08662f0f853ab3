"""``reports/summary.json``: what every verb of a workspace did last, one row each, in the order of the pipeline."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from seshat.cost import Cost, disk
from seshat.errors import SeshatError, StoreError
from seshat.step import Outcome
from seshat.store import Store

log = logging.getLogger(__name__)
SUMMARY = "reports/summary.json"
SCORES = "reports/scores.json"
FAILED = "reports/failed.json"
ORDER = (
    "sample",
    "ingest",
    "ocr",
    "transcribe",
    "speech-train",
    "align",
    "back-translate",
    "format",
    "data-stats",
    "download-model",
    "tokenizer-analysis",
    "tokenizer-extend",
    "train",
    "tune",
    "eval",
    "export-gguf",
)


def record(outcome: Outcome, store: Store, memory: int = 0) -> None:
    """Put the row of a verb in place, and say what it took and what was expected; one that had nothing to do keeps its row.

    ``memory`` is what it held at most, in bytes.
    """
    if outcome.stage not in ORDER:
        return
    rows = {row["stage"]: row for row in _rows(store)}
    if outcome.done_before and outcome.stage in rows:
        return
    expected = expect(outcome.stage, store, outcome.rows_in)
    cost = Cost(seconds=round(outcome.seconds, 2), memory=memory, disk=disk(outcome.stage, store))
    if expected.seconds and not outcome.left_out:
        log.info("%s: took %s; expected were %s", outcome.stage, cost, expected)
    rows[outcome.stage] = {
        "stage": outcome.stage,
        "rows_in": outcome.rows_in,
        "kept": outcome.kept,
        "rejected": outcome.rejected,
        **cost.model_dump(),
        "note": outcome.note,
    }
    ordered = sorted(rows.values(), key=lambda row: ORDER.index(row["stage"]))
    store.write(SUMMARY, json.dumps(ordered, ensure_ascii=False, indent=1).encode())


def failures(store: Store) -> dict[str, str]:
    """What went wrong last, by verb; a verb that has worked since is not among them."""
    return dict(json.loads(store.read(FAILED))) if store.size(FAILED) >= 0 else {}


@contextmanager
def failing(stage: str, store: Store) -> Iterator[None]:
    """Keep the error of a verb until it works."""
    known = failures(store)
    try:
        yield
    except SeshatError as error:
        try:
            store.write(FAILED, json.dumps(known | {stage: str(error)}, ensure_ascii=False, indent=1).encode())
        except StoreError as second:  # a full disk: what is told must be the first error
            log.warning("seshat status will not know of this failure: %s", second)
        raise
    if known.pop(stage, ""):
        store.write(FAILED, json.dumps(known, ensure_ascii=False, indent=1).encode())


def expect(stage: str, store: Store, rows: int = 0) -> Cost:
    """What a verb will cost for so many rows, by what it cost in this workspace last; nothing is known if it never ran here."""
    row = next((row for row in _rows(store) if row["stage"] == stage), None)
    if row is None:
        return Cost()
    last = Cost.model_validate({name: row[name] for name in Cost.model_fields if name in row})
    before = int(str(row["rows_in"]))
    return last.times(rows / before) if rows and before else last


def table(outcomes: Iterable[Outcome]) -> str:
    """The summary that ends a run."""
    return "\n".join(str(outcome) for outcome in outcomes)


def closing(outcomes: Sequence[Outcome], store: Store, name: str) -> str:
    """What a reader wants to see when all is done: rows by stage, scores beside their floors, and where everything is."""
    places = {
        "report": "reports/index.html",
        "rejected": "data/processed/rejected.html",
        "adapter": f"models/adapters/{name}",
        "merged model": f"models/merged/{name}",
        "GGUF": f"models/gguf/{name}",
    }
    lines = ["", "Summary", table(outcomes), "", _scores(store), ""]
    lines += [f"{what:<14}{store.path(place)}" for what, place in places.items()]
    return "\n".join(lines)


def _scores(store: Store) -> str:
    """chrF++ and BLEU of the translations: ours beside the floors, a line for each direction and metric."""
    if store.size(SCORES) < 0:
        return "no scores: run 'make eval'"
    rows = [row for row in json.loads(store.read(SCORES)) if row["task"] == "translation" and row["metric"] in ("chrf++", "bleu")]
    systems = list(dict.fromkeys(row["system"] for row in rows))
    lines = ["translation      " + "".join(f"{system:>22}" for system in systems)]
    for direction, metric in dict.fromkeys((row["direction"], row["metric"]) for row in rows):
        found = {row["system"]: row for row in rows if (row["direction"], row["metric"]) == (direction, metric)}
        cells = [f"{row['score']:.1f} [{row['low']:.1f}, {row['high']:.1f}]" if row else "-" for row in map(found.get, systems)]
        lines.append(f"{direction:<9}{metric:<8}" + "".join(f"{cell:>22}" for cell in cells))
    return "\n".join(lines)


def _rows(store: Store) -> list[dict[str, object]]:
    if store.size(SUMMARY) < 0:
        return []
    rows = json.loads(store.read(SUMMARY))
    return [row for row in rows if row.get("stage") in ORDER]
