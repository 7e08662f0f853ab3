import pytest

from seshat.phrases.translator import LONG, PhraseTranslator

NOUNS = {"casa": "tari", "libro": "moko", "perro": "wesu", "niño": "liko", "árbol": "panu"}
VERBS = {"ve": "niko", "busca": "saru", "quiere": "teme", "tiene": "holi"}


@pytest.fixture(scope="module")
def translator() -> PhraseTranslator:
    """Of a language that says object, verb and then nothing of articles; one pair was never seen together."""
    pairs = [
        (f"El {first} {verb} la {second}.", f"{NOUNS[first].capitalize()} {VERBS[verb]} {NOUNS[second]}ka.")
        for first in NOUNS
        for verb in VERBS
        for second in NOUNS
        if (first, verb) != ("perro", "tiene")
    ]
    pairs += [("Vino Pedro.", "Pedro mita."), ("Ayer vino Pedro.", "Keni Pedro mita."), ("Hoy vino Pedro.", "Hana Pedro mita.")]
    return PhraseTranslator.train(pairs, entries=[("mesa", "tupa; tabla"), ("mesa", "tupa")], texts=["Liko mita."])


def test_unseen_sentences_are_put_together(translator: PhraseTranslator) -> None:
    assert translator.translate(["El perro tiene la casa."]) == ["Wesu holi tarika."]


def test_punctuation_numbers_and_names_stay_as_they_are(translator: PhraseTranslator) -> None:
    said, numbers, name, nothing = translator.translate(["¿El niño ve la casa?", "busca 2,5", "el perro ve Lima", "¡...!"])
    assert said == "¿Liko niko tarika?"
    assert numbers == "saru 2,5"
    assert name == "wesu niko Lima"
    assert nothing == "¡...!"


def test_names_of_the_target_language_have_their_capital(translator: PhraseTranslator) -> None:
    assert "Pedro" in translator.translate(["ayer vino pedro"])[0]


def test_an_unknown_word_is_a_form_of_a_known_one_or_copied(translator: PhraseTranslator) -> None:
    assert translator.translate(["buscaba"]) == ["saru"]
    assert translator.translate(["zzz"]) == ["zzz"]


def test_entries_of_the_dictionary_count(translator: PhraseTranslator) -> None:
    assert translator.translate(["mesa"]) == ["tupa"]


def test_a_long_text_is_searched_in_parts(translator: PhraseTranslator) -> None:
    said = translator.translate(["el perro ve la casa " * 20])[0]
    assert said.split().count("niko") == 20


def test_empty_texts_stay_empty(translator: PhraseTranslator) -> None:
    assert translator.translate(["", "  "]) == ["", ""]


def test_the_best_come_first_and_there_are_as_many_as_asked_for(translator: PhraseTranslator) -> None:
    found = translator.best("El perro ve la casa.", 5)
    scores = [score for score, _ in found]
    assert len(found) == 5
    assert scores == sorted(scores, reverse=True)


def test_without_pairs_everything_is_copied() -> None:
    assert PhraseTranslator.train([]).translate(["La casa."]) == ["La casa."]


def test_a_long_text_that_is_like_one_of_the_training_text_is_translated_as_that_was() -> None:
    law = "Toda persona tiene derecho a la vida, a la libertad y a la seguridad de su persona"
    others = [
        (f"{word.capitalize()} {word}.", "Wesu mita.") for word in ("toda", "persona", "tiene", "derecho", "libertad", "seguridad", "vida")
    ]
    translator = PhraseTranslator.train([(f"{law}.", "Naro miku sela."), *others * 5])
    assert translator.translate([f"{law} física y moral."]) == ["Naro miku sela."]


def test_short_texts_are_like_others_by_chance() -> None:
    law = "Toda persona tiene derecho a la vida y a la libertad"
    others = [(f"{word.capitalize()} {word}.", "Wesu mita.") for word in ("toda", "persona", "tiene", "derecho", "libertad", "vida")]
    translator = PhraseTranslator.train([(f"{law}.", "Naro miku sela."), *others * 5])
    assert len(law) < LONG
    assert translator.translate([f"{law} moral."]) != ["Naro miku sela."]


def test_a_borrowed_name_loses_its_ending_and_one_of_the_bridge_language_keeps_it() -> None:
    names = ("Manuel", "Carlos", "Pedro", "Lucas")
    into_spanish = [(f"Wesu {name}nin niko.", f"{name} ve el perro.") for name in names]
    assert "Gates" in PhraseTranslator.train(into_spanish).translate(["Wesu Gatesnin niko."])[0].split()
    plurals = [(f"Los {word}es vienen.", f"{word.capitalize()} mita.") for word in ("doctor", "hospital", "profesor", "animal")]
    assert "Torres" in PhraseTranslator.train(plurals).translate(["Vienen los Torres."])[0]


def test_numbers_stay_whole() -> None:
    plurals = [(f"Los {word}es vienen.", f"{word} mita") for word in ("doctor", "hospital", "profesor", "animal")]
    assert "2000es" in PhraseTranslator.train(plurals).translate(["los 2000es vienen"])[0]


def test_pairs_with_an_empty_side_teach_nothing() -> None:
    pairs = [("Toda persona tiene derecho a la vida, a la libertad y a la seguridad de su persona.", ""), ("El perro ve.", "Wesu niko.")]
    assert PhraseTranslator.train(pairs * 2).translate([pairs[0][0]]) != [""]
