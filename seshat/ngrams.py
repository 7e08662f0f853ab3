"""Character n-grams of many texts, counted without a loop over characters.

An n-gram is a hash of its characters: no vocabulary is kept, and the same text gives the same numbers everywhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from seshat.language import clean_spaces

BUCKETS = 1 << 20
"""N-grams are numbered by a hash below this; two that share a number are rare and do little harm."""
CHUNK_TEXTS = 4_096
"""Texts counted at once: bounds the memory, changes nothing."""

_FACTOR = np.uint64(0x9E3779B97F4A7C15)


def ranges(total: int, size: int) -> Iterator[slice]:
    """The numbers below ``total`` in pieces of ``size``."""
    return (slice(start, min(start + size, total)) for start in range(0, total, size))


def count_ngrams(texts: Sequence[str], lengths: Sequence[int]) -> sparse.csr_matrix:
    """How often each n-gram stands in each text: a row for each text, ``BUCKETS`` columns.

    Case and the kind of white space do not matter; a space stands before and after each text, so that n-grams know its ends.
    """
    blocks = [_count_block(texts[rows], lengths) for rows in ranges(len(texts), CHUNK_TEXTS)]
    return sparse.vstack(blocks, format="csr") if blocks else sparse.csr_matrix((0, BUCKETS), dtype=np.float32)


def hash_ngrams(texts: Sequence[str], length: int) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """The hashes of the n-grams of one length, text after text, and where each text's begin, and the end (N + 1).

    Case and white space matter here.
    """
    points, owner = _row(texts)
    hashes, whole = next((hashes, whole) for number, hashes, whole in _hashed(points, owner, length) if number == length)
    return hashes[whole], np.searchsorted(owner[: len(hashes)][whole], np.arange(len(texts) + 1))


def mix(hashes: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Spread hashes over all 64 bits (multiplicative hashing; Knuth, *The Art of Computer Programming*, 6.4)."""
    spread = hashes * _FACTOR
    return spread ^ (spread >> np.uint64(29))


def _row(texts: Sequence[str]) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """All texts in one row of code points, a space around each, and the text that each point belongs to."""
    padded = [f" {text} " for text in texts]
    points = np.frombuffer("".join(padded).encode("utf-32-le", "surrogatepass"), dtype="<u4").astype(np.uint64)
    return points, np.repeat(np.arange(len(texts)), [len(text) for text in padded])


def _hashed(
    points: NDArray[np.uint64], owner: NDArray[np.int64], longest: int
) -> Iterator[tuple[int, NDArray[np.uint64], NDArray[np.bool_]]]:
    """For each length the hashes of the n-grams that begin at each place, and which of them end in the text they begin in.

    An n-gram is the row multiplied up over n places.
    """
    hashes = np.zeros_like(points)
    for length in range(1, longest + 1):
        stop = max(0, len(points) - length + 1)
        hashes = mix(hashes[:stop] + points[length - 1 :] + np.uint64(1))
        yield length, hashes, owner[:stop] == owner[length - 1 :]


def _count_block(texts: Sequence[str], lengths: Sequence[int]) -> sparse.csr_matrix:
    """The n-grams of some texts."""
    points, owner = _row([clean_spaces(text).lower() for text in texts])
    keys = [
        owner[: len(hashes)][whole] * BUCKETS + (hashes[whole] >> np.uint64(24)).astype(np.int64) % BUCKETS
        for length, hashes, whole in _hashed(points, owner, max(lengths))
        if length in lengths
    ]
    places, counts = np.unique(np.concatenate(keys), return_counts=True)
    rows, columns = np.divmod(places, BUCKETS)
    return sparse.csr_matrix((counts.astype(np.float32), (rows, columns)), shape=(len(texts), BUCKETS))
