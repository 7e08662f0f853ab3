"""How much speaks for two sentences being translations of each other: their lengths, and their words as far as they are known.

Both are log-likelihood ratios against chance. Lengths: the log of their ratio is normal around that of the whole document, with a
variance that falls with the length (after Gale and Church, 1993). Words: each word of one side is explained by the other side
through IBM Model 1, mixed with its frequency, so that a word that nothing explains costs little (after Moore, 2002).
"""

# S sentences of the source, T sentences of the target, R and C rows and columns of a block, U and V types, K words in a row

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from seshat.data.beads import PAIRS
from seshat.language import words
from seshat.lexicon import Lexicon
from seshat.records import digest

Floats = NDArray[np.float64]
Values = NDArray[np.float32]
Kind = tuple[int, int]
Range = tuple[int, int]

LONGEST = max(max(kind) for kind in PAIRS)
"""Sentences that one side of a bead can have."""

SMALL = 8.0
"""Characters added to every length: a word more or less says little about short sentences."""
VARIANCE = 0.02
"""Of the log of the ratio of two lengths, however long they are ..."""
VARIANCE_PER_CHARACTER = 10.0
"""... and this divided by the characters of both sides."""
SPREAD = 0.7
"""Standard deviation of the log of sentence lengths, as far as a document is too short to show its own."""
SPREAD_WEIGHT = 10
"""How many sentences that is worth."""
LEAST_SPREAD = 0.35
"""Where all sentences seem to have one length, an unusual one is still no proof."""
EXPLAINED = 0.2
"""The share of Model 1 in the mixture with the frequencies."""
TRUST = 1.7
"""What words weigh beside lengths: both directions are counted half, and Model 1 leaves much unexplained."""
STEM = 4
"""Letters that make a stem: what languages that build long words have in common with a dictionary."""


def stems(found: Iterable[str]) -> list[str]:
    """Words cut to their first letters; numbers stay whole."""
    return [word if word.isdigit() else word[:STEM] for word in found]


@dataclass(frozen=True)
class Knowledge:
    """What all documents together teach: how long sentences are, how frequent stems are, and which translate which."""

    mean: float
    """Of the log of the target sentences' lengths."""
    variance: float
    frequencies: tuple[Mapping[str, int], Mapping[str, int]]
    """How often each stem stands on either side."""
    lexicon: Lexicon | None = None
    """Of stems."""

    @classmethod
    def of(cls, source: Sequence[str], target: Sequence[str], lexicon: Lexicon | None = None) -> Knowledge:
        """What sentences of both sides show; they need not go together."""
        logs = np.log(_lengths(target) + SMALL)
        mean = float(logs.mean()) if len(logs) else 0.0
        variance = (float(((logs - mean) ** 2).sum()) + SPREAD_WEIGHT * SPREAD**2) / (len(logs) + SPREAD_WEIGHT)
        variance = max(variance, LEAST_SPREAD**2)
        counts = (Counter(stem for text in side for stem in stems(words(text))) for side in (source, target))
        return cls(mean, variance, (next(counts), next(counts)), lexicon)

    @property
    def digest(self) -> str:
        """The name of all of it."""
        counts = (digest(*(f"{stem} {count}" for stem, count in sorted(side.items()))) for side in self.frequencies)
        return digest(self.mean, self.variance, *counts, self.lexicon.digest if self.lexicon else "")


class Model:
    """What is known about one document, on the ground of all: how its parts are aligned."""

    def __init__(self, source: Sequence[str], target: Sequence[str], knowledge: Knowledge) -> None:
        """``source`` and ``target`` are the sentences of both sides."""
        lengths = [_lengths(side) for side in (source, target)]
        self.ratio = max(lengths[1].sum(), 1.0) / max(lengths[0].sum(), 1.0)
        self.mean, self.variance = knowledge.mean, knowledge.variance
        self.words = _Words(source, target, knowledge) if knowledge.lexicon else None

    @property
    def without_words(self) -> Model:
        """The same for lengths alone."""
        model = copy.copy(self)
        model.words = None
        return model

    def evidence(self, source: Sequence[str], target: Sequence[str]) -> Part:
        """The evidence for a part of the document."""
        return Part(self, source, target)

    def of_lengths(self, source: Floats, target: Floats, kind: Kind = (1, 1)) -> Floats:
        """The log-likelihood ratio of the lengths of the sides of a bead, both in characters of the target."""
        left, right = np.log(source + SMALL), np.log(target + SMALL)
        variance = VARIANCE + VARIANCE_PER_CHARACTER / (source + target + 2 * SMALL)
        match = -0.5 * (right - left) ** 2 / variance - 0.5 * np.log(variance)
        usual = self.mean + np.log(kind)  # two sentences are twice as long as one
        chance = -0.25 * ((left - usual[0]) ** 2 + (right - usual[1]) ** 2) / self.variance - 0.5 * np.log(self.variance)
        return np.asarray(match - chance)


class Part:
    """The evidence of lengths, and of words if there is a lexicon; see ``beads.Evidence``."""

    def __init__(self, model: Model, source: Sequence[str], target: Sequence[str]) -> None:
        self._model = model
        self._sums = (_sums(_lengths(source) * model.ratio), _sums(_lengths(target)))
        if model.words:
            self._sides = (_Side(source, model.words.types[0]), _Side(target, model.words.types[1]))

    def block(self, start: int, stop: int, first: int, last: int) -> Mapping[Kind, Values]:
        """See ``beads.Evidence``."""
        found: dict[Kind, Values] = {}
        for down, right in PAIRS:
            source, target = _windows(self._sums[0], start, stop, down), _windows(self._sums[1], first, last, right)
            found[down, right] = self._model.of_lengths(source[:, None], target[None, :], (down, right)).astype(np.float32)
        if self._model.words:
            words = self._model.words
            explained = _explained(self._sides[0], self._sides[1], words.forward, (start, stop), (first, last))
            explains = _explained(self._sides[1], self._sides[0], words.backward, (first, last), (start, stop))
            for down, right in PAIRS:
                both = _together(explained[down - 1], right) + _together(explains[right - 1], down).T
                found[down, right] += np.float32(0.5 * TRUST) * both
        return found


class _Words:
    """The stems of a document with their frequencies, and how much more often than by chance they stand beside each other."""

    def __init__(self, source: Sequence[str], target: Sequence[str], knowledge: Knowledge) -> None:
        lexicon = knowledge.lexicon
        assert lexicon is not None
        found = [sorted({stem for text in side for stem in stems(words(text))}) for side in (source, target)]
        self.types = [{stem: number for number, stem in enumerate(side)} for side in found]
        chances = [_chances(side, counts) for side, counts in zip(found, knowledge.frequencies, strict=True)]
        rows = np.array([self.types[0].get(stem, -1) for stem in lexicon.sources], dtype=np.int64)[lexicon.source]
        columns = np.array([self.types[1].get(stem, -1) for stem in lexicon.targets], dtype=np.int64)[lexicon.target]
        here = (rows >= 0) & (columns >= 0)
        rows, columns = rows[here], columns[here]
        shape = (len(self.types[0]), len(self.types[1]))
        self.forward = sparse.csr_matrix((lexicon.forward[here] / chances[1][columns], (rows, columns)), shape=shape)
        """p(t|s) / p(t) by source and target stem (U, V)."""
        self.backward = sparse.csr_matrix((lexicon.backward[here] / chances[0][rows], (columns, rows)), shape=shape[::-1])
        """p(s|t) / p(s) by target and source stem (V, U)."""


class _Side:
    """The stems of one side's sentences, as numbers."""

    def __init__(self, sentences: Sequence[str], types: Mapping[str, int]) -> None:
        numbers = [[types[stem] for stem in stems(words(sentence))] for sentence in sentences]
        self._num_types, self._num_sentences = len(types), len(sentences)
        self._ids = np.array([number for sentence in numbers for number in sentence], dtype=np.int64)
        self._ends = np.concatenate([[0], np.cumsum([len(sentence) for sentence in numbers])]).astype(np.int64)

    def words(self, first: int, last: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The words of some sentences (K), and where each sentence ends (C + 1); sentences beyond the last one are empty."""
        ends = self._ends[np.minimum(np.arange(first, last + 1), self._num_sentences)]
        return self._ids[ends[0] : ends[-1]], ends - ends[0]

    def bags(self, first: int, last: int) -> tuple[sparse.csr_matrix, Values]:
        """How often each stem stands in some sentences (C, U), and how many words each has (C, 1)."""
        ids, ends = self.words(first, last)
        shape = (last - first, self._num_types)
        bags = sparse.csr_matrix((np.ones(len(ids), dtype=np.float32), ids, ends), shape=shape)
        return bags, np.diff(ends).astype(np.float32)[:, None]


def _chances(found: Sequence[str], counts: Mapping[str, int]) -> Floats:
    """How probable each stem is anywhere, half a time more than it was seen."""
    return (np.array([counts.get(stem, 0) for stem in found]) + 0.5) / (sum(counts.values()) + 0.5 * len(counts) + 0.5)


def _explained(given: _Side, made: _Side, lift: sparse.csr_matrix, rows: Range, columns: Range) -> list[Values]:
    """The log-likelihood ratio of the words of each sentence of the columns and of two more (C + 2), given 1, 2 and 3 sentences from
    each row on (R)."""
    size = rows[1] - rows[0]
    bags, lengths = given.bags(rows[0], rows[1] + LONGEST - 1)
    ids, ends = made.words(columns[0], columns[1] + LONGEST - 1)
    lifts = np.asarray((bags @ lift).todense(), dtype=np.float32)[:, ids]  # (R + 2, K)
    found = []
    total, num_words = np.zeros((size, len(ids)), dtype=np.float32), np.ones((size, 1), dtype=np.float32)  # the empty word is one
    for more in range(LONGEST):
        total, num_words = total + lifts[more : more + size], num_words + lengths[more : more + size]
        logs = np.log((1 - EXPLAINED) + EXPLAINED * total / num_words)
        sums = np.concatenate([np.zeros((size, 1)), np.cumsum(logs, axis=1, dtype=np.float64)], axis=1)
        found.append((sums[:, ends[1:]] - sums[:, ends[:-1]]).astype(np.float32))
    return found


def _together(values: Values, size: int) -> Values:
    """The sums of ``size`` neighbours from each column on; two columns are left over."""
    count = values.shape[1] - (LONGEST - 1)
    return np.asarray(sum(values[:, offset : offset + count] for offset in range(size)))


def _lengths(sentences: Sequence[str]) -> Floats:
    return np.array([len(sentence) for sentence in sentences], dtype=np.float64)


def _sums(lengths: Floats) -> Floats:
    return np.concatenate([[0.0], np.cumsum(lengths)])


def _windows(sums: Floats, first: int, last: int, size: int) -> Floats:
    """The sums of ``size`` lengths from each position on; shorter at the end, where nobody looks."""
    places = np.arange(first, last)
    return np.asarray(sums[np.minimum(places + size, len(sums) - 1)] - sums[places])
