"""Texts that are nearly the same: MinHash finds candidates (Broder, 1997; ``rensa``), their n-grams decide.

Two texts are as near as the Jaccard index of their sets of character n-grams says: shared ones divided by all. All texts here are
``bare``: words in small letters, without punctuation.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain, pairwise

import numpy as np
from numpy.typing import NDArray

from seshat.language import words
from seshat.ngrams import count_ngrams, hash_ngrams, mix, ranges

Ints = NDArray[np.int64]

LENGTH = 4
"""Characters of an n-gram."""
PERMUTATIONS, BANDS = 100, 20
"""Of MinHash: a pair with a Jaccard index of .8 is missed once in 2,500 times, one of .9 practically never."""
MOST = 100
"""Earlier pairs that a pair is compared with."""
CHUNK = 4_096
"""Texts looked at at once ..."""
CANDIDATES = 500_000
"""... and about so many candidates: bounds the memory, changes nothing."""

# N texts, K bands


def bare(text: str) -> str:
    """By what a text is recognised: its words in small letters, without punctuation."""
    return " ".join(words(text))


class NearTexts:
    """Texts among which near copies of others are looked for."""

    def __init__(self, texts: Sequence[str], threshold: float) -> None:
        """``threshold`` is the least Jaccard index of a near copy, from 0.7 to 1."""
        self.texts, self.threshold = texts, threshold
        keys = _bands(texts).ravel()
        order = np.argsort(keys, kind="stable")
        self._keys, self._owners = keys[order], order // BANDS

    def candidates(self, queries: Sequence[str]) -> Iterator[tuple[Ints, Ints]]:
        """The positions of queries and of texts that may be near them: those that have all of a band in common.

        In blocks, sorted; what belongs to one query is in one block.
        """
        keys = _bands(queries)
        first, last = (np.searchsorted(self._keys, keys, side) for side in ("left", "right"))
        counts = (last - first).sum(axis=1)
        size = max(1, len(self.texts))
        for rows in _blocks(counts):
            lengths = (last - first)[rows].ravel()
            asked = np.repeat(np.repeat(np.arange(len(queries))[rows], BANDS), lengths)
            within = np.arange(len(asked)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
            found = self._owners[np.repeat(first[rows].ravel(), lengths) + within]
            together = np.sort(asked * size + found)
            together = together[np.diff(together, prepend=-1) > 0]
            yield together // size, together % size

    def near(self, queries: Sequence[str]) -> Iterator[tuple[int, int]]:
        """The position of every query that has a near copy here, with the position of the first such copy."""
        for asked, found in self.candidates(queries):
            close = similarity([queries[place] for place in asked], [self.texts[place] for place in found]) >= self.threshold
            places, firsts = np.unique(asked[close], return_index=True)
            yield from zip(places.tolist(), found[close][firsts].tolist(), strict=True)


def similarity(texts: Sequence[str], others: Sequence[str]) -> NDArray[np.float64]:
    """The Jaccard index of each text and the other one at its place, from 0 to 1 (N)."""
    results = [np.zeros(0)]
    for rows in ranges(len(texts), CHUNK):
        left, right = ((count_ngrams(side[rows], (LENGTH,)) > 0).astype(np.float64) for side in (texts, others))
        shared = np.asarray(left.multiply(right).sum(axis=1)).ravel()
        together = np.diff(left.indptr) + np.diff(right.indptr) - shared
        results.append(np.divide(shared, together, out=np.ones_like(shared), where=together > 0))
    return np.concatenate(results)


def repeats(sides: Sequence[tuple[str, str]], threshold: float) -> dict[int, int]:
    """The pairs of texts of which both sides nearly stand in an earlier pair, by position, with the position of that pair.

    Of texts that are made from one pattern, only the first ``MOST`` are compared with a pair, so that time grows with their number.
    """
    both = [" ".join(pair) for pair in sides]
    repeated: dict[int, int] = {}
    for later, earlier in NearTexts(both, threshold).candidates(both):
        later, earlier = later[earlier < later], earlier[earlier < later]
        rank = np.arange(len(later)) - np.searchsorted(later, later)
        later, earlier = later[rank < MOST], earlier[rank < MOST]
        left, right = (similarity([sides[i][side] for i in later], [sides[j][side] for j in earlier]) for side in (0, 1))
        close = np.minimum(left, right) >= threshold
        for place, other in zip(later[close].tolist(), earlier[close].tolist(), strict=True):
            if other not in repeated:
                repeated.setdefault(place, other)
    return repeated


def _blocks(counts: Ints) -> Iterator[slice]:
    """Ranges of queries that have about CANDIDATES candidates together, at least one query."""
    number = np.cumsum(counts) // CANDIDATES
    edges = [0, *(np.flatnonzero(np.diff(number)) + 1).tolist(), len(counts)]
    return (slice(start, stop) for start, stop in pairwise(edges) if start < stop)


def _bands(texts: Sequence[str]) -> NDArray[np.uint64]:
    """The MinHash of each text in bands, each as one number (N, K)."""
    from rensa import RMinHash  # heavy

    blocks = [np.zeros((0, BANDS), dtype=np.uint64)]
    for rows in ranges(len(texts), CHUNK):
        hashes, starts = hash_ngrams(texts[rows], LENGTH)
        matrix = RMinHash.digest_matrix_from_flat_token_hashes(hashes, starts.astype(np.uint64), PERMUTATIONS, 1)
        values = np.fromiter(chain.from_iterable(matrix.to_rows()), np.uint64).reshape(-1, BANDS, PERMUTATIONS // BANDS)
        keys = np.broadcast_to(np.arange(BANDS, dtype=np.uint64), values.shape[:2])
        for place in range(values.shape[2]):
            keys = mix(keys + values[:, :, place])
        blocks.append(keys)
    return np.concatenate(blocks)
