"""Zip archives in the raw folder: members are files like others, and what is wrong with one is said when it is opened."""

from __future__ import annotations

import io
import logging
import stat
import zipfile
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seshat.data.ingest import Ingest, step
from seshat.data.readers import RefusedError, archive, open_raw, raw_files
from seshat.data.readers.archive import list_members, read_member, split_path
from seshat.errors import SeshatError
from seshat.language import Language
from seshat.records import Document, Record, SentencePair, digest
from seshat.stage import guarded
from seshat.store import Store

TAMA = Language(code="qta", name="tama")


def packed(files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as box:
        for name, data in files.items():
            box.writestr(name, data)
    return stream.getvalue()


def put(folder: Path, files: dict[str, bytes]) -> Path:
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


def ingested(folder: Path) -> list[Record]:
    work = step(Ingest(), TAMA, str(folder))
    return [record for part in work.parts for record in guarded(work.stages[0], part.records(Store(str(folder))))]


def rejected(folder: Path, data: bytes) -> list[tuple[str, str]]:
    """What is rejected of an archive beside a good file, and why."""
    found = ingested(put(folder, {"translations/box.zip": data, "transcriptions/good.csv": b"qta,es\nDa.,Va.\n"}))
    assert [one.text for one in found if isinstance(one, SentencePair)] == ["Da."]
    return [(one.origin, one.rejected) for one in found if one.rejected]


def test_members_are_files_with_their_own_digest(tmp_path: Path) -> None:
    box = packed({"inner/b.qta.txt": b"Da.\n", "./a.es.txt": b"Va.\n", "inner/": b""})
    found = raw_files(str(put(tmp_path, {"translations/box.zip": box, "translations/c.txt": b"Da.\n"})))
    assert [file.origin for file in found] == [
        "translations/box.zip/a.es.txt",
        "translations/box.zip/inner/b.qta.txt",
        "translations/c.txt",
    ]
    assert [open_raw(file) for file in found] == [b"Va.\n", b"Da.\n", b"Da.\n"]
    assert found[1].sha256 == found[2].sha256
    assert found[1].digest == digest("RawFile", found[2].sha256, 0, -1)


def test_members_are_read_like_files(tmp_path: Path) -> None:
    box = packed({"udhr.qta.txt": b"Da.\n", "udhr.es.txt": b"Va.\n", "t.csv": b"qta,es\nMiru.,Perro.\n"})
    found = ingested(put(tmp_path, {"translations/Box.ZIP": box}))
    assert [(one.name, one.language) for one in found if isinstance(one, Document)] == [
        ("translations/Box.ZIP/udhr", "spa"),
        ("translations/Box.ZIP/udhr", "qta"),
    ]
    assert [one.translation for one in found if isinstance(one, SentencePair)] == ["Perro."]


def test_what_is_no_material_is_left_out_and_rights_lie_beside_the_archive(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    files = dict.fromkeys(("a.txt", "__MACOSX/._a.txt", ".git/config", "~$a.docx", "SOURCE.yaml", "in/Thumbs.db"), b"x")
    put(tmp_path, {"translations/laws/box.zip": packed(files), "translations/laws/SOURCE.yaml": b"title: Laws\n"})
    with caplog.at_level(logging.WARNING):
        found = raw_files(str(tmp_path))
    assert [(file.origin, file.collection) for file in found] == [("translations/laws/box.zip/a.txt", "translations/laws")]
    assert "SOURCE.yaml inside is not read; put it beside the archive" in caplog.text


def test_recordings_in_archives_are_left_to_transcribe(tmp_path: Path) -> None:
    put(tmp_path, {"audio/box.zip": packed({"a.wav": b"RIFF", "a.csv": b"qta,es\n"})})
    assert [file.origin for file in raw_files(str(tmp_path), without=(".wav",))] == ["audio/box.zip/a.csv"]


def test_an_archive_in_no_folder_is_one_file(tmp_path: Path) -> None:
    found = ingested(put(tmp_path, {"box.zip": packed({"translations/a.qta.txt": b"Da."}), "dictionary/a.txt": b"da - va\n"}))
    assert [(one.origin, one.reason) for one in found if one.rejected] == [("box.zip", "folder")]


def test_an_archive_in_an_object_store_is_read_like_one_on_a_disk(tmp_path: Path) -> None:
    put(tmp_path, {"translations/mi ñandú #1.zip": packed({"a b.txt": b"Da.\n"}), "translations/100% b.txt": b"Va.\n"})
    assert [(file.origin, open_raw(file)) for file in raw_files(tmp_path.as_uri())] == [
        ("translations/100% b.txt", b"Va.\n"),
        ("translations/mi ñandú #1.zip/a b.txt", b"Da.\n"),
    ]


@pytest.mark.parametrize(
    ("path", "parts"),
    [
        ("/raw/box.zip!/in/a.txt", ("/raw/box.zip", "in/a.txt")),
        ("s3://raw/Box.ZIP!/b.zip!/c", ("s3://raw/Box.ZIP", "b.zip!/c")),
        ("/raw/box.zip", ("/raw/box.zip", "")),
        ("/raw/box.zip/a.txt", ("/raw/box.zip/a.txt", "")),
    ],
)
def test_a_path_names_the_archive_and_the_member(path: str, parts: tuple[str, str]) -> None:
    assert split_path(path) == parts


@pytest.mark.parametrize(
    ("name", "origin"),
    [("../../a.txt", "%%%%%/a.txt"), ("/etc/a.txt", "%etc/a.txt"), ("in/../../a.txt", "in%%%%%%/a.txt"), ("C:\\a.txt", "%%%a.txt")],
)
def test_a_name_that_leads_out_is_rejected_alone(tmp_path: Path, name: str, origin: str) -> None:
    box = packed({name: b"x"}).replace(name.replace("\\", "/").encode(), name.encode())
    ((where, why),) = rejected(tmp_path, box)
    assert where == f"translations/box.zip/{origin}"
    assert why.startswith("archive: ")
    assert "has a name that leads out of the archive" in why


def linked() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as box:
        link = zipfile.ZipInfo("a.txt")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        box.writestr(link, "/etc/hostname")
    return stream.getvalue()


def encrypted() -> bytes:
    data = bytearray(packed({"a.txt": b"x"}))
    data[data.index(b"PK\x01\x02") + 8] |= 1
    return bytes(data)


def understated() -> bytes:
    """A header that says 1 byte where there are 3000."""
    data = bytearray(packed({"a.txt": b"abc" * 1000}))
    start = data.index(b"PK\x01\x02") + 24
    data[start : start + 4] = (1).to_bytes(4, "little")
    return bytes(data)


def repeated() -> bytes:
    return packed({"a.txt": b"x", "b.txt": b"y"}).replace(b"b.txt", b"a.txt")


@pytest.mark.parametrize(
    ("box", "said"),
    [
        (linked(), "is a link or a device"),
        (encrypted(), "is encrypted; make the archive again without a password"),
        (understated(), "cannot be unpacked (Bad CRC-32"),
        (repeated(), "more than once"),
        (packed({"a.txt": b"Da. " * 1_000_000}), "unpacks to more than 200 times its size"),
        (packed({"a.txt": b"Da."}, zipfile.ZIP_BZIP2), "is packed in another way"),
        (packed({"a.txt": b"Da."}, zipfile.ZIP_STORED).replace(b"Da.", b"Di."), "cannot be unpacked (Bad CRC-32"),
        (packed({"a.zip": packed({"b.txt": b"Da."})}), "an archive inside an archive"),
    ],
)
def test_a_bad_member_is_rejected_alone(tmp_path: Path, box: bytes, said: str) -> None:
    ((origin, why),) = rejected(tmp_path, box)
    assert origin.startswith("translations/box.zip")
    assert why.startswith("archive: ")
    assert said in why


@pytest.mark.parametrize(
    ("box", "said"),
    [
        (b"PK\x03\x04 cut", "archive: not a zip archive that can be opened"),
        (packed({"a.qta.txt": b"Da."})[:-10], "archive: not a zip archive that can be opened"),
        (b"Rar!\x1a\x07", "archive: not a zip archive"),
        (packed({}), "archive: it holds no files"),
        (packed({f"{number}.txt": b"" for number in range(5_001)}), "archive: 5,001 members, more than 5,000"),
        (b"", "empty: "),
    ],
)
def test_a_bad_archive_is_rejected_whole(tmp_path: Path, box: bytes, said: str) -> None:
    ((origin, why),) = rejected(tmp_path, box)
    assert origin == "translations/box.zip"
    assert why.startswith(said)


def test_an_archive_that_unpacks_to_too_much_is_rejected_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "MAX_BYTES", 1 << 10)
    ((_, why),) = rejected(tmp_path, packed({"a.txt": bytes(range(256)) * 5}))
    assert "GiB unpacked, more than" in why


def test_a_directory_without_end_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "_LARGEST_DIRECTORY", 66_000)
    with pytest.raises(RefusedError, match="its directory has"):
        list_members(io.BytesIO(packed({f"{number:0200}.txt": b"" for number in range(500)})))


BOX = packed({"a.qta.txt": b"Da.\n" * 20, "in/b.csv": b"qta,es\n"})


@settings(max_examples=500, deadline=None)
@given(st.binary(max_size=200), st.lists(st.tuples(st.integers(0, len(BOX) - 1), st.integers(0, 255)), max_size=6))
def test_no_bytes_surprise_the_reader(data: bytes, changes: list[tuple[int, int]]) -> None:
    box = bytearray(BOX)
    for place, byte in changes:
        box[place] = byte
    for one in (data, bytes(box), data + bytes(box)):
        with suppress(SeshatError):
            for member in list_members(io.BytesIO(one)):
                with suppress(SeshatError):
                    assert all(read_member(io.BytesIO(one), member.name))
