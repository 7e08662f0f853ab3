"""Spelling rules one by one, and the way back to what was written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seshat.language import Language, split_sentences, what_was_written
from seshat.spelling import TYPED_APOSTROPHES, SpellingRule, cut_alike

RULES = (SpellingRule(pattern="qu(?=[ei])|c(?!h)", replacement="k"), SpellingRule(pattern="hu(?=a)", replacement="w"))
SHIPIBO = Language(code="shp", name="shipibo", spelling=RULES, old_spelling=("dictionary/old*",))
WORDS = st.lists(st.sampled_from(["ama", "quené", "caro.", "Huá", "•", "¿Ja?", "chi"]), max_size=12)


def test_spelling_rules_apply_in_order_and_keep_a_capital() -> None:
    assert SHIPIBO.respell("Queneti, caco chichi HUA!") == "Keneti, kako chichi Wa!"


def test_a_rule_sees_what_the_rule_before_it_made() -> None:
    rules = (SpellingRule(pattern="c", replacement="k"), SpellingRule(pattern="kk", replacement="k"))
    language = Language(code="shp", name="shipibo", spelling=rules)
    assert (language.respell("acka"), language.rules_used("acka acka ama")) == ("aka", (2, 2))


def test_a_spelling_rule_that_is_no_regular_expression_is_refused() -> None:
    with pytest.raises(ValueError, match="not a regular expression"):
        SpellingRule(pattern="(", replacement="")


def test_only_old_files_are_respelt_and_all_are_normalised() -> None:
    assert SHIPIBO.spell("quen\u0303e", "dictionary/old.csv") == "keñe"
    assert SHIPIBO.spell("quen\u0303e", "dictionary/new.csv") == "queñe"


def test_a_rule_is_counted_as_often_as_it_fires() -> None:
    assert SHIPIBO.rules_used("Queneti, caco  chichi HUA!") == (3, 1)
    assert SHIPIBO.rules_used("") == (0, 0)


@pytest.mark.parametrize("typed", sorted(set(TYPED_APOSTROPHES)), ids=lambda one: f"{ord(one):04x}")
def test_every_apostrophe_that_people_type_becomes_the_letter(typed: str) -> None:
    for letter in ("ʼ", "ꞌ", "'"):
        language = Language(code="qtm", name="tamuri", apostrophe=letter)
        assert language.normalize(f"jo{typed}n ami{typed}") == f"jo{letter}n ami{letter}"


def test_the_apostrophes_of_the_world_are_known() -> None:
    known = "'`\u00b4\u02b9\u02bb\u02bc\u02c8\u02ca\u02cb\u055a\u2018\u2019\u201b\u2032\ua78b\ua78c\uff07"
    assert set(known) <= set(TYPED_APOSTROPHES)
    assert not {letter for letter in TYPED_APOSTROPHES if letter in '"«»“”,.-ʔ'}


def test_an_apostrophe_that_is_a_letter_of_its_own_stays() -> None:
    assert Language(code="qtm", name="tamuri", alphabet="a ʻ ʼ", apostrophe="ʼ").normalize("aʻa a'a a‘a") == "aʻa aʼa aʼa"


@pytest.mark.parametrize("text", ["g\u0303uahu", "e\u0331\u0303", "k\u0331a", "r\u0303"])
def test_a_mark_without_a_precomposed_letter_stays(text: str) -> None:
    normal = SHIPIBO.normalize(text)
    assert SHIPIBO.respell(normal) == normal
    assert len(SHIPIBO.letters(normal)) == len([letter for letter in text if letter.isalpha()])
    assert SHIPIBO.normalize(normal) == normal


@pytest.mark.parametrize(("raw", "text", "written"), [("ama", "ama", ""), (" a\tb ", "a b", ""), ("an\u0303a", "aña", "an\u0303a")])
def test_what_was_written_is_kept_if_more_than_white_space_changed(raw: str, text: str, written: str) -> None:
    assert what_was_written(raw, text) == written


@pytest.mark.parametrize(
    ("pieces", "written", "cut"),
    [
        (["Kene ama.", "Karo."], "Quene  ama. Caro.", ["Quene ama.", "Caro."]),
        (["Ama.", "Karo ya."], "• Ama. Caro ya.", ["• Ama.", "Caro ya."]),  # a bullet was taken away
        (["Ama ja.", "Karo ya.", "Jo."], "Ama-ja. Caro ya. Jo.", ["Ama-ja.", "Caro ya.", "Jo."]),  # one word was made two
        (["Ama."], "Áma.", ["Áma."]),
        ([], "", []),
    ],
)
def test_what_was_written_is_cut_where_the_text_is_cut(pieces: list[str], written: str, cut: list[str]) -> None:
    assert cut_alike(pieces, written) == cut


@given(WORDS, WORDS)
def test_no_word_that_was_written_is_lost_or_moved(now: list[str], then: list[str]) -> None:
    pieces = split_sentences(" ".join(now)) or ["ama"]
    cut = cut_alike(pieces, " ".join(then))
    assert (len(cut), " ".join(filter(None, cut))) == (len(pieces), " ".join(then))
