"""How much of a test set is memory and domain: what a lookup of the nearest training sentence scores on it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from seshat.config import Section
from seshat.neighbours import Neighbours
from seshat.records import Example

SAMPLE = 200
"""Test sentences that are looked up in each direction, the first in the order of their digests."""


class Lookup(Section):
    """The scores of a nearest-neighbour lookup in one direction."""

    direction: str
    num_sentences: int
    chrf: float
    """chrF++ of the translation of the nearest training sentence (0 to 100)."""
    chrf_elsewhere: float
    """The same when the whole collection that a test sentence comes from is left out."""

    def __str__(self) -> str:
        return f"{self.direction} {self.chrf:.1f} chrF++, {self.chrf_elsewhere:.1f} without the sentence's own collection"


def lookups(train: Sequence[Example], test: Sequence[Example]) -> Iterator[Lookup]:
    """Look test sentences up in the training part, direction by direction (a translation memory)."""
    from sacrebleu.metrics import CHRF  # heavy

    for direction in sorted({one.direction for one in test if one.task == "translation"}):
        known = [one for one in train if one.task == "translation" and one.direction == direction]
        asked = sorted((one for one in test if one.task == "translation" and one.direction == direction), key=lambda one: one.digest)[
            :SAMPLE
        ]
        if not known:
            continue
        index, queries = Neighbours([one.source for one in known]), [one.source for one in asked]
        collections = np.array([one.collection for one in known])
        masks = {name: collections != name for name in {one.collection for one in asked}}
        nearest = index.nearest(queries)[0][:, 0].tolist()
        elsewhere = index.nearest_allowed(queries, [masks[one.collection] for one in asked])
        found = [[known[place].answer if place >= 0 else "" for place in places] for places in (nearest, elsewhere)]
        references = [[one.answer for one in asked]]
        scores = [CHRF(word_order=2).corpus_score(answers, references).score for answers in found]
        yield Lookup(direction=direction, num_sentences=len(asked), chrf=scores[0], chrf_elsewhere=scores[1])
