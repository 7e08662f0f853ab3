"""Word translations estimated from sentence pairs with IBM Model 1, in both directions at once.

Brown, Della Pietra, Della Pietra and Mercer (1993), "The Mathematics of Statistical Machine Translation: Parameter
Estimation", Computational Linguistics 19(2). Everything is flat arrays: a *cell* is one word type of one side of a pair
beside one word type of the other side, a *link* is the same two types wherever they meet.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from seshat.records import digest

NULL = 0
"""The number of the empty word, which accounts for words that have no counterpart."""
BLOCK_CELLS = 1_000_000
"""Cells handled at once while counting: bounds the memory, changes nothing."""

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Sentence = Sequence[str]


@dataclass(frozen=True, eq=False)
class Lexicon:
    """Which words translate which, with both conditional probabilities; links are sorted by source, then target.

    The strength of a link is the geometric mean of its two probabilities, from 0 to 1.
    """

    sources: tuple[str, ...]
    """Source words in code point order; a link's ``source`` is a position here."""
    targets: tuple[str, ...]
    source: NDArray[np.int32]
    target: NDArray[np.int32]
    forward: NDArray[np.float32]
    """p(target | source) of every link."""
    backward: NDArray[np.float32]
    """p(source | target) of every link."""

    @classmethod
    def estimate(
        cls,
        pairs: Iterable[tuple[Sentence, Sentence]],
        *,
        iterations: int = 5,
        discount: float = 0.0,
        longest: int = 200,
        weakest: float = 1e-3,
    ) -> Lexicon:
        """Run expectation maximisation from uniform probabilities over pairs of (source words, target words).

        ``discount`` is taken off every expected count (absolute discounting), so that a link that only one doubtful pair
        supports dies out. Pairs with an empty side or with more than ``longest`` words on one say too little for what they
        cost and are skipped. Links weaker than ``weakest`` are left out.
        """
        kept = [pair for pair in pairs if all(1 <= len(side) <= longest for side in pair)]
        source_side, target_side = _side([pair[0] for pair in kept]), _side([pair[1] for pair in kept])
        cells, keys = _cells(source_side, target_side)
        source, target = np.divmod(keys, len(target_side.words) + 1)
        forward = _maximise(cells, source, target, iterations=iterations, discount=discount)
        flipped = [block.flipped for block in cells]
        backward = _maximise(flipped, target, source, iterations=iterations, discount=discount)
        real = (source != NULL) & (target != NULL) & (np.sqrt(forward * backward) >= weakest)
        return cls(
            sources=source_side.words,
            targets=target_side.words,
            source=(source[real] - 1).astype(np.int32),
            target=(target[real] - 1).astype(np.int32),
            forward=forward[real].astype(np.float32),
            backward=backward[real].astype(np.float32),
        )

    @property
    def digest(self) -> str:
        """The name of all words and probabilities."""
        values = [getattr(self, field.name) for field in fields(self)]
        return digest(*(value.tobytes() if isinstance(value, np.ndarray) else "\n".join(value) for value in values))

    def __len__(self) -> int:
        """How many links there are."""
        return len(self.source)

    def __contains__(self, word: str) -> bool:
        """Whether a source word was seen."""
        return word in self._numbers

    def reversed(self) -> Lexicon:
        """The same lexicon from the target language into the source language."""
        order = np.lexsort((self.source, self.target))
        return replace(
            self,
            sources=self.targets,
            targets=self.sources,
            source=self.target[order],
            target=self.source[order],
            forward=self.backward[order],
            backward=self.forward[order],
        )

    def best(self, word: str) -> str | None:
        """The target word with the strongest link, so the largest p(t|s)·p(s|t); None for an unknown word.

        Ties go to the first in code point order.
        """
        found = self.translations(word, limit=1)
        return found[0][0] if found else None

    def translations(self, word: str, *, limit: int = 5) -> list[tuple[str, float]]:
        """The best target words of a source word with the strengths of their links, strongest first."""
        number = self._numbers.get(word)
        if number is None:
            return []
        start, stop = self._starts[number], self._starts[number + 1]
        order = start + np.argsort(-self.strengths[start:stop], kind="stable")[:limit]
        return [(self.targets[self.target[place]], float(self.strengths[place])) for place in order]

    @cached_property
    def strengths(self) -> Floats:
        """The strength of every link."""
        return np.sqrt(self.forward.astype(np.float64) * self.backward)

    @cached_property
    def _numbers(self) -> dict[str, int]:
        return {word: number for number, word in enumerate(self.sources)}

    @cached_property
    def _starts(self) -> Ints:
        return np.searchsorted(self.source, np.arange(len(self.sources) + 1))

    def __getstate__(self) -> dict[str, object]:
        return {field.name: getattr(self, field.name) for field in fields(self)}


# Estimation


@dataclass(frozen=True)
class _Side:
    """One side of all pairs: the word types of each sentence, NULL first, and how often each occurs there."""

    words: tuple[str, ...]
    types: Ints
    """Numbers of words from 1, sentence after sentence."""
    counts: Floats
    starts: Ints
    """Where each sentence begins in ``types``, and the end."""


@dataclass(frozen=True)
class _Cells:
    """The cells of a block of pairs; ``given`` and ``made`` number the word types of the two sides in the block."""

    link: NDArray[np.int32]
    given: NDArray[np.int32]
    made: NDArray[np.int32]
    given_counts: Floats
    made_counts: Floats

    @property
    def flipped(self) -> _Cells:
        """The same cells for the other direction."""
        return _Cells(self.link, self.made, self.given, self.made_counts, self.given_counts)


def _side(sentences: Sequence[Sentence]) -> _Side:
    words = tuple(sorted({word for sentence in sentences for word in sentence}))
    numbers = {word: number for number, word in enumerate(words, 1)}
    size = len(words) + 1
    ids = np.fromiter((numbers[word] for sentence in sentences for word in sentence), np.int64)
    owner = np.repeat(np.arange(len(sentences)), [len(sentence) for sentence in sentences])
    empty_words = np.arange(len(sentences)) * size + NULL
    keys, counts = np.unique(np.concatenate([empty_words, owner * size + ids]), return_counts=True)
    starts = np.searchsorted(keys, np.arange(len(sentences) + 1) * size)
    return _Side(words, keys % size, counts.astype(np.float64), starts)


def _cells(source: _Side, target: _Side) -> tuple[list[_Cells], Ints]:
    """All cells in blocks, and the sorted keys of the links that they name by position."""
    size = len(target.words) + 1
    blocks, found = [], []
    for first, last in _blocks(np.diff(source.starts) * np.diff(target.starts)):
        given, made = _product(source.starts[first : last + 1], target.starts[first : last + 1])
        rows = slice(source.starts[first], source.starts[last])
        columns = slice(target.starts[first], target.starts[last])
        keys, link = np.unique(source.types[rows][given] * size + target.types[columns][made], return_inverse=True)
        found.append(keys)
        blocks.append(_Cells(link.astype(np.int32), given, made, source.counts[rows], target.counts[columns]))
    together = np.sort(np.concatenate([np.zeros(0, np.int64), *found]), kind="stable")  # runs that are sorted: far faster than np.unique
    everything = together[np.diff(together, prepend=-1) > 0]
    for number, keys in enumerate(found):
        place = np.asarray(np.searchsorted(everything, keys), dtype=np.int32)
        blocks[number] = replace(blocks[number], link=place[blocks[number].link])
    return blocks, everything


def _blocks(sizes: Ints) -> Iterable[tuple[int, int]]:
    """Ranges of sentences with about BLOCK_CELLS cells each, at least one sentence."""
    number = np.cumsum(sizes) // BLOCK_CELLS
    edges = [0, *(np.flatnonzero(np.diff(number)) + 1).tolist(), len(sizes)] if len(sizes) else []
    return itertools.pairwise(edges)


def _product(source_starts: Ints, target_starts: Ints) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Each target type of a sentence with each source type of the same sentence, as positions in the block."""
    widths = np.repeat(np.diff(source_starts), np.diff(target_starts))
    begins = np.repeat(source_starts[:-1] - source_starts[0], np.diff(target_starts))
    made = np.repeat(np.arange(len(widths)), widths)
    within = np.arange(len(made)) - np.repeat(np.cumsum(widths) - widths, widths)
    return (begins[made] + within).astype(np.int32), made.astype(np.int32)


def _maximise(blocks: Sequence[_Cells], given: Ints, made: Ints, *, iterations: int, discount: float) -> Floats:
    """p(made | given) of every link after some iterations; ``given`` and ``made`` are the words of each link.

    The empty word makes words and is never made itself.
    """
    from seshat.expectation import add_expected  # heavy

    probability: Floats = np.ones(len(given))
    for _ in range(iterations):
        counts: Floats = np.zeros(len(given))
        for cells in blocks:
            add_expected((cells.link, cells.given, cells.made), (cells.given_counts, cells.made_counts), probability, counts)
        counts = np.where(made == NULL, 0.0, np.maximum(counts - discount, 0.0))
        whole = np.bincount(given, counts)[given]
        probability = np.divide(counts, whole, out=np.zeros_like(counts), where=whole > 0)
    return probability
