"""The nearest of many texts by their character n-grams: translation memory, leak check, near examples for a prompt.

Texts are compared by the cosine of their TF-IDF vectors over hashed n-grams of two to five characters (Cavnar and
Trenkle, 1994, for the n-grams; Salton and Buckley, 1988, for the weights). Inflected forms share most of their n-grams,
so no knowledge of the language is needed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from seshat.ngrams import BUCKETS, count_ngrams, ranges

LENGTHS = (2, 3, 4, 5)
"""The lengths of the n-grams."""
CHUNK_CELLS = 8_000_000
"""Similarities computed at once (32 MB): bounds the memory, changes nothing."""


class Neighbours:
    """An index of texts; case and white space do not matter."""

    def __init__(self, texts: Sequence[str]) -> None:
        self.size = len(texts)
        counts = count_ngrams(texts, LENGTHS)
        spread = np.bincount(counts.indices, minlength=BUCKETS)
        self._rarity = (np.log((1 + self.size) / (1 + spread)) + 1).astype(np.float32)
        self._index = self._weigh(counts).T.tocsr()

    def nearest(self, queries: Sequence[str], *, k: int = 1) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """The positions of the ``k`` nearest texts of each query and their similarities from 0 to 1, nearest first.

        Ties go to the text that came first. Both results have one row for each query and ``k`` columns, fewer if there
        are fewer texts.
        """
        width = min(k, self.size)
        indices = np.zeros((len(queries), width), dtype=np.int64)
        similarities = np.zeros((len(queries), width), dtype=np.float32)
        for rows, table in self._tables(queries) if width else ():
            indices[rows] = [_largest(row, width) for row in table]
            similarities[rows] = np.take_along_axis(table, indices[rows], axis=1)
        return indices, np.clip(similarities, 0.0, 1.0)

    def nearest_allowed(self, queries: Sequence[str], allowed: Sequence[NDArray[np.bool_]]) -> list[int]:
        """The position of the text nearest to each query among those that are ``allowed`` (of each query, a mask over the texts).

        -1 where none is.
        """
        found: list[int] = []
        for rows, table in self._tables(queries):
            masked = [np.where(mask, row, -1.0) for mask, row in zip(allowed[rows], table, strict=True)]
            found += [int(row.argmax()) if mask.any() else -1 for mask, row in zip(allowed[rows], masked, strict=True)]
        return found

    def _tables(self, queries: Sequence[str]) -> Iterator[tuple[slice, NDArray[np.float32]]]:
        """The similarities of some queries after the other: rows of the queries, and a column for each text."""
        for rows in ranges(len(queries), max(1, CHUNK_CELLS // max(1, self.size))):
            yield rows, (self._weigh(count_ngrams(queries[rows], LENGTHS)) @ self._index).toarray()

    def _weigh(self, counts: sparse.csr_matrix) -> sparse.csr_matrix:
        """Weights of length one: repeated n-grams count little more, n-grams that are everywhere count little."""
        weights = counts.copy()
        weights.data = (1 + np.log(counts.data)) * self._rarity[counts.indices]
        lengths = np.sqrt(np.asarray(weights.multiply(weights).sum(axis=1)).ravel())
        scale = np.divide(1, lengths, out=np.zeros_like(lengths), where=lengths > 0)
        return (sparse.diags(scale) @ weights).tocsr().astype(np.float32)


def _largest(row: NDArray[np.float32], k: int) -> NDArray[np.int64]:
    """The positions of the ``k`` largest values, largest first, the first position first among equals."""
    if k == 1:
        return np.array([row.argmax()])
    threshold = np.partition(row, len(row) - k)[len(row) - k]
    candidates = np.flatnonzero(row >= threshold)
    return candidates[np.argsort(-row[candidates], kind="stable")[:k]]
