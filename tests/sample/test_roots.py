"""Roots: enough of them, each with one meaning, none like the Spanish."""

from __future__ import annotations

import random
from itertools import permutations

import pytest

from seshat.sample.lexicon import SUFFIXES, lexicon
from seshat.sample.meaning import CASE_OF
from seshat.sample.phonology import CONSONANTS, VOWELS, join, roots

WORDS = lexicon(1)
CONCEPTS = list(WORDS.concepts())


def test_there_are_more_than_400_roots_and_none_begins_another() -> None:
    forms = [concept.root for concept in CONCEPTS]
    assert len(forms) == len(set(forms)) >= 400
    assert not [pair for pair in permutations(forms, 2) if pair[0].startswith(pair[1])]


def test_roots_hold_nothing_but_the_letters_of_the_alphabet() -> None:
    letters = set("".join((*VOWELS, *CONSONANTS)))
    assert {letter for concept in CONCEPTS for letter in concept.root} <= letters
    assert any("ʼ" in concept.root for concept in CONCEPTS)


def test_another_seed_makes_another_language_with_the_same_meanings() -> None:
    other = list(lexicon(2).concepts())
    assert [concept.lemma for concept in other] == [concept.lemma for concept in CONCEPTS]
    assert not {concept.root for concept in other[:20]} & {concept.root for concept in CONCEPTS[:20]}


def test_no_root_shares_three_letters_in_a_row_with_its_lemma() -> None:
    lemmas = ["tamal", "canasta", "mano"] * 50
    for root, lemma in zip(roots([], lemmas, random.Random(3)), lemmas, strict=True):
        assert not any(lemma[i : i + 3] in root for i in range(len(lemma) - 2))


@pytest.mark.parametrize(
    ("morphemes", "word"),
    [
        (("kotin", "pa"), "kotimpa"),
        (("kotin", "ma"), "kotimma"),
        (("kotin", "nu", "pa"), "kotinnupa"),
        (("kotin", "wen"), "kotinwen"),
        (("sala", "pa"), "salapa"),
        (("sala", "wen", "pa"), "salawempa"),
    ],
)
def test_n_is_written_m_before_p_and_m(morphemes: tuple[str, ...], word: str) -> None:
    assert join(morphemes) == word


def test_suffixes_differ_and_begin_with_a_consonant() -> None:
    assert len(set(SUFFIXES.values())) == len(SUFFIXES)
    assert all(form.startswith(CONSONANTS) for form in SUFFIXES.values())


def test_a_noun_never_fits_two_prepositions_of_one_case_beside_one_verb() -> None:
    """Else Tamuri would not say which of them is meant."""
    for verb in WORDS.verbs:
        for one, other in permutations(verb.adjuncts, 2):
            if CASE_OF[one.preposition] is CASE_OF[other.preposition]:
                assert not set(one.nouns) & set(other.nouns), verb.lemma


def test_every_adjective_goes_with_some_noun_and_every_noun_has_a_gender() -> None:
    assert all(adjective.nouns for adjective in WORDS.adjectives)
    assert {noun.gender for noun in WORDS.nouns} == {"f", "m"}
