"""The best translations of a sentence, phrase by phrase in the order of the source."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seshat.phrases.ngram import BEGIN, NgramModel
from seshat.phrases.table import Phrase

BEAM = 50


@dataclass(frozen=True, slots=True)
class Option:
    """A way to translate the source words from ``begin`` to ``end``."""

    begin: int
    end: int
    target: Phrase
    score: float
    """Without the language model."""


@dataclass(frozen=True, slots=True)
class Found:
    """A translation and its score; higher is better."""

    score: float
    options: tuple[Option, ...]


class Search:
    """All translations of ``length`` source words; every word must be covered by an option."""

    def __init__(self, options: Sequence[Option], length: int, model: NgramModel) -> None:
        self._options, self._length, self._model = options, length, model
        self._begins = np.array([option.begin for option in options], dtype=np.int64)
        self._ends = np.array([option.end for option in options], dtype=np.int64)
        self._scores = np.array([option.score for option in options], dtype=np.float64)
        self._sizes = np.array([len(option.target) for option in options], dtype=np.int64)
        self._words = np.array([model.number(word) for option in options for word in option.target], dtype=np.int64)

    def best(self, language: float, word: float = 0.0, *, number: int = 1) -> list[Found]:
        """The best translations, the best first: by their options, the ``language`` model, and ``word`` for each of their words.

        Different phrases may give the same words, and each is a result of its own.
        """
        from seshat.phrases.beam import search  # heavy

        first = np.full(self._model.order - 1, -1, dtype=np.int64)
        first[:1] = BEGIN
        node, before, chosen, gain, final = search(
            self._length,
            self._ends,
            self._begins,
            self._scores + word * self._sizes,
            self._words,
            np.concatenate([np.zeros(1, np.int64), np.cumsum(self._sizes)]),
            BEAM,
            first,
            language,
            *self._model.arrays,
        )
        lattice = _Lattice(node, before, chosen, gain)
        return [Found(score, tuple(self._options[place] for place in path)) for score, path in lattice.best(final, number)]


class _Lattice:
    """The k best paths, found lazily (Huang and Chiang, 2005, "Better k-best Parsing", algorithm 3).

    The arcs that lead to a node come in the order of the best path through each, as the search found them.
    """

    def __init__(self, node: NDArray[np.int64], before: NDArray[np.int64], option: NDArray[np.int64], gain: NDArray[np.float64]) -> None:
        order = np.argsort(node, kind="stable")
        self._nodes = int(node.max(initial=0)) + 1
        self._starts: list[int] = np.searchsorted(node[order], np.arange(self._nodes + 1)).tolist()
        self._before, self._option, self._gain = (one[order].tolist() for one in (before, option, gain))
        self._found: dict[int, list[tuple[float, tuple[int, ...]]]] = {0: [(0.0, ())]}
        self._open: dict[int, list[tuple[float, int, int]]] = {0: []}

    def best(self, final: int, number: int) -> list[tuple[float, tuple[int, ...]]]:
        """The best paths from the beginning to the nodes from ``final`` on."""
        ends = (node for node in range(max(1, final), self._nodes))
        waiting = [(-path[0], node, 0) for node in ends if (path := self._path(node, 0))]
        heapq.heapify(waiting)
        found: list[tuple[float, tuple[int, ...]]] = []
        while waiting and len(found) < number:
            _, node, rank = heapq.heappop(waiting)
            path = self._path(node, rank)
            assert path is not None
            found.append(path)
            if (following := self._path(node, rank + 1)) is not None:
                heapq.heappush(waiting, (-following[0], node, rank + 1))
        return found

    def _path(self, node: int, rank: int) -> tuple[float, tuple[int, ...]] | None:
        """The path to a node that is the best but ``rank``; None if there are fewer."""
        if node not in self._found:
            self._found[node], self._open[node] = [], []
            self._offer(node, self._starts[node], 0)
        found, waiting = self._found[node], self._open[node]
        while len(found) <= rank and waiting:
            negative, arc, place = heapq.heappop(waiting)
            path = self._path(self._before[arc], place)
            assert path is not None
            found.append((-negative, (*path[1], self._option[arc])))
            self._offer(node, arc, place + 1)
            if place == 0:
                self._offer(node, arc + 1, 0)
        return found[rank] if rank < len(found) else None

    def _offer(self, node: int, arc: int, place: int) -> None:
        """The path to a node that goes by an arc and is the best but ``place`` up to there may be the next one, if there is one."""
        if arc < self._starts[node + 1] and (path := self._path(self._before[arc], place)) is not None:
            heapq.heappush(self._open[node], (-path[0] - self._gain[arc], arc, place))
