"""Records are values with names, and tables keep their types."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, fields, replace
from typing import Any, get_type_hints

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seshat.records import KINDS, Record, count_rejected, digest, from_rows, rows, schema
from tests.make import document, entry, pair, raw

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
VALUES: dict[Any, st.SearchStrategy[Any]] = {
    str: TEXT,
    int: st.integers(-(2**63), 2**63 - 1),
    float: st.floats(allow_nan=False),
    bool: st.booleans(),
    tuple[str, ...]: st.lists(TEXT, max_size=3).map(tuple),
    tuple[float, ...]: st.lists(st.floats(allow_nan=False), max_size=3).map(tuple),
}


def any_record(kind: type[Record]) -> st.SearchStrategy[Record]:
    """Any record of a kind, with values of the types that its fields say."""
    hints = get_type_hints(kind)
    return st.builds(kind, **{field.name: VALUES[hints[field.name]] for field in fields(kind)})


@given(st.sampled_from(sorted(KINDS)).flatmap(lambda name: st.lists(any_record(KINDS[name]), min_size=1, max_size=4)))
def test_what_goes_into_a_table_comes_out(records: list[Record]) -> None:
    kind = type(records[0])
    assert from_rows(rows(records, kind), kind) == records


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_an_empty_table_keeps_its_types(kind: type[Record]) -> None:
    table = rows([], kind)
    assert table.schema == schema(kind)
    assert pa.null() not in table.schema.types
    assert from_rows(table, kind) == []


def test_a_schema_is_derived_from_the_types() -> None:
    made = schema(KINDS["Page"])
    assert [str(made.field(name).type) for name in ("id", "number", "confidence", "boxes")] == [
        "string",
        "int64",
        "double",
        "list<item: double>",
    ]


def test_a_table_has_the_id_of_each_record() -> None:
    records = [pair("a", "b"), pair("c", "d")]
    assert rows(records, KINDS["SentencePair"]).column("id").to_pylist() == [record.id for record in records]


@pytest.mark.parametrize(
    ("change", "same_id", "same_digest"),
    [
        ({}, True, True),
        ({"origin": "elsewhere#row=1"}, False, True),
        ({"text": "b"}, False, False),
        ({"gloss": "b"}, False, False),
        ({"score": 0.5}, True, True),
        ({"collection": "other"}, True, True),
        ({"rejected": "length"}, True, True),
    ],
)
def test_an_id_is_of_content_and_origin_and_a_digest_of_content(change: dict[str, Any], same_id: bool, same_digest: bool) -> None:
    record = pair("a", "b")
    changed = replace(record, **change)
    assert (changed.id == record.id, changed.digest == record.digest) == (same_id, same_digest)


def test_where_a_raw_file_lies_does_not_matter() -> None:
    file = raw("scans/kene.pdf")
    assert replace(file, path="/elsewhere/kene.pdf").id == file.id
    assert replace(file, start=0, stop=8).id != file.id


def test_records_of_two_kinds_with_the_same_content_are_two() -> None:
    assert entry("a", "b", origin="x").digest != pair("a", "b", origin="x").digest


@pytest.mark.parametrize(("one", "other"), [(("ab", "c"), ("a", "bc")), (("a", ""), ("a",)), (("1",), ("1", "1"))])
def test_digests_know_where_a_part_ends(one: tuple[str, ...], other: tuple[str, ...]) -> None:
    assert digest(*one) != digest(*other)


def test_a_digest_is_the_same_for_ever() -> None:
    assert digest("joʼn", 3, b"\x00") == "5df6a58f5304a3fd698e"


def test_a_record_is_changed_only_by_making_another() -> None:
    record = pair("a", "b")
    with pytest.raises(FrozenInstanceError):
        record.text = "c"  # type: ignore[misc]
    assert record.reject("length: 9 words").rejected == "length: 9 words"
    assert record.rejected == ""


def test_rejected_records_are_counted_by_the_first_word() -> None:
    reasons = ["length: 9", "", "copy", "length: 12", "a: 1"]
    assert list(count_rejected([document("qtm", "x", rejected=reason) for reason in reasons]).items()) == [
        ("length", 2),
        ("a", 1),
        ("copy", 1),
    ]


def test_a_field_without_an_arrow_type_is_refused() -> None:
    from dataclasses import dataclass

    @dataclass(frozen=True, slots=True, kw_only=True)
    class Bag(Record):
        metadata: dict

    with pytest.raises(TypeError, match="has no Arrow type"):
        schema(Bag)
