"""The row that every verb leaves in ``reports/summary.json``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from seshat.step import Outcome
from seshat.store import Store
from seshat.summary import SUMMARY, closing, record, table


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(str(tmp_path))


def stages(store: Store) -> list[str]:
    return [row["stage"] for row in json.loads(store.read(SUMMARY))]


def test_a_row_says_what_a_verb_did(store: Store) -> None:
    record(Outcome(stage="align", rows_in=5, kept=3, rejected={"ratio": 2}, seconds=1.234, note="ʼ"), store)
    assert json.loads(store.read(SUMMARY)) == [
        {"stage": "align", "rows_in": 5, "kept": 3, "rejected": {"ratio": 2}, "seconds": 1.23, "memory": 0, "disk": 0, "note": "ʼ"}
    ]


def test_rows_stand_in_the_order_of_the_pipeline(store: Store) -> None:
    for stage in ("train", "ingest", "export-gguf", "align"):
        record(Outcome(stage=stage), store)
    assert stages(store) == ["ingest", "align", "train", "export-gguf"]


def test_a_verb_that_runs_again_replaces_its_row(store: Store) -> None:
    record(Outcome(stage="align", kept=3, seconds=9), store)
    record(Outcome(stage="align", kept=4, seconds=8), store)
    [row] = json.loads(store.read(SUMMARY))
    assert (row["kept"], row["seconds"]) == (4, 8)


def test_a_verb_that_had_nothing_to_do_keeps_the_seconds_that_it_once_took(store: Store) -> None:
    record(Outcome(stage="align", kept=3, seconds=9), store)
    before = store.read(SUMMARY)
    record(Outcome(stage="align", kept=3, done_before=True), store)
    assert store.read(SUMMARY) == before


def test_a_verb_that_makes_nothing_leaves_no_row(store: Store) -> None:
    record(Outcome(stage="check-gpu"), store)
    assert store.size(SUMMARY) == -1


def test_the_table_has_a_line_for_each_verb() -> None:
    lines = table([Outcome(stage="ingest", rows_in=2, kept=2), Outcome(stage="ocr", done_before=True)]).split("\n")
    assert [line.split()[0] for line in lines] == ["ingest", "ocr"]


def score(direction: str, metric: str, system: str, value: float) -> dict[str, object]:
    facts = {"direction": direction, "task": "translation", "system": system, "metric": metric}
    return {**facts, "score": value, "low": value - 1, "high": value + 1, "n": 10, "signature": ""}


def test_a_run_ends_with_our_scores_beside_the_floors(store: Store) -> None:
    rows = [score("spa-qtm", metric, system, value) for metric in ("chrf++", "bleu") for system, value in (("ours", 40.0), ("copy", 9.5))]
    store.write(
        "reports/scores.json", json.dumps([*rows, score("qtm-spa", "bleu", "ours", 30.0), score("qtm-spa", "ter", "ours", 60.0)]).encode()
    )
    lines = [line.split() for line in closing([Outcome(stage="ingest")], store, "quickstart").split("\n")]
    assert ["translation", "ours", "copy"] in lines
    assert ["spa-qtm", "chrf++", "40.0", "[39.0,", "41.0]", "9.5", "[8.5,", "10.5]"] in lines
    assert ["qtm-spa", "bleu", "30.0", "[29.0,", "31.0]", "-"] in lines
    assert not any("ter" in line for line in lines), "chrF++ and BLEU are enough for the terminal"
    assert ["adapter", store.path("models/adapters/quickstart")] in lines


def test_a_run_without_scores_says_how_to_get_them(store: Store) -> None:
    assert "no scores: run 'make eval'" in closing([], store, "quickstart")
