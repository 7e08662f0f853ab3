"""The inner loop of comparing texts by their n-grams, compiled by numba at its first use and then kept beside this file.

Import this module inside functions: it costs half a second, and only those who translate should pay it.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from seshat.phrases.beam import mixed

Ints = NDArray[np.int64]


@njit(cache=True)
def shared(symbols: Ints, starts: Ints, length: int, references: int) -> Ints:
    """How many n-grams of a length each text (row) has in common with each of the first ``references`` texts (column).

    ``symbols`` holds the letters or words of one text after the other as numbers; an n-gram counts as often as both texts have it.
    """
    size = len(starts) - 1
    grams, begins = np.empty(len(symbols), np.uint64), np.empty(size + 1, np.int64)
    begins[0] = filled = 0
    for text in range(size):
        for at in range(starts[text], starts[text + 1] - length + 1):
            key = np.uint64(0xCBF29CE484222325)
            for place in range(at, at + length):
                key = mixed(key, symbols[place])
            grams[filled] = key
            filled += 1
        begins[text + 1] = filled
        grams[begins[text] : filled].sort()
    found = np.zeros((size, references), np.int64)
    for text in range(size):
        for other in range(references):
            if other < text and text < references:
                found[text, other] = found[other, text]
                continue
            i, j, common = begins[text], begins[other], 0
            while i < begins[text + 1] and j < begins[other + 1]:
                common += grams[i] == grams[j]
                i, j = i + (grams[i] <= grams[j]), j + (grams[j] <= grams[i])
            found[text, other] = common
    return found
