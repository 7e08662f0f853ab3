"""What file names say, and texts whose two sides were written line by line."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path

import pytest

from seshat.data import align
from seshat.data.ingest import FileRule, Ingest, step
from seshat.data.names import split_name
from seshat.errors import ConfigError
from seshat.language import Language
from seshat.records import Document, Record, SentencePair
from seshat.store import Store

SHIPIBO = Language(code="shp", name="shipibo-konibo")


def ingested(folder: Path, files: Mapping[str, str], ingest: Ingest | None = None) -> Store:
    """A workspace in which raw files are ingested."""
    for name, text in files.items():
        (folder / "raw" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "raw" / name).write_text(text)
    store = Store(str(folder))
    work = step(ingest or Ingest(max_rejected=1), SHIPIBO, str(folder / "raw"))
    for part in work.parts:
        work.work(part, store)
    work.finish(store)
    return store


def documents(store: Store) -> dict[str, tuple[str, ...]]:
    """The paragraphs of every document, by origin and language."""
    return {f"{one.origin} {one.language}": one.paragraphs for one in store.records("ingest", Document)}


def aligned(store: Store) -> list[Record]:
    """What align makes of the documents, before it is cleaned."""
    work = next(align.passes(align.Align(), SHIPIBO, store))
    for part in work.parts:
        work.work(part, store)
    work.finish(store)
    return [record for side in (False, True) for record in store.records(work.name, SentencePair, rejected=side)]


@pytest.mark.parametrize(
    ("origin", "name", "code"),
    [
        ("translations/udhr.shp.docx", "translations/udhr", "shp"),
        ("translations/udhr_es.txt", "translations/udhr", "spa"),
        ("translations/shp/laws/one.txt", "translations/laws/one", "shp"),
        ("translations/v1.2.txt", "translations/v1.2", ""),
        ("transcriptions/radio.csv", "transcriptions/radio", ""),
        ("translations/laws.shp", "translations/laws", "shp"),
        ("translations/laws.ES", "translations/laws", "spa"),
        ("translations/train.shp-spa.shp", "translations/train.shp-spa", "shp"),
        ("translations/train.shp-spa.es", "translations/train.shp-spa", "spa"),
        ("translations/laws.src", "translations/laws", "shp"),
        ("translations/laws.tgt", "translations/laws", "spa"),
        ("translations/laws.trg", "translations/laws", "spa"),
        ("translations/laws.es-shp.src", "translations/laws.es-shp", "spa"),
        ("translations/es-shp.tgt", "translations/es-shp", "shp"),
        ("translations/laws.es-shp.tsv", "translations/laws.es-shp", ""),
        ("translations/laws.shp-shp.src", "translations/laws.shp-shp", "shp"),
        ("translations/laws.xyz", "translations/laws", ""),
    ],
)
def test_file_names_say_the_language(origin: str, name: str, code: str) -> None:
    assert split_name(origin, SHIPIBO) == (name, code)


def test_the_extension_of_a_format_is_no_language() -> None:
    assert split_name("translations/laws.tab", Language(code="tab", name="tabasarán")) == ("translations/laws", "")


@pytest.mark.parametrize(("taught", "bridge"), [("laws.shp", "laws.spa"), ("laws.shp", "laws.es"), ("laws.src", "laws.tgt")])
def test_files_called_by_their_language_are_pairs_line_by_line(tmp_path: Path, taught: str, bridge: str) -> None:
    store = ingested(tmp_path, {f"translations/{taught}": "Uno.\n\nDos\ntres.\n", f"translations/{bridge}": "One.\n\nTwo\nthree.\n"})
    made = [one for one in aligned(store) if isinstance(one, SentencePair)]
    assert [(one.text, one.translation, one.origin) for one in made] == [
        (left, right, f"translations/{taught}#line={line} | translations/{bridge}#line={line}")
        for left, right, line in (("Uno.", "One.", 1), ("Dos", "Two", 3), ("tres.", "three.", 4))
    ]


def test_lines_stay_lines_whatever_is_on_them(tmp_path: Path) -> None:
    wrapped = "La comunidad se reunió ayer por la\ntarde para hablar de la escuela de\nlos niños\fy de los\nmás.\n"
    store = ingested(tmp_path, {"translations/a.es": wrapped, "translations/b.es.txt": wrapped}, Ingest(line_by_line=("translations/b",)))
    lines = tuple(line.replace("\f", " ") for line in wrapped.split("\n")[:-1])
    assert documents(store) == {"translations/a.es spa": lines, "translations/b.es.txt spa": lines}
    odd = ingested(tmp_path / "odd", {"translations/a.shp": "\\lx kene\n\\ge diseño\n"})
    assert documents(odd) == {"translations/a.shp shp": ("\\lx kene", "\\ge diseño")}


def test_a_rule_says_the_language_where_the_name_does_not(tmp_path: Path) -> None:
    rules = (
        FileRule(pattern="*.src", language="es"),
        FileRule(pattern="*.tgt", language="shp"),
        FileRule(pattern="*old.txt", language="spa"),
    )
    files = {"translations/a.src": "Uno.\n", "translations/a.tgt": "Moa.\n", "translations/old.txt": "Dos.\n"}
    assert documents(ingested(tmp_path, files, Ingest(files=rules))) == {
        "translations/a.src spa": ("Uno.",),
        "translations/a.tgt shp": ("Moa.",),
        "translations/old.txt spa": ("Dos.",),
    }


def test_a_rule_with_an_unknown_language_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"ingest\.files: \*\.src: language='fr' is neither shp nor spa"):
        step(Ingest(files=(FileRule(pattern="*.src", language="fr"),)), SHIPIBO, str(tmp_path))


def test_a_dictionary_is_no_side_of_a_text(tmp_path: Path) -> None:
    work = step(Ingest(), SHIPIBO, str(ingested(tmp_path, {"dictionary/words.shp": "kene\n"}).path("raw")))
    (file,) = [record for part in work.parts for record in work.stages[0](part.inputs)]
    assert file.rejected.startswith("format: .shp is not read")


def test_unequal_sides_are_pairs_by_line_and_both_counts_are_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    files = {"translations/laws.shp": "Uno.\nDos.\nTres.\n\n", "translations/laws.es": "One.\nTwo.\n", "translations/same.shp": "Uno.\n"}
    with caplog.at_level(logging.WARNING):
        store = ingested(tmp_path, {**files, "translations/same.es": "One.\n\n\n"})
    (said,) = [record.getMessage() for record in caplog.records]
    assert said.startswith("ingest: translations/laws.es has 2 lines and translations/laws.shp has 3 lines: ")
    assert said.endswith(" align.modes={translations/laws: document}")
    made = [(one.text, one.translation, one.reason) for one in aligned(store) if isinstance(one, SentencePair) and "laws" in one.origin]
    assert made == [("Uno.", "One.", ""), ("Dos.", "Two.", ""), ("Tres.", "", "unaligned")]


def test_an_empty_side_is_rejected_and_the_other_is_text_without_translation(tmp_path: Path) -> None:
    store = ingested(tmp_path, {"translations/laws.shp": "Uno.\n", "translations/laws.es": " \n"})
    assert documents(store) == {"translations/laws.shp shp": ("Uno.",)}
    assert store.require("ingest", needed_by="a test").rejected == {"empty": 1}
    assert next(align.passes(align.Align(), SHIPIBO, store)).parts == ()
