"""Which few of many sentences add most to what a training set covers.

A set of sentences is worth what it adds: every word and every character n-gram counts by how often these texts use it, times how well it
is known when training has it x times, x / (x + ``HALF``): the first times teach most. That sum is submodular (Lin and Bilmes, 2011, "A
Class of Submodular Functions for Document Summarization"): what is covered once is worth less the second time, so the greedy choice is
within a constant of the best one, and lazy evaluation finds it fast (Minoux, 1978). A sentence is weighed by its cost (Lin and Bilmes,
2010), which is its words, as in Eck, Vogel and Waibel (2005, "Low Cost Portability for Statistical Machine Translation based on N-gram
Frequency and TF-IDF").
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from seshat.language import names, words
from seshat.ngrams import count_ngrams

NGRAMS = (3, 4, 5)
"""Characters: what two forms of a word have in common."""
HALF = 2.0
"""After so many times a word is half known."""
Floats = NDArray[np.float64]

# N sentences, G words and n-grams


class Coverage:
    """Sentences to choose from, beside what training already has."""

    def __init__(self, sentences: Sequence[str], trained: Sequence[str]) -> None:
        self._names = names(sentences)
        self._numbers: dict[str, int] = {}
        for sentence in sentences:
            for word in self._words(sentence):
                self._numbers.setdefault(word, len(self._numbers))
        self._counts = self._count(sentences)
        used, border = _sums(self._counts), len(self._numbers)
        self._weights = np.concatenate([_shares(used[:border]), _shares(used[border:])])
        self._known = _sums(self._count(trained))
        self._costs = np.array([max(1, len(words(sentence))) for sentence in sentences], dtype=np.float64)

    def choose(self, number: int, *, among: Sequence[int] | None = None, sure: Sequence[float] = ()) -> list[int]:
        """The places of so many sentences, the most useful first; of equals, the first.

        ``among`` are places to choose from, and ``sure`` how sure a model is of each of these, from 0 to 1: what it is sure of costs
        up to twice as much.
        """
        places = range(len(self._costs)) if among is None else among
        costs = self._costs.copy()
        if sure:
            costs[list(places)] *= 1 + np.asarray(sure)
        known = self._known.copy()
        heap = [(-self._gain(place, known) / costs[place], place) for place in places]
        heapq.heapify(heap)
        chosen: list[int] = []
        while heap and len(chosen) < number:
            _, place = heapq.heappop(heap)
            now = (-self._gain(place, known) / costs[place], place)
            if heap and now > heap[0]:  # what was chosen since has made it less useful than another
                heapq.heappush(heap, now)
                continue
            chosen.append(place)
            columns, counts = self._row(place)
            known[columns] += counts
        return chosen

    def share(self, more: Iterable[int] = ()) -> float:
        """The share of the running words, names and numbers apart, that training has, with the sentences at some places added to it."""
        border = len(self._numbers)
        there = self._known[:border] > 0
        for place in more:
            columns, _ = self._row(place)
            there[columns[columns < border]] = True
        used = _sums(self._counts)[:border]
        return float(used[there].sum() / max(1.0, used.sum()))

    def _gain(self, place: int, known: Floats) -> float:
        columns, counts = self._row(place)
        before = known[columns]
        after = before + counts
        return float((self._weights[columns] * (after / (after + HALF) - before / (before + HALF))).sum())

    def _row(self, place: int) -> tuple[NDArray[np.int32], Floats]:
        row = slice(self._counts.indptr[place], self._counts.indptr[place + 1])
        return self._counts.indices[row], self._counts.data[row]

    def _count(self, texts: Sequence[str]) -> sparse.csr_matrix:
        """How often the known words, and the n-grams of all, stand in each text: shape (N, G)."""
        said = [self._words(text) for text in texts]
        rows = [[number for word in one if (number := self._numbers.get(word)) is not None] for one in said]
        ends = np.cumsum([0, *map(len, rows)])
        flat = np.fromiter((number for row in rows for number in row), dtype=np.int64, count=int(ends[-1]))
        counted = sparse.csr_matrix((np.ones(len(flat)), flat, ends), shape=(len(rows), len(self._numbers)))
        counted.sum_duplicates()
        return sparse.hstack([counted, count_ngrams([" ".join(one) for one in said], NGRAMS).astype(np.float64)], format="csr")

    def _words(self, text: str) -> list[str]:
        """The words that are to be learnt: no names, no numbers."""
        return [word for word in words(text) if word not in self._names and word.isalpha()]


def _sums(counts: sparse.csr_matrix) -> Floats:
    return np.asarray(counts.sum(axis=0), dtype=np.float64).ravel()


def _shares(counts: Floats) -> Floats:
    total = max(1.0, float(counts.sum()))
    return np.asarray(counts / total)
