"""How much speaks for two sentences being translations of each other: their lengths, and their words as far as they are known.

Both are log-likelihood ratios against chance. Lengths: the log of their ratio is normal around that of the whole document, with a
variance that falls with the length (after Gale and Church, 1993). Words: each word of one side is explained by the other side
through IBM Model 1, mixed with its frequency, so that a word that nothing explains costs little (after Moore, 2002).
"""

# S sentences of the source, T sentences of the target, R and C rows and columns of a block, U and V types, K words in a row

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from seshat.data.beads import PAIRS
from seshat.data.similarity import Similarity
from seshat.language import words
from seshat.lexicon import Lexicon
from seshat.records import digest

Floats = NDArray[np.float64]
Values = NDArray[np.float32]
Ints = NDArray[np.int64]
Stems = Sequence[str]

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


def stems(text: str) -> list[str]:
    """The words of a text cut to their first letters; numbers stay whole."""
    return [word if word.isdigit() else word[:STEM] for word in words(text)]


@dataclass(frozen=True)
class Side:
    """The sentences of one side of a document, as far as alignment looks at them."""

    lengths: Floats
    """In characters (S)."""
    stems: Sequence[Stems]
    """Of each sentence."""

    @classmethod
    def of(cls, sentences: Iterable[str]) -> Side:
        """Cut sentences into stems."""
        texts = list(sentences)
        return cls(np.array([len(text) for text in texts], dtype=np.float64), [stems(text) for text in texts])

    @classmethod
    def all(cls, sides: Sequence[Side]) -> Side:
        """One side after the other."""
        return cls(np.concatenate([np.zeros(0), *(side.lengths for side in sides)]), [one for side in sides for one in side.stems])

    def __len__(self) -> int:
        return len(self.stems)


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
    def of(cls, source: Side, target: Side, lexicon: Lexicon | None = None) -> Knowledge:
        """What the sentences of both sides show; they need not go together."""
        logs = np.log(target.lengths + SMALL)
        mean = float(logs.mean()) if len(logs) else 0.0
        variance = (float(((logs - mean) ** 2).sum()) + SPREAD_WEIGHT * SPREAD**2) / (len(logs) + SPREAD_WEIGHT)
        variance = max(variance, LEAST_SPREAD**2)
        counts = (Counter(stem for sentence in side.stems for stem in sentence) for side in (source, target))
        return cls(mean, variance, (next(counts), next(counts)), lexicon)

    @property
    def digest(self) -> str:
        """The name of all of it."""
        counts = (digest(*(f"{stem} {count}" for stem, count in sorted(side.items()))) for side in self.frequencies)
        return digest(self.mean, self.variance, *counts, self.lexicon.digest if self.lexicon else "")


@dataclass(frozen=True)
class Model:
    """What is known about one document, on the ground of all: how its parts are aligned."""

    ends: tuple[Floats, Floats]
    """The characters of both sides up to each sentence (S + 1), both in characters of the target."""
    mean: float
    variance: float
    words: Words | None
    similarity: Similarity | None = None

    @classmethod
    def of(cls, source: Side, target: Side, knowledge: Knowledge) -> Model:
        """Look at both sides of a document."""
        ratio = max(target.lengths.sum(), 1.0) / max(source.lengths.sum(), 1.0)
        ends = np.concatenate([[0.0], np.cumsum(source.lengths * ratio)]), np.concatenate([[0.0], np.cumsum(target.lengths)])
        known = Words.of(source, target, knowledge, knowledge.lexicon) if knowledge.lexicon else None
        return cls(ends, knowledge.mean, knowledge.variance, known)

    @property
    def by_lengths(self) -> Model:
        """The same for lengths alone."""
        return replace(self, words=None, similarity=None)

    def part(self, source: range, target: range) -> Part:
        """The evidence for some of the document's sentences."""
        return Part(self, source, target)

    def of_lengths(self, source: Floats, target: Floats, kind: tuple[int, int] = (1, 1)) -> Values:
        """The log-likelihood ratio of every length of the source (R) beside every length of the target (C) as the sides of a bead
        (R, C), both in characters of the target."""
        from seshat.data import kernels  # heavy

        usual = self.mean + np.log(kind)  # two sentences are twice as long as one
        chance = (float(usual[0]), float(usual[1]), self.variance)
        found: Values = kernels.lengths(source, target, chance, (VARIANCE, VARIANCE_PER_CHARACTER, SMALL))
        return found


class Part:
    """The evidence of lengths, and of words if there is a lexicon, for a part of a document; see ``beads.Evidence``."""

    def __init__(self, model: Model, source: range, target: range) -> None:
        self._model, self._first = model, (source.start, target.start)
        self._ends = tuple(ends[side.start : side.stop + 1] for ends, side in zip(model.ends, (source, target), strict=True))
        if model.words:
            self._words = model.words.sides[0].part(source), model.words.sides[1].part(target)

    def block(self, start: int, stop: int, first: int, last: int) -> Values:
        """See ``beads.Evidence``."""
        found = np.empty((len(PAIRS), stop - start, last - first), dtype=np.float32)
        for number, (down, right) in enumerate(PAIRS):
            source, target = _windows(self._ends[0], start, stop, down), _windows(self._ends[1], first, last, right)
            found[number] = self._model.of_lengths(source, target, (down, right))
        if self._model.words:
            words, (source_ids, target_ids) = self._model.words, self._words
            explained = _explained(source_ids, target_ids, words.forward, (start, stop), (first, last))
            explains = _explained(target_ids, source_ids, words.backward, (first, last), (start, stop))
            for number, (down, right) in enumerate(PAIRS):
                both = _together(explained[down - 1], right) + _together(explains[right - 1], down).T
                found[number] += np.float32(0.5 * TRUST) * both
        if self._model.similarity:
            row, column = self._first
            for number, kind in enumerate(PAIRS):
                found[number] += self._model.similarity.block((row + start, row + stop), (column + first, column + last), kind)
        return found


@dataclass(frozen=True)
class Numbers:
    """The stems of a side's sentences, as numbers."""

    ids: Ints
    ends: Ints
    """Where each sentence ends in ``ids``, from 0 on (S + 1)."""

    @classmethod
    def of(cls, side: Side, types: Mapping[str, int]) -> Numbers:
        """Look every stem up."""
        ids = np.array([types[stem] for sentence in side.stems for stem in sentence], dtype=np.int64)
        return cls(ids, np.concatenate([[0], np.cumsum([len(sentence) for sentence in side.stems])]).astype(np.int64))

    def part(self, sentences: range) -> Numbers:
        """The numbers of some sentences."""
        return replace(self, ends=self.ends[sentences.start : sentences.stop + 1])


@dataclass(frozen=True)
class Words:
    """The stems of a document, and how much more often than by chance they stand beside each other."""

    sides: tuple[Numbers, Numbers]
    forward: sparse.csr_matrix
    """p(t|s) / p(t) by source and target stem (U, V)."""
    backward: sparse.csr_matrix
    """p(s|t) / p(s) by target and source stem (V, U)."""

    @classmethod
    def of(cls, source: Side, target: Side, knowledge: Knowledge, lexicon: Lexicon) -> Words:
        """What the lexicon says about the stems of a document."""
        found = [sorted({stem for sentence in side.stems for stem in sentence}) for side in (source, target)]
        types = [{stem: number for number, stem in enumerate(side)} for side in found]
        chances = [_chances(side, counts) for side, counts in zip(found, knowledge.frequencies, strict=True)]
        rows = np.array([types[0].get(stem, -1) for stem in lexicon.sources], dtype=np.int64)[lexicon.source]
        columns = np.array([types[1].get(stem, -1) for stem in lexicon.targets], dtype=np.int64)[lexicon.target]
        here = (rows >= 0) & (columns >= 0)
        rows, columns = rows[here], columns[here]
        shape = (len(found[0]), len(found[1]))
        forward, backward = lexicon.forward[here] / chances[1][columns], lexicon.backward[here] / chances[0][rows]
        return cls(
            sides=(Numbers.of(source, types[0]), Numbers.of(target, types[1])),
            forward=sparse.csr_matrix((forward.astype(np.float32), (rows, columns)), shape=shape),
            backward=sparse.csr_matrix((backward.astype(np.float32), (columns, rows)), shape=shape[::-1]),
        )


def _chances(found: Sequence[str], counts: Mapping[str, int]) -> Floats:
    """How probable each stem is anywhere, half a time more than it was seen."""
    return (np.array([counts.get(stem, 0) for stem in found]) + 0.5) / (sum(counts.values()) + 0.5 * len(counts) + 0.5)


def _explained(given: Numbers, made: Numbers, lift: sparse.csr_matrix, rows: tuple[int, int], columns: tuple[int, int]) -> Values:
    """The log-likelihood ratio of the words of each sentence of the columns and of two more, given 1, 2 and 3 sentences from each row
    on (LONGEST, R, C + 2)."""
    from seshat.data import kernels  # heavy

    matrix = (lift.indptr, lift.indices, lift.data, lift.shape[1])
    beyond = (columns[0], columns[1] + LONGEST - 1)
    found: Values = kernels.explained((given.ids, given.ends), (made.ids, made.ends), matrix, rows, beyond, LONGEST, EXPLAINED)
    return found


def _together(values: Values, size: int) -> Values:
    """The sums of ``size`` neighbours from each column on; two columns are left over."""
    count = values.shape[1] - (LONGEST - 1)
    return np.asarray(sum(values[:, offset : offset + count] for offset in range(size)))


def _windows(ends: Floats, first: int, last: int, size: int) -> Floats:
    """The characters of ``size`` sentences from each position on; fewer at the end, where nobody looks."""
    places = np.arange(first, last)
    return np.asarray(ends[np.minimum(places + size, len(ends) - 1)] - ends[places])
