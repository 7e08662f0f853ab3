import random

import pytest

from seshat.phrases.ngram import NgramModel
from seshat.phrases.search import Option, Search

WORDS = ["a", "b", "c", "d"]
MODEL = NgramModel([list("abcd"), list("abd"), list("bc"), list("dcba")], order=3)
WEIGHT, WORD = 0.7, 0.3


def every_way(options: list[Option], length: int, done: int = 0) -> list[tuple[Option, ...]]:
    """All sequences of options that cover the source from left to right."""
    if done == length:
        return [()]
    return [(one, *rest) for one in options if one.begin == done for rest in every_way(options, length, one.end)]


@pytest.mark.parametrize("seed", range(20))
def test_the_best_are_the_best_of_all(seed: int) -> None:
    rng = random.Random(seed)
    length = rng.randint(1, 4)
    options = [
        Option(begin, end, tuple(rng.choices(WORDS, k=rng.randint(0, 2))), rng.uniform(-2, 0))
        for begin in range(length)
        for end in range(begin + 1, min(length, begin + 2) + 1)
        for _ in range(2)
    ]
    ways = every_way(options, length)
    scores = sorted(
        (
            sum(one.score + WORD * len(one.target) for one in way) + WEIGHT * MODEL.score([word for one in way for word in one.target])
            for way in ways
        ),
        reverse=True,
    )
    search = Search(options, length, MODEL)
    found = search.best(WEIGHT, WORD, number=len(ways) + 5)
    assert [one.score for one in found] == pytest.approx(scores)
    assert {one.options for one in found} == set(ways)
    assert search.best(WEIGHT, WORD)[0] == found[0]
