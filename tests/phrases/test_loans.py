import pytest

from seshat.phrases.loans import STEMS, Loans

PAIRS = [
    (["museora", "kaai"], ["va", "al", "museo"]),
    (["aviónra", "oinai"], ["ve", "el", "avión"]),
    (["centrora", "kaai"], ["va", "al", "centro"]),
    (["centronin", "ikai"], ["está", "en", "el", "centro"]),
    (["escuela"], ["escuela"]),
    (["marzo"], ["marzo"]),
    (["manuelnin", "oinai"], ["manuel", "ve"]),
    (["carlosnin", "oinai"], ["carlos", "ve"]),
    (["pedronin", "oinai"], ["pedro", "ve"]),
]
NAMES = [{word for word in source if word.startswith(("manuel", "carlos", "pedro"))} for source, _ in PAIRS]
LOANS = Loans(PAIRS, NAMES)


@pytest.mark.parametrize(
    ("word", "stem"),
    [
        ("escuelara", "escuela"),  # the ending was seen with three words
        ("marzonin", "marzo"),  # with three names and a word
        ("escuelabo", ""),  # the ending was never seen
        ("escuela", ""),  # a word of the target language as it is
        ("caraira", ""),  # nothing says that this is a loan
        ("maría", ""),
    ],
)
def test_loans_are_words_of_the_target_with_an_ending_that_others_have(word: str, stem: str) -> None:
    assert LOANS.find(word, is_name=False) == stem


def test_a_name_that_nobody_knows_loses_an_ending_of_names() -> None:
    assert LOANS.find("gatesnin", is_name=True) == "gates"
    assert not LOANS.find("gatesnin", is_name=False)


def test_an_ending_of_words_alone_is_part_of_a_name() -> None:
    assert LOANS.find("indianara", is_name=True) == ""


def test_too_few_words_make_no_ending() -> None:
    assert sum(source[0].endswith("ra") for source, _ in PAIRS) == STEMS
    assert not Loans(PAIRS[1:], NAMES[1:]).find("escuelara", is_name=False)
