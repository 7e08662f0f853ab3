"""Only what changed is made again, and what changes under a run is never committed under the name of what was there before."""

from __future__ import annotations

from pathlib import Path

import pytest

from seshat.data import align, clean, ingest, ocr, transcribe
from seshat.data import format as formatting
from seshat.data.align import Align
from seshat.data.clean import Clean
from seshat.data.format import Format
from seshat.data.ingest import Ingest
from seshat.data.ocr import Ocr
from seshat.data.transcribe import Transcribe
from seshat.errors import StoreError
from seshat.prompts import Prompts
from seshat.records import SentencePair
from seshat.sample.grammar import Grammar
from seshat.step import Step
from seshat.store import PROCESSED, Manifest, Store
from tests.make import LANGUAGE

TABLES = ("transcriptions/a.csv", "transcriptions/b.csv", "transcriptions/deep/c.csv")
HEADER = "tamuri,español"


def write(root: Path, name: str, *rows: str) -> Path:
    """A raw file, one row a line."""
    path = root / "data/raw" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join((HEADER, *rows)) + "\n")
    return path


def step(root: Path) -> Step:
    return ingest.step(Ingest(), LANGUAGE, str(root / "data/raw"))


def run(root: Path) -> Manifest:
    """As ``make ingest`` in this process."""
    made = step(root)
    for part in made.parts:
        made.work(part, Store(str(root)))
    return made.finish(Store(str(root)))


def on_disk(root: Path) -> dict[str, tuple[int, int]]:
    """Every committed file, and what changes if it is written again."""
    found = {path.name: path.stat() for path in (root / PROCESSED / "ingest").glob("part-*")}
    return {name: (stat.st_ino, stat.st_mtime_ns) for name, stat in found.items()}


def collections(root: Path) -> dict[str, str]:
    """The collection of every pair, by its text."""
    return {pair.text: pair.collection for pair in Store(str(root)).records("ingest", SentencePair)}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A workspace with three tables, ingested."""
    for name in TABLES:
        write(tmp_path, name, f"ama {name[-5]},hola", "kene,dibujo")
    run(tmp_path)
    return tmp_path


def test_one_changed_row_makes_only_the_part_of_its_file_again(root: Path) -> None:
    before, keys = on_disk(root), {part.key for part in run(root).parts}
    write(root, TABLES[1], "ama b,hola", "kene,diseño")
    after = {part.key for part in run(root).parts}
    new = {name: place for name, place in on_disk(root).items() if name not in before}
    assert len(keys - after) == len(after - keys) == 1
    [key] = after - keys
    assert set(new) == {f"part-{key}.json", f"part-{key}.SentencePair.parquet"}
    assert {name: on_disk(root)[name] for name in before} == before
    assert [pair.translation for pair in Store(str(root)).records("ingest", SentencePair)].count("diseño") == 1


def test_a_run_without_a_change_writes_nothing(root: Path) -> None:
    before, made = on_disk(root), step(root)
    assert made.done(Store(str(root))) is not None
    run(root)
    assert on_disk(root) == before


def test_a_new_rights_record_makes_the_records_of_its_folder_again(root: Path) -> None:
    assert collections(root)["ama c"] == "transcriptions"
    (root / "data/raw/transcriptions/deep/SOURCE.yaml").write_text("consent: {train: false}\n")
    before = on_disk(root)
    run(root)
    assert collections(root) == {
        "ama a": "transcriptions",
        "ama b": "transcriptions",
        "ama c": "transcriptions/deep",
        "kene": "transcriptions/deep",
    }
    assert {name: on_disk(root)[name] for name in before} == before
    assert len(on_disk(root)) == len(before) + 2


# The stages that look at the whole corpus


def through(root: Path, filters: Clean | None = None) -> dict[str, set[str]]:
    """As ``make ingest align format`` in this process: the keys of the parts of each step."""
    store, keys = Store(str(root)), {"ingest": {part.key for part in run(root).parts}}

    def do(made: Step) -> None:
        for part in made.parts:
            made.work(part, store)
        keys[made.name] = {part.key for part in made.finish(store).parts}

    for made in align.passes(Align(), LANGUAGE, store):
        do(made)
    do(clean.step(filters or Clean(), LANGUAGE, store, max_rejected=1))
    do(formatting.step(Format(), Prompts(), LANGUAGE, store))
    return keys


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """Three tables and a document in two languages."""
    said = [f"{one.text},{one.translation}" for one in Grammar(seed=1).sentences(400) if "," not in one.text + one.translation]
    for number, name in enumerate(TABLES):
        write(tmp_path, name, *said[100 * number : 100 * number + 90])
    for code, side in (("qtm", 0), ("spa", 1)):
        lines = [one.split(",")[side] for one in said[300:340]]
        write(tmp_path, f"translations/laws.{code}.txt").write_text("\n".join(lines) + "\n")
    return tmp_path


def test_one_changed_row_makes_only_its_part_again_in_align_and_format_too(corpus: Path) -> None:
    before = through(corpus)
    table = corpus / "data/raw" / TABLES[1]
    lines = table.read_text().splitlines()
    new = Grammar(seed=7).sentences(1)[0]
    table.write_text("\n".join([*lines[:40], f"{new.text},{new.translation}", *lines[41:]]) + "\n")
    after = through(corpus)
    for step in ("ingest", "align", "format"):
        assert len(before[step]) == len(after[step]) > 3
        assert len(after[step] - before[step]) == 1, step
    assert through(corpus) == after


def test_a_row_that_decides_about_another_makes_that_part_again_too(corpus: Path) -> None:
    before = through(corpus)
    first, second = (corpus / "data/raw" / TABLES[number] for number in (0, 1))
    repeated = first.read_text().splitlines()[5]
    second.write_text(f"{second.read_text()}{repeated}\n")
    after = through(corpus)
    assert len(after["align"] - before["align"]) == 1
    assert len(after["format"] - before["format"]) == 1  # the row that came later is the duplicate
    first.write_text(first.read_text().replace(f"{repeated}\n", ""))
    last = through(corpus)
    assert len(last["align"] - after["align"]) == 1
    assert len(last["format"] - after["format"]) == 2  # now it is none, in a file that nobody touched


def test_a_line_that_becomes_boilerplate_elsewhere_makes_its_part_again_and_so_does_its_return(corpus: Path) -> None:
    filters, header = Clean(boilerplate=2, language=False), ("Kene joni ainbo.", "Hombre, mujer y dibujo.")
    for name in ("laws", "news", "songs"):
        for code, line in zip(("qtm", "spa"), header, strict=True):
            path = corpus / f"data/raw/translations/{name}.{code}.txt"
            path.write_text(f"{path.read_text() if path.exists() else ''}{line if name != 'songs' else 'Ama.'}\n")
    before, store = through(corpus, filters), Store(str(corpus))
    assert "boilerplate" not in store.require("align", needed_by="a test").rejected
    song = [corpus / f"data/raw/translations/songs.{code}.txt" for code in ("qtm", "spa")]
    for path, line in zip(song, header, strict=True):
        path.write_text(f"{line}\n")
    after = through(corpus, filters)
    assert store.require("align", needed_by="a test").rejected["boilerplate"] == 2
    assert len(after["align"] - before["align"]) == 2  # the song's, and that of an untouched document that lost its pair
    for path in song:
        path.write_text("Ama.\n")
    assert through(corpus, filters)["align"] == before["align"]


def test_a_new_document_makes_only_what_is_new(corpus: Path) -> None:
    before = through(corpus)
    new = Grammar(seed=9).sentences(2)
    for code, lines in (("qtm", [one.text for one in new]), ("spa", [one.translation for one in new])):
        (corpus / f"data/raw/translations/zebra.{code}.txt").write_text("\n".join(lines) + "\n")
    after = through(corpus)
    assert len(after["align"] - before["align"]) == 1
    assert len(after["format"] - before["format"]) <= 3  # its pairs, and both of its sides, of which nothing is made


# What changes while a run goes on


@pytest.mark.parametrize("how", ["changed", "gone"])
def test_a_file_that_changes_during_a_run_stops_it_and_commits_nothing(root: Path, how: str) -> None:
    path = write(root, TABLES[0], "ama,uno")
    made, before = step(root), on_disk(root)
    if how == "changed":
        write(root, TABLES[0], "ama,dos")
    else:
        path.unlink()
    [part] = [part for part in made.parts if part.inputs[0].origin == TABLES[0]]  # type: ignore[union-attr]
    with pytest.raises(
        StoreError, match=r"transcriptions/a\.csv (has changed since|could be read when) the run began.*run the same command again"
    ):
        made.work(part, Store(str(root)))
    assert on_disk(root) == before
    write(root, TABLES[0], "ama,uno")  # what was there when the run began is read as if nothing had been
    assert run(root).rejected == {}
    assert next(pair.translation for pair in Store(str(root)).records("ingest", SentencePair)) == "uno"


def test_a_scan_or_a_recording_that_changes_during_a_run_stops_it(tmp_path: Path) -> None:
    for name in ("scans/a.png", "audio/a.wav"):
        write(tmp_path, name)
    raw, store = str(tmp_path / "data/raw"), Store(str(tmp_path))
    steps = [ocr.step(Ocr(engine="fake"), LANGUAGE, raw), transcribe.step(Transcribe(engine="fake"), LANGUAGE, raw)]
    for name in ("scans/a.png", "audio/a.wav"):
        write(tmp_path, name, "more")
    for made in steps:
        with pytest.raises(StoreError, match="has changed since the run began"):
            made.work(made.parts[0], store)
