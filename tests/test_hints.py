"""Hints: the right words of a sentence, rare ones first, and nothing that a training example gave itself."""

from __future__ import annotations

from dataclasses import replace

import pytest

from seshat.hints import Forms, Hinter, Hinting, Knowledge, Told, cross_fitted, dictionary, hinter, senses, with_hints
from seshat.language import words
from seshat.lexicon import Lexicon
from seshat.records import Example

HINTING = Hinting(words=8, examples=1, folds=3, dropout=0.0, frequent=0.5, nearest=0.1)


def example(source: str, answer: str, *, task: str = "translation", direction: str = "spa-qtm", group: str = "") -> Example:
    name = f"{source}={answer}"
    return Example(
        prompt=source, answer=answer, task=task, direction=direction, source=source, group=group or name, split="train",
        parent=name, origin=name, collection="c",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("form", "word"),
    [
        ("wasi", "wasi"),
        ("wasikunapi", "wasi"),
        ("warmikunaqa", "warmi"),
        ("warmy", "warmi"),
        ("rimanakuy", "rimay"),
        ("rimanku", "rimay"),
        ("rumba", ""),
        ("chakra", ""),
        ("rumichakaq", "rumichakan"),
        ("zz", ""),
        ("", ""),
    ],
)
def test_a_form_is_found_by_its_beginning_or_by_a_letter_that_differs(form: str, word: str) -> None:
    assert Forms(["wasi", "warmi", "rimay", "rumichakan", "wa"]).find(form) == word


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("casa, hogar", ["casa", "hogar"]),
        ("Casa.", ["casa"]),
        ("casa (de campo); CASA", ["casa"]),
        ("el que sabe hablar muy bien", []),
        ("", []),
        ("¡ay!", ["ay"]),
    ],
)
def test_the_senses_of_an_answer_are_its_short_pieces_without_punctuation(answer: str, expected: list[str]) -> None:
    assert senses(answer) == expected


def test_a_dictionary_is_read_in_both_directions() -> None:
    entries = [
        example("wasi", "casa, hogar", task="dictionary", direction="qtm-spa"),
        example("hogar", "llaqta", task="dictionary", direction="spa-qtm"),
        example("wasi", "techo", task="dictionary", direction="qtm-spa"),
    ]
    assert dictionary(entries, "qtm-spa") == {"wasi": ["casa", "hogar", "techo"], "llaqta": ["hogar"]}
    assert dictionary(entries, "spa-qtm") == {"casa": ["wasi"], "hogar": ["wasi", "llaqta"], "techo": ["wasi"]}


PAIRS = [
    example("la casa grande", "hatun wasi"),
    example("la casa", "wasi"),
    example("el perro grande", "hatun allqu"),
    example("el perro", "allqu"),
    example("la casa del perro", "allqupa wasin"),
]
ENTRIES = [example("piedra", "rumi", task="dictionary"), example("perro", "allqu, ashku", task="dictionary")]


def told(sentence: str, **changes: object) -> Told:
    return hinter(HINTING.model_copy(update=changes), [*PAIRS, *ENTRIES], "spa-qtm").hints([sentence])[0]


def test_words_are_those_of_the_dictionary_then_of_the_lexicon_and_the_rarest_come_first() -> None:
    assert told("El perro grande y las piedras").words[0] == ("piedra", ("rumi",))
    assert dict(told("El perro grande y las piedras").words)["perro"] == ("allqu", "ashku")
    assert dict(told("una casa grande").words)["casa"][0] == "wasi"
    assert [word for word, _ in told("El perro y las piedras", words=1).words] == ["piedra"]
    assert told("El perro y las piedras", words=0).words == ()


def test_two_forms_of_a_word_are_one_hint_in_the_place_of_the_rarer() -> None:
    dictionary = {"casa": ["wasi"], "libro": ["liwru"]}
    memory = [("libro libro casa", "x")]
    found = Hinter(HINTING.model_copy(update={"frequent": 1.0}), memory, dictionary, Lexicon.estimate([])).hints(["casa libro casas"])
    assert [form for form, _ in found[0].words] == ["casa", "libro"]


def test_each_word_has_its_own_translations_in_its_place() -> None:
    finder = hinter(HINTING, [*PAIRS, *ENTRIES], "spa-qtm")
    assert finder.explained("Las piedras, xyz, perro") == [(), ("rumi",), (), ("allqu", "ashku")]
    few = hinter(HINTING.model_copy(update={"words": 1}), [*PAIRS, *ENTRIES], "spa-qtm")
    assert few.explained("Las piedras, xyz, perro") == [(), ("rumi",), (), ()]


def test_frequent_words_are_not_explained() -> None:
    assert "la" not in dict(told("la casa", frequent=0.15).words)
    assert told("xyz xyz").words == ()


def test_the_nearest_example_is_shown_if_it_is_near_enough() -> None:
    assert told("la casa del perro negro").examples == (("la casa del perro", "allqupa wasin"),)
    assert told("la casa del perro negro", nearest=1.0).examples == ()
    assert told("la casa del perro negro", examples=0).examples == ()


def secrets(number: int = 30) -> list[Example]:
    """Pairs of which each has words that no other has: whoever knows one of these words has seen the pair."""
    return [example(f"uno secreto{number:03d}x", f"huk pakasqa{number:03d}y") for number in range(number)]


def test_no_pair_contributes_to_its_own_hints() -> None:
    pairs = secrets()
    found = cross_fitted(HINTING, [*pairs, *ENTRIES], "spa-qtm")
    assert found.keys() == {one.id for one in pairs}
    for one in pairs:
        mine = found[one.id]
        assert one.answer not in {answer for _, answer in mine.examples}
        assert words(one.answer)[1] not in {translation for _, translations in mine.words for translation in translations}


def test_a_pair_that_says_the_same_elsewhere_contributes_nothing_either() -> None:
    pairs = secrets()
    again = [replace(one, source=f"¡{one.source.upper()}!", origin=f"{one.origin}#2", group="book") for one in pairs]
    found = cross_fitted(HINTING, [*pairs, *again], "spa-qtm")
    assert len(found) == 60
    for one in (*pairs, *again):
        assert one.answer not in {answer for _, answer in found[one.id].examples}


def test_documents_stay_together_and_one_that_is_too_large_is_spread() -> None:
    small = [replace(one, group="letter") for one in secrets(4)]
    large = [replace(one, group="bible") for one in secrets(60)[10:]]
    found = cross_fitted(HINTING, [*small, *large], "spa-qtm")
    assert not {answer for one in small for _, answer in found[one.id].examples} & {one.answer for one in small}
    assert any(found[one.id].examples for one in large)


def test_some_go_without_hints_and_always_the_same() -> None:
    pairs = secrets(60)
    half = HINTING.model_copy(update={"dropout": 0.5})
    found = cross_fitted(half, pairs, "spa-qtm")
    assert 15 < len(found) < 45
    assert found.keys() == cross_fitted(half, pairs[::-1], "spa-qtm").keys()


def test_back_translations_give_no_hints_and_have_none() -> None:
    people = [example(f"casa {number}", f"wasi {number}") for number in range(9)]
    ours = replace(example("casa nueva", "musuq wasi"), synthetic="m")
    given = with_hints(HINTING, {"train": [*people, ours], "val": [replace(example("casa nueva", "x"), split="val")]})
    assert given["train"][-1] == ours
    assert all(one.hints for one in given["train"][:-1])
    assert "casa nueva = musuq wasi" not in given["val"][0].hints
    assert Knowledge(HINTING, [ours]).hints(["casa nueva"], "spa", "qtm") == [()]
