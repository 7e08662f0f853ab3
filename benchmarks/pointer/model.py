"""The network with its pieces and its hints, and what it makes of texts."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

import regex
import torch
from torch import Tensor

from benchmarks.pointer.learn import Batch, Item, learn
from benchmarks.pointer.network import LONGEST, Network
from benchmarks.pointer.pieces import BEGIN, END, PAD, Pieces
from seshat.examples import by_people
from seshat.hints import Hinter, fitted, hinter
from seshat.language import words
from seshat.phrases.surface import Surface
from seshat.prompts import Hinting
from seshat.records import Example

_BARE = regex.compile(r"[\p{L}\p{M}\p{N}](?:.*[\p{L}\p{M}\p{N}])?")
VOCABULARY = 4_000
LONGEST_TARGET = 100
"""Pieces of a training sentence's translation; longer ones say too little for what they cost."""
DROPOUT = 0.1
GROWTH, ROOM = 2, 10
"""A translation takes at most so many pieces for each of its source's, and some more."""
REPEATED = 3
"""A translation says no run of so many pieces twice."""
TEXTS = 32
"""How many are translated at once."""
HINTS = Hinting(words=20, per_word=1, folds=4, dropout=0.1)
"""Of each word that is not frequent, the best translation."""


class Pointer:
    """A translator of one direction."""

    def __init__(self, network: Network, pieces: Pieces, finder: Hinter | None) -> None:
        """``finder`` is what gives the hints of a text; None for a network that was trained without."""
        self._network, self._pieces, self._finder = network, pieces, finder

    @classmethod
    def train(cls, examples: Sequence[Example], direction: str, *, hints: Hinting = HINTS, tokens: int, seed: int = 1) -> Pointer:
        """Learn the translations of a direction, and the dictionary's entries, from so many ``tokens`` (read and written)."""
        examples = list(by_people(examples))
        ours = [one for one in examples if one.direction == direction and one.task in ("translation", "dictionary")]
        pieces = Pieces((text for one in ours for text in (one.source, one.answer)), VOCABULARY)
        told = dict(_told(hints, examples, direction)) if hints else {}
        items = [_item(one.source, told.get(one.id), pieces, one.answer) for one in ours]
        kept = [item for item in items if 0 < len(item.target) <= LONGEST_TARGET and 0 < len(item.source) <= 2 * LONGEST_TARGET]
        torch.manual_seed(seed)
        network = Network(len(pieces), DROPOUT)
        learn(network, kept, tokens, seed)
        return cls(network.eval(), pieces, hinter(hints, examples, direction) if hints else None)

    @torch.no_grad()
    def translate(self, texts: Sequence[str]) -> list[str]:
        """The likeliest piece after the likeliest piece, without repetition and within a length."""
        order = sorted(range(len(texts)), key=lambda place: len(texts[place]))
        said: dict[int, str] = {}
        for at in range(0, len(order), TEXTS):
            places = order[at : at + TEXTS]
            for place, pieces in zip(places, self._say([texts[place] for place in places]), strict=True):
                said[place] = _cased(self._pieces.decode(pieces), Surface.read(texts[place]))
        return [said[place] for place in range(len(texts))]

    def _say(self, texts: Sequence[str]) -> list[list[int]]:
        items = self._items(texts)
        batch = Batch.of(items)
        memory_BSD = self._network.encode(batch.source, batch.hint)
        limits = torch.tensor([min(LONGEST - 1, GROWTH * len(self._pieces.text(text)) + ROOM) for text in texts])
        said_BT = torch.full((len(texts), 1), BEGIN)
        ended_B = torch.zeros(len(texts), dtype=torch.bool)
        while not bool(ended_B.all()):
            states_BTD = self._network.decode(said_BT, memory_BSD, batch.source)
            likely_BV = self._network.probabilities(states_BTD[:, -1:], memory_BSD, batch.source)[:, 0]
            likely_BV[:, [PAD, BEGIN]] = 0
            _forbid_repetition(likely_BV, said_BT)
            next_B = torch.where(ended_B, PAD, likely_BV.argmax(1))
            ended_B = ended_B | (next_B == END) | (limits <= said_BT.shape[1])
            said_BT = torch.cat([said_BT, next_B[:, None]], dim=1)
        return [list(itertools.takewhile(lambda piece: piece not in (END, PAD), row[1:])) for row in said_BT.tolist()]

    def _items(self, texts: Sequence[str]) -> list[Item]:
        items = [_item(text, self._finder.explained(text) if self._finder else None, self._pieces) for text in texts]
        return [Item(item.source[:LONGEST] or (END,), item.hint[:LONGEST] or (0,)) for item in items]


def _cased(said: str, source: Surface) -> str:
    """A translation in small letters with the names of its source, and capitals where sentences begin."""
    names = {word.lower(): word for place, word in enumerate(source.words) if source.is_capital(place)}
    return source.begun(" ".join(_BARE.sub(lambda found: names.get(found.group(), found.group()), word) for word in said.split()))


def _told(hints: Hinting, examples: Sequence[Example], direction: str) -> Iterator[tuple[str, list[tuple[str, ...]]]]:
    """The hints of each training example, by its id: from the pairs of other folds."""
    for finder, asked in fitted(hints, examples, direction):
        yield from ((one.id, finder.explained(one.source)) for one in asked)


def _item(text: str, explained: Sequence[Sequence[str]] | None, pieces: Pieces, target: str = "") -> Item:
    """A text with the translations of its words, each behind its word."""
    told = iter(explained or ())
    source, hint = list[int](), list[int]()
    for token in text.split():
        source += pieces.word(token)
        for _ in words(token) if explained else ():
            for translation in next(told, ()):
                source += (found := pieces.text(translation))
                hint += [0] * (len(source) - len(found) - len(hint)) + [1] * len(found)
    return Item(tuple(source), (*hint, *[0] * (len(source) - len(hint))), tuple(pieces.text(target)))


def _forbid_repetition(likely_BV: Tensor, said_BT: Tensor) -> None:
    """No piece that would make a run of ``REPEATED`` pieces which was said before."""
    for row, said in enumerate(said_BT.tolist()):
        last = said[len(said) - REPEATED + 1 :]
        for at in range(1, len(said) - REPEATED + 1):
            if said[at : at + REPEATED - 1] == last:
                likely_BV[row, said[at + REPEATED - 1]] = 0
