"""What no manifest names can go; what anybody may be reading or writing stays."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from jobs import clean_up
from seshat.data.clean_up import DAY, superseded
from seshat.records import SentencePair
from seshat.settings import Settings
from seshat.store import PROCESSED, Store
from tests.make import LANGUAGE, finish, pair

OLD, NEW = [pair("ama", "uno"), pair("joni", "hombre")], [pair("ama", "dos")]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A stage that was made twice, two days ago, with what a killed run has left."""
    made = Store(str(tmp_path))
    made.commit("ingest", "old", OLD, rows_in=2)
    made.write(f"{PROCESSED}/ingest/part-x.json.ab12cd34.tmp", b"half")
    finish(made, "ingest", NEW)
    for path in tmp_path.rglob("*"):
        os.utime(path, (time.time() - 2 * DAY,) * 2)
    return made


def files(store: Store) -> set[str]:
    return {name.rpartition("/")[2] for name in store.names(PROCESSED)}


def run(store: Store, *, dry_run: bool = False, now: bool = False) -> str:
    return str(clean_up.run(Settings(root=store.root, language=LANGUAGE), dry_run=dry_run, now=now))


def test_what_no_manifest_names_goes_and_the_rest_is_read_as_before(store: Store) -> None:
    size = sum(store.size(name) for name in store.names(PROCESSED) if "part-old" in name or name.endswith(".tmp"))
    assert superseded(store, time.time()).num_bytes == size > 0
    assert "3 files deleted" in run(store)
    assert files(store) == {"manifest.json", "part-ingest0.json", "part-ingest0.SentencePair.parquet"}
    assert list(store.records("ingest", SentencePair)) == NEW
    assert "0 files deleted" in run(store)


def test_a_dry_run_deletes_nothing(store: Store) -> None:
    before = files(store)
    assert "3 files could go" in run(store, dry_run=True)
    assert files(store) == before


@pytest.mark.parametrize("lately", ["part-old.json", "manifest.json"], ids=["a run at work", "a reader of the manifest before"])
def test_a_stage_in_which_something_was_written_lately_is_left_alone(store: Store, lately: str) -> None:
    os.utime(store.path(f"{PROCESSED}/ingest/{lately}"))
    before = files(store)
    assert "0 files deleted" in run(store)
    assert files(store) == before
    assert "3 files deleted" in run(store, now=True)


def test_a_stage_that_is_not_finished_keeps_its_parts(store: Store) -> None:
    store.remove(f"{PROCESSED}/ingest/part-ingest0.SentencePair.parquet")
    before = files(store)
    assert "0 files deleted" in run(store, now=True)
    assert files(store) == before


def test_the_line_that_makes_a_part_count_goes_before_its_records(store: Store) -> None:
    assert [name.rpartition("/")[2] for name in superseded(store, time.time()).files] == [
        "part-old.json",
        "part-old.SentencePair.parquet",
        "part-x.json.ab12cd34.tmp",
    ]
