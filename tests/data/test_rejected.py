"""What was rejected is there to be read."""

from __future__ import annotations

from pathlib import Path

import pytest

from seshat.data.rejected import rejected
from seshat.errors import ConfigError, StoreError
from seshat.records import Document, SentencePair
from seshat.store import Store
from tests.make import finish, pair

RECORDS = [
    pair("ama", "hola"),
    pair("ama", "ama\tla\ncasa").reject("copy: both sides are the same"),
    *(pair(f"kene {number}", "x").reject(f"ratio: {number} to 1") for number in range(3)),
    Document(
        origin="a.txt",
        collection="translations",
        name="a",
        language="qtm",
        paragraphs=("Uno.", "Dos."),
        places=("1", "2"),
        rejected="surplus: b",
    ),
]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(str(tmp_path))
    finish(store, "align", RECORDS[:2], RECORDS[2:])
    return store


def test_every_rejected_record_is_a_line_with_its_reason_and_id(store: Store) -> None:
    found = list(rejected(store, "align"))
    assert sorted(one.id for one in found) == sorted(one.id for one in RECORDS if one.rejected)
    assert str(found[0]) == f"copy: both sides are the same\ttranscriptions/t.csv#row=ama\tama | ama la casa\t{RECORDS[1].id}"
    assert next(one.says for one in found if one.reason == "surplus: b") == "a | qtm | Uno. / Dos."


def test_some_of_each_reason_or_of_one_alone(store: Store) -> None:
    assert [one.reason.partition(":")[0] for one in rejected(store, "align", most=2)].count("ratio") == 2
    assert {one.reason for one in rejected(store, "align", reason="ratio")} == {"ratio: 0 to 1", "ratio: 1 to 1", "ratio: 2 to 1"}


def test_what_there_is_not_is_said(store: Store) -> None:
    with pytest.raises(ConfigError, match="no stage 'aling'; did you mean 'align'"):
        list(rejected(store, "aling"))
    with pytest.raises(ConfigError, match="rejected nothing for 'length'; its reasons are copy, ratio, surplus"):
        list(rejected(store, "align", reason="length"))
    with pytest.raises(StoreError, match="make format"):
        list(rejected(store, "format"))
    finish(store, "ingest", [pair("ama", "hola")])
    assert list(rejected(store, "ingest")) == []
    assert list(store.records("ingest", SentencePair)) != []
