"""The inner loop of expectation maximisation, compiled by numba at its first use and then kept beside this file.

Import this module inside functions: it costs half a second, and only those who estimate a lexicon should pay it.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

Ints = NDArray[np.int32]
Floats = NDArray[np.float64]


@njit(cache=True)
def add_expected(cells: tuple[Ints, Ints, Ints], word_counts: tuple[Floats, Floats], probability: Floats, counts: Floats) -> None:
    """Add to ``counts`` (of links) how often each is expected among some cells, given its ``probability``.

    ``cells`` holds of each cell its link, its given and its made word type; ``word_counts`` how often the types of either kind occur.
    """
    link, given, made = cells
    given_counts, made_counts = word_counts
    shares = np.empty(len(link))
    totals = np.zeros(len(made_counts))
    for cell in range(len(link)):
        shares[cell] = given_counts[given[cell]] * probability[link[cell]]
        totals[made[cell]] += shares[cell]
    for word in range(len(totals)):
        totals[word] = made_counts[word] / totals[word] if totals[word] > 0 else 0.0
    for cell in range(len(link)):
        counts[link[cell]] += shares[cell] * totals[made[cell]]
