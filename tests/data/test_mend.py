"""What an engine confuses is learnt from lines or words, put right, and told; people are believed more."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from jobs import align
from seshat.data.corpus import corpus
from seshat.data.lines import doubtful
from seshat.data.mend import MENDED, MendLines, Source
from seshat.data.pages import page_documents
from seshat.language import Language
from seshat.records import Document, Entry, LineCorrection, Page, Record
from seshat.settings import Settings
from seshat.store import Store
from tests.data.test_pages import correction, page
from tests.make import finish

UNA = Language(code="mns", name="mansi", alphabet="a b e i k l m n o r s t u v ь")
READ = ("kbna tbla sama", "sobl obi. Rova.", "tbla sobl vona", "rovi hum mana", "kbna obi", "tbla tebi")


def mended(records: Iterable[Record], source: Source) -> list[LineCorrection]:
    return [one for one in MendLines(source=source, language=UNA)(records) if isinstance(one, LineCorrection)]


@pytest.fixture
def scan() -> Page:
    return page(1, READ, name="scans/una")


def test_corrected_lines_put_right_the_others_and_say_how(scan: Page) -> None:
    scan = page(1, READ, {4: "words: no"}, name="scans/una")
    scan = replace(scan, language="mns")
    people = [correction(scan, READ[0], "kьna tьla sama"), correction(scan, READ[1], "soьl oьi. Rova."), correction(scan, READ[3], READ[3])]
    found = mended([scan, *people], "corrections")
    assert [(one.line, one.text, one.rules) for one in found] == [
        (3, "tьla soьl vona", ("b → ь", "b → ь")),
        (5, "kьna oьi", ("b → ь", "b → ь")),
        (6, "tьla teьi", ("b → ь", "b → ь")),
    ]
    assert found[0].origin == f"{scan.origin}#line=3"
    document, withheld = page_documents([scan], UNA, corrections=[*people, *found])
    assert document.paragraphs == ("kьna tьla sama soьl oьi.",)
    assert "kьna oьi" in withheld.paragraphs[0], "a line that was doubtful stays so"
    assert [one.number for one in doubtful([scan], [*people, *found])] == [4], "and people are still asked about it"


def test_words_that_are_known_teach_only_letters_that_no_page_has(scan: Page) -> None:
    scan = page(1, READ, name="scans/una")
    scan = replace(scan, language="mns")
    entries = [
        Entry(origin=f"d#{word}", collection="dictionary", headword=word, translation="x", language="mns", bridge="spa")
        for word in ("kьna", "tьla", "soьl", "rovik", "vonat", "samat")
    ]
    found = mended([scan, *entries], "dictionary")
    assert {one.read: one.text for one in found} == {
        READ[0]: "kьna tьla sama",
        READ[1]: "soьl oьi. Rova.",
        READ[2]: "tьla soьl vona",
        READ[4]: "kьna oьi",
        READ[5]: "tьla teьi",
    }, "rovi, vona and sama may be forms of rovik, vonat and samat"
    assert mended([scan, *entries[3:]], "dictionary") == []
    latin = Language(code="mns", name="mansi", alphabet="a b e i k l m n o r s t u v")
    assert list(MendLines(source="dictionary", language=latin)([scan, *entries])) == []


def test_the_verb_uses_it_where_it_is_asked_for_and_undoes_it(tmp_path: Path) -> None:
    store = Store(str(tmp_path))
    pages = [
        Page(
            origin=f"scans/una.pdf#page={number}",
            collection="scans",
            name="scans/una",
            number=number,
            language="mns",
            text=READ[number],
            confidence=0.9,
            confidences=(0.9,),
            boxes=(0.1, 0.1, 0.9, 0.2),
            doubts=("",),
        )
        for number in range(len(READ))
    ]
    finish(store, "ocr", pages)
    finish(store, "ingest", [correction(pages[0], READ[0], "kьna tьla sama"), correction(pages[1], READ[1], "soьl oьi. Rova.")])
    settings = Settings(root=str(tmp_path), execution="local", language=UNA)
    assert "put right" not in align.run(settings).note
    assert not store.has_run(MENDED)
    asked = settings.model_copy(update={"ocr": settings.ocr.model_copy(update={"confusions": "corrections"})})
    assert align.run(asked).note == "3 lines of scans put right (b → ь)"
    texts = [one.paragraphs[0] for one in corpus(store, UNA, (), ()) if isinstance(one, Document)]
    assert " ".join(texts) == "kьna tьla sama soьl oьi. Rova. tьla soьl vona rovi hum mana kьna oьi tьla teьi"
    assert "put right" not in align.run(settings).note
    assert list(store.records(MENDED, LineCorrection)) == []
