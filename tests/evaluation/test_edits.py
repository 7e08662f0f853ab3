"""The edits behind TER are sacrebleu's; that whole texts score alike is in test_metrics.py."""

from __future__ import annotations

import random

import pytest
from rapidfuzz.distance import Levenshtein
from sacrebleu.metrics.lib_ter import BeamEditDistance, translation_edit_rate

from seshat.evaluation.edits import _Distance, num_edits

MOVED = ("".join(map(chr, range(200, 231))) + "x" * 29, "y" * 29 + "".join(map(chr, range(200, 231))))
"""Thirty-one words moved by twenty-nine: the shortest path leaves the beam."""


def pairs(seed: int, number: int, longest: int) -> list[tuple[str, str]]:
    """Random texts of which much of one stands somewhere in the other; a character is a word."""
    rng = random.Random(seed)
    found = []
    for _ in range(number):
        said = "".join(rng.choices("abcdefghijklmnop", k=rng.randint(0, longest)))
        cut = rng.randint(0, len(said))
        found.append((said, "".join(rng.choices("abqr", k=rng.randint(0, longest // 2))) + said[cut:] + said[: cut // 2]))
    return found


def test_a_distance_is_that_of_the_beam_even_where_the_shortest_path_leaves_it() -> None:
    said, wanted = MOVED
    assert Levenshtein.distance(said, wanted) == 58
    assert _Distance(wanted)(said)[0] == BeamEditDistance(wanted)(said)[0] == 60


@pytest.mark.parametrize(("number", "longest"), [(300, 12), (60, 60), (20, 150)])
def test_distances_and_operations_are_sacrebleus(number: int, longest: int) -> None:
    for said, wanted in pairs(longest, number, longest):
        found = _Distance(wanted)(said)
        distance, operations = BeamEditDistance(wanted)(said)
        assert found[0] == distance
        assert list(found) == [distance, operations]


@pytest.mark.parametrize(("number", "longest"), [(100, 8), (20, 20), (3, 35)])
def test_edits_with_shifts_are_sacrebleus(number: int, longest: int) -> None:
    for said, wanted in pairs(longest, number, longest):
        assert num_edits([*said], [*wanted]) == translation_edit_rate([*said], [*wanted])[0]
