"""Texts that are nearly the same: MinHash finds candidates (Broder, 1997; ``rensa``), their n-grams decide.

Two texts are as near as the Jaccard index of their sets of character n-grams says: shared ones divided by all.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from seshat.language import words
from seshat.ngrams import count_ngrams, ranges

LENGTH = 4
"""Characters of an n-gram."""
PERMUTATIONS, BANDS = 100, 20
"""Of MinHash: a pair with a Jaccard index of .8 is missed once in 2,500 times, one of .9 practically never."""
CHUNK = 4_096


class NearTexts:
    """Texts among which near copies of others are looked for; punctuation, case and white space do not matter."""

    def __init__(self, threshold: float) -> None:
        """``threshold`` is the least Jaccard index of a near copy, from 0.7 to 1."""
        from rensa import RMinHashLSH  # heavy

        self.threshold = threshold
        self._index = RMinHashLSH(threshold=threshold, num_perm=PERMUTATIONS, num_bands=BANDS)
        self._texts: list[str] = []

    def add(self, texts: Sequence[str]) -> None:
        """Put texts behind those that are there."""
        for text in map(_bare, texts):
            self._index.insert(len(self._texts), _minhash(text))
            self._texts.append(text)

    def candidates(self, text: str) -> list[int]:
        """The positions of the texts that may be near, in order."""
        return sorted(self._index.query(_minhash(_bare(text))))

    def near(self, queries: Sequence[str]) -> Iterator[tuple[int, int]]:
        """The position of every query that has a near copy here, with the position of the first such copy."""
        found = [(place, candidate) for place, query in enumerate(queries) for candidate in self.candidates(query)]
        indices = similarity([_bare(queries[place]) for place, _ in found], [self._texts[candidate] for _, candidate in found])
        done = -1
        for (place, candidate), index in zip(found, indices, strict=True):
            if index >= self.threshold and place != done:
                yield place, candidate
                done = place


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
    """The pairs of texts of which both sides nearly stand in an earlier pair, by position, with the position of that pair."""
    together = NearTexts(threshold)
    found: list[tuple[int, int]] = []
    for place, pair in enumerate(sides):
        text = " ".join(pair)
        found += [(place, candidate) for candidate in together.candidates(text)]
        together.add([text])
    left, right = (similarity([_bare(sides[i][side]) for i, _ in found], [_bare(sides[j][side]) for _, j in found]) for side in (0, 1))
    repeated: dict[int, int] = {}
    for (place, candidate), index in zip(found, np.minimum(left, right), strict=True):
        if index >= threshold and candidate not in repeated:
            repeated.setdefault(place, candidate)
    return repeated


def _bare(text: str) -> str:
    return " ".join(words(text))


def _minhash(text: str) -> object:
    from rensa import RMinHash  # heavy

    minhash = RMinHash(num_perm=PERMUTATIONS, seed=1)
    padded = f" {text} "
    minhash.update(sorted({padded[place : place + LENGTH] for place in range(max(1, len(padded) - LENGTH + 1))}))
    return minhash
