"""Plain scans to text and JSON, as anybody would call it."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from jobs import ocr_files
from seshat import plain
from tests.data.test_ocr import encoded, printed

PAGE = encoded(printed(["uno", "dos"]), "PNG")


@pytest.fixture(autouse=True)
def _logging() -> Iterator[None]:
    before = logging.getLogger("seshat.data").level
    yield
    logging.getLogger("seshat.data").setLevel(before)


def ocr(*argv: str) -> int:
    return plain.run(
        ocr_files.run, ocr_files.__doc__, section="ocr", argv=["--engine", "fake", "page_seconds=0", *argv], defaults=["max_rejected=1"]
    )


def files(folder: Path, **content: bytes) -> list[str]:
    for name, data in content.items():
        (folder / name.replace("__", ".")).write_bytes(data)
    return [str(folder / name.replace("__", ".")) for name in content]


def test_each_file_becomes_text_and_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    two = encoded(printed(["uno"]), "PDF", [printed(["dos", "tres"])])
    out = tmp_path / "out"
    assert ocr("--output", str(out), *files(tmp_path, a__png=PAGE, b__pdf=two)) == 0
    assert sorted(path.name for path in out.iterdir() if path.is_file()) == ["a.json", "a.txt", "b.json", "b.txt"]
    assert (out / "b.txt").read_text() == "line 1\nline 1\nline 2\n"
    told = json.loads((out / "a.json").read_text())
    [page] = told["pages"]
    assert (page["page"], page["engine"], page["rejected"], page["turned"]) == (1, "fake 1", "", 0)
    assert [(line["text"], line["confidence"], len(line["box"])) for line in page["lines"]] == [("line 1", 1.0, 4), ("line 2", 1.0, 4)]
    assert "2 files, 3 pages read, 0 rejected" in capsys.readouterr().out


def test_bad_files_are_reported_and_the_others_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    asked = [*files(tmp_path, good__png=PAGE, bad__png=b"no picture", empty__tif=b""), str(tmp_path / "gone.png")]
    assert ocr("--output", str(out), *asked) == 1
    assert sorted(path.name for path in out.glob("*.*")) == [".seshat", "good.json", "good.txt"]
    said = capsys.readouterr().err
    for name, reason in (("bad.png", "unreadable"), ("empty.tif", "empty"), ("gone.png", "unreadable")):
        assert f"{tmp_path / name}: {reason}" in said


def test_a_second_run_reads_nothing_again_and_more_files_only_themselves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = files(tmp_path, a__png=PAGE, b__png=encoded(printed(["x"]), "PNG"))
    assert ocr("--output", str(tmp_path / "out"), asked[0]) == 0
    calls: list[str] = []
    real = ocr_files.step_for

    def counted(*given: object, **more: object) -> object:
        step = real(*given, **more)  # type: ignore[arg-type]
        calls.extend(str(one.key(part)) for one in [step] for part in one.parts if one.committed(part, store) is None)
        return step

    from seshat.store import Store

    store = Store(str(tmp_path / "out" / plain.WORKSPACE))
    monkeypatch.setattr(ocr_files, "step_for", counted)
    assert ocr("--output", str(tmp_path / "out"), *asked) == 0
    assert len(calls) == 1
    assert (tmp_path / "out" / "a.txt").read_text() == "line 1\nline 2\n"


def test_names_with_signs_and_an_output_beside_the_input(tmp_path: Path) -> None:
    (tmp_path / "no#1.pdf").write_bytes(b"no picture")
    files(tmp_path, good__png=PAGE)
    with pytest.raises(SystemExit, match="2"):
        ocr("--output", str(tmp_path), str(tmp_path))
    for _ in range(2):
        assert ocr("--output", str(tmp_path / "out"), str(tmp_path)) == 1
        assert sorted(path.name for path in (tmp_path / "out").glob("*.txt")) == ["good.txt"]


def test_names_that_clash_keep_their_extension(tmp_path: Path) -> None:
    assert ocr("--output", str(tmp_path / "out"), *files(tmp_path, a__png=PAGE, a__tif=encoded(printed(["x"]), "TIFF"))) == 0
    assert sorted(path.name for path in (tmp_path / "out").glob("*.txt")) == ["a.png.txt", "a.tif.txt"]


def test_a_folder_stands_for_its_files(tmp_path: Path) -> None:
    (tmp_path / "in" / "deep").mkdir(parents=True)
    files(tmp_path / "in", a__png=PAGE)
    files(tmp_path / "in" / "deep", b__png=PAGE, _hidden__png=b"")
    (tmp_path / "in" / ".hidden.png").write_bytes(b"")
    (tmp_path / "in" / "deep" / "_hidden.png").unlink()
    assert ocr("--output", str(tmp_path / "out"), str(tmp_path / "in")) == 0
    assert sorted(path.name for path in (tmp_path / "out").glob("*.txt")) == ["a.txt", "b.txt"]


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        ([], "no files: name at least one file"),
        (["dip=300", "x.png"], "ocr.dip: unknown key; did you mean 'dpi'?"),
        (["engine=tesserract", "x.png"], "ocr.engine: input should be 'tesseract'"),
        (["a/x.png", "b/x.png"], "would both become x.png.json"),
    ],
)
def test_what_makes_no_sense_is_said_before_anything_is_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], argv: list[str], said: str
) -> None:
    given = ["--output", str(tmp_path / "out"), *argv]
    assert plain.run(ocr_files.run, None, section="ocr", argv=given) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
