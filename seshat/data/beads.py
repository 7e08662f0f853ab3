"""Monotone sentence alignment: the best sequence of beads inside a band around a path, row by row.

Every bead is worth a log-likelihood ratio: how much more probable its two sides are as translations of each other than by
chance (Moore, 2002). So a sentence without a counterpart costs its prior, and a little more (``SKIP``).
"""

# S sentences of the source, R and C rows and columns of a block

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float32]
Ints = NDArray[np.int64]

PRIORS: Mapping[tuple[int, int], float] = {
    (1, 1): 0.80,
    (1, 2): 0.06,
    (2, 1): 0.06,
    (2, 2): 0.01,
    (1, 3): 0.005,
    (3, 1): 0.005,
    (1, 0): 0.03,
    (0, 1): 0.03,
}
"""How probable each kind of bead is: source sentences, target sentences."""
PAIRS = tuple(kind for kind in PRIORS if all(kind))
"""The kinds of bead that have both sides."""
KINDS = tuple(PRIORS)
SKIP = 0.5
"""Nats that a sentence without a counterpart costs beside its prior: what looks lost is more often only unlike."""
BLOCK = 64
"""Rows that are compared with their band at once."""
_KINDS = np.array(KINDS)
_GAINS = np.log(list(PRIORS.values())) - np.where(_KINDS.all(axis=1), 0.0, SKIP)
"""What a bead of each kind is worth beside its evidence."""


@dataclass(frozen=True, slots=True)
class Bead:
    """Sentences that belong together; one side may be empty."""

    source: range
    target: range
    score: float
    """From 0 to 1: the logistic of the log-likelihood ratio and the log prior of its kind; 0 for a bead with an empty side."""


class Evidence(Protocol):
    """What is known about the two sides of a document."""

    def block(self, start: int, stop: int, first: int, last: int) -> Values:
        """The log-likelihood ratio (nats) of the bead of each of ``PAIRS`` that begins at each source sentence from ``start`` to before
        ``stop`` and each target sentence from ``first`` to before ``last`` (PAIRS, R, C). What is beyond the end of the document is
        never used."""
        ...


@dataclass(frozen=True)
class Band:
    """Where to look: for each source position a range of target positions."""

    low: Ints
    """The first target position (S + 1) of each source position."""
    high: Ints
    """One past the last."""

    @classmethod
    def diagonal(cls, num_source: int, num_target: int, width: int) -> Band:
        """Up to ``width`` positions to either side of the straight line from corner to corner."""
        centre = np.round(np.linspace(0, num_target, num_source + 1)).astype(np.int64)
        return cls._widened(centre, centre, width, num_target)

    @classmethod
    def around(cls, beads: Sequence[Bead], width: int) -> Band:
        """Up to ``width`` positions to either side of an alignment that was found before, and all that it passes over."""
        num_source, num_target = (sum(len(side) for side in sides) for sides in zip(*((b.source, b.target) for b in beads), strict=True))
        low, high = np.full(num_source + 1, num_target), np.zeros(num_source + 1, dtype=np.int64)
        for bead in beads:
            rows = slice(bead.source.start, bead.source.stop + 1)
            low[rows] = np.minimum(low[rows], bead.target.start)
            high[rows] = np.maximum(high[rows], bead.target.stop)
        return cls._widened(low, high, width, num_target)

    @classmethod
    def _widened(cls, low: Ints, high: Ints, width: int, num_target: int) -> Band:
        return cls(np.maximum(low - width, 0), np.minimum(high + width, num_target) + 1)


def align(num_source: int, num_target: int, evidence: Evidence, band: Band) -> list[Bead]:
    """The best sequence of beads that has every sentence of both sides exactly once, in order.

    Of ways that are worth the same the one that was found first stays. All sentences stay alone where the band holds no path.
    """
    if not num_source or not num_target:
        return _alone(num_source, num_target)
    table = _Table(num_target, band)
    for start in range(0, num_source, BLOCK):
        stop = min(start + BLOCK, num_source)
        first, last = int(band.low[start:stop].min()), min(num_target, int(band.high[start:stop].max()))
        table.advance(evidence.block(start, stop, first, last), start, first)
    return table.trace(num_source, num_target)


class _Table:
    """The worth of the best way to each cell of the band: so many source and so many target sentences done."""

    def __init__(self, num_target: int, band: Band) -> None:
        begin = np.concatenate([[0], np.cumsum(band.high - band.low)])
        self._edges = (band.low, band.high, begin)
        self._worth = np.full(begin[-1], -np.inf)
        self._kind = np.full(begin[-1], -1, dtype=np.int8)
        self._own = np.full(begin[-1], -np.inf, dtype=np.float32)
        """What the last bead of the best way is worth by itself, its prior too."""
        self._worth[0] = 0.0

    def advance(self, values: Values, start: int, first: int) -> None:
        """Go on from a block of rows whose beads are worth ``values`` (kinds with both sides, R, C)."""
        from seshat.data import kernels  # heavy

        kernels.advance((self._worth, self._kind, self._own), self._edges, values, (start, first), _KINDS, _GAINS)

    def trace(self, num_source: int, num_target: int) -> list[Bead]:
        """The beads of the best way, from the start."""
        from seshat.data import kernels  # heavy

        kernels.finish((self._worth, self._kind, self._own), self._edges, num_source, len(KINDS) - 1, _GAINS[-1])
        low, _, begin = self._edges
        beads: list[Bead] = []
        i, j = num_source, num_target
        if not np.isfinite(self._worth[begin[i] + j - low[i]]):
            return _alone(i, j)
        while i or j:
            cell = begin[i] + j - low[i]
            down, right = KINDS[self._kind[cell]]
            score = float(1 / (1 + np.exp(-self._own[cell]))) if down and right else 0.0
            beads.append(Bead(range(i - down, i), range(j - right, j), score))
            i, j = i - down, j - right
        return beads[::-1]


def _alone(num_source: int, num_target: int) -> list[Bead]:
    """Every sentence without a counterpart."""
    source = [Bead(range(row, row + 1), range(0), 0.0) for row in range(num_source)]
    return source + [Bead(range(num_source, num_source), range(column, column + 1), 0.0) for column in range(num_target)]
