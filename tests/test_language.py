"""Words, sentences and spelling of a language, from its profile alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seshat.language import Bridge, Language, SpellingRule, clean_spaces, split_sentences, words

TAMURI = Language(code="qtm", name="tamuri", alphabet="a ch e h i k l m n ñ o p r s sh t u ü w y ʼ", apostrophe="ʼ")
SPANISH = Bridge().abbreviations
TEXTS = st.text(st.sampled_from("aeoAEÑñ bcʼ'’‘\"«»¿?¡!.…,1 2\n\t()-—\u0301\u0308\u00a0\ud800"), max_size=80)


@pytest.mark.parametrize(
    ("typed", "normal"),
    [
        ("jo'n", "joʼn"),  # typewriter apostrophe
        ("jo’n", "joʼn"),  # right quotation mark
        ("jo‘n", "joʼn"),  # left quotation mark
        ("joꞌn", "joʼn"),  # saltillo
        ("jo`n", "joʼn"),  # accent
        ("jo''n", "joʼn"),  # twice
        ("jon\u0303a", "joña"),  # combining tilde
        ("ami'", "amiʼ"),  # at the end of a word
        ("AMI’", "AMIʼ"),
        ("amí'", "amíʼ"),
        ("ami' ya", "amiʼ ya"),
        ("«ami'»", "«amiʼ»"),
        ("'ami'", "'ami'"),  # a quotation, not a letter
        ("‘jo'n ami’ ya'", "‘joʼn ami’ yaʼ"),
        ("ʼami ami'", "ʼami amiʼ"),  # the letter itself opens no quotation
        ("'90", "'90"),
        ("5' ya", "5' ya"),
        ("  a \u00a0\t\n b\ufeff ", "a b"),
        ("a\ud800b", "a\ufffdb"),  # half a letter, as JSON may hold
    ],
)
def test_normalize_gives_one_spelling(typed: str, normal: str) -> None:
    assert TAMURI.normalize(typed) == normal


def test_apostrophes_stay_where_they_are_no_letters() -> None:
    assert Language(code="shp", name="shipibo").normalize("s'h ’a’") == "s'h ’a’"


@given(TEXTS)
def test_normalising_twice_is_normalising_once(text: str) -> None:
    once = TAMURI.normalize(text)
    assert TAMURI.normalize(once) == once


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("", []),
        ("Sin punto final", ["Sin punto final"]),
        ("Ven. Vete.", ["Ven.", "Vete."]),
        ("Ven.\nVete.\t¿Sí?", ["Ven.", "Vete.", "¿Sí?"]),
        ("¿Quién es? ¡Yo! ¿Y tú?", ["¿Quién es?", "¡Yo!", "¿Y tú?"]),
        ("¿Quién es? ¿y por qué?", ["¿Quién es?", "¿y por qué?"]),
        ("¿Vienes? dijo él.", ["¿Vienes? dijo él."]),
        ("¡No! —dijo él. —Sí.", ["¡No! —dijo él.", "—Sí."]),
        ("Dijo: «Ven.» Y se fue.", ["Dijo: «Ven.»", "Y se fue."]),
        ("Dijo “ven”. “Voy.”", ["Dijo “ven”.", "“Voy.”"]),
        ("Vino (ayer). (No hoy.)", ["Vino (ayer).", "(No hoy.)"]),
        ("Esperó… Luego vino... y se fue.", ["Esperó…", "Luego vino... y se fue."]),
        ("El Sr. López y la Dra. Ruiz.", ["El Sr. López y la Dra. Ruiz."]),
        ("Vino alguien (el Sr. López).", ["Vino alguien (el Sr. López)."]),
        ("Los EE. UU. Mandan.", ["Los EE. UU. Mandan."]),
        ("Un cesar. Otro.", ["Un cesar.", "Otro."]),
        ("J. R. Pérez vino. Habló.", ["J. R. Pérez vino.", "Habló."]),
        ("Mide 3.5 m. Pesa 1.000 kg.", ["Mide 3.5 m.", "Pesa 1.000 kg."]),
        ("Nació en 1999. Murió en 2001.", ["Nació en 1999.", "Murió en 2001."]),
        ("1. Todos nacen libres. 2. Todos tienen derechos.", ["1. Todos nacen libres.", "2. Todos tienen derechos."]),
        ("IV. Nadie es esclavo.", ["IV. Nadie es esclavo."]),
        ("Véase el art. 5 de la ley.", ["Véase el art. 5 de la ley."]),
        ("Ámame. Ñandú.", ["Ámame.", "Ñandú."]),
    ],
)
def test_spanish_sentences(text: str, sentences: list[str]) -> None:
    assert split_sentences(text, abbreviations=SPANISH) == sentences


@pytest.mark.parametrize(
    ("text", "end", "sentences"),
    [
        ("Ama. ʼAma ya.", ".", ["Ama.", "ʼAma ya."]),  # a word begins with the glottal stop
        ("Ama; Ya.", ".;", ["Ama;", "Ya."]),
        ("यह है। वह था।", "।", ["यह है।", "वह था।"]),  # a script without capitals
        ("ይህ ነው። ያ ነበር።", "።", ["ይህ ነው።", "ያ ነበር።"]),
    ],
)
def test_sentences_of_other_languages(text: str, end: str, sentences: list[str]) -> None:
    assert split_sentences(text, end=end) == sentences


def test_a_language_has_its_own_abbreviations_and_its_bridge_too() -> None:
    language = Language(code="qtm", name="tamuri", abbreviations=("tam.",))
    text = "El tam. Kene y el Sr. Ruiz."
    assert language.sentences(text) == ["El tam. Kene y el Sr.", "Ruiz."]
    assert language.sentences(text, bridge=True) == ["El tam.", "Kene y el Sr. Ruiz."]


@given(TEXTS)
def test_no_letter_is_lost_between_sentences(text: str) -> None:
    assert " ".join(split_sentences(text, abbreviations=SPANISH)) == clean_spaces(text)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("¡Joʼn ama-ya, 3 veces!", ["joʼn", "ama-ya", "3", "veces"]),
        ("amiʼ. 'ami'", ["amiʼ", "ami"]),
        ("jo'n jo’n", ["jo'n", "jo’n"]),
        ("g̃uahu", ["g̃uahu"]),
        ("- … —", []),
    ],
)
def test_words(text: str, found: list[str]) -> None:
    assert words(text) == found


@pytest.mark.parametrize(
    ("alphabet", "text", "foreign"),
    [
        ("", "Žába", set()),
        ("a ch e sh", "Cha, shé! 12", {"é"}),  # the letters of a digraph are letters
        ("a ñ", "An\u0303a ña", set()),
        ("a g̃", "g̃a", set()),
        ("a", "aß日", {"ß", "日"}),
    ],
)
def test_foreign_letters(alphabet: str, text: str, foreign: set[str]) -> None:
    language = Language(code="qtm", name="tamuri", alphabet=alphabet)
    assert language.foreign_letters(language.normalize(text)) == foreign


def test_the_apostrophe_is_of_the_alphabet() -> None:
    assert Language(code="qtm", name="tamuri", alphabet="a m", apostrophe="ʼ").foreign_letters("amaʼ") == set()


def test_spelling_rules_apply_in_order_and_keep_a_capital() -> None:
    rules = (SpellingRule(pattern="qu(?=[ei])|c(?!h)", replacement="k"), SpellingRule(pattern="hu(?=a)", replacement="w"))
    language = Language(code="shp", name="shipibo", spelling=rules)
    assert language.respell("Queneti, caco chichi HUA!") == "Keneti, kako chichi Wa!"


def test_a_spelling_rule_that_is_no_regular_expression_is_refused() -> None:
    with pytest.raises(ValueError, match="not a regular expression"):
        SpellingRule(pattern="(", replacement="")


@pytest.mark.parametrize(("name", "code"), [("qtm", "qtm"), ("tm", "qtm"), ("spa", "spa"), ("es", "spa"), ("", ""), ("en", "")])
def test_a_language_is_called_by_any_of_its_codes(name: str, code: str) -> None:
    assert Language(code="qtm", short="tm", name="tamuri").called(name) == code


def test_a_language_without_a_short_code_is_not_called_by_nothing() -> None:
    assert Language(code="qtm", name="tamuri").called("") == ""


@pytest.mark.parametrize("code", ["QTM", "qt", "español", ""])
def test_a_code_has_three_small_letters(code: str) -> None:
    with pytest.raises(ValueError, match="pattern"):
        Language(code=code, name="tamuri")
