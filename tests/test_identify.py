"""Which language a text is in: by what the user's own texts teach, and never surer than they allow."""

from __future__ import annotations

import pickle
from dataclasses import replace

import numpy as np
import pytest

from seshat.errors import DataError
from seshat.identify import Identifier
from seshat.sample.grammar import Grammar

SENTENCES = Grammar(seed=1).sentences(800)
TAUGHT, SPANISH = [one.text for one in SENTENCES], [one.translation for one in SENTENCES]
IDENTIFIER = Identifier.train({"qtm": TAUGHT[:600], "spa": SPANISH[:600]})


def test_sentences_that_were_held_out_are_identified() -> None:
    assert IDENTIFIER.languages(TAUGHT[600:] + SPANISH[600:], sure=0.5) == ["qtm"] * 200 + ["spa"] * 200
    assert IDENTIFIER.languages(TAUGHT[600:]).count("qtm") > 190


@pytest.mark.parametrize("text", ["", "1999", "¿…?", "3,5 — 7"])
def test_what_has_no_words_says_nothing(text: str) -> None:
    assert IDENTIFIER.probability(text) == {"qtm": 0.5, "spa": 0.5}
    assert IDENTIFIER.languages([text]) == [""]


@pytest.mark.parametrize("text", ["mujer", "Mujer", "tuta", "Wxyz", "zzzz", "a"])
def test_one_word_is_never_enough_to_be_sure(text: str) -> None:
    assert max(IDENTIFIER.probability(text).values()) <= 0.99
    assert IDENTIFIER.languages([text], sure=0.995) == [""]


def test_letters_that_were_never_seen_speak_for_none() -> None:
    assert IDENTIFIER.probability("日本語 ДЖЯ") == pytest.approx({"qtm": 0.5, "spa": 0.5}, abs=0.02)


def test_a_larger_language_does_not_swallow_what_was_never_seen() -> None:
    uneven = Identifier.train({"qtm": TAUGHT[:40], "spa": SPANISH[:600]})
    assert uneven.probability("日本語")["spa"] == pytest.approx(0.5, abs=0.02)
    assert uneven.languages(TAUGHT[600:], sure=0.5).count("qtm") > 190


def test_case_and_numbers_do_not_matter_and_more_words_say_more() -> None:
    plain = IDENTIFIER.scores(["la mujer teje"])
    assert np.allclose(IDENTIFIER.scores(["LA mujer, 12 TEJE 7."]), plain)
    assert np.allclose(IDENTIFIER.scores(["la mujer teje la mujer teje"]), 2 * plain)


def test_probabilities_hold_what_they_say() -> None:
    """Of single words that are called 80 to 95 % probable, about as many are right."""
    words = [word for text in TAUGHT[600:] + SPANISH[600:] for word in text.split()]
    truth = ["qtm" for text in TAUGHT[600:] for _ in text.split()] + ["spa" for text in SPANISH[600:] for _ in text.split()]
    found = IDENTIFIER.probabilities(words)
    best = found.max(axis=1)
    right = np.array([IDENTIFIER.codes[index] for index in found.argmax(axis=1)]) == np.array(truth)
    assert 1 - best.mean() == pytest.approx(1 - right.mean(), abs=0.03)


def test_how_far_the_sum_is_believed_is_learnt_from_held_out_words() -> None:
    few = Identifier.train({"qtm": TAUGHT[:30], "spa": SPANISH[:30]})
    words = [word for text in TAUGHT[600:] + SPANISH[600:] for word in text.split()]
    truth = [0 for text in TAUGHT[600:] for _ in text.split()] + [1 for text in SPANISH[600:] for _ in text.split()]

    def surprise(slope: float) -> float:
        return float(-np.log(replace(few, slope=slope).probabilities(words)[np.arange(len(words)), truth]).mean())

    assert surprise(few.slope) < min(surprise(few.slope / 3), surprise(3 * few.slope))
    assert few.slope < IDENTIFIER.slope


def test_a_sample_is_enough_for_sentences_and_one_language_for_nothing() -> None:
    found = Identifier.of_sample({"qtm": TAUGHT[:600], "spa": SPANISH[:600]})
    assert found is not None
    assert found.languages(TAUGHT[600:]) == IDENTIFIER.languages(TAUGHT[600:])
    assert Identifier.of_sample({"qtm": TAUGHT, "spa": []}) is None


def test_three_languages() -> None:
    awa = ["wawa wi wawawi", "wiwa wawi wa", "awawa iwiwa"] * 9
    three = Identifier.train({"qtm": TAUGHT[:200], "spa": SPANISH[:200], "xxa": awa})
    assert three.languages(["wawa iwiwa wi", SPANISH[700], TAUGHT[700]]) == ["xxa", "spa", "qtm"]
    assert three.scores(["wawa", "x", ""]).shape == (3, 3)
    assert three.scores([]).shape == (0, 3)


def test_some_texts_with_the_wrong_label_do_little_harm() -> None:
    third = [index % 3 == 0 for index in range(600)]
    taught = [spanish if wrong else text for text, spanish, wrong in zip(TAUGHT, SPANISH, third, strict=False)]
    spanish = [text if wrong else spanish for text, spanish, wrong in zip(TAUGHT, SPANISH, third, strict=False)]
    found = Identifier.train({"qtm": taught, "spa": spanish}).languages(TAUGHT[600:] + SPANISH[600:], sure=0.5)
    assert sum(one == code for one, code in zip(found, ["qtm"] * 200 + ["spa"] * 200, strict=True)) > 380


def test_a_sentence_that_is_mixed_can_be_left_unidentified() -> None:
    mixed = f"{TAUGHT[700]} {SPANISH[700]} {SPANISH[701]} {SPANISH[702]}"
    assert IDENTIFIER.languages([mixed, SPANISH[700]]) == ["spa", "spa"]
    assert IDENTIFIER.languages([mixed, SPANISH[700]], mixed=0.1) == ["", "spa"]


def test_the_digest_names_what_was_learnt() -> None:
    again = Identifier.train({"qtm": TAUGHT[:600], "spa": SPANISH[:600]})
    assert again.digest == IDENTIFIER.digest == pickle.loads(pickle.dumps(IDENTIFIER)).digest
    assert Identifier.train({"qtm": TAUGHT[:599], "spa": SPANISH[:600]}).digest != IDENTIFIER.digest
    assert Identifier.train({"xxa": TAUGHT[:600], "spa": SPANISH[:600]}).digest != IDENTIFIER.digest


@pytest.mark.parametrize(("texts", "lacking"), [({"qtm": TAUGHT, "spa": []}, "spa has none"), ({"spa": SPANISH}, "a second language")])
def test_one_language_alone_cannot_be_told_apart(texts: dict[str, list[str]], lacking: str) -> None:
    with pytest.raises(DataError, match=lacking):
        Identifier.train(texts)
