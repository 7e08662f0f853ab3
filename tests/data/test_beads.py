"""Sentence alignment: every sentence once and in order, and the beads that a person would make."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seshat.data.beads import Bead, align, centres, length_cost

LENGTHS = st.lists(st.integers(0, 300), max_size=25)


def beads(source: list[int], target: list[int], evidence: list[list[float]] | None = None, band: int = 60) -> list[Bead]:
    """The alignment of sentences of these lengths; ``evidence`` has a row for each source and a column for each target."""
    banded = None
    if evidence is not None:
        banded = np.zeros((len(source), 2 * band + 1), dtype=np.float32)
        for row, centre in enumerate(centres(len(source), len(target))[:-1]):
            for column, value in enumerate(evidence[row]):
                banded[row, column - centre + band] = value
    return align(np.array(source, dtype=float), np.array(target, dtype=float), banded, band=band, weight=30.0)


def shape(found: list[Bead]) -> list[tuple[int, int]]:
    """How many sentences of each side are in each bead."""
    return [(len(bead.source), len(bead.target)) for bead in found]


@given(LENGTHS, LENGTHS, st.integers(1, 30))
def test_every_sentence_is_in_one_bead_and_in_order(source: list[int], target: list[int], band: int) -> None:
    found = beads(source, target, band=band)
    assert [index for bead in found for index in bead.source] == list(range(len(source)))
    assert [index for bead in found for index in bead.target] == list(range(len(target)))


@given(LENGTHS, LENGTHS)
def test_scores_are_from_0_to_1_and_0_for_a_sentence_alone(source: list[int], target: list[int]) -> None:
    found = beads(source, target)
    assert all(0 <= bead.score <= 1 for bead in found)
    assert all(bead.score == 0 for bead in found if not (bead.source and bead.target))


@given(st.lists(st.integers(1, 300), min_size=1, max_size=25), st.sampled_from([0.5, 1.0, 1.7]))
def test_sides_of_like_lengths_are_aligned_one_to_one(source: list[int], ratio: float) -> None:
    assert shape(beads(source, [round(length * ratio) for length in source])) == [(1, 1)] * len(source)


@pytest.mark.parametrize(
    ("source", "target", "shapes"),
    [
        ([], [], []),
        ([50], [], [(1, 0)]),
        ([], [50, 60], [(0, 1), (0, 1)]),
        ([40, 90, 100], [42, 45, 44, 99], [(1, 1), (1, 2), (1, 1)]),
        ([42, 45, 44, 99], [40, 90, 100], [(1, 1), (2, 1), (1, 1)]),
        ([80, 150, 80], [82, 50, 51, 49, 81], [(1, 1), (1, 3), (1, 1)]),
        ([120, 20, 130, 90, 25], [118, 22, 128, 91, 24], [(1, 1)] * 5),
    ],
    ids=["nothing", "no target", "no source", "split", "merged", "split in three", "nothing special"],
)
def test_lengths_alone_find_what_was_split_and_merged(source: list[int], target: list[int], shapes: list[tuple[int, int]]) -> None:
    assert shape(beads(source, target)) == shapes


def test_words_overrule_lengths() -> None:
    source, target = [50, 50, 50], [50, 50]
    evidence = [[0.9, 0.0], [0.0, 0.0], [0.0, 0.9]]
    found = beads(source, target, evidence)
    assert [(list(bead.source), list(bead.target)) for bead in found] == [([0], [0]), ([1], []), ([2], [1])]


def test_words_make_a_pair_surer() -> None:
    [plain], [sure] = beads([50], [70]), beads([50], [70], [[0.9]])
    assert sure.score > 0.9
    assert plain.score == 1.0  # two documents of one sentence always have the right ratio of lengths


def test_a_document_that_strays_out_of_the_band_still_has_every_sentence() -> None:
    found = beads([50] * 60, [50] * 3, band=1)
    assert sum(len(bead.source) for bead in found) == 60
    assert sum(len(bead.target) for bead in found) == 3


def test_the_diagonal_goes_from_corner_to_corner() -> None:
    assert centres(4, 2).tolist() == [0, 0, 1, 2, 2]


def test_the_cost_of_a_length_grows_with_the_difference() -> None:
    costs = length_cost(np.full(4, 50.0), np.array([50.0, 60.0, 100.0, 200.0]), 1.0)
    assert costs[0] == pytest.approx(0, abs=1e-9)
    assert np.all(np.diff(costs) > 0)


@given(st.integers(1, 300), st.integers(1, 300), st.floats(0.3, 3))
def test_it_does_not_matter_which_side_is_the_source(source: int, target: int, ratio: float) -> None:
    there = length_cost(np.array([float(source)]), np.array([float(target)]), ratio)
    back = length_cost(np.array([float(target)]), np.array([float(source)]), 1 / ratio)
    assert there == pytest.approx(back, rel=1e-6, abs=1e-9)
