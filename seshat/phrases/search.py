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


def best(options: Sequence[Option], length: int, model: NgramModel, weight: float, *, number: int = 1) -> list[Found]:
    """The best translations of ``length`` source words, the best first; every word must be covered by an option.

    Different phrases may give the same words, and each is a result of its own.
    """
    from seshat.phrases.beam import search  # heavy

    first = np.full(model.order - 1, -1, dtype=np.int64)
    first[:1] = BEGIN
    words = [model.number(word) for option in options for word in option.target]
    node, before, chosen, gain, final = search(
        length,
        np.array([option.end for option in options], dtype=np.int64),
        np.array([option.begin for option in options], dtype=np.int64),
        np.array([option.score for option in options], dtype=np.float64),
        np.array(words, dtype=np.int64),
        np.cumsum([0, *(len(option.target) for option in options)]),
        BEAM,
        first,
        weight,
        *model.arrays,
    )
    lattice = _Lattice(node, before, chosen, gain)
    return [Found(score, tuple(options[place] for place in path)) for score, path in lattice.best(final, number)]


class _Lattice:
    """The k best paths, found lazily (Huang and Chiang, 2005, "Better k-best Parsing", algorithm 3)."""

    def __init__(self, node: NDArray[np.int64], before: NDArray[np.int64], option: NDArray[np.int64], gain: NDArray[np.float64]) -> None:
        self._arcs: dict[int, list[tuple[int, int, float]]] = {}
        for there, here, chosen, more in zip(node.tolist(), before.tolist(), option.tolist(), gain.tolist(), strict=True):
            self._arcs.setdefault(there, []).append((here, chosen, more))
        self._found: dict[int, list[tuple[float, tuple[int, ...]]]] = {0: [(0.0, ())]}
        self._open: dict[int, list[tuple[float, int, int, float, int]]] = {0: []}

    def best(self, final: int, number: int) -> list[tuple[float, tuple[int, ...]]]:
        """The best paths from the beginning to the nodes from ``final`` on."""
        ends = (node for node in self._arcs if node >= final)
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
            arcs = ((here, chosen, more, self._path(here, 0)) for here, chosen, more in self._arcs[node])
            self._open[node] = [(-path[0] - more, here, chosen, more, 0) for here, chosen, more, path in arcs if path]
            heapq.heapify(self._open[node])
            self._found[node] = []
        found, waiting = self._found[node], self._open[node]
        while len(found) <= rank and waiting:
            negative, here, chosen, more, place = heapq.heappop(waiting)
            path = self._path(here, place)
            assert path is not None
            found.append((-negative, (*path[1], chosen)))
            if (following := self._path(here, place + 1)) is not None:
                heapq.heappush(waiting, (-following[0] - more, here, chosen, more, place + 1))
        return found[rank] if rank < len(found) else None
