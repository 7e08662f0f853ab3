"""Workspaces of an older Seshat are read, or refused with what to do; nobody changes what is stored without knowing it."""

from __future__ import annotations

import io
import json
from dataclasses import MISSING, fields
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from seshat.errors import StoreError
from seshat.records import KINDS, VERSION, Entry, Record, SentencePair, from_rows, rows, schema
from seshat.store import read_table
from tests.make import pair

FROZEN = Path(__file__).parent / "schemas.json"
"""The columns of every kind of record by version: {"1": {"SentencePair": {"source": "string", ...}}}. Only ever added to."""


def described(kind: type[Record]) -> dict[str, str]:
    return {field.name: str(field.type) for field in schema(kind)}


def stored(table: pa.Table) -> pa.Table:
    stream = io.BytesIO()
    pq.write_table(table, stream)
    return read_table(stream.getvalue())


def test_what_is_stored_only_grows_within_a_version() -> None:
    frozen = json.loads(FROZEN.read_text())[str(VERSION)]
    assert frozen.keys() <= KINDS.keys(), "a kind is gone: raise seshat.records.VERSION, and write docs/upgrading.md"
    for name, columns in frozen.items():
        now = described(KINDS[name])
        changed = {column: now.get(column, "gone") for column, kind in columns.items() if now.get(column) != kind}
        assert not changed, f"{name}: raise seshat.records.VERSION, write docs/upgrading.md, freeze the new columns: {changed}"
        needed = {field.name for field in fields(KINDS[name]) if field.default is MISSING and field.default_factory is MISSING}
        assert needed <= columns.keys(), f"{name}: what older files do not have needs a default: {needed - columns.keys()}"


def test_what_is_new_is_frozen_with_it() -> None:
    frozen = json.loads(FROZEN.read_text())[str(VERSION)]
    assert {name: described(kind) for name, kind in KINDS.items()} == frozen, "write the new columns into tests/schemas.json"


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_a_file_without_the_columns_that_came_later_is_read_with_their_defaults(kind: type[Record]) -> None:
    """As an older version wrote it: no metadata, and of the columns those alone that have no default."""
    old = [field for field in fields(kind) if field.default is MISSING]
    values = {"string": "x", "int64": 3, "double": 0.5, "bool": True}
    columns = {one.name: [values.get(str(schema(kind).field(one.name).type), ["x"])] for one in old}
    [read] = from_rows(stored(pa.table(columns, schema=pa.schema([schema(kind).field(one.name) for one in old]))), kind)
    assert [getattr(read, one.name) for one in fields(kind) if one.default is not MISSING] == [
        one.default for one in fields(kind) if one.default is not MISSING
    ]
    assert from_rows(stored(rows([read], kind)), kind) == [read]


def test_a_column_that_nobody_knows_any_more_is_passed_over() -> None:
    one = pair("kene", "diseño")
    table = rows([one], SentencePair)
    assert from_rows(stored(table.append_column("mood", pa.array(["glad"]))), SentencePair) == [one]


def test_rows_of_a_newer_version_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    table = rows([pair("kene", "diseño")], SentencePair)
    newer = stored(table.replace_schema_metadata({b"seshat.records": str(VERSION + 1).encode()}))
    with pytest.raises(StoreError, match=rf"SentencePair rows are of a newer Seshat \(schema {VERSION + 1}, .*upgrade Seshat"):
        from_rows(newer, SentencePair)
    monkeypatch.setattr("seshat.records.VERSION", VERSION + 1)
    with pytest.raises(StoreError, match="are of an older Seshat: run the verbs again from 'make ingest' on"):
        from_rows(stored(table), SentencePair)


def test_rows_that_lack_what_cannot_be_guessed_are_refused() -> None:
    with pytest.raises(StoreError, match=r"stored Entry rows without .* are of an older Seshat"):
        from_rows(pa.table({"origin": ["a"]}), Entry)
