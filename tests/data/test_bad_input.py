"""Input that is too long, too deep, too large or not the same any more.

Encodings are in test_encoding, tables in test_readers, archives in test_archive, accidents to whole files in test_mutations.
"""

from __future__ import annotations

import io
import json
import time
import zipfile
from pathlib import Path

import pytest

from seshat.data.ingest import Ingest, step
from seshat.data.layout import join_lines
from seshat.data.readers import Content, Options, RefusedError, formats
from seshat.data.readers.delimited import sniff
from seshat.errors import StoreError
from seshat.records import Document
from seshat.store import Store
from tests.data.test_ingest import SHIPIBO, ingested, pairs
from tests.data.test_mutations import VALID

LONG = "xobo " * 2_000_000


def content(extension: str, data: bytes) -> Content:
    return formats()[extension].read(data, Options())


# Long


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("transcriptions/t.csv", f"shp,es\n{LONG},Ya.\nEa.,Yo.\n"),
        ("transcriptions/t.csv", f'shp,es\n"{LONG}",Ya.\nEa.,Yo.\n'),
        ("transcriptions/t.tsv", f"shp\tes\n{LONG}\tYa.\nEa.\tYo.\n"),
        ("transcriptions/t.jsonl", f'{{"shp": "{LONG}", "es": "Ya."}}\n{{"shp": "Ea.", "es": "Yo."}}\n'),
        ("transcriptions/t.json", f'[{{"shp": "{LONG}", "es": "Ya."}}, {{"shp": "Ea.", "es": "Yo."}}]'),
    ],
    ids=["csv", "csv in quotes", "tsv", "jsonl", "json"],
)
def test_a_line_of_ten_megabytes_costs_only_itself(tmp_path: Path, name: str, text: str) -> None:
    found = ingested(tmp_path, {name: text})
    assert pairs(found) == [("Ea.", "Yo.")]
    assert [one.rejected for one in found if one.rejected] == ["length: 9999999 characters, more than 4000"]


def test_a_paragraph_of_ten_megabytes_costs_only_itself(tmp_path: Path) -> None:
    long, text = ingested(tmp_path, {"translations/t.shp.txt": f"Ea.\n\n{LONG}\n\nMoa.\n"})
    assert (long.reason, long.origin) == ("length", "translations/t.shp.txt")
    assert isinstance(text, Document)
    assert (text.paragraphs, text.rejected) == (("Ea.", "Moa."), "")


def test_an_open_quote_before_ten_megabytes_is_named() -> None:
    with pytest.raises(RefusedError, match="quotes: the quotation mark that opens a cell on line 2 "):
        content(".csv", f'shp,es\na,"{LONG}\nb,c\n'.encode())


def test_a_cell_without_end_is_no_missing_quote() -> None:
    with pytest.raises(RefusedError, match="length: the row that begins on line 2 is no row of a table"):
        content(".csv", f"shp,es\n{LONG}{LONG},b\n".encode())


def test_the_delimiter_is_sniffed_in_lines_of_any_length_and_any_end() -> None:
    assert sniff(f"a;b\n{LONG};c,d\ne;f\n") == ";"
    assert sniff("a;b\rc, d;e\rf;g\r") == ";"


def test_many_lines_are_joined_in_little_time() -> None:
    start = time.process_time()
    joined = join_lines(f"pala- {number}" if number % 2 else "pala-" for number in range(400_000))
    assert time.process_time() - start < 20  # seconds; a copy for each line takes minutes
    assert joined.startswith("palapala- 1 palapala- 3 pala")


# Deep, and no numbers


def nested(depth: int, inner: str) -> bytes:
    return f'[{{"a": {"[" * depth}{inner}{"]" * depth}}}]'.encode()


@pytest.mark.parametrize("depth", [500, 900, 2_000, 100_000])
def test_json_that_is_too_deep_is_refused(depth: int) -> None:
    with pytest.raises(RefusedError, match="syntax: the JSON is nested too deep"):
        content(".json", nested(depth, '"x"'))


@pytest.mark.parametrize("row", [b'{"a": NaN}', b'{"a": -Infinity}', nested(900, "1")[1:-1], b"3", b'{"a": 1,}'], ids=lambda row: row[:9])
def test_a_json_line_that_is_none_costs_only_itself(row: bytes) -> None:
    (table,) = content(".jsonl", row + b'\n{"shp": "Ea."}\n').tables
    assert [one.problem.partition(":")[0] for one in table.rows] == ["syntax", ""]


def test_numbers_stay_as_they_are_written() -> None:
    digits = "9" * 5_000  # more than Python converts
    (table,) = content(".json", f'[{{"id": 7, "a": {digits}, "b": 1.50, "c": 1e999, "d": true}}]'.encode()).tables
    assert dict(table.rows[0].values) == {"id": "7", "a": digits, "b": "1.50", "c": "1e999", "d": "true"}
    assert table.rows[0].place == "entry=7"


# Large once it is unpacked


@pytest.mark.parametrize("extension", [".docx", ".xlsx"])
def test_an_office_file_is_unpacked_within_the_limits_of_archives(extension: str) -> None:
    stream = io.BytesIO(VALID[extension])
    with zipfile.ZipFile(stream, "a", zipfile.ZIP_DEFLATED) as package:
        package.writestr("word/bomb.xml", b"<a>" + b" " * 20_000_000)
    with pytest.raises(RefusedError, match="archive: it unpacks to more than 200 times its size"):
        content(extension, stream.getvalue())


@pytest.mark.parametrize("extension", [".docx", ".xlsx"])
def test_an_office_file_with_a_broken_part_is_refused(extension: str) -> None:
    part = {".docx": "word/document.xml", ".xlsx": "xl/worksheets/sheet1.xml"}[extension]
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(VALID[extension])) as whole, zipfile.ZipFile(stream, "w") as broken:
        for name in whole.namelist():
            broken.writestr(name, whole.read(name)[:-40] if name == part else whole.read(name))
    with pytest.raises(RefusedError, match=r"unreadable: not an? (Word document|Excel workbook)"):
        content(extension, stream.getvalue())


# Not the same any more


def test_a_file_that_is_edited_during_the_run_stops_it_before_anything_is_committed(tmp_path: Path) -> None:
    path = tmp_path / "raw" / "transcriptions" / "t.jsonl"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({"shp": "Ea.", "es": "Yo."}))
    store, before = Store(str(tmp_path)), step(Ingest(), SHIPIBO, str(tmp_path / "raw"))
    path.write_text(json.dumps({"shp": "Moa.", "es": "Ya."}))
    with pytest.raises(StoreError, match="has changed since the run began"):
        before.work(before.parts[0], store)
    assert store.part("ingest", before.key(before.parts[0])) is None
    after = step(Ingest(), SHIPIBO, str(tmp_path / "raw"))
    assert after.work(after.parts[0], store).kept == 1
