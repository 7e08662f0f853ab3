"""How far reviewers agree: Krippendorff's alpha.

Krippendorff (2011), "Computing Krippendorff's Alpha-Reliability". Any number of reviewers, and each may leave rows out. 1 is perfect
agreement, 0 what chance would give. Krippendorff (2004, "Content Analysis", chapter 11) draws conclusions from .8 on, and tentative
ones from .667 on.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

RELIABLE, TENTATIVE = 0.8, 0.667

# V values that occur


def alpha(rows: Iterable[Sequence[int]], scale: Literal["nominal", "ordinal"]) -> float | None:
    """The agreement on the marks that each row was given, in any order; rows with one mark say nothing.

    None where it is not defined: there are no two marks of one row, or all marks are the same.
    """
    pairable = [list(marks) for marks in rows if len(marks) > 1]
    values = sorted({mark for marks in pairable for mark in marks})
    if len(values) < 2:
        return None
    coincidences_VV = np.zeros((len(values), len(values)))
    for marks in pairable:
        counts_V = np.array([marks.count(value) for value in values], dtype=float)
        coincidences_VV += (np.outer(counts_V, counts_V) - np.diag(counts_V)) / (len(marks) - 1)
    totals_V = coincidences_VV.sum(axis=0)
    distances_VV = _ordinal(totals_V) if scale == "ordinal" else 1 - np.eye(len(values))
    observed = (coincidences_VV * distances_VV).sum()
    expected = (np.outer(totals_V, totals_V) * distances_VV).sum() / (totals_V.sum() - 1)
    return float(1 - observed / expected)


def _ordinal(totals_V: NDArray[np.float64]) -> NDArray[np.float64]:
    """The squared distance of two ranks: how many marks lie between their middles."""
    middles_V = np.cumsum(totals_V) - totals_V / 2
    return (middles_V[:, None] - middles_V[None, :]) ** 2
