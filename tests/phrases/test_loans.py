import pytest

from seshat.phrases.loans import STEMS, Loans

PAIRS = [
    (["museora", "kaai"], ["va", "al", "museo"]),
    (["aviónra", "oinai"], ["ve", "el", "avión"]),
    (["centrora", "kaai"], ["va", "al", "centro"]),
    (["centronin", "ikai"], ["está", "en", "el", "centro"]),
    (["escuela"], ["escuela"]),
    (["marzo"], ["marzo"]),
]
LOANS = Loans(PAIRS)


@pytest.mark.parametrize(
    ("word", "stem"),
    [
        ("escuelara", "escuela"),  # the ending was seen with three words
        ("marzonin", ""),  # the ending was seen with one
        ("escuela", ""),  # a word of the target language as it is
        ("caraira", ""),  # nothing says that this is a loan
        ("maría", ""),
    ],
)
def test_loans_are_words_of_the_target_with_an_ending_that_others_have(word: str, stem: str) -> None:
    assert LOANS.find(word, is_name=False) == stem


def test_a_name_that_nobody_knows_loses_its_ending() -> None:
    assert LOANS.find("indianara", is_name=True) == "indiana"
    assert not LOANS.find("indianara", is_name=False)


def test_too_few_words_make_no_ending() -> None:
    assert len({pair[0][0] for pair in PAIRS if pair[0][0].endswith("ra")}) == STEMS
    assert not Loans(PAIRS[1:]).find("escuelara", is_name=False)
