from collections.abc import Iterator

import pytest

from seshat.evaluation.known import Known, count_words

STEMS = ("wasi", "allku", "warmi", "llaqta", "rumichaka", "sacha")
ENDINGS = ("", "pi", "kuna")


def forms() -> Iterator[str]:
    yield from (stem + ending for stem in STEMS for ending in ENDINGS)
    yield from ("yaku", "rimay", "rimapi", "rimakuna", "ñan")


@pytest.fixture(scope="module")
def known() -> Known:
    return Known(forms())


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("wasi", True),
        ("ñan", True),  # as it stands
        ("yakupi", True),  # an ending that others have
        ("yakukunapi", True),  # two of them
        ("rimapi", True),
        ("rimakunapi", True),  # a stem that is no word by itself, with two endings
        ("yakuman", False),  # no such ending
        ("wasa", False),  # a slip in the stem
        ("wsaikuna", False),
        ("ñanpi", False),  # the stem is too short to be sure of
        ("kuna", False),  # an ending alone
    ],
)
def test_a_word_is_known_or_a_form_of_one_that_is(known: Known, word: str, expected: bool) -> None:
    assert (word in known) == expected


def test_what_stands_in_the_source_is_copied_not_invented(known: Known) -> None:
    assert known.unknown("Juanpi wasi Lima 1984 blabla", "Juan vive en Lima desde 1984") == ["blabla"]
    assert known.unknown("Rosálindapi wasi", "Rosalinda vive") == []
    assert known.unknown("¡Wasipi!") == []


def test_a_number_is_no_word() -> None:
    assert count_words("Wasi 12, 3.5 allku2") == 2


def test_nothing_known_is_no_error() -> None:
    assert Known([]).unknown("wasi") == ["wasi"]
