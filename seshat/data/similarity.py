"""What sentence vectors say about two sentences being translations, for languages that a model of such vectors knows.

How far they can be believed is learnt from the document itself: from the cosines of the pairs that lengths and words are sure of,
and of as many that chance put together. Both are taken as normal with one variance (linear discriminant analysis; Fisher, 1936). Where
the model does not know the language the two do not differ, and nothing changes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float32]

FEWEST = 20
"""Sure pairs from which anything can be learnt."""
BOUND = 8.0
"""Nats that a cosine can say at most: vectors are fooled by names and numbers."""

# S sentences of the source, T of the target, D dimensions, R and C rows and columns of a block


@dataclass(frozen=True)
class Similarity:
    """The vectors of a document, and how a cosine turns into a log-likelihood ratio."""

    sums: tuple[Values, Values]
    """The sums of the unit vectors of both sides up to each sentence (S + 1, D) and (T + 1, D)."""
    slope: float
    middle: float
    """The cosine that says nothing."""

    @classmethod
    def of(cls, source: Values, target: Values, sure: Sequence[tuple[int, int]]) -> Similarity | None:
        """From unit vectors (S, D) and (T, D) and the places of pairs that are sure; None if they are too few or say nothing."""
        if len(sure) < FEWEST:
            return None
        rows, columns = np.array(sure).T
        together = np.einsum("nd,nd->n", source[rows], target[columns]).astype(np.float64)
        by_chance = np.einsum("nd,nd->n", source[rows], target[np.roll(columns, len(columns) // 2)]).astype(np.float64)
        variance = (together.var() + by_chance.var()) / 2
        gap = float(together.mean() - by_chance.mean())
        if gap <= 0 or variance <= 0:
            return None
        sums = tuple(
            np.concatenate([np.zeros((1, side.shape[1])), np.cumsum(side, axis=0)]).astype(np.float32) for side in (source, target)
        )
        return cls((sums[0], sums[1]), gap / float(variance), float(together.mean() + by_chance.mean()) / 2)

    def block(self, source: tuple[int, int], target: tuple[int, int], kind: tuple[int, int]) -> Values:
        """The log-likelihood ratio (nats) of the bead of a kind that begins at each sentence of both ranges (R, C)."""
        left, right = (_windows(*side) for side in zip(self.sums, (source, target), kind, strict=True))
        return np.clip(np.float32(self.slope) * (left @ right.T - np.float32(self.middle)), -BOUND, BOUND)


def _windows(sums: Values, places: tuple[int, int], size: int) -> Values:
    """The direction of ``size`` sentences from each place on; fewer at the end, where nobody looks."""
    first = np.arange(*places)
    vectors = sums[np.minimum(first + size, len(sums) - 1)] - sums[first]
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 0))
