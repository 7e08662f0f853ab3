"""How good a translation can be expected to be: its chrF++ as it was measured on sentences with the same signs.

The signs are the mean log-probability of the answer's tokens and the share of the source's words that training has seen. What they
are worth is learnt on the validation set (``seshat.evaluation.calibrate``) and kept beside the card, in ``calibration.json``.
"""

from __future__ import annotations

import base64
import hashlib
import math
import os
from collections.abc import Iterable, Mapping, Set
from functools import cached_property

import numpy as np
from pydantic import Field, ValidationError

from seshat.config import Section
from seshat.errors import StoreError
from seshat.language import words
from seshat.prompts import Card
from seshat.records import digest

CALIBRATION = "calibration.json"
"""The file of a model's folder with its calibration."""
LEAST = -20.0
"""The lowest mean log-probability that is told apart."""


class Curve(Section):
    """What the signs of a direction are worth: a weighted sum of them, and the chrF++ that belongs to each sum."""

    logprob: float
    """The weight of the mean log-probability of a token, in chrF++ a nat."""
    coverage: float
    """The weight of the share of known words, in chrF++."""
    sums: tuple[float, ...] = Field(min_length=1)
    """Ascending."""
    expected: tuple[float, ...]
    """The mean sentence chrF++ at each of the sums, never falling.

    Between them it is interpolated. Above them it stays, so that no more is promised than was seen; below them it falls with the sum,
    which is in chrF++ itself: signs that are worse than any that were seen are no reason to expect the same.
    """
    n: int
    """How many sentences it was learnt on."""

    def at(self, logprob: float, coverage: float) -> float:
        """The expected chrF++ of a sentence, from 0 to 100."""
        found = self.logprob * max(LEAST, logprob) + self.coverage * coverage
        return max(0.0, float(np.interp(found, self.sums, self.expected)) - max(0.0, self.sums[0] - found))


class Calibration(Section):
    """``calibration.json``."""

    model: str
    """SHA-256 of the manifest of the adapter that it was measured on, which names the digests of its weights."""
    card: str
    """A digest of the card of that model."""
    curves: dict[str, Curve]
    """By direction."""
    words: dict[str, str]
    """By the code of their language: digests of all words that training saw (32 bits each, ascending, base64)."""

    @cached_property
    def _known(self) -> Mapping[str, Set[int]]:
        return {code: frozenset(np.frombuffer(base64.b64decode(text), dtype="<u4").tolist()) for code, text in self.words.items()}

    def expected(self, direction: str, source: str, logprob: float) -> float | None:
        """The expected chrF++ of a sentence's translation; None in a direction that was not calibrated."""
        curve = self.curves.get(direction)
        known = self._known.get(direction.partition("-")[0], frozenset())
        return None if curve is None else curve.at(logprob, coverage(source, known))


def coverage(source: str, known: Set[int]) -> float:
    """The share of a sentence's words that are known by their digests; 1 for a sentence without words."""
    found = [number_of(word) in known for word in words(source)]
    return sum(found) / len(found) if found else 1.0


def number_of(word: str) -> int:
    """The 32 bits that stand for a word."""
    return int.from_bytes(hashlib.sha256(word.encode()).digest()[:4], "little")


def pack(known: Iterable[str]) -> str:
    """Words as a calibration holds them."""
    return base64.b64encode(np.array(sorted({number_of(word) for word in known}), dtype="<u4").tobytes()).decode()


def logprob_of(probability: float) -> float:
    """The mean log-probability of a token from its geometric mean probability."""
    return max(LEAST, math.log(probability)) if probability > 0 else LEAST


def card_key(card: Card) -> str:
    """By which a calibration knows the card of its model."""
    return digest("card", card.model_dump_json())


def read_calibration(folder: str, card: Card) -> Calibration | None:
    """The calibration of a model's folder; None for a model that has none.

    Raises:
        StoreError: If it is that of another model.
    """
    path = os.path.join(folder, CALIBRATION)
    if not os.path.isfile(path):
        return None
    cure = "delete it, then run 'make eval' and 'make export-gguf'"
    try:
        with open(path, encoding="utf-8") as stream:
            found = Calibration.model_validate_json(stream.read())
    except ValidationError as error:
        raise StoreError(f"{path} is no calibration of ours ({error.error_count()} errors): {cure}") from None
    if found.card != card_key(card):
        raise StoreError(f"{path} was measured on another model than this {card.name!r}: {cure}")
    return found
