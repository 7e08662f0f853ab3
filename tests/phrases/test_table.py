import itertools
import math
import random

import pytest

from seshat.phrases.table import LONGEST, PhraseTable, _phrases
from seshat.phrases.words import Links


def by_definition(size: int, length: int, links: Links) -> set[tuple[int, int, int, int]]:
    """All runs of both sides with at least one link between them and none that leaves them (Och, Tillmann and Ney, 1999)."""
    found = set()
    for i, k, j, m in itertools.product(range(size), range(size), range(length), range(length)):
        if i <= k < i + LONGEST and j <= m < j + LONGEST:
            inside = [(i <= a <= k, j <= b <= m) for a, b in links]
            if (True, True) in inside and (True, False) not in inside and (False, True) not in inside:
                found.add((i, k, j, m))
    return found


@pytest.mark.parametrize("seed", range(30))
def test_phrases_are_those_of_the_definition(seed: int) -> None:
    rng = random.Random(seed)
    size, length = rng.randint(1, 7), rng.randint(1, 7)
    links = tuple(sorted({(rng.randrange(size), rng.randrange(length)) for _ in range(rng.randint(1, 6))}))
    source, target = [f"s{i}" for i in range(size)], [f"t{j}" for j in range(length)]
    found = [pair for pair, _ in _phrases(source, target, links)]
    wanted = {(tuple(source[i : k + 1]), tuple(target[j : m + 1])) for i, k, j, m in by_definition(size, length, links)}
    assert set(found) == wanted
    assert len(found) == len(wanted)


def test_probabilities_are_smoothed_and_the_likelier_translation_comes_first() -> None:
    pairs = [(["casa"], ["house"])] * 3 + [(["casa"], ["home"]), (["hogar"], ["home"])]
    table = PhraseTable.extract(pairs, [((0, 0),)] * len(pairs))
    house, home = table["casa",]
    assert (house.target, home.target) == (("house",), ("home",))
    assert math.exp(house.forward) + math.exp(home.forward) == pytest.approx(1.0)
    assert math.exp(house.forward) < 3 / 4 + 1e-9 < 1
    assert math.exp(house.words_forward) == pytest.approx(3 / 4)
    assert math.exp(home.words_backward) == pytest.approx(1 / 2)


def test_words_without_a_link_are_weighed_by_how_often_they_have_none() -> None:
    pairs = [(["la", "casa"], ["house"]), (["casa"], ["house"])]
    table = PhraseTable.extract(pairs, [((1, 0),), ((0, 0),)])
    (entry,) = table["la", "casa"]
    assert math.exp(entry.words_forward) == pytest.approx(1.0)
    assert math.exp(entry.words_backward) == pytest.approx(1.0), "la never has a link, casa always that one"
