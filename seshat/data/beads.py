"""Monotone sentence alignment by dynamic programming over a band, all cells of an anti-diagonal at once.

The cost of a bead is Gale and Church's (1993): minus the log of its prior and of the probability of the difference in
length; where a lexicon is known, minus the evidence that the words of one side explain those of the other (after
Moore, 2002, and Varga et al., 2005).
"""

# S sentences of the source, T sentences of the target, W width of the band, K cells of one anti-diagonal

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_ndtr

Floats = NDArray[np.float64]

BEADS: tuple[tuple[int, int, float], ...] = (
    (1, 1, 0.870),
    (1, 2, 0.040),
    (2, 1, 0.040),
    (1, 0, 0.010),
    (0, 1, 0.010),
    (2, 2, 0.011),
    (1, 3, 0.009),
    (3, 1, 0.009),
)
"""Source sentences, target sentences and prior probability of each kind of bead."""
VARIANCE = 6.8
"""Of the length ratio, for each character (Gale and Church, 1993)."""


@dataclass(frozen=True, slots=True)
class Bead:
    """Sentences that belong together; one side may be empty."""

    source: range
    target: range
    score: float
    """From 0 to 1; 0 for a bead with an empty side."""


def align(source: Floats, target: Floats, evidence: NDArray[np.float32] | None = None, *, band: int, weight: float) -> list[Bead]:
    """The cheapest sequence of beads that has every sentence of both sides exactly once, in order.

    ``source`` (S) and ``target`` (T) are lengths in characters. ``evidence`` (S, W) says from 0 to 1 how well a source
    sentence and the target sentence at band position w explain each other; W is ``2 * band + 1`` and the band follows
    the diagonal (``centres``). Ties go to the bead that stands first in ``BEADS``.
    """
    num_source, num_target = len(source), len(target)
    if num_source == 0 or num_target == 0:
        singles = [Bead(range(i, i + 1), range(0), 0.0) for i in range(num_source)]
        return singles + [Bead(range(0), range(j, j + 1), 0.0) for j in range(num_target)]
    table = _Table(source, target, evidence, band, weight)
    return table.trace(table.fill())


def centres(num_source: int, num_target: int) -> NDArray[np.int64]:
    """For each source position the target position on the diagonal (S + 1)."""
    return np.round(np.arange(num_source + 1) * (num_target / max(1, num_source))).astype(np.int64)


def length_cost(source: Floats, target: Floats, ratio: float) -> Floats:
    """Minus the log of the two-sided probability of so large a difference in length; 0 where target is ``ratio`` times source.

    Gale and Church measure the difference on one side; here it is measured half-way, so that the sides may change places.
    """
    left, right = source * np.sqrt(ratio), target / np.sqrt(ratio)
    delta = np.abs(right - left) / np.sqrt(np.maximum((left + right) / 2, 1.0) * VARIANCE)
    return np.asarray(-(np.log(2.0) + log_ndtr(-delta)))


class _Table:
    """The band of the dynamic programme: cell (i, j) is i source and j target sentences done."""

    def __init__(self, source: Floats, target: Floats, evidence: NDArray[np.float32] | None, band: int, weight: float) -> None:
        self.num_source, self.num_target, self.band, self.weight = len(source), len(target), band, weight
        self.source_sum = np.concatenate([[0.0], np.cumsum(source)])
        self.target_sum = np.concatenate([[0.0], np.cumsum(target)])
        self.ratio = max(self.target_sum[-1], 1.0) / max(self.source_sum[-1], 1.0)
        self.evidence = evidence
        self.centre = centres(self.num_source, self.num_target)
        shape = (self.num_source + 1, 2 * band + 1)
        self.cost = np.full(shape, np.inf)
        self.choice = np.full(shape, -1, dtype=np.int8)
        self.cost[0, band] = 0.0

    def fill(self) -> float:
        """Fill the band; the cost of the whole alignment."""
        for diagonal in range(1, self.num_source + self.num_target + 1):
            rows = np.arange(max(0, diagonal - self.num_target), min(self.num_source, diagonal) + 1)
            rows = rows[np.abs(diagonal - rows - self.centre[rows]) <= self.band]
            if len(rows):
                self._cells(rows, diagonal - rows)
        return float(self.cost[-1, self._at(self.num_source, self.num_target)])

    def _cells(self, rows: NDArray[np.int64], columns: NDArray[np.int64]) -> None:
        costs = np.stack([self._bead(rows, columns, kind) for kind in range(len(BEADS))])
        best = costs.argmin(axis=0)
        positions = self._at(rows, columns)
        self.cost[rows, positions] = costs[best, np.arange(len(rows))]
        self.choice[rows, positions] = best

    def _bead(self, rows: NDArray[np.int64], columns: NDArray[np.int64], kind: int) -> Floats:
        """The cost of reaching cells (K) by one kind of bead."""
        down, right, prior = BEADS[kind]
        i, j = rows - down, columns - right
        there = (i >= 0) & (j >= 0)
        i, j = np.maximum(i, 0), np.maximum(j, 0)
        before = self._at(i, j)
        inside = there & (before >= 0) & (before <= 2 * self.band)
        cost = np.where(inside, self.cost[i, np.clip(before, 0, 2 * self.band)], np.inf) - np.log(prior)
        source = self.source_sum[rows] - self.source_sum[i]
        target = self.target_sum[columns] - self.target_sum[j]
        if down and right:
            cost = cost + length_cost(source, target, self.ratio)
            cost = cost - self.weight * self._explained(i, j, down, right)
        else:
            cost = cost + 1.0
        return np.asarray(cost)

    def _explained(self, i: NDArray[np.int64], j: NDArray[np.int64], down: int, right: int) -> Floats:
        """How well the sides of a bead explain each other (K), from 0: no better than chance."""
        if self.evidence is None:
            return np.zeros(len(i))
        total = np.zeros(len(i))
        for a in range(down):
            row = np.minimum(i + a, self.num_source - 1)
            for b in range(right):
                at = self._at(row, j + b)
                valid = (at >= 0) & (at <= 2 * self.band) & (i + a < self.num_source) & (j + b < self.num_target)
                total += np.where(valid, self.evidence[row, np.clip(at, 0, 2 * self.band)], 0.0)
        return np.asarray(total * 2 / (down + right))

    def trace(self, total: float) -> list[Bead]:
        """The beads of the cheapest path, from the start; all sentences alone where the band has no path."""
        if not np.isfinite(total):
            singles = [Bead(range(i, i + 1), range(0), 0.0) for i in range(self.num_source)]
            return singles + [Bead(range(0), range(j, j + 1), 0.0) for j in range(self.num_target)]
        beads: list[Bead] = []
        i, j = self.num_source, self.num_target
        while i or j:
            down, right, _ = BEADS[self.choice[i, self._at(i, j)]]
            beads.append(Bead(range(i - down, i), range(j - right, j), self._score(i - down, j - right, down, right)))
            i, j = i - down, j - right
        return beads[::-1]

    def _score(self, i: int, j: int, down: int, right: int) -> float:
        if not (down and right):
            return 0.0
        rows, columns = np.array([i]), np.array([j])
        source = self.source_sum[i + down] - self.source_sum[i]
        target = self.target_sum[j + right] - self.target_sum[j]
        length = float(np.exp(-length_cost(np.array([source]), np.array([target]), self.ratio)[0]))
        if self.evidence is None:
            return length
        explained = float(self._explained(rows, columns, down, right)[0])
        return float(np.clip(0.35 * length + 1.3 * explained, 0.0, 1.0))

    def _at(self, rows: NDArray[np.int64] | int, columns: NDArray[np.int64] | int) -> NDArray[np.int64]:
        """The band position of cells."""
        return np.asarray(columns - self.centre[rows] + self.band)
