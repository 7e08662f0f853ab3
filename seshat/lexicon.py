"""Word translations estimated from sentence pairs with IBM Model 1, in both directions at once.

Brown, Della Pietra, Della Pietra and Mercer (1993), "The Mathematics of Statistical Machine Translation: Parameter
Estimation", Computational Linguistics 19(2). Everything is flat arrays: a *cell* is one word type of one side of a pair
beside one word type of the other side, a *link* is the same two types wherever they meet.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, fields, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from seshat.records import digest

NULL = 0
"""The number of the empty word, which accounts for words that have no counterpart."""
BLOCK_CELLS = 1_000_000
"""Cells handled at once while counting: bounds the memory, changes nothing."""
FAINT = 0.02
"""Links weaker than this do not count in ``score``: there are many of them and they say little."""

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

    def only(self, sources: Set[str], targets: Set[str]) -> Lexicon:
        """The part of the lexicon that some texts need: small enough to compare sentence by sentence."""
        kept_sources = np.array([word in sources for word in self.sources], dtype=bool)
        kept_targets = np.array([word in targets for word in self.targets], dtype=bool)
        links = kept_sources[self.source] & kept_targets[self.target]
        return Lexicon(
            sources=tuple(word for word, kept in zip(self.sources, kept_sources, strict=True) if kept),
            targets=tuple(word for word, kept in zip(self.targets, kept_targets, strict=True) if kept),
            source=(np.cumsum(kept_sources) - 1)[self.source[links]].astype(np.int32),
            target=(np.cumsum(kept_targets) - 1)[self.target[links]].astype(np.int32),
            forward=self.forward[links],
            backward=self.backward[links],
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

    def score(self, source: Sentence, target: Sentence) -> float:
        """How well two sentences cover each other, from 0 to 1: the mean over all words of both of their best link.

        A link counts its strength. A word that the lexicon has never seen (a name, a number) and that stands on both
        sides counts 1. Two empty sentences score 0.
        """
        return float(self.scores([source], [target])[0, 0])

    def scores(self, sources: Sequence[Sentence], targets: Sequence[Sentence]) -> NDArray[np.float64]:
        """``score`` of every source sentence with every target sentence, as one matrix."""
        total: Floats = self._coverage(sources, targets) + self._flipped._coverage(targets, sources).T
        together = np.add.outer(_lengths(sources), _lengths(targets))
        scores: Floats = total / np.maximum(together, 1)
        return scores

    def _coverage(self, sources: Sequence[Sentence], targets: Sequence[Sentence]) -> NDArray[np.float64]:
        """For every two sentences, the sum over the target's words of their best link to a word of the source."""
        extra = _unseen(sources, targets, self._numbers.keys() | self._flipped._numbers.keys())
        offered = _bags(sources, self._numbers, extra)
        wanted = _bags(targets, self._flipped._numbers, extra)
        links = sparse.block_diag([self._links, sparse.identity(len(extra))], format="csr") if extra else self._links
        return np.asarray((_best_of(offered, links) @ wanted.T).todense(), dtype=np.float64)

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

    @cached_property
    def _flipped(self) -> Lexicon:
        return self.reversed()

    @cached_property
    def _links(self) -> sparse.csr_matrix:
        clear = self.strengths >= FAINT
        places = (self.source[clear], self.target[clear])
        return sparse.csr_matrix((self.strengths[clear], places), shape=(len(self.sources), len(self.targets)))

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
    everything = np.unique(np.concatenate(found)) if found else np.zeros(0, np.int64)
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
    probability: Floats = np.ones(len(given))
    for _ in range(iterations):
        counts: Floats = np.zeros(len(given))
        for cells in blocks:
            share = cells.given_counts[cells.given] * probability[cells.link]
            total = np.bincount(cells.made, share)
            share *= np.divide(cells.made_counts, total, out=np.zeros_like(total), where=total > 0)[cells.made]
            counts += np.bincount(cells.link, share, minlength=len(given))
        counts = np.where(made == NULL, 0.0, np.maximum(counts - discount, 0.0))
        whole = np.bincount(given, counts)[given]
        probability = np.divide(counts, whole, out=np.zeros_like(counts), where=whole > 0)
    return probability


# Comparing sentences


def _lengths(sentences: Sequence[Sentence]) -> Ints:
    return np.array([len(sentence) for sentence in sentences], dtype=np.int64)


def _unseen(sources: Sequence[Sentence], targets: Sequence[Sentence], known: Set[str]) -> dict[str, int]:
    """The words of both sides that no side of the lexicon knows, numbered."""
    shared = {word for sentence in sources for word in sentence} & {word for sentence in targets for word in sentence}
    return {word: number for number, word in enumerate(sorted(shared - known))}


def _bags(sentences: Sequence[Sentence], numbers: Mapping[str, int], extra: Mapping[str, int]) -> sparse.csr_matrix:
    """How often each word stands in each sentence; words that are not numbered are left out."""
    place = {**numbers, **{word: len(numbers) + number for word, number in extra.items()}}
    found = [(row, place[word]) for row, sentence in enumerate(sentences) for word in sentence if word in place]
    rows, columns = np.array(found, dtype=np.int64).reshape(-1, 2).T
    return sparse.csr_matrix((np.ones(len(found)), (rows, columns)), shape=(len(sentences), len(place)))


def _best_of(bags: sparse.csr_matrix, links: sparse.csr_matrix) -> sparse.csr_matrix:
    """For every sentence and target word, the strongest link from any word of the sentence."""
    bags = bags.tocoo()
    picked = links[bags.col].tocoo()
    rows = bags.row[picked.row]
    order = np.lexsort((picked.data, picked.col, rows))
    rows, columns, strengths = rows[order], picked.col[order], picked.data[order]
    last = np.append((np.diff(rows) != 0) | (np.diff(columns) != 0), True)[: len(rows)]
    return sparse.csr_matrix((strengths[last], (rows[last], columns[last])), shape=(bags.shape[0], links.shape[1]))
