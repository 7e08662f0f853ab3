"""The commit protocol: what is on disk counts whole or not at all."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import time
from pathlib import Path

import pytest

from seshat.errors import StoreError
from seshat.records import Entry, RawFile, Record, SentencePair
from seshat.store import PROCESSED, Manifest, Slice, Store, slices
from tests.make import entry, finish, pair, raw

PAIRS = [pair("a", "b"), pair("c", "d").reject("copy"), pair("e", "f")]
MANIFEST = f"{PROCESSED}/align/manifest.json"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(str(tmp_path))


# Files


def test_a_file_is_named_by_its_bytes(store: Store) -> None:
    written = store.write("a/b.txt", b"ama")
    assert (written.path, written.size, written.sha256[:8]) == ("a/b.txt", 3, "02a6efa4")
    assert (store.read("a/b.txt"), store.size("a/b.txt"), store.vouch("a/b.txt")) == (b"ama", 3, written)


def test_what_is_not_there_has_no_size_and_cannot_be_read(store: Store) -> None:
    assert store.size("nothing") == -1
    with pytest.raises(StoreError, match=r"nothing: cannot be read"):
        store.read("nothing")


def test_an_exception_in_the_middle_of_writing_leaves_the_old_file(store: Store, tmp_path: Path) -> None:
    store.write("file", b"old")
    with pytest.raises(BufferError):
        store.write("file", memoryview(b"x" * 64)[::2])  # not contiguous: found only while writing
    assert (store.read("file"), os.listdir(tmp_path)) == (b"old", ["file"])


def _write_for_ever(store: Store) -> None:
    while True:
        for letter in (b"a", b"b"):
            store.write("file", letter * 4_000_000)


def test_a_kill_in_the_middle_of_writing_leaves_a_whole_file(store: Store, tmp_path: Path) -> None:
    for delay in (0.00, 0.01, 0.03):
        (tmp_path / "file").unlink(missing_ok=True)
        process = multiprocessing.get_context("fork").Process(target=_write_for_ever, args=(store,))
        process.start()
        deadline = time.monotonic() + 60
        while store.size("file") < 0 and time.monotonic() < deadline:
            time.sleep(0.005)
        time.sleep(delay)
        process.kill()
        process.join()
        assert store.read("file") in (b"a" * 4_000_000, b"b" * 4_000_000)


def test_a_full_disk_keeps_the_old_output_and_says_so(tiny_disk: Path) -> None:
    store = Store(str(tiny_disk))
    before = finish(store, "align", PAIRS)
    with pytest.raises(StoreError, match=r"1,000,000 bytes could not be written, [\d,]+ are free: make room.* untouched"):
        store.write(before.parts[0].files[0].path, b"x" * 1_000_000)
    assert list(store.records("align", SentencePair)) == [PAIRS[0], PAIRS[2]]
    assert not [name for name in os.listdir(tiny_disk / PROCESSED / "align") if name.endswith(".tmp")]


def test_a_folder_that_cannot_be_made_is_a_store_error(store: Store) -> None:
    store.write("file", b"")
    with pytest.raises(StoreError, match="could not be written"):
        store.write("file/below", b"")


@pytest.mark.parametrize(
    ("root", "name", "path"),
    [
        ("/ws", "data/raw", "/ws/data/raw"),
        ("/ws", "/elsewhere/raw", "/elsewhere/raw"),
        ("/ws", "s3://bucket/raw", "s3://bucket/raw"),
        ("file:///ws", "data/raw", "/ws/data/raw"),
    ],
)
def test_names_are_below_the_root_unless_they_are_whole_paths(root: str, name: str, path: str) -> None:
    assert Store(root).path(name) == path


def test_an_address_is_a_workspace_like_a_folder(tmp_path: Path) -> None:
    by_address = Store(f"file://{tmp_path}")
    finish(by_address, "align", PAIRS)
    assert list(Store(str(tmp_path)).records("align", SentencePair)) == list(by_address.records("align", SentencePair)) != []


def test_an_object_store_is_a_workspace(tmp_path: Path) -> None:
    from pyarrow import fs

    class Bucket(Store):
        """A file system of pyarrow that is not the local one, as an object store is."""

        _filesystem = (fs.SubTreeFileSystem(str(tmp_path), fs.LocalFileSystem()), "bucket")

    bucket = Bucket("memory://bucket")
    finish(bucket, "align", PAIRS)
    assert not bucket.local
    assert bucket.path("data/raw") == "memory://bucket/data/raw"
    assert list(bucket.records("align", SentencePair)) == [PAIRS[0], PAIRS[2]]


def test_a_store_travels(store: Store) -> None:
    store.write("file", b"ama")
    assert pickle.loads(pickle.dumps(store)).read("file") == b"ama"


# Parts


def test_a_part_counts_what_it_holds_by_kind(store: Store) -> None:
    line = store.commit("ingest", "key", [*PAIRS, entry("a", "b")], rows_in=4)
    assert store.part("ingest", "key") == line
    assert (line.kept, line.rejected, [(file.kind, file.rows) for file in line.files]) == (
        3,
        {"copy": 1},
        [("Entry", 1), ("SentencePair", 3)],
    )


def test_an_empty_part_counts(store: Store) -> None:
    line = store.commit("ingest", "key", [], rows_in=0)
    assert (store.part("ingest", "key"), line.files) == (line, ())


def test_a_part_without_its_line_does_not_count(store: Store, tmp_path: Path) -> None:
    store.commit("align", "key", PAIRS, rows_in=3)
    (tmp_path / PROCESSED / "align" / "part-key.json").unlink()
    assert store.part("align", "key") is None


@pytest.mark.parametrize("text", ["", '{"key": "ke', "[]", '{"key": "key"}', "\udcff"])
def test_a_damaged_line_does_not_count(store: Store, tmp_path: Path, text: str) -> None:
    store.commit("align", "key", PAIRS, rows_in=3)
    (tmp_path / PROCESSED / "align" / "part-key.json").write_text(text, errors="surrogateescape")
    assert store.part("align", "key") is None


def test_the_same_records_are_the_same_bytes(tmp_path: Path) -> None:
    one, other = (Store(str(tmp_path / name)).commit("align", "key", PAIRS, rows_in=3) for name in ("one", "other"))
    assert one == other


# Stages that are done


def test_a_stage_is_done_with_its_own_fingerprint_only(store: Store) -> None:
    manifest = finish(store, "align", PAIRS)
    assert store.done(f"{PROCESSED}/align", manifest.fingerprint) == manifest
    assert store.done(f"{PROCESSED}/align", "another") is None
    assert store.done(f"{PROCESSED}/ocr", manifest.fingerprint) is None


@pytest.mark.parametrize("damage", ["truncated", "gone", "half a manifest"])
def test_a_stage_with_damaged_files_is_not_done(store: Store, tmp_path: Path, damage: str) -> None:
    manifest = finish(store, "align", PAIRS)
    part = tmp_path / manifest.parts[0].files[0].path
    if damage == "truncated":
        part.write_bytes(part.read_bytes()[:-1])
    elif damage == "gone":
        part.unlink()
    else:
        (tmp_path / MANIFEST).write_bytes(store.read(MANIFEST)[:100])
    assert store.done(f"{PROCESSED}/align", manifest.fingerprint) is None
    assert list(store.records("align", SentencePair)) == []


def test_a_file_of_a_stage_without_parts_is_vouched_for_too(store: Store, tmp_path: Path) -> None:
    manifest = Manifest(stage="train", fingerprint="f", files=(store.write("models/a.bin", b"weights"),))
    store.finish("models", manifest)
    assert store.manifest("models") == manifest
    (tmp_path / "models" / "a.bin").write_bytes(b"")
    assert store.manifest("models") is None


def test_a_manifest_says_the_same_whenever_and_wherever_it_is_made(tmp_path: Path) -> None:
    for name in ("one", "other"):
        finish(Store(str(tmp_path / name)), "align", PAIRS)
    assert (tmp_path / "one" / MANIFEST).read_bytes() == (tmp_path / "other" / MANIFEST).read_bytes()


def test_a_missing_stage_names_the_make_that_makes_it(store: Store) -> None:
    with pytest.raises(StoreError, match=r"data/processed/align is not complete and 'format' needs it: run 'make align' first"):
        store.require("align", needed_by="format")


# Records


def test_records_are_those_that_were_kept_or_those_that_were_not(store: Store) -> None:
    finish(store, "align", PAIRS[:2], PAIRS[2:])
    assert list(store.records("align", SentencePair)) == [PAIRS[0], PAIRS[2]]
    assert list(store.records("align", SentencePair, rejected=True)) == [PAIRS[1]]
    assert list(store.records("align", Entry)) == []


def test_values_are_those_of_all_records_kept_or_not(store: Store) -> None:
    finish(store, "align", [pair("wasi", "casa"), pair("misi", "gato", rejected="ratio: 3 to 90")], [entry("wasi", "casa")])
    assert list(store.values("align", SentencePair, "text", "rejected")) == [("wasi", ""), ("misi", "ratio: 3 to 90")]
    assert list(store.values("clean", SentencePair, "text")) == []


def test_a_stage_that_never_ran_has_no_records(store: Store) -> None:
    assert (list(store.records("ocr", SentencePair)), store.files("ocr", SentencePair)) == ([], [])


def test_files_that_no_manifest_names_are_not_read(store: Store) -> None:
    finish(store, "align", PAIRS)
    store.commit("align", "left over from a killed run", PAIRS, rows_in=3)
    assert len(list(store.records("align", SentencePair))) == 2


def test_a_flipped_bit_is_found_when_it_is_read(store: Store, tmp_path: Path) -> None:
    [part] = finish(store, "align", PAIRS).parts
    path = tmp_path / part.files[0].path
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(StoreError, match=r"is not what its manifest says: delete it and run its stage again"):
        list(store.records("align", SentencePair))


@pytest.mark.parametrize(("size", "texts"), [(1, ["a", "c", "e"]), (2, ["ac", "e"]), (3, ["ace"]), (4, ["ace"])])
def test_files_are_cut_into_ranges_of_rows(store: Store, size: int, texts: list[str]) -> None:
    finish(store, "align", PAIRS)
    pieces = list(slices(store.files("align", SentencePair), size))
    assert ["".join(record.text for record in store.slice(piece, SentencePair)) for piece in pieces] == texts
    assert len({piece.id for piece in pieces}) == len(pieces)


def test_a_slice_without_bounds_is_the_whole_file(store: Store) -> None:
    finish(store, "align", PAIRS)
    [file] = store.files("align", SentencePair)
    assert store.slice(Slice(file), SentencePair) == PAIRS


@pytest.mark.parametrize("record", [raw("dictionary/a.csv"), entry("ʼa\u0301\n\t", "«b»"), pair("日本", "\U0001f469")])
def test_any_letters_are_kept(store: Store, record: Record) -> None:
    finish(store, "ingest", [record])
    assert list(store.records("ingest", type(record))) == [record]


def test_a_raw_file_that_was_rejected_is_kept(store: Store) -> None:
    finish(store, "ingest", [raw("dictionary/a.csv").reject("unreadable: no columns")])
    assert [file.reason for file in store.records("ingest", RawFile, rejected=True)] == ["unreadable"]
