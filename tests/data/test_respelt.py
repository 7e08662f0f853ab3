"""What spelling rules did, and how what was written travels on to paragraphs."""

from __future__ import annotations

from dataclasses import replace

from seshat.data.corpus import unfold, unfolded
from seshat.data.respelt import rule_uses
from seshat.language import Language
from seshat.records import Document, Page, Utterance
from seshat.spelling import SpellingRule
from tests.make import document, entry, pair

RULES = (SpellingRule(pattern="c", replacement="k"), SpellingRule(pattern="á", replacement="a"), SpellingRule(pattern="z", replacement=""))
LANGUAGE = Language(
    code="qtm", name="tamuri", spelling=RULES, old_spelling=("dictionary/*", "transcriptions/*", "translations/*", "audio/*", "scans/*")
)
HEARD = Utterance(
    text="kaka",
    written="cáca",
    name="audio/a",
    language="qtm",
    start=1.5,
    end=2.0,
    confidence=0.9,
    origin="audio/a.wav#second=1.50..2.00",
    collection="audio",
)


def test_a_rule_is_counted_by_times_and_by_texts() -> None:
    records = [
        pair("kaka", "cáca", written="cáca", morphemes="ka-ka", written_morphemes="ca-ca"),
        pair("ama", "cáca"),
        entry("ka", "cá", written="cá", variants=("ma", "aka"), written_variants=("", "aca")),
        document("qtm", "kaka", "ama", written=("caca", "")),
        document("spa", "caca"),
        HEARD,
    ]
    first, second, third = rule_uses(records, LANGUAGE)
    assert (first.pattern, first.fired, first.texts) == ("c", 2 + 2 + 1 + 1 + 2 + 2, 6)
    assert (second.pattern, second.fired, second.texts) == ("á", 1 + 1 + 1, 3)
    assert (third.fired, third.texts) == (0, 0)
    assert str(second) == "á -> a: 3 times in 3 texts"
    assert str(third) == "z -> (nothing): 0 times in 0 texts"


def test_files_whose_spelling_is_not_old_are_not_counted() -> None:
    new = LANGUAGE.model_copy(update={"old_spelling": ("dictionary/*",)})
    assert [use.fired for use in rule_uses([pair("joʼn caca", "x", written="jo'n caca")], new)] == [0, 0, 0]


def test_paragraphs_of_running_text_keep_what_was_written() -> None:
    found = list(unfold(document("qtm", "kaka", "ama", written=("caca", "")), LANGUAGE, ()))
    assert [(one.paragraphs, one.written) for one in found if isinstance(one, Document)] == [(("kaka",), ("caca",)), (("ama",), ())]


def test_what_was_heard_keeps_how_the_engine_wrote_it() -> None:
    (found,) = unfold(HEARD, LANGUAGE, ())
    assert isinstance(found, Document)
    assert (found.paragraphs, found.written, found.origin) == (("kaka",), ("cáca",), "audio/a.wav#second=1.50")
    (unchanged,) = unfold(replace(HEARD, written=""), LANGUAGE, ())
    assert isinstance(unchanged, Document)
    assert unchanged.written == ()


def test_what_stands_on_a_scan_keeps_how_it_was_read() -> None:
    page = Page(
        name="scans/a", number=1, language="qtm", text="Cáca.\n\nAma.", confidence=0.9, origin="scans/a.pdf#page=1", collection="scans"
    )
    found = list(unfolded([page], LANGUAGE, (), ()))
    assert [(one.paragraphs, one.written) for one in found if isinstance(one, Document)] == [(("Kaka.",), ("Cáca.",)), (("Ama.",), ())]
