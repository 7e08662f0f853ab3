"""How much of a test set is memory and domain: what a lookup of the nearest training sentence scores on it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

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
        order, _ = Neighbours([one.source for one in known]).nearest([one.source for one in asked], k=len(known))
        nearest = [known[row[0]].answer for row in order]
        elsewhere = [
            next((known[place].answer for place in row if known[place].collection != one.collection), "")
            for one, row in zip(asked, order, strict=True)
        ]
        references = [[one.answer for one in asked]]
        scores = [CHRF(word_order=2).corpus_score(found, references).score for found in (nearest, elsewhere)]
        yield Lookup(direction=direction, num_sentences=len(asked), chrf=scores[0], chrf_elsewhere=scores[1])
