"""The inner loops of word alignment, compiled by numba at their first use and then kept beside this file.

Import this module inside functions: it costs half a second, and only those who align words should pay it.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
SMALLEST = 1e-9
"""What is added to every probability of a word, so that no sentence is impossible."""


@njit(cache=True)
def add_expected_links(links: Ints, widths: Ints, probability: Floats, counts: Floats) -> None:
    """Model 1: share every target word among the source words (and none) of its sentence, in proportion to ``probability``.

    ``links`` holds, target word after target word, the number of its link with no word and with each source word of its sentence;
    ``widths`` holds how many these are.
    """
    start = 0
    for width in widths:
        total = 0.0
        for place in range(start, start + width):
            total += probability[links[place]]
        if total > 0:
            for place in range(start, start + width):
                counts[links[place]] += probability[links[place]] / total
        start += width


@njit(cache=True)
def _jumps(jump: Floats, size: int) -> Floats:
    """p(to | from) for the places of a sentence; the first row is that of its beginning."""
    reach = (len(jump) - 1) // 2
    table = np.empty((size + 1, size))
    for before in range(size + 1):
        total = 0.0
        for place in range(size):
            table[before, place] = jump[min(max(place - before + 1, -reach), reach) + reach]
            total += table[before, place]
        table[before] /= total
    return table


@njit(cache=True)
def add_expected_jumps(
    links: Ints, num_sources: Ints, num_targets: Ints, probability: Floats, jump: Floats, empty: float, counts: Floats, jumps: Floats
) -> None:
    """One sweep of forward and backward over all sentences: the expected ``counts`` of links and ``jumps``.

    State ``i`` is the source place ``i``; state ``size + i`` is no word, with ``i`` remembered as the last place.
    """
    reach = (len(jump) - 1) // 2
    start = 0
    for sentence in range(len(num_sources)):
        size, length = num_sources[sentence], num_targets[sentence]
        table = _jumps(jump, size)
        emit = np.empty((length, size + 1))
        for row in range(length):
            for place in range(size + 1):
                emit[row, place] = probability[links[start + row * (size + 1) + place]] + SMALLEST
        ahead, back = np.zeros((length, 2 * size)), np.ones((length, 2 * size))
        scale = np.empty(length)
        for place in range(size):
            ahead[0, place] = table[0, place] * (1 - empty) * emit[0, place + 1]
        ahead[0, size] = empty * emit[0, 0]
        scale[0] = ahead[0].sum()
        ahead[0] /= scale[0]
        for row in range(1, length):
            for place in range(size):
                total = 0.0
                for before in range(size):
                    total += (ahead[row - 1, before] + ahead[row - 1, size + before]) * table[before + 1, place]
                ahead[row, place] = total * (1 - empty) * emit[row, place + 1]
                ahead[row, size + place] = (ahead[row - 1, place] + ahead[row - 1, size + place]) * empty * emit[row, 0]
            scale[row] = ahead[row].sum()
            ahead[row] /= scale[row]
        for row in range(length - 2, -1, -1):
            for before in range(size):
                total = empty * emit[row + 1, 0] * back[row + 1, size + before]
                for place in range(size):
                    total += table[before + 1, place] * (1 - empty) * emit[row + 1, place + 1] * back[row + 1, place]
                back[row, before] = back[row, size + before] = total / scale[row + 1]
        for row in range(length):
            base = start + row * (size + 1)
            for place in range(size):
                counts[links[base + place + 1]] += ahead[row, place] * back[row, place]
                counts[links[base]] += ahead[row, size + place] * back[row, size + place]
            for before in range(size if row else 0):
                came = ahead[row - 1, before] + ahead[row - 1, size + before]
                for place in range(size):
                    gone = (1 - empty) * emit[row, place + 1] * back[row, place] / scale[row]
                    jumps[min(max(place - before, -reach), reach) + reach] += came * table[before + 1, place] * gone
        start += length * (size + 1)


@njit(cache=True)
def best_places(links: Ints, num_sources: Ints, num_targets: Ints, probability: Floats, jump: Floats, empty: float) -> Ints:
    """The most probable source place of every target word, sentence after sentence; -1 for none (Viterbi)."""
    found = np.empty(num_targets.sum(), np.int64)
    start = done = 0
    for sentence in range(len(num_sources)):
        size, length = num_sources[sentence], num_targets[sentence]
        table = np.log(_jumps(jump, size))
        best = np.full((length, 2 * size), -np.inf)
        came = np.zeros((length, 2 * size), np.int64)
        for row in range(length):
            base = start + row * (size + 1)
            nothing = np.log(empty * (probability[links[base]] + SMALLEST))
            for place in range(size):
                word = np.log((1 - empty) * (probability[links[base + place + 1]] + SMALLEST))
                if row == 0:
                    best[0, place] = table[0, place] + word
                    continue
                for before in range(size):
                    last = before if best[row - 1, before] >= best[row - 1, size + before] else size + before
                    score = best[row - 1, last] + table[before + 1, place] + word
                    if score > best[row, place]:
                        best[row, place], came[row, place] = score, last
                last = place if best[row - 1, place] >= best[row - 1, size + place] else size + place
                best[row, size + place], came[row, size + place] = best[row - 1, last] + nothing, last
            if row == 0:
                best[0, size] = nothing
        state = best[length - 1].argmax()
        for row in range(length - 1, -1, -1):
            found[done + row] = state if state < size else -1
            state = came[row, state]
        start += length * (size + 1)
        done += length
    return found
