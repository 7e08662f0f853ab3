from dataclasses import dataclass

from seshat.phrases.surface import Surface


@dataclass(frozen=True)
class Said:
    begin: int
    end: int
    target: tuple[str, ...]


def backwards(words: list[str]) -> list[int]:
    return [*reversed(range(len(words)))]


def test_words_go_into_another_order_between_the_punctuation() -> None:
    source = Surface.read("Ayer vino Pedro, y se fue.")
    assert source.parts == [range(3), range(3, 6)]
    assert source.arranged(backwards).words == ("Pedro", "vino", "Ayer", "fue", "se", "y")
    assert source.arranged(backwards).between == ("", " ", " ", ", ", " ", " ", ".")


def test_the_capital_of_the_first_word_says_nothing_wherever_it_goes() -> None:
    arranged = Surface.read("Ayer vino Pedro").arranged(backwards)
    assert [arranged.is_capital(place) for place in range(3)] == [True, False, False]
    said = [Said(0, 1, ("pedro",)), Said(1, 3, ("mita", "ayer"))]
    assert arranged.written(said, frozenset()) == "Pedro mita ayer"


def test_names_keep_their_capital_and_so_do_words_that_always_have_one() -> None:
    source = Surface.read("el perro ve Lima")
    assert source.written([Said(0, 4, ("wesu", "lima", "lunes"))], frozenset({"lunes"})) == "wesu Lima Lunes"


def test_punctuation_stays_where_words_are_left_out() -> None:
    source = Surface.read("¿Ve, la casa?")
    assert source.written([Said(0, 1, ("niko",)), Said(1, 3, ())], frozenset()) == "¿Niko,?"
    assert source.written([Said(0, 3, ("niko", "tari"))], frozenset()) == "¿Niko tari,?"


def test_a_text_without_words_is_its_punctuation() -> None:
    source = Surface.read(" ¡...! ")
    assert source.words == ()
    assert source.between == ("¡...!",)
    assert source.arranged(backwards) == source
