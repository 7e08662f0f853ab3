"""What is remembered of rounds."""

from __future__ import annotations

from pathlib import Path

import pytest

from seshat.errors import StoreError
from seshat.evaluation.significance import Comparison
from seshat.rounds.back_translate import drop
from seshat.rounds.ledger import FILE, Ledger, Outturn, Round, read_ledger, write_ledger
from seshat.store import Store


def made(number: int = 1, verdict: str = "", **facts: object) -> Round:
    known = {"engine": "a", "identity": "1", "data": "x", "directions": ("spa-qtm",), "kept": 5, "rejected": {}, "measured": "m.parquet"}
    outturn = None
    if verdict:
        found = {"metric": "chrf++", "n": 40, "difference": -2.0, "low": -3.0, "high": -1.0, "p": 0.01, "verdict": verdict}
        outturn = Outturn(name="b", identity="2", scores={"spa-qtm": 28.0}, comparisons={"spa-qtm": Comparison.model_validate(found)})
    return Round.model_validate({**known, "number": number, "scores": {"spa-qtm": 30.0}, "outturn": outturn, **facts})


def test_a_round_fell_if_a_direction_is_worse_beyond_chance() -> None:
    assert made(verdict="worse").fell == ["spa-qtm"]
    assert made(verdict="not told apart").fell == made(verdict="better").fell == made().fell == []
    assert "spa-qtm: chrF++ on val 30.0 -> 28.0 (-2.0 [-3.0, -1.0], p = .010, worse)" in str(made(verdict="worse"))


def test_a_round_that_is_made_again_takes_its_place(tmp_path: Path) -> None:
    store = Store(str(tmp_path))
    assert read_ledger(store) == Ledger()
    ledger = Ledger().put(made(1)).put(made(2)).put(made(2, kept=9))
    write_ledger(store, ledger)
    assert [(one.number, one.kept) for one in read_ledger(store).rounds] == [(1, 5), (2, 9)]


def test_without_a_round_there_is_nothing_to_drop(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="there has been no round"):
        drop(Store(str(tmp_path)))


def test_a_record_that_is_none_is_refused(tmp_path: Path) -> None:
    store = Store(str(tmp_path))
    store.write(FILE, b'{"rounds": [{"number": "one"}]}')
    with pytest.raises(StoreError, match=r"is not a record of rounds \(\d+ errors\): move it away"):
        read_ledger(store)
