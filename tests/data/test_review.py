"""A look at all pairs together: what is in the wrong language, and what stands everywhere."""

from __future__ import annotations

import logging

import pytest

from seshat.data.review import boilerplate, review
from seshat.language import Language
from seshat.sample.grammar import Grammar
from tests.make import pair

LANGUAGE = Language(code="qtm", name="tamuri")
HEADER = "Ronin keská kené"


def test_a_pair_in_the_wrong_language_is_found_by_what_the_corpus_itself_teaches() -> None:
    sentences = Grammar(seed=1).sentences(300)
    pairs = [
        pair(one.text, one.translation, origin=f"transcriptions/{number % 3}.csv#row={number}") for number, one in enumerate(sentences)
    ]
    first, second, third = [one for one in sentences if len(one.text) > 40][:3]
    exchanged = pair(first.translation, first.text, origin="transcriptions/0.csv#row=900")
    untranslated = pair(second.translation, third.translation, origin="transcriptions/1.csv#row=901")
    found = review([*pairs, exchanged, untranslated], LANGUAGE, identify=True, most=0)
    reasons = {exchanged.id: "language: the sides are exchanged", untranslated.id: "language: the text is in spa"}
    assert {name: reason.partition(",")[0] for name, reason in found.items()} == reasons
    assert review([*pairs, exchanged, untranslated], LANGUAGE, identify=False, most=0) == {}


def test_a_file_whose_sides_are_exchanged_is_named(caplog: pytest.LogCaptureFixture) -> None:
    sentences = Grammar(seed=1).sentences(400)
    sides = [(one.text, one.translation) if number % 4 else (one.translation, one.text) for number, one in enumerate(sentences)]
    pairs = [pair(*side, origin=f"transcriptions/{number % 4}.csv#row={number}") for number, side in enumerate(sides)]
    with caplog.at_level(logging.WARNING):
        review(pairs, LANGUAGE, identify=True, most=0)
    assert "align: transcriptions/0.csv: " in caplog.text
    assert "transcriptions/1.csv" not in caplog.text


def test_without_pairs_there_is_nothing_to_find() -> None:
    assert review([], LANGUAGE, identify=True, most=5) == {}
    assert review([pair("", "")], LANGUAGE, identify=True, most=5) == {}


def test_a_line_that_stands_everywhere_is_boilerplate_and_the_surest_pair_of_it_stays() -> None:
    pages = [
        pair(f"{HEADER} {number}", f"Texto {number * 'x'}", document="translations/laws", score=number / 10, origin=f"a#line={number}")
        for number in range(1, 6)
    ]
    loose = [pair(f"{HEADER} {number}", "Texto", origin=f"b#row={number}") for number in range(9)]
    assert dict(boilerplate([*pages, *loose], 5)) == {}
    found = dict(boilerplate([*pages, *loose], 4))
    assert list(found) == [one.id for one in pages[:-1]]
    assert set(found.values()) == {"boilerplate: 'ronin keská kené 0' stands in more than 4 pairs of documents"}


def test_the_side_of_the_bridge_counts_too_and_wordless_lines_do_not() -> None:
    pairs = [pair(f"ama {'e' * number}", "Página 3", document="d", origin=f"a#line={number}") for number in range(4)]
    empty = [pair(f"ama {'i' * number}", "***", document="d", origin=f"b#line={number}") for number in range(4)]
    assert set(dict(boilerplate([*pairs, *empty], 3))) == {one.id for one in pairs[1:]}


def test_one_pair_stays_whatever_the_other_side_says_and_however_often_it_stands_there() -> None:
    pages = [pair("Joni ika", "Un hombre", document="d", score=0.9, origin=f"a#line={number}") for number in range(6)]
    surer = pair("Kene", "Un hombre", document="d", score=0.95, origin="a#line=9")
    left = [one for one in (*pages, surer) if one.id not in dict(boilerplate([*pages, surer], 5))]
    assert left == [pages[0], surer]
    same = [pair("Joni ika", "Un hombre", document="d", origin="a#paragraph=1")] * 6
    assert dict(boilerplate(same, 5)) == {}
