"""The inner loops of the aligner, compiled by numba at their first use and then kept beside this file.

Import this module inside functions: it costs half a second, and only those who align should pay it.
"""

# S, T sentences of both sides, R and C rows and columns of a block, U and V types, N words of a side

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Values = NDArray[np.float32]
Ints = NDArray[np.int64]


@njit(cache=True)
def explained(
    given: tuple[Ints, Ints],
    made: tuple[Ints, Ints],
    lift: tuple[Ints, Ints, Values, int],
    rows: tuple[int, int],
    columns: tuple[int, int],
    windows: int,
    share: float,
) -> Values:
    """The log-likelihood ratio of the words of each made sentence, given 1 to ``windows`` given sentences (windows, R, C).

    ``given`` and ``made`` are the numbers of a side's words (N) and where each sentence ends, from 0 on (S + 1); ``lift`` is a CSR
    matrix (U, V) with its number of columns. It is 0 for what lies beyond the last sentence of either side.
    """
    found = np.zeros((windows, rows[1] - rows[0], columns[1] - columns[0]), dtype=np.float32)
    beyond, end = min(rows[1] + windows - 1, len(given[1]) - 1), min(columns[1], len(made[1]) - 1)
    if columns[0] >= end:
        return found
    offset = made[1][columns[0]]
    types = made[0][offset : made[1][end]]
    ids, num_types = _numbered(types, lift[3])
    lifts = _sums_of_lifts(given, lift, (rows[0], beyond), ids, types, num_types)
    for row in range(rows[0], min(rows[1], beyond)):
        seen = np.zeros(num_types)
        num_words = 1.0  # the empty word is one
        for window in range(min(windows, beyond - row)):
            seen += lifts[row + window - rows[0]]
            num_words += given[1][row + window + 1] - given[1][row + window]
            mixture = share / num_words * seen + (1 - share)
            for column in range(columns[0], end):
                words = ids[made[1][column] - offset : made[1][column + 1] - offset]
                found[window, row - rows[0], column - columns[0]] = _log_product(mixture, words)
    return found


@njit(cache=True)
def _numbered(types: Ints, num_types: int) -> tuple[Ints, int]:
    """Word types by numbers of their own, from 0 in the order in which they come, and how many there are."""
    numbers = np.full(num_types, -1)
    ids = np.empty(len(types), dtype=np.int64)
    count = 0
    for place in range(len(types)):
        if numbers[types[place]] < 0:
            numbers[types[place]] = count
            count += 1
        ids[place] = numbers[types[place]]
    return ids, count


@njit(cache=True)
def _sums_of_lifts(
    given: tuple[Ints, Ints], lift: tuple[Ints, Ints, Values, int], rows: tuple[int, int], ids: Ints, types: Ints, num_types: int
) -> Floats:
    """How much the words of each given sentence together lift each of some numbered types (R, types)."""
    starts, links, lifts, num_columns = lift
    numbers = np.full(num_columns, -1)
    numbers[types] = ids
    sums = np.zeros((rows[1] - rows[0], num_types))
    for row in range(rows[0], rows[1]):
        for word in given[0][given[1][row] : given[1][row + 1]]:
            for link in range(starts[word], starts[word + 1]):
                number = numbers[links[link]]
                if number >= 0:
                    sums[row - rows[0], number] += lifts[link]
    return sums


@njit(cache=True)
def _log_product(factors: Floats, words: Ints) -> float:
    """The sum of the logarithms of the factors of some words, with one logarithm for as many as a float can hold."""
    total, product = 0.0, 1.0
    for word in words:
        product *= factors[word]
        if not 1e-200 < product < 1e200:
            total += math.log(product)
            product = 1.0
    return total + math.log(product)


@njit(cache=True)
def lengths(source: Floats, target: Floats, chance: tuple[float, float, float], matched: tuple[float, float, float]) -> Values:
    """The log-likelihood ratio of every length of the source (R) beside every length of the target (C): (R, C), nats.

    ``chance`` holds the usual log length of either side and its variance; ``matched`` the variance of the log of the ratio, what is
    added to it divided by both lengths, and what is added to every length.
    """
    usual_source, usual_target, spread = chance
    variance, per_character, small = matched
    found = np.zeros((len(source), len(target)), dtype=np.float32)
    right = np.log(target + small)
    for row in range(len(source)):
        left = math.log(source[row] + small)
        for column in range(len(target)):
            here = variance + per_character / (source[row] + target[column] + 2 * small)
            match = -0.5 * (right[column] - left) ** 2 / here - 0.5 * math.log(here)
            unlike = (left - usual_source) ** 2 + (right[column] - usual_target) ** 2
            found[row, column] = match + 0.25 * unlike / spread + 0.5 * math.log(spread)
    return found


@njit(cache=True)
def advance(
    table: tuple[Floats, NDArray[np.int8], Values],
    edges: tuple[Ints, Ints, Ints],
    values: Values,
    corner: tuple[int, int],
    kinds: Ints,
    gains: Floats,
) -> None:
    """Go on from every cell of a block of rows by every kind of bead.

    ``table`` holds for each cell of the band, row after row, the worth of the best way there, the kind of its last bead and what that
    bead is worth; ``edges`` where each row of the band begins and ends and where it lies in the table (S + 1); ``values`` the worth of
    the beads with both sides (kinds with both sides, R, C) that begin at ``corner`` and beyond; ``kinds`` the sentences of either side
    (kinds, 2), those with both sides first; ``gains`` what every bead of a kind is worth beside its evidence.
    """
    worth, kind, own = table
    low, high, begin = edges
    num_pairs = values.shape[0]
    for row in range(corner[0], corner[0] + values.shape[1]):
        finish(table, edges, row, len(kinds) - 1, gains[-1])
        for number in range(len(kinds)):
            into = row + kinds[number, 0]
            if into == row or into >= len(low):
                continue
            first = max(low[row], low[into] - kinds[number, 1])
            last = min(high[row], high[into] - kinds[number, 1])
            for column in range(first, last):
                gain = gains[number]
                if number < num_pairs:
                    gain += values[number, row - corner[0], column - corner[1]]
                cell = begin[into] + column + kinds[number, 1] - low[into]
                candidate = worth[begin[row] + column - low[row]] + gain
                if candidate > worth[cell]:
                    worth[cell], kind[cell], own[cell] = candidate, number, gain


@njit(cache=True)
def finish(table: tuple[Floats, NDArray[np.int8], Values], edges: tuple[Ints, Ints, Ints], row: int, number: int, gain: float) -> None:
    """Target sentences without a counterpart, one after the other, in one sweep over a row."""
    worth, kind, _ = table
    low, high, begin = edges
    for cell in range(begin[row] + 1, begin[row] + high[row] - low[row]):
        if worth[cell - 1] + gain > worth[cell]:
            worth[cell], kind[cell] = worth[cell - 1] + gain, number
