"""Words, sentences and spelling of a language, from its profile alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seshat.language import Bridge, Language, clean_spaces, names, split_sentences, words

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
        ("Escribe la pág. 3 y el art. 5.", ["Escribe la pág. 3 y el art. 5."]),
        ("Pan, sal, etc. Luego agua.", ["Pan, sal, etc. Luego agua."]),  # it may end a sentence; nobody can tell
        ("Lleva algo, p. ej. Pan.", ["Lleva algo, p. ej. Pan."]),
        ("Mire el punto 3. Aquí está.", ["Mire el punto 3.", "Aquí está."]),  # a number at the end of a sentence is no item
        ("El 1.º de mayo. Fiesta.", ["El 1.º de mayo.", "Fiesta."]),
        ("El siglo XX. Guerras.", ["El siglo XX.", "Guerras."]),
        ("«¿Vienes?» «¡No!» Se fue.", ["«¿Vienes?»", "«¡No!»", "Se fue."]),
        ("«Ven. Siéntate.» Vino.", ["«Ven.", "Siéntate.»", "Vino."]),
        ("Dijo: “¿Quién?” y calló.", ["Dijo: “¿Quién?” y calló."]),
        ("No sé... ¿Y tú?", ["No sé...", "¿Y tú?"]),
        ("No sé… ¿y tú?", ["No sé…", "¿y tú?"]),
        ("¡¿Qué?! ¡Sí!", ["¡¿Qué?!", "¡Sí!"]),
        ("Vive en C. Vive bien.", ["Vive en C. Vive bien."]),  # as an initial
        ("Correo: a.b@c.pe. Escriba.", ["Correo: a.b@c.pe.", "Escriba."]),
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
        ("ᎠᏂᏴᏫ. ᏣᎳᎩ.", ".", ["ᎠᏂᏴᏫ.", "ᏣᎳᎩ."]),
        ("هذا. ذلك؟ نعم.", ".؟", ["هذا.", "ذلك؟", "نعم."]),
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
        ("a ch e sh", "Cha, shé! 12", {"é"}),
        ("a ch e sh", "Cha, ca sha!", {"c"}),  # half a digraph is none
        ("a", "a\u0331", {"a\u0331"}),
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


DIGRAPHS = Language(code="qtm", name="tamuri", alphabet="a b ch e k kʼ i ts tsh x ñ", apostrophe="ʼ")


@pytest.mark.parametrize(
    ("word", "letters"),
    [
        ("Chak'i", ["ch", "a", "kʼ", "i"]),
        ("tshatsa", ["tsh", "a", "ts", "a"]),  # the longest that fits
        ("cats", ["c", "a", "ts"]),
        ("an\u0303e\u0331\u0303", ["a", "ñ", "ẽ\u0331"]),  # a letter keeps its marks
        ("tsh\u0303", ["ts", "h\u0303"]),  # h with a tilde is not the h of tsh
        ("", []),
    ],
)
def test_letters_of_a_word(word: str, letters: list[str]) -> None:
    assert DIGRAPHS.letters(DIGRAPHS.normalize(word)) == letters


@pytest.mark.parametrize("alphabet", ["a b ch x", "a, b, ch, x", "A B CH X", " a  b\tch x "])
def test_an_alphabet_is_written_in_many_ways(alphabet: str) -> None:
    assert Language(code="qtm", name="tamuri", alphabet=alphabet).letters("achx") == ["a", "ch", "x"]


def test_an_alphabet_without_spaces_has_no_digraphs() -> None:
    language = Language(code="qtm", name="tamuri", alphabet="abcg\u0303h")
    assert (language.letters("chg\u0303"), language.foreign_letters("chag\u0303g")) == (["c", "h", "g\u0303"], {"g"})


def test_an_alphabet_may_be_typed_with_any_apostrophe() -> None:
    language = Language(code="qtm", name="tamuri", alphabet="a k' k ' t’", apostrophe="ʼ")
    assert language.letters(language.normalize("k'at’a'")) == ["kʼ", "a", "tʼ", "a", "ʼ"]


def test_without_an_alphabet_every_letter_is_one() -> None:
    assert Language(code="qtm", name="tamuri").letters("Chañʼ") == ["c", "h", "a", "ñ", "ʼ"]


def test_a_dictionary_is_sorted_as_the_alphabet_is() -> None:
    words = ["ñaa", "tsa", "xa", "chab", "chá", "cha", "bax", "a-b", "ab", "kʼa", "ki", "a b", "za", "Axa", "ʼa", "7"]
    in_order = ["a b", "a-b", "ab", "Axa", "bax", "cha", "chá", "chab", "ki", "kʼa", "tsa", "xa", "ñaa", "ʼa", "7", "za"]
    assert sorted(words, key=DIGRAPHS.sort_key) == in_order


@pytest.mark.parametrize(("text", "share"), [("chaxa", 0.0), ("chac 12", 1 / 3), ("ze", 0.5), ("12", 0.0), ("", 0.0)])
def test_the_share_of_foreign_letters_counts_a_digraph_once(text: str, share: float) -> None:
    assert DIGRAPHS.foreign_share(text) == pytest.approx(share)
    assert Language(code="qtm", name="tamuri").foreign_share(text) == 0


@pytest.mark.parametrize(("name", "code"), [("qtm", "qtm"), ("tm", "qtm"), ("spa", "spa"), ("es", "spa"), ("", ""), ("en", "")])
def test_a_language_is_called_by_any_of_its_codes(name: str, code: str) -> None:
    assert Language(code="qtm", short="tm", name="tamuri").called(name) == code


def test_a_language_without_a_short_code_is_not_called_by_nothing() -> None:
    assert Language(code="qtm", name="tamuri").called("") == ""


@pytest.mark.parametrize("code", ["QTM", "qt", "español", ""])
def test_a_code_has_three_small_letters(code: str) -> None:
    with pytest.raises(ValueError, match="three small letters"):
        Language(code=code, name="tamuri")


def test_a_name_has_a_capital_wherever_it_does_not_begin_a_text() -> None:
    texts = ["Ayer llegó Rosa de Lima.", "La rosa es roja", "Lima es «Grande»", "En LIMA, Rimac-2 y Ñaña hay casas"]
    assert names(texts) == {"lima", "grande", "rimac-2", "ñaña"}
    assert names([]) == set()
