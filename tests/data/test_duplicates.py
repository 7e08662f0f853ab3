"""Near-duplicates: MinHash proposes, the Jaccard index decides."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seshat.data import duplicates
from seshat.data.duplicates import NearTexts, bare, repeats, similarity
from seshat.sample.grammar import Grammar

TEXT = "Ronin keská kené aká iki nato jema, non joi yoiti iki, jaskara ainbobo betan moa beai."
TEXTS = st.text(st.characters(codec="utf-8"), max_size=60)


def shingles(text: str) -> set[str]:
    padded = f" {text} "
    return {padded[place : place + 4] for place in range(len(padded) - 3)}


@given(st.text("abc ", min_size=3, max_size=30).map(str.split).map(" ".join), st.text("abc ", min_size=3, max_size=30))
def test_the_index_is_that_of_jaccard(one: str, other: str) -> None:
    other = " ".join(other.split())
    left, right = shingles(one), shingles(other)
    expected = len(left & right) / len(left | right) if left | right else 1.0
    assert similarity([one], [other])[0] == pytest.approx(expected)


@given(TEXTS)
def test_a_text_is_near_itself_whatever_it_says(text: str) -> None:
    near = NearTexts(["another sentence that is long enough", bare(text)], 0.8)
    assert [place for place, _ in near.near([bare(text)])] == [0]


def test_punctuation_and_case_do_not_hide_a_copy_and_a_changed_word_does_not_either() -> None:
    near = NearTexts([bare("Jonibo moa beai."), bare(TEXT)], 0.8)
    asked = [TEXT.upper().replace(",", " -"), TEXT.replace("nato", "noa"), "Jaskarin non joi yoiti iki ainbobo."]
    assert dict(near.near([bare(text) for text in asked])) == {0: 1, 1: 1}


def test_the_threshold_decides_between_two_texts_of_known_nearness() -> None:
    text, changed = bare(TEXT), bare(TEXT.replace("nato", "noa"))
    [index] = similarity([text], [changed])
    for threshold, found in ((index - 0.01, [(0, 0)]), (index + 0.01, [])):
        assert list(NearTexts([text], threshold).near([changed])) == found


def test_only_a_pair_that_is_near_on_both_sides_repeats_and_the_first_stays() -> None:
    longer = "Así es el dibujo de la serpiente en esta aldea, debemos decir la palabra."
    pairs = [(TEXT, longer), (TEXT, "No hay nadie aquí que lo sepa todavía."), (TEXT + "!", longer.upper()), (TEXT, longer)]
    assert repeats([(bare(text), bare(translation)) for text, translation in pairs], 0.9) == {2: 0, 3: 0}


def test_no_near_copy_is_missed_among_thousands() -> None:
    """MinHash against a look at every pair: of texts with one word changed, as MinHash promises, all are found."""
    said = Grammar(seed=1).sentences(3_000)
    texts = sorted({bare(one.text) for one in said if one.text.count(" ") >= 6})[:400]
    changed = [" ".join([*text.split()[:-1], "kene"]) for text in texts]
    index = NearTexts(texts, 0.8)
    expected = {place for place in range(len(texts)) if (similarity([changed[place]] * len(texts), texts) >= 0.8).any()}
    assert len(expected) >= 50
    assert {place for place, _ in index.near(changed)} == expected


def test_blocks_bound_the_memory_and_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [f"la comunidad de {number} tiene una escuela grande" for number in range(40)]
    whole = list(NearTexts(texts, 0.8).near(texts[::-1])), repeats([(text, text) for text in texts], 0.9)
    monkeypatch.setattr(duplicates, "CANDIDATES", 3)
    assert (list(NearTexts(texts, 0.8).near(texts[::-1])), repeats([(text, text) for text in texts], 0.9)) == whole
    assert len(whole[0]) == 40


def test_no_text_and_no_query_is_nothing_near() -> None:
    assert list(NearTexts([], 0.8).near(["ama joni"])) == []
    assert list(NearTexts(["ama joni"], 0.8).near([])) == []
    assert repeats([], 0.9) == {}
