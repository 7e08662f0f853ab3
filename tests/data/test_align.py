"""From two sides of a document to pairs: modes, words that help, and sentences that stay alone."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seshat.data import align, bootstrap, clean
from seshat.data.align import Align, AlignDocuments, Mode
from seshat.data.bootstrap import learn
from seshat.data.clean import Clean
from seshat.data.evidence import Knowledge, Side, stems
from seshat.errors import StoreError
from seshat.language import Bridge, Language
from seshat.records import Document, Page, Record, SentencePair
from seshat.stage import guarded
from seshat.step import Step
from seshat.store import Store
from tests.make import LANGUAGE, document, finish, pair


def aligned(taught: Document, bridge: Document, mode: Mode = "auto", knowledge: Knowledge | None = None) -> list[tuple[str, str]]:
    """Both sides of the pairs that are made of two documents, kept and rejected."""
    stage = AlignDocuments(settings=Align(mode=mode), language=LANGUAGE, knowledge=knowledge)
    return [(made.text, made.translation) for made in guarded(stage, [taught, bridge]) if isinstance(made, SentencePair)]


# Modes


def test_line_by_line() -> None:
    taught, bridge = document("qtm", "Ama. Joni.", "Kene"), document("spa", "Hola.", "Un dibujo muy grande. Otro.")
    assert aligned(taught, bridge, "sentence") == [("Ama. Joni.", "Hola."), ("Kene", "Un dibujo muy grande. Otro.")]


def test_a_line_left_blank_on_one_side_shifts_nothing() -> None:
    taught = document("qtm", "Ama.", "Joni.", "Kene.")
    bridge = document("spa", "Hola.", "Dibujo.", places=("line=1", "line=3"))
    assert aligned(taught, bridge, "sentence") == [("Ama.", "Hola."), ("Joni.", ""), ("Kene.", "Dibujo.")]


def test_a_line_too_many_is_kept() -> None:
    assert aligned(document("qtm", "Ama."), document("spa", "Hola.", "Adiós."), "sentence") == [("Ama.", "Hola."), ("", "Adiós.")]


def test_paragraph_by_paragraph() -> None:
    taught = document("qtm", "Ama. Joni kene.", "Ainbo.", unit="paragraph")
    bridge = document("spa", "Hola. Un dibujo.", "Mujer. Sí.", unit="paragraph")
    assert aligned(taught, bridge, "paragraph") == [("Ama.", "Hola."), ("Joni kene.", "Un dibujo."), ("Ainbo.", "Mujer. Sí.")]


def test_whatever_the_paragraphs() -> None:
    taught = document("qtm", "Ama kene joni.", "Ainbo yora ika. Jakon nete.")
    bridge = document("spa", "Hola dibujo de. La mujer está allí.", "Buenos días.")
    assert aligned(taught, bridge, "document") == [
        ("Ama kene joni.", "Hola dibujo de."),
        ("Ainbo yora ika.", "La mujer está allí."),
        ("Jakon nete.", "Buenos días."),
    ]


SHORT, LONG = "Ama kene.", "Ama kene joni ainbo yora nete jakon ika."


@pytest.mark.parametrize(
    ("taught", "bridge", "mode"),
    [
        (document("qtm", SHORT, LONG, SHORT), document("spa", SHORT, LONG, SHORT), "paragraph"),
        (document("qtm", SHORT, LONG, SHORT), document("spa", LONG, SHORT, LONG), "document"),
        (document("qtm", SHORT, LONG), document("spa", SHORT, LONG, SHORT), "document"),
        (document("qtm", LONG), document("spa", LONG), "document"),
        (document("qtm", SHORT, LONG, line_by_line=True), document("spa", SHORT, line_by_line=True), "sentence"),
    ],
    ids=["lengths agree", "lengths differ", "numbers differ", "one paragraph", "written line by line"],
)
def test_auto_finds_the_mode(taught: Document, bridge: Document, mode: Mode) -> None:
    assert align.mode_of(Align(), taught, bridge) == mode


@pytest.mark.parametrize(("name", "mode"), [("translations/school/1", "sentence"), ("translations/laws", "document")])
def test_a_mode_may_be_set_for_some_documents(name: str, mode: Mode) -> None:
    settings = Align(mode="document", modes={"translations/school/*": "sentence"})
    assert align.mode_of(settings, document("qtm", SHORT, name=name), document("spa", SHORT, name=name)) == mode


# What becomes of every sentence

MEANINGS = {"joni": "hombre", "ainbo": "mujer", "kene": "dibujo", "yora": "cuerpo", "nete": "mundo", "jene": "agua"}
TEXTS = ["Ika."] * 300
KNOWN = Knowledge.of(
    Side.of([*MEANINGS, *TEXTS]),
    Side.of([*MEANINGS.values(), *TEXTS]),
    learn([(stems(text), stems(translation)) for text, translation in MEANINGS.items()] * 5),
)

PARAGRAPHS = st.lists(st.sampled_from([SHORT, LONG, "Joni.", "Ama. Kene joni? Ika!", f"{LONG} {SHORT}"]), max_size=8)


@given(PARAGRAPHS, PARAGRAPHS, st.sampled_from(["auto", "sentence", "paragraph", "document"]))
def test_no_word_is_lost_and_none_is_used_twice(left: list[str], right: list[str], mode: Mode) -> None:
    made = aligned(document("qtm", *left), document("spa", *right), mode)
    assert sorted(" ".join(text for text, _ in made).split()) == sorted(" ".join(left).split())
    assert sorted(" ".join(text for _, text in made).split()) == sorted(" ".join(right).split())


def test_a_sentence_without_a_counterpart_is_a_rejected_pair() -> None:
    taught = document("qtm", "Joni jene joni. Ainbo kene ainbo. Nete yora nete. Joni kene joni. Jene nete jene.")
    known = ["Hombre agua hombre.", "Mujer dibujo mujer.", "Mundo cuerpo mundo.", "Hombre dibujo hombre.", "Agua mundo agua."]
    lone = "Por aquí no pasa nadie desde hace mucho tiempo."
    bridge = document("spa", " ".join([*known[:3], lone, *known[3:]]))
    made = list(guarded(AlignDocuments(settings=Align(mode="document"), language=LANGUAGE, knowledge=KNOWN), [taught, bridge]))
    assert [record.translation for record in made if isinstance(record, SentencePair)] == [*known[:3], lone, *known[3:]]
    assert [record.rejected for record in made] == [*[""] * 3, "unaligned: no counterpart on the other side", *[""] * 2]


def test_a_pair_knows_where_both_sides_stand() -> None:
    taught = document("qtm", "Ama kene joni ainbo.", "Yora.")
    bridge = document("spa", "Hola dibujo.", "De la mujer.", "Piel.")
    [made, _] = AlignDocuments(settings=Align(mode="document"), language=LANGUAGE)([taught, bridge])
    assert isinstance(made, SentencePair)
    assert made.origin == "translations/laws.qtm.txt#line=1 | translations/laws.spa.txt#line=1..2"
    assert (made.document, made.collection, made.language, made.bridge, made.aligned) == (
        "translations/laws",
        "translations",
        "qtm",
        "spa",
        True,
    )


def test_a_pair_of_two_collections_belongs_to_both() -> None:
    taught, bridge = (
        document("qtm", "Ama.", "Joni.", collection="translations/shp"),
        document("spa", "Hola.", collection="translations/spa"),
    )
    made = list(AlignDocuments(settings=Align(mode="sentence"), language=LANGUAGE)([taught, bridge]))
    assert [one.collection for one in made] == ["translations/shp | translations/spa", "translations/shp"]


def test_the_name_of_a_file_may_hold_a_number_sign() -> None:
    sides = [document(code, "Ama.", origin=f"translations/laws #2.{code}.txt") for code in ("qtm", "spa")]
    [made] = AlignDocuments(settings=Align(), language=LANGUAGE)(sides)
    assert made.origin == "translations/laws #2.qtm.txt#line=1 | translations/laws #2.spa.txt#line=1"


def test_a_side_that_comes_twice_is_rejected_the_second_time() -> None:
    text, again = document("qtm", "Ama."), document("qtm", "Ama.", origin="translations/laws.qtm.docx")
    first, second = guarded(AlignDocuments(settings=Align(), language=LANGUAGE), [text, again, document("spa", "Hola.")])
    assert first.rejected == "surplus: translations/laws.qtm.txt is the qtm side of translations/laws already"
    assert isinstance(second, SentencePair)
    assert (second.text, second.translation) == ("Ama.", "Hola.")


def test_a_document_without_its_other_side_is_rejected() -> None:
    [made] = guarded(AlignDocuments(settings=Align(), language=LANGUAGE), [document("qtm", "Ama.")])
    assert made.rejected == "unreadable: translations/laws has only one side here (qtm), nothing to align it with"


def test_both_sides_are_rejected_if_they_cannot_be_aligned() -> None:
    damaged = document("qtm", "Ama.", "Joni.", places=("line=1",))
    made = list(guarded(AlignDocuments(settings=Align(), language=LANGUAGE), [damaged, document("spa", "Hola.", "Hombre.")]))
    assert [record.reason for record in made] == ["error", "error"]
    assert made[0].rejected == made[1].rejected


def test_scanned_pages_are_a_side_too() -> None:
    facts: dict[str, Any] = {"name": "translations/laws", "language": "spa", "confidence": 0.9, "collection": "scans"}
    pages = [
        Page(number=number, text=text, origin=f"scans/laws.pdf#page={number}", **facts) for number, text in ((2, "Mujer."), (1, "Hola."))
    ]
    made = AlignDocuments(settings=Align(mode="document"), language=LANGUAGE)([document("qtm", "Ama.", "Ainbo."), *pages])
    assert [(one.text, one.translation) for one in made if isinstance(one, SentencePair)] == [("Ama.", "Hola."), ("Ainbo.", "Mujer.")]


# Words


@pytest.mark.parametrize(
    ("sentences", "gold"),
    [
        ("Hombre. Agua. Mujer. Mundo.", [("Joni jene.", "Hombre. Agua."), ("Ainbo.", "Mujer."), ("Nete.", "Mundo.")]),
        ("Hombre. Mujer. Dibujo. Mundo.", [("Joni.", "Hombre."), ("Ainbo kene.", "Mujer. Dibujo."), ("Nete.", "Mundo.")]),
        ("Hombre. Mujer. Mundo. Cuerpo.", [("Joni.", "Hombre."), ("Ainbo.", "Mujer."), ("Nete yora.", "Mundo. Cuerpo.")]),
    ],
)
def test_words_that_are_known_find_what_lengths_cannot(sentences: str, gold: list[tuple[str, str]]) -> None:
    taught = document("qtm", " ".join(f"{text:_<12}." for text, _ in gold))
    same_lengths = [(f"{text:_<12}.", translation) for text, translation in gold]
    assert aligned(taught, document("spa", sentences), "document", KNOWN) == same_lengths


def test_the_fingerprint_is_of_the_words_that_are_known() -> None:
    said = Side.of(["ama"]), Side.of(["hola"])
    stages = [
        AlignDocuments(settings=Align(), language=LANGUAGE, knowledge=knowledge)
        for knowledge in (None, Knowledge.of(*said), Knowledge.of(*said, learn([(["ama"], ["hola"])] * 3)))
    ]
    assert len({stage.fingerprint for stage in stages}) == 3


# The step


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(str(tmp_path))


def do(step: Step, store: Store) -> None:
    for part in step.parts:
        step.work(part, store)
    step.finish(store)


def all_passes(store: Store, language: Language = LANGUAGE, settings: Align | None = None) -> list[SentencePair]:
    """What ``make align`` does, in this process; the pairs, rejected ones too."""
    settings = settings or Align(max_rejected=1)
    for work in align.passes(settings, language, store):
        do(work, store)
    do(clean.step(Clean(), language, store, max_rejected=1), store)
    return [made for rejected in (False, True) for made in store.records("align", SentencePair, rejected=rejected)]


def test_documents_with_both_sides_and_loose_pairs_become_pairs(store: Store) -> None:
    records: list[Record] = [
        pair("ama", "hola"),
        document("qtm", "Joni ika."),
        document("qtm", "Solo un lado.", name="translations/alone"),
        document("spa", "Un hombre."),
    ]
    finish(store, "ingest", records[:3], records[3:])
    assert [(made.text, made.translation) for made in all_passes(store)] == [("ama", "hola"), ("Joni ika.", "Un hombre.")]
    assert align.parallel_names(store, LANGUAGE) == {"translations/laws"}


def test_there_are_as_many_passes_with_words_as_plain_files_get() -> None:
    assert len(align.PASSES) == bootstrap.PASSES + 1


def test_an_early_pass_teaches_the_next(store: Store) -> None:
    finish(store, "ingest", [document("qtm", "Joni ika.", "Ainbo."), document("spa", "Un hombre.", "Mujer.")])
    assert align.estimate(store, "anchors").lexicon is None
    do(next(align.passes(Align(), LANGUAGE, store)), store)
    learnt = align.estimate(store, "anchors")
    assert learnt.frequencies[0] == {"joni": 1, "ika": 1, "ainb": 1}
    assert learnt.lexicon is not None
    assert {"joni", "ainb"} <= set(learnt.lexicon.sources)


def test_what_is_rejected_by_a_filter_stays_with_its_reason(store: Store) -> None:
    finish(store, "ingest", [pair("ama", "ama"), pair("joni", "hombre")])
    assert [made.rejected for made in all_passes(store)] == ["", "copy: both sides are the same"]


def test_without_ingest_there_is_nothing_to_align(store: Store) -> None:
    with pytest.raises(StoreError, match="'align' needs it: run 'make ingest' first"):
        next(align.passes(Align(), LANGUAGE, store))


# A benchmark of real documents


def scorer(folder: Path) -> ModuleType:
    """The benchmark's own scorer."""
    spec = importlib.util.spec_from_file_location("score", folder / "score.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def read_side(path: Path, code: str) -> Document:
    """A side of a benchmark document: one sentence a line, which is not cut again."""
    lines = path.read_text(encoding="utf-8").split("\n")
    filled = [(line.strip(), f"line={number}") for number, line in enumerate(lines) if line.strip()]
    return document(code, *(line for line, _ in filled), name=path.stem, places=tuple(place for _, place in filled))


def link(made: SentencePair) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The lines of both sides of a pair, Spanish first."""
    sides: dict[str, tuple[int, ...]] = {"spa": (), "qtm": ()}
    for code, first, last in re.findall(r"\.(\w+)\.txt#line=(\d+)(?:\.\.(\d+))?", made.origin):
        sides[code] = tuple(range(int(first), int(last or first) + 1))
    return sides["spa"], sides["qtm"]


@pytest.mark.slow
def test_the_benchmark_is_aligned_as_well_as_measured(shared: Path, tmp_path: Path) -> None:
    folder = shared / "alignment"
    language = Language(code="qtm", name="taught", sentence_end="\x00", bridge=Bridge(abbreviations=()))
    names = sorted(path.stem for path in (folder / "dev").glob("*.gold"))
    found: dict[str, list[Any]] = {name: [] for name in names}
    for code in sorted({name.partition("-")[0] for name in names}):
        store = Store(str(tmp_path / code))
        mine = [name for name in names if name.startswith(f"{code}-")]
        sides = [[read_side(folder / "dev" / f"{name}.tgt", "qtm"), read_side(folder / "dev" / f"{name}.src", "spa")] for name in mine]
        finish(store, "ingest", *sides)
        for made in all_passes(store, language, Align(mode="document", max_rejected=1)):
            found[made.document].append(link(made))
    score = scorer(folder)
    result = score.score([(score.read_links(folder / "dev" / f"{name}.gold"), found[name]) for name in names])
    assert len(names) == 72
    assert result["f1_strict"] >= 0.85, result
