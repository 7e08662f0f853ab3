"""Character n-grams of many texts, counted without a loop over characters.

An n-gram is a hash of its characters: no vocabulary is kept, and the same text gives the same numbers everywhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
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


def _count_block(texts: Sequence[str], lengths: Sequence[int]) -> sparse.csr_matrix:
    """The n-grams of some texts.

    The texts stand in one row of code points. An n-gram is the row multiplied up over n places; it counts if its first
    and its last character belong to the same text.
    """
    padded = [f" {clean_spaces(text).lower()} " for text in texts]
    points = np.frombuffer("".join(padded).encode("utf-32-le", "surrogatepass"), dtype="<u4").astype(np.uint64)
    owner = np.repeat(np.arange(len(texts)), [len(text) for text in padded])
    keys, hashes = [], np.zeros_like(points)
    for length in range(1, max(lengths) + 1):
        stop = max(0, len(points) - length + 1)
        hashes = (hashes[:stop] + points[length - 1 :] + np.uint64(1)) * _FACTOR
        hashes ^= hashes >> np.uint64(29)
        if length in lengths:
            whole = owner[:stop] == owner[length - 1 :]
            keys.append(owner[:stop][whole] * BUCKETS + (hashes[whole] >> np.uint64(24)).astype(np.int64) % BUCKETS)
    places, counts = np.unique(np.concatenate(keys), return_counts=True)
    rows, columns = np.divmod(places, BUCKETS)
    return sparse.csr_matrix((counts.astype(np.float32), (rows, columns)), shape=(len(texts), BUCKETS))
