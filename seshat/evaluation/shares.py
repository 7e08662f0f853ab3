"""Shares with intervals: how many of the answers, and how many of the words in them.

The interval is Wilson's score interval (Wilson, 1927), which stays honest for small numbers and for shares near 0 and 1. Words of one
sentence are more alike than words of several, so a share of words rests on fewer of them than there are: they are counted as the
number of independent ones that would vary as much (the effective sample size of Korn and Graubard, 1998; with Wilson's interval,
Dean and Pagano, 2015).
"""

from __future__ import annotations

from collections.abc import Iterable
from math import sqrt

import numpy as np

from seshat.config import Section

Z = 1.959964
"""Of the normal distribution, for 95 %."""


class Share(Section):
    """So many of so many, with the 95 % interval of the share."""

    hits: int
    total: int
    low: float
    high: float
    """From 0 to 1."""

    @property
    def share(self) -> float:
        """From 0 to 1; 0 of nothing."""
        return self.hits / max(1, self.total)

    @classmethod
    def of(cls, hits: int, total: int) -> Share:
        """The share of independent things."""
        low, high = wilson(hits, total)
        return cls(hits=hits, total=total, low=low, high=high)

    @classmethod
    def counted(cls, flags: Iterable[bool]) -> Share:
        """The share of independent things that are so."""
        found = [*flags]
        return cls.of(sum(found), len(found))

    @classmethod
    def clustered(cls, counts: Iterable[tuple[int, int]]) -> Share:
        """The share over all of what comes in clusters, from (hits, total) of each: the invented words, and the words, of a sentence."""
        found = [(hits, total) for hits, total in counts if total]
        hits, total = sum(one for one, _ in found), sum(one for _, one in found)
        share = hits / max(1, total)
        effective = total / max(1.0, _design_effect(found, share))
        low, high = wilson(share * effective, effective)
        return cls(hits=hits, total=total, low=low, high=high)


def wilson(hits: float, total: float) -> tuple[float, float]:
    """The 95 % interval of a share; (0, 1) of nothing."""
    if total <= 0:
        return 0.0, 1.0
    share, spread = hits / total, Z * Z / total
    middle = (share + spread / 2) / (1 + spread)
    half = Z * sqrt(share * (1 - share) / total + spread / (4 * total)) / (1 + spread)
    return middle - half if hits > 0 else 0.0, middle + half if hits < total else 1.0


def _design_effect(counts: list[tuple[int, int]], share: float) -> float:
    """How much more the share varies than one of independent things; 1 where that cannot be seen."""
    if len(counts) < 2 or not 0 < share < 1:
        return 1.0
    table = np.array(counts, dtype=np.float64)
    residuals = table[:, 0] - share * table[:, 1]
    total = table[:, 1].sum()
    variance = len(counts) / (len(counts) - 1) * float((residuals**2).sum()) / total**2
    return float(variance / (share * (1 - share) / total))
