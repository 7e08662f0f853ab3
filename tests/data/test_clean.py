"""Filters: each judges by one thing, and says why."""

from __future__ import annotations

from typing import Any

import pytest

from seshat.data.clean import Clean, FilterAlphabet, FilterCopy, FilterLength, FilterRatio, FilterReviewed, FilterScore, ScoreAgreement
from seshat.language import Language
from seshat.records import SentencePair
from seshat.stage import Stage, guarded
from tests.make import pair

TAMURI = Language(code="qtm", name="tamuri", alphabet="a e i k m n o ch", apostrophe="ʼ")
LONG = "kene " * 20


@pytest.mark.parametrize(
    ("stage", "text", "translation", "reason"),
    [
        (FilterLength(), "ama", "hola", ""),
        (FilterLength(), "¡!", "hola", "empty: a side has no words"),
        (FilterLength(), "ama", "", "empty: a side has no words"),
        (FilterLength(minimum=2), "ama", "hola tú", "length: 1 and 2 words"),
        (FilterLength(maximum=2), "ama kene joni", "hola", "length: 3 and 1 words"),
        (FilterLength(maximum=2), "ama, kene.", "hola", ""),
        (FilterRatio(), LONG, "si", "ratio: 100 to 2 characters"),
        (FilterRatio(), "si", LONG, "ratio: 2 to 100 characters"),
        (FilterRatio(), "ainbokaskanketianra", "no", ""),  # too short to judge
        (FilterRatio(maximum=50), LONG, "si", ""),
        (FilterRatio(free=100), LONG, "si", ""),
        (FilterCopy(), "Lima, 1999.", "lima 1999", "copy: both sides are the same"),
        (FilterCopy(), "Lima", "en Lima", ""),
        (FilterAlphabet(language=TAMURI), "Chama keneʼ 1999!", "ß", ""),
        (FilterAlphabet(language=TAMURI), "kwyxz", "hola", "alphabet: 80% foreign letters (w x y z)"),
        (FilterAlphabet(language=TAMURI, maximum=0.8), "kwyxz", "hola", ""),
        (FilterAlphabet(language=TAMURI, maximum=0), "kené", "hola", "alphabet: 25% foreign letters (é)"),
        (FilterAlphabet(language=Language(code="qtm", name="tamuri")), "kwyxz", "hola", ""),
        (FilterAlphabet(language=TAMURI), "1999", "1999", ""),
    ],
)
def test_a_filter_says_why(stage: Stage[Any, Any], text: str, translation: str, reason: str) -> None:
    [judged] = guarded(stage, [pair(text, translation)])
    assert judged.rejected == reason


@pytest.mark.parametrize(
    ("score", "aligned", "reason"),
    [(0.01, True, "score: 0.01"), (0.02, True, ""), (0.0, False, "")],
)
def test_only_pairs_of_a_program_need_a_score(score: float, aligned: bool, reason: str) -> None:
    [judged] = FilterScore()([pair("ama", "hola", score=score, aligned=aligned)])
    assert judged.rejected == reason


def test_filters_judge_in_order_and_the_first_reason_stays() -> None:
    pairs = [
        pair("ama", "hola"),
        pair("", "x"),
        pair("ama", "ama"),
        pair(LONG, "si"),
        pair("xyz", "si"),
        pair("a", "b", aligned=True, score=0.01),
    ]
    judged: list[Any] = list(pairs)
    for stage in Clean().stages(TAMURI, {}):
        judged = list(guarded(stage, judged))
    assert [record.reason for record in judged] == ["", "empty", "copy", "ratio", "alphabet", "score"]


def test_a_filter_changes_nothing_but_the_reason() -> None:
    pairs = [pair("ama", "hola"), pair("", "x")]
    judged: list[SentencePair] = list(FilterLength()(pairs))
    assert [record.id for record in judged] == [record.id for record in pairs]


def test_what_a_look_at_all_pairs_found_is_rejected_by_its_id() -> None:
    pairs = [pair("ama", "hola"), pair("ama", "hola", origin="b.csv#row=2")]
    judged = list(FilterReviewed(found={pairs[1].id: "boilerplate: it stands everywhere"})(pairs))
    assert [one.rejected for one in judged] == ["", "boilerplate: it stands everywhere"]


@pytest.mark.parametrize(
    ("text", "translation", "numbers", "punctuation"),
    [
        ("Ama.", "Hola.", 1.0, 1.0),
        ("Ama", "Hola.", 1.0, 0.0),
        ("¿Ama?", "Hola?", 1.0, 1.0),
        ("Joni 1.500 ika", "1,500 hombres", 1.0, 1.0),
        ("Joni 12 ika", "doce hombres", 0.0, 1.0),
        ("12 joni, 3 ainbo", "12 hombres y 4 mujeres", 0.5, 1.0),
        ("«Ama», nete...", '"Hola", mundo…', 1.0, 1.0),
        ("Ama. Kene!", "Hola. Dibujo.", 1.0, 0.5),
    ],
)
def test_numbers_and_punctuation_are_scored_and_nothing_is_dropped(text: str, translation: str, numbers: float, punctuation: float) -> None:
    [scored] = guarded(ScoreAgreement(), [pair(text, translation)])
    assert isinstance(scored, SentencePair)
    assert (scored.numbers, scored.punctuation, scored.rejected) == (numbers, punctuation, "")
