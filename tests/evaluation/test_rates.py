import pytest

from seshat.evaluation.known import Known
from seshat.evaluation.rates import invented, is_copy, loops, rate
from seshat.examples import texts_of
from seshat.identify import Identifier
from tests.evaluation.conftest import TRAIN, example, translations, word

SOURCES = ["El perro come.", "El gato duerme mucho.", "El perro corre hoy."]
REFERENCES = ["Allku mikun.", "Misi puñun.", "Allku pawan."]
KNOWN = Known(["allku", "mikun", "misi", "puñun", "pawan", "ancha"])


@pytest.fixture(scope="module")
def identifier() -> Identifier:
    taught = [f"{one} {two}" for one in ("Allku", "Misi", "Wallpa", "Warmi") for two in ("mikun ancha.", "puñun kunan.", "pawan wasiman.")]
    bridge = [f"El {one} {two}" for one in ("perro", "gato", "pollo", "niño") for two in ("come mucho.", "duerme ahora.", "corre a casa.")]
    found = Identifier.of_sample({"qtm": taught, "spa": bridge})
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("waru waru waru", True),
        ("taki na taki na taki na", True),
        ("Waru, waru... ¡waru!", True),
        ("! ! !", True),
        ("waru waru taki", False),
        ("", False),
        ("allku mikunkunkunkunkun", True),
        ("mikunkunkun", False),
        ("aaaa 00000000000", False),
        ("jajajaja", True),
    ],
)
def test_a_text_that_goes_round_in_circles_is_found(text: str, expected: bool) -> None:
    assert loops(text) == expected


@pytest.mark.parametrize(
    ("answer", "source", "reference", "expected"),
    [
        ("El perro come.", "El perro come.", "Allku mikun.", True),
        ("¡el PERRO come!", "El perro come.", "Allku mikun.", True),
        ("Lima", "Lima", "Lima", False),
        ("...", "...", "Allku", False),
        ("Allku mikun.", "El perro come.", "Allku mikun.", False),
    ],
)
def test_a_copy_is_the_source_where_the_reference_is_not(answer: str, source: str, reference: str, expected: bool) -> None:
    assert is_copy(answer, source, reference) == expected


def test_each_rate_counts_its_own_answers(identifier: Identifier) -> None:
    answers = ["El perro come.", "Misi blabla.", "Allku pawan pawan pawan."]
    found = rate("translation", "qtm", SOURCES, answers, REFERENCES, known=KNOWN, identifier=identifier)
    assert found.invented is not None
    assert (found.invented.hits, found.invented.total) == (1, 9), "what is copied is no invention"
    assert (found.copied.hits, found.repeated.hits) == (1, 1)
    assert found.wrong_language is not None
    assert (found.wrong_language.hits, found.wrong_language.total) == (1, 3)


def test_the_references_do_nothing_of_it(identifier: Identifier) -> None:
    found = rate("translation", "qtm", SOURCES, REFERENCES, REFERENCES, known=KNOWN, identifier=identifier)
    assert found.invented is not None
    assert found.wrong_language is not None
    assert not any((found.invented.hits, found.copied.hits, found.repeated.hits, found.wrong_language.hits))
    assert found.ended is None


def test_a_loop_that_the_reference_has_too_is_none() -> None:
    song = ["Santo, santo, santo."]
    answers, references = ["Chuya chuya chuya"], ["Chuya chuya chuya"]
    assert rate("translation", "qtm", song, answers, references).repeated.hits == 0
    assert rate("translation", "qtm", song, answers, ["Chuya"]).repeated.hits == 0, "the source has it"
    assert rate("translation", "qtm", ["Santo"], answers, ["Chuya"]).repeated.hits == 1


def test_answers_that_are_not_words_of_one_language_have_no_such_rates(identifier: Identifier) -> None:
    found = rate("morphology", "qtm", ["mikun"], ["miku-n"], ["miku-n"], known=KNOWN, identifier=identifier)
    assert found.invented is None
    assert found.wrong_language is None
    assert rate("dictionary", "qtm", ["perro"], ["blabla"], ["allku"], known=KNOWN, identifier=identifier).invented is not None


def test_the_most_frequent_inventions_come_first_with_their_first_answer() -> None:
    answers = ["Misi blabla.", "Allku wawa.", "Blabla, blabla!"]
    found = invented(KNOWN, SOURCES, answers)
    assert [(one.word, one.count) for one in found] == [("blabla", 3), ("wawa", 1)]
    assert (found[0].answer, found[0].source) == (answers[0], SOURCES[0])
    assert invented(KNOWN, SOURCES, answers, most=1) == found[:1]


def test_texts_are_those_of_one_language() -> None:
    examples = [
        *translations(TRAIN[:1], "train"),
        word("yaku", "agua", "train"),
        example("grammar", "qtm", "¿?", "mikun", "tercera persona", "train"),
        example("completion", "qtm", "Sigue", "Misi", "puñun.", "train"),
    ]
    assert texts_of(examples) == {"spa": ["El perro come.", "agua"], "qtm": ["Allku mikun.", "yaku", "mikun", "Misi", "puñun."]}
