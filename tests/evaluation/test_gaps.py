from collections import Counter

from seshat.evaluation.gaps import gaps
from seshat.language import words

TEXTS = [
    "El presupuesto del teatro subió.",
    "El teatro cerró; el presupuesto no alcanza.",
    "Ayer en Indianápolis los perros corrieron al teatro.",
    "Los comerciantes de Indianápolis.",
]
TRAINED = Counter(words("el el el del del del los los los no no no al al al en en en ayer ayer ayer perro perro perro comer"))
ENTRIES = {"subir", "cerrar", "correr", "alcanzar", "comerciante"}


def test_words_without_entry_that_training_hardly_has_are_listed_by_frequency() -> None:
    found = gaps("spa", TEXTS, TRAINED, ENTRIES)
    assert [(one.word, one.count, one.trained) for one in found.words][:2] == [("teatro", 3, 0), ("presupuesto", 2, 0)]
    assert found.words[0].example == TEXTS[0]
    listed = {one.word for one in found.words}
    assert "comerciantes" not in listed, "a form of an entry"
    assert "perros" not in listed, "a form of a word that training has often"
    assert "indianápolis" not in listed, "a name"
    assert not listed & {"el", "los", "al"}


def test_the_share_is_of_running_words() -> None:
    found = gaps("spa", ["casa casa perro", "perro mesa silla"], Counter({"perro": 5}), {"mesa"})
    assert (found.num_words, found.share, found.covered) == (2, 0.5, 0.5)
    assert gaps("spa", ["casa casa perro", "perro mesa silla"], Counter({"perro": 5}), {"mesa"}, most=1).covered == 2 / 6


def test_a_word_that_training_has_twice_is_lacking_and_three_times_is_not() -> None:
    assert [one.trained for one in gaps("spa", ["casa"], Counter({"casa": 2}), ()).words] == [2]
    assert gaps("spa", ["casa"], Counter({"casa": 3}), ()).words == ()


def test_no_texts_no_gaps() -> None:
    assert gaps("spa", [], Counter(), ()).share == 0
