"""The compiled loops say what a plain computation says."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from scipy import sparse

from seshat.data import kernels

WINDOWS, SHARE = 3, 0.2


def side(rng: np.random.Generator, num_types: int, num_sentences: int) -> tuple[np.ndarray, np.ndarray]:
    """The numbers of the words of some sentences, some of them empty, and where each ends."""
    sizes = rng.integers(0, 9, num_sentences)
    return rng.integers(0, num_types, sizes.sum()), np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)


def plainly(given: list[list[int]], made: list[list[int]], lift: np.ndarray, row: int, window: int, column: int) -> float:
    """The log-likelihood ratio of a made sentence, given ``window + 1`` sentences from ``row`` on."""
    if row + window >= len(given) or column >= len(made):
        return 0.0
    words = [word for sentence in given[row : row + window + 1] for word in sentence]
    return sum(math.log(SHARE * sum(lift[word, one] for word in words) / (len(words) + 1) + 1 - SHARE) for one in made[column])


@pytest.mark.parametrize("rows", [(0, 5), (3, 9), (7, 10)])
@pytest.mark.parametrize("columns", [(0, 8), (5, 15), (12, 16), (14, 20)])
def test_words_explain_each_other(rows: tuple[int, int], columns: tuple[int, int]) -> None:
    rng = np.random.default_rng(1)
    given, made = side(rng, 12, 10), side(rng, 20, 14)
    dense = np.where(rng.random((12, 20)) < 0.3, rng.random((12, 20)) * 50, 0.0).astype(np.float32)
    matrix = sparse.csr_matrix(dense)
    lift = (matrix.indptr, matrix.indices, matrix.data, 20)
    found = kernels.explained(given, made, lift, rows, columns, WINDOWS, SHARE)
    left, right = ([ids[start:stop].tolist() for start, stop in pairwise(ends)] for ids, ends in (given, made))
    assert found.shape == (WINDOWS, rows[1] - rows[0], columns[1] - columns[0])
    for (window, row, column), value in np.ndenumerate(found):
        expected = plainly(left, right, dense, rows[0] + row, window, columns[0] + column)
        assert value == pytest.approx(expected, rel=1e-5, abs=1e-6)


def test_a_sentence_of_very_many_words_is_no_number_too_large_or_too_small() -> None:
    ends, ids = np.array([0, 1], dtype=np.int64), np.zeros(1, dtype=np.int64)
    long = np.zeros(5_000, dtype=np.int64), np.array([0, 5_000], dtype=np.int64)
    for lift in (0.0, 1e6):
        matrix = sparse.csr_matrix(np.array([[lift]], dtype=np.float32))
        found = kernels.explained((ids, ends), long, (matrix.indptr, matrix.indices, matrix.data, 1), (0, 1), (0, 1), 1, SHARE)
        assert found[0, 0, 0] == pytest.approx(5_000 * math.log(SHARE * lift / 2 + 1 - SHARE), rel=1e-5)
