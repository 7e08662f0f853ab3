"""Files and rows that are in another language than they say."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from benchmarks import identify as benchmark
from seshat.errors import DataError
from seshat.identify import Identifier
from seshat.language import Language
from seshat.mislabelled import Audit, Verdict, examine, examine_pairs, wrong_sides
from seshat.records import SentencePair
from seshat.sample.grammar import Grammar
from tests.make import pair

ALPHABET = "a ch e h i k l m n ñ o p r s sh t u ü w y ʼ"
TAMURI = Language(code="qtm", name="tamuri", alphabet=ALPHABET, apostrophe="ʼ")
PLAIN = Language(code="qtm", name="tamuri")
SENTENCES = Grammar(seed=1).sentences(900)
SIZES = {"a": 400, "b": 300, "c": 160, "d": 40}


def turned(one: SentencePair) -> SentencePair:
    return replace(one, text=one.translation, translation=one.text)


def files(*, swapped: str = "", half: str = "", names: str = "abcd") -> Iterator[SentencePair]:
    """Pairs in four files; some are exchanged whole, some in every other row."""
    sentences = iter(SENTENCES)
    for name in names:
        for row in range(SIZES[name]):
            sentence = next(sentences)
            one = pair(sentence.text, sentence.translation, origin=f"transcriptions/{name}.csv#row={row}")
            yield turned(one) if name in swapped or (name in half and row % 2) else one


def blamed(audit: Audit) -> str:
    return "".join(source.removeprefix("transcriptions/").removesuffix(".csv") for source in audit.swapped)


@pytest.mark.parametrize("swapped", ["", "a", "b", "c", "d", "bd", "cd", "bcd"])
def test_files_whose_columns_are_exchanged_are_found_and_no_others(swapped: str) -> None:
    assert blamed(examine_pairs(files(swapped=swapped), TAMURI)) == swapped


def test_the_alphabet_says_who_is_right_where_most_is_exchanged() -> None:
    assert blamed(examine_pairs(files(swapped="ab"), TAMURI)) == "ab"
    assert blamed(examine_pairs(files(swapped="ab"), PLAIN)) == "cd"  # without it the majority is believed


def test_an_alphabet_that_fits_neither_language_decides_nothing() -> None:
    assert blamed(examine_pairs(files(swapped="d"), Language(code="qtm", name="tamuri", alphabet="a b c d e i l m n o p r s v"))) == "d"


def test_no_source_votes_for_itself() -> None:
    alone = [pair("ჩემი სახლი დიდია ძალიან", "Мой дом очень большой", origin=f"transcriptions/e.csv#row={row}") for row in range(90)]
    verdicts = examine_pairs([*files(), *alone], PLAIN).verdicts
    assert [(one.num_texts, one.num_judged) for one in verdicts if one.source == "transcriptions/e.csv"] == [(90, 0), (90, 0)]


def test_everything_is_exchanged() -> None:
    assert blamed(examine_pairs(files(swapped="abcd"), TAMURI)) == "abcd"
    assert blamed(examine_pairs(files(swapped="a", names="a"), TAMURI)) == "a"


def test_very_little_is_no_mistake() -> None:
    audit = examine_pairs([pair("ama", "casa"), pair("1", "2")], PLAIN)
    assert (audit.swapped, audit.suspects, audit.found) == ((), (), ("", "", "", ""))


def test_nothing_cannot_be_examined() -> None:
    with pytest.raises(DataError, match="cannot be told apart"):
        examine_pairs([], PLAIN)


@pytest.mark.parametrize("half", ["a", "b", "c", "d"])
def test_a_file_that_is_exchanged_in_part_is_suspected(half: str) -> None:
    audit = examine_pairs(files(half=half), PLAIN)
    assert (blamed(audit), {one.source for one in audit.suspects}) == ("", {f"transcriptions/{half}.csv"})
    assert [one.share for one in audit.suspects] == pytest.approx([0.5, 0.5], abs=0.05)


def test_rows_of_the_only_file_are_found() -> None:
    pairs = list(files(names="a"))
    mixed = [turned(one) if row % 10 == 0 else one for row, one in enumerate(pairs)]
    audit = examine_pairs(mixed, PLAIN)
    found = [audit.found[row] == "spa" for row in range(400)]
    assert sum(found[::10]) >= 35
    assert sum(found) == sum(found[::10])


def test_what_was_found_is_taken_into_account() -> None:
    clean, turned_over = examine_pairs(files(), PLAIN), examine_pairs(files(swapped="cd"), PLAIN)
    assert np.abs(clean.identifier.weights - turned_over.identifier.weights).max() < 0.5
    text = SENTENCES[1].text
    assert turned_over.identifier.probability(text)["qtm"] == pytest.approx(clean.identifier.probability(text)["qtm"], abs=0.01)


def test_a_verdict_says_what_a_person_needs() -> None:
    wrong = next(one for one in examine_pairs(files(swapped="d"), PLAIN).suspects if one.code == "qtm")
    assert (wrong.source, wrong.num_texts, wrong.looks_like, wrong.is_wrong) == ("transcriptions/d.csv", 40, "spa", True)
    assert wrong.num_wrong == wrong.num_judged > 30
    assert str(wrong).startswith(f"transcriptions/d.csv: {wrong.num_wrong} of {wrong.num_judged} texts that should be qtm are in spa (100%")


@pytest.mark.parametrize(
    ("judged", "wrong", "is_wrong", "is_suspect"),
    [
        (0, 0, False, False),
        (3, 3, False, True),
        (10, 10, True, True),
        (1000, 100, False, False),
        (1000, 140, False, True),
        (1000, 540, True, True),
        (100, 0, False, False),
    ],
)
def test_few_texts_prove_little(judged: int, wrong: int, is_wrong: bool, is_suspect: bool) -> None:
    verdict = Verdict("t.csv", "qtm", num_texts=1000, num_judged=judged, num_wrong=wrong, looks_like="spa")
    assert (verdict.is_wrong, verdict.is_suspect) == (is_wrong, is_suspect)


def test_confidence_is_the_posterior_of_the_share() -> None:
    assert Verdict("t.csv", "qtm", 9, num_judged=0, num_wrong=0, looks_like="").confidence() == pytest.approx(0.5)
    assert Verdict("t.csv", "qtm", 9, num_judged=1, num_wrong=1, looks_like="spa").confidence() == pytest.approx(0.75)


def test_a_monolingual_file_in_the_wrong_language_is_found() -> None:
    texts = [one.text for one in SENTENCES[:300]] + [one.translation for one in SENTENCES[:400]]
    audit = examine(texts, ["qtm"] * 300 + ["spa"] * 300 + ["qtm"] * 100, ["a"] * 600 + ["b"] * 100, PLAIN)
    assert [(one.source, one.code, one.looks_like) for one in audit.suspects] == [("b", "qtm", "spa")]
    assert audit.swapped == ()


def test_both_sides_of_a_parallel_document_are_one_source() -> None:
    pairs = [replace(one, origin="t/a.qtm.txt#line=1 | t/a.spa.txt#line=1") for one in files()]
    assert {one.source for one in examine_pairs(pairs, PLAIN).verdicts} == {"t/a.qtm.txt | t/a.spa.txt"}


IDENTIFIER = Identifier.train({"qtm": [one.text for one in SENTENCES], "spa": [one.translation for one in SENTENCES]})
TAUGHT, SPANISH = "Toshe reñenin tusa tuta tümeʼpa sororila.", "La mujer teje la canasta en el jardín."


@pytest.mark.parametrize(
    ("text", "translation", "reason"),
    [
        (TAUGHT, SPANISH, ""),
        (SPANISH, TAUGHT, "language: the sides are exchanged, the text is in spa and the translation in qtm"),
        (SPANISH, "Otra mujer estaba en el jardín.", "language: the text is in spa"),
        (TAUGHT, TAUGHT, "language: the translation is in qtm"),
        ("mujer", "tuta", ""),  # a word proves nothing
        (f"{TAUGHT} {SPANISH} {SPANISH}", SPANISH, ""),  # a quotation
        ("1999", "3", ""),
    ],
)
def test_the_sides_of_a_pair_are_in_their_languages(text: str, translation: str, reason: str) -> None:
    assert wrong_sides([pair(text, translation)], IDENTIFIER) == [reason]


def test_right_pairs_are_left_alone() -> None:
    assert not any(wrong_sides(list(files()), IDENTIFIER))
    assert wrong_sides([], IDENTIFIER) == []


def test_the_benchmark_says_why_it_skips(tmp_path: object, capsys: pytest.CaptureFixture[str]) -> None:
    benchmark.main([str(tmp_path)])
    assert capsys.readouterr().out == f"skipped: there are no languages in {tmp_path}\n"


@pytest.mark.skipif(not (benchmark.FOLDER / "shp" / "raw").is_dir(), reason="needs ../shared/data/languages/shp")
@pytest.mark.heavy
def test_shipibo_files_that_are_exchanged_are_found() -> None:
    folder = benchmark.FOLDER / "shp"
    language = benchmark.profile("shp")
    pairs, held_out = benchmark.divided(list(benchmark.read_pairs(folder / "raw", language)), folder, language)
    file = "transcriptions/flashcards.csv"
    audit = examine_pairs([turned(one) if benchmark.source(one) == file else one for one in pairs], language)
    assert audit.swapped == (file,)
    assert len([reason for reason in wrong_sides(held_out, audit.identifier) if reason]) < 0.005 * len(held_out)
