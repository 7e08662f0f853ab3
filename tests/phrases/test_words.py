import itertools
import math
import random

import numpy as np
import pytest

from seshat.phrases.markov import SMALLEST, add_expected_jumps, best_places
from seshat.phrases.words import _grown, align

EMPTY = 0.2
REACH = 2


def problem(seed: int, size: int, length: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The link of each cell of one sentence pair, their probabilities, and those of jumps."""
    rng = np.random.default_rng(seed)
    links = np.arange(length * (size + 1))
    return links, rng.random(len(links)), rng.random(2 * REACH + 1) + 0.1


def every_alignment(size: int, length: int, probability: np.ndarray, jump: np.ndarray) -> dict[tuple[int, ...], float]:
    """The probability of each way to align the words of one sentence pair, by the definition; -1 is the empty word."""
    found = {}
    for places in itertools.product(range(-1, size), repeat=length):
        score, last, begun = 1.0, -1, False
        for row, place in enumerate(places):
            word = probability[row * (size + 1) + place + 1] + SMALLEST
            if place < 0:
                score *= EMPTY * word
                if not begun:
                    last, begun = 0, True
                continue
            steps = [jump[min(max(other - last, -REACH), REACH) + REACH] for other in range(size)]
            score *= (1 - EMPTY) * word * steps[place] / sum(steps)
            last, begun = place, True
        found[places] = score
    return found


@pytest.mark.parametrize("seed", range(5))
def test_the_best_alignment_is_the_best_of_all(seed: int) -> None:
    links, probability, jump = problem(seed, 3, 4)
    found = best_places(links, np.array([3]), np.array([4]), probability, jump, EMPTY)
    every = every_alignment(3, 4, probability, jump)
    assert every[tuple(found.tolist())] == pytest.approx(max(every.values()))


@pytest.mark.parametrize("seed", range(5))
def test_expected_counts_are_sums_over_all_alignments(seed: int) -> None:
    size, length = 3, 4
    links, probability, jump = problem(seed, size, length)
    counts, jumps = np.zeros(len(links)), np.zeros(len(jump))
    add_expected_jumps(links, np.array([size]), np.array([length]), probability, jump, EMPTY, counts, jumps)
    every = every_alignment(size, length, probability, jump)
    total = math.fsum(every.values())
    for row, place in itertools.product(range(length), range(-1, size)):
        expected = math.fsum(score for places, score in every.items() if places[row] == place) / total
        assert counts[row * (size + 1) + place + 1] == pytest.approx(expected, rel=1e-6)


def test_words_that_stand_for_each_other_are_linked() -> None:
    """Neighbours change places now and then, and every third sentence has a word that has no counterpart."""
    rng = random.Random(1)
    pairs, wanted = [], []
    for number in range(150):
        source = rng.sample(range(40), 5)
        order = [0, 1, 2, 3, 4] if rng.random() < 0.7 else [1, 0, 2, 4, 3]
        target = [f"t{source[place]}" for place in order]
        pairs.append(([f"s{word}" for word in source], [*target, "the"] if number % 3 == 0 else target))
        wanted.append({(place, row) for row, place in enumerate(order)})
    found = align(pairs)
    right = sum(len(set(links) & truth) for links, truth in zip(found, wanted, strict=True))
    assert right / sum(map(len, wanted)) > 0.95
    assert right / sum(map(len, found)) > 0.95
    assert found == align(pairs)


def test_no_pairs_have_no_links() -> None:
    assert align([]) == []


def test_links_of_both_directions_are_grown_by_their_neighbours() -> None:
    assert _grown([0, 1, 1], [0, 1]) == ((0, 0), (1, 1), (1, 2)), "beside a link that both have"
    assert _grown([0, -1], [0, 1]) == ((0, 0), (1, 1)), "between two words that have none"
    assert _grown([0, -1, -1, 0], [0]) == ((0, 0),), "far from others, and its source word has one"
