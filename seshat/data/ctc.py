"""When each sentence is said, by the letters that a recogniser hears: CTC forced alignment (Kürzinger et al., 2020).

It takes any matrix of log-probabilities with the letters of its columns, and follows them with the kernel of ``timing``.
"""

# T frames, V vocabulary, S states

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seshat.data.readers import RefusedError
from seshat.data.timing import Span
from seshat.language import words

Emissions = NDArray[np.float32]
_ANY = -1
"""Stands for a word of which the recogniser knows no letter: anything but silence may be heard."""
_BEAM = 12_000


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What the columns of a matrix of emissions are."""

    letters: tuple[str, ...]
    """In the order of the columns; those with more than one letter (``<pad>``) are never said."""
    blank: int
    """The column that says: nothing new."""
    space: str = "|"
    """What stands between words, if it is one of the letters."""


def align_emissions(log_probs_TV: Emissions, vocabulary: Vocabulary, sentences: Sequence[str], *, seconds: float) -> list[Span]:
    """When each sentence is said in a recording of so many ``seconds``; its score is the geometric mean of its probabilities.

    Letters that the recogniser does not know are passed over. Refused: a text that is too long for the frames.
    """
    columns, owners = _columns(sentences, vocabulary)
    if not columns:
        raise RefusedError("empty: the transcript holds no sentence with a letter")
    if not len(log_probs_TV):
        raise RefusedError("silence: the recording is too short to hear anything")
    from seshat.data.timing_kernels import follow

    costs = _with_wildcard(-log_probs_TV, vocabulary.blank)
    labels = np.full(2 * len(columns) + 1, vocabulary.blank, np.int32)
    labels[1::2] = [costs.shape[1] - 1 if column == _ANY else column for column in columns]
    quiet = np.zeros(len(costs), np.bool_)
    begins, units, cost = follow(costs, quiet, labels, np.arange(len(labels), dtype=np.int32), _moves(labels), _BEAM)
    if not math.isfinite(cost):
        raise RefusedError("length: the transcript is too long for the recording; is it that of another one?")
    states = np.repeat(units, np.diff([*begins, len(costs)]))
    sentence = np.full(len(labels), -1)
    sentence[1::2] = owners
    paid = costs[np.arange(len(costs)), labels[states]]
    return [_span(np.flatnonzero(sentence[states] == number), paid, seconds / len(costs)) for number in range(len(sentences))]


def _columns(sentences: Sequence[str], vocabulary: Vocabulary) -> tuple[list[int], list[int]]:
    """The columns to be heard one after the other, and the sentence of each; between words, their space belongs to none."""
    known = {letter.lower(): column for column, letter in enumerate(vocabulary.letters) if len(letter) == 1 and column != vocabulary.blank}
    space = known.get(vocabulary.space)
    columns: list[int] = []
    owners: list[int] = []
    for number, sentence in enumerate(sentences):
        for word in words(sentence):
            if columns and space is not None:
                columns.append(space)
                owners.append(-1)
            found = [known[letter] for letter in word if letter in known] or [_ANY]
            columns += found
            owners += [number] * len(found)
        if number not in owners[-1:]:
            raise RefusedError(f"empty: sentence {number + 1} of the transcript has no letter")
    return columns, owners


def _with_wildcard(costs: Emissions, blank: int) -> Emissions:
    """With a last column for anything but silence."""
    others = np.delete(costs, blank, axis=1)
    return np.column_stack([costs, others.min(axis=1)]).astype(np.float32)


def _moves(labels: NDArray[np.int32]) -> NDArray[np.float64]:
    """To stay is free, and so is to leave out the blank between two letters that differ."""
    moves = np.full((len(labels), 4), np.inf)
    moves[:, 0] = 0.0
    moves[3::2, 2] = np.where(labels[3::2] != labels[1:-2:2], 0.0, np.inf)
    return moves


def _span(frames: NDArray[np.int64], paid: Emissions, width: float) -> Span:
    """From the first frame in which a letter is heard to the last."""
    score = math.exp(-float(paid[frames].mean()))
    return Span(round(float(frames[0]) * width, 3), round(float(frames[-1] + 1) * width, 3), min(1.0, score))
