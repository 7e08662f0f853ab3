"""Monotone sentence alignment: the best sequence of beads inside a band around a path, row by row.

Every bead is worth a log-likelihood ratio: how much more probable its two sides are as translations of each other than by
chance (Moore, 2002). So a sentence without a counterpart costs its prior, and a little more (``SKIP``).
"""

# S sentences of the source, R of them in a block

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
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


@dataclass(frozen=True, slots=True)
class Bead:
    """Sentences that belong together; one side may be empty."""

    source: range
    target: range
    score: float
    """From 0 to 1: the logistic of the log-likelihood ratio and the log prior of its kind; 0 for a bead with an empty side."""


class Evidence(Protocol):
    """What is known about the two sides of a document."""

    def block(self, start: int, stop: int, first: int, last: int) -> Mapping[tuple[int, int], NDArray[np.float32]]:
        """For each kind of bead, the log-likelihood ratio (nats) of the bead that begins at each source sentence from ``start`` to
        before ``stop`` and each target sentence from ``first`` to before ``last`` (R, last - first). What is beyond the end of the
        document is never used."""
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

    def columns(self, row: int) -> tuple[int, int]:
        """The first target position of a row, and one past the last."""
        return int(self.low[row]), int(self.high[row])


def align(num_source: int, num_target: int, evidence: Evidence, band: Band) -> list[Bead]:
    """The best sequence of beads that has every sentence of both sides exactly once, in order.

    Ties go to the kind that stands first in ``PRIORS``. All sentences stay alone where the band holds no path.
    """
    if not num_source or not num_target:
        return _alone(num_source, num_target)
    table = _Table(num_source, num_target, band)
    for row, values in _rows(num_source, num_target, evidence, band):
        table.finish(row)
        table.push(row, values)
    table.finish(num_source)
    return table.trace()


def _rows(
    num_source: int, num_target: int, evidence: Evidence, band: Band
) -> Iterator[tuple[int, dict[tuple[int, int], NDArray[np.float32]]]]:
    """For each source position, the worth of the beads that begin there, by kind, from its first target position on."""
    for start in range(0, num_source, BLOCK):
        stop = min(start + BLOCK, num_source)
        edges = [band.columns(row) for row in range(start, stop)]
        first, last = min(low for low, _ in edges), min(num_target, max(high for _, high in edges))
        found = evidence.block(start, stop, first, last)
        for row, (low, high) in zip(range(start, stop), edges, strict=True):
            yield row, {kind: values[row - start, low - first : min(high, last) - first] for kind, values in found.items()}


class _Table:
    """The worth of the best way to each cell of the band: so many source and so many target sentences done."""

    def __init__(self, num_source: int, num_target: int, band: Band) -> None:
        self.num_source, self.num_target = num_source, num_target
        self.edges = [band.columns(row) for row in range(num_source + 1)]
        widths = [high - low for low, high in self.edges]
        self.worth = [np.full(width, -np.inf) for width in widths]
        self.kind = [np.full(width, -1, dtype=np.int8) for width in widths]
        self.own = [np.full(width, -np.inf, dtype=np.float32) for width in widths]
        """What the last bead of the best way is worth by itself, its prior too."""
        self.worth[0][0] = 0.0

    def finish(self, row: int) -> None:
        """Target sentences without a counterpart, one after the other, in one sweep."""
        here = self.worth[row]
        steps = np.arange(len(here)) * (np.log(PRIORS[0, 1]) - SKIP)
        best = np.maximum.accumulate(here - steps) + steps
        alone = best > here + 1e-9  # rounding is no reason
        here[alone] = best[alone]
        self.kind[row][alone] = KINDS.index((0, 1))

    def push(self, row: int, values: Mapping[tuple[int, int], NDArray[np.float32]]) -> None:
        """Go on from every cell of a finished row by every kind of bead."""
        low, high = self.edges[row]
        for number, (down, right) in enumerate(KINDS):
            if not down or row + down > self.num_source:
                continue
            into, end = self.edges[row + down]
            begin, stop = max(low, into - right), min(high, end - right)
            if stop <= begin:
                continue
            own = values[down, right][begin - low : stop - low] if right else np.full(stop - begin, -SKIP)
            gain = own + np.log(PRIORS[down, right])
            candidate = self.worth[row][begin - low : stop - low] + gain
            cells = slice(begin + right - into, stop + right - into)
            better = candidate > self.worth[row + down][cells]
            self.worth[row + down][cells][better] = candidate[better]
            self.kind[row + down][cells][better] = number
            self.own[row + down][cells][better] = gain[better]

    def trace(self) -> list[Bead]:
        """The beads of the best way, from the start."""
        beads: list[Bead] = []
        i, j = self.num_source, self.num_target
        if not np.isfinite(self.worth[i][j - self.edges[i][0]]):
            return _alone(i, j)
        while i or j:
            place = j - self.edges[i][0]
            down, right = KINDS[self.kind[i][place]]
            score = float(1 / (1 + np.exp(-self.own[i][place]))) if down and right else 0.0
            beads.append(Bead(range(i - down, i), range(j - right, j), score))
            i, j = i - down, j - right
        return beads[::-1]


def _alone(num_source: int, num_target: int) -> list[Bead]:
    """Every sentence without a counterpart."""
    source = [Bead(range(row, row + 1), range(0), 0.0) for row in range(num_source)]
    return source + [Bead(range(num_source, num_source), range(column, column + 1), 0.0) for column in range(num_target)]
