"""Nouns, adjectives, articles and contractions."""

from __future__ import annotations

import pytest

from seshat.sample.spanish import agree, article, conjunction, contract, one, plural, sentence


@pytest.mark.parametrize(
    ("singular", "many"),
    [
        ("casa", "casas"),
        ("pie", "pies"),
        ("bebé", "bebés"),
        ("árbol", "árboles"),
        ("luz", "luces"),
        ("lápiz", "lápices"),
        ("canción", "canciones"),
        ("jardín", "jardines"),
        ("raíz", "raíces"),
        ("joven", "jóvenes"),
        ("trabajador", "trabajadores"),
        ("azul", "azules"),
    ],
)
def test_plural(singular: str, many: str) -> None:
    assert plural(singular) == many


@pytest.mark.parametrize(
    ("adjective", "form"),
    [("bueno", "buenas"), ("grande", "grandes"), ("trabajador", "trabajadoras"), ("feliz", "felices"), ("joven", "jóvenes")],
)
def test_adjectives_agree_with_a_feminine_plural(adjective: str, form: str) -> None:
    assert agree(adjective, "f", many=True) == form


def test_a_feminine_noun_with_stressed_a_takes_the_masculine_article_in_the_singular_only() -> None:
    assert article("f", many=False, stressed_a=True) == "el"
    assert one("f", stressed_a=True) == "un"
    assert article("f", many=True, stressed_a=True) == "las"


@pytest.mark.parametrize(
    ("preposition", "phrase", "text"),
    [
        ("a", "el río", "al río"),
        ("de", "el río", "del río"),
        ("a", "ella", "a ella"),
        ("de", "la casa", "de la casa"),
        ("en", "el río", "en el río"),
    ],
)
def test_contractions(preposition: str, phrase: str, text: str) -> None:
    assert contract(preposition, phrase) == text


@pytest.mark.parametrize(("word", "link"), [("hijo", "e"), ("invitan", "e"), ("hierba", "y"), ("perro", "y")])
def test_y_is_e_before_the_sound_i(word: str, link: str) -> None:
    assert conjunction(word) == link


def test_a_question_stands_between_its_marks() -> None:
    assert sentence("duerme el gato", question=True) == "¿Duerme el gato?"
