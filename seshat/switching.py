"""Code-switching: where inside a text people change to another language.

A hidden Markov model over words, decoded with the algorithm of Viterbi (1967) for all texts at once: a word says which
language it looks like (``seshat.identify``), and changing the language costs something.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seshat.identify import WORD, Identifier, Words
from seshat.ngrams import ranges

COST = 4.0
"""Of one change, as a logarithm: about one word in fifty. There and back it is more than one word can say, so a single loan or
name is no change of language."""
CHUNK_TEXTS = 4_096
"""Texts decoded at once: bounds the memory, changes nothing."""

# N texts, T words of the longest, K languages


@dataclass(frozen=True, slots=True)
class Span:
    """Some words of a text in another language."""

    start: int
    """The first character, from 0."""
    stop: int
    """One past the last character."""
    code: str
    num_words: int


def code_switching(texts: Sequence[str], identifier: Identifier, home: str) -> list[tuple[Span, ...]]:
    """For each text, the stretches that are not in the language ``home``, in order; most have none.

    A text that is all in another language is one stretch. Names of several words look like the language they come from.
    """
    words = Words.of(texts)
    evidence = identifier.evidence(words)
    base = identifier.codes.index(home)
    found: list[tuple[Span, ...]] = [()] * len(texts)
    by_length = sorted(range(len(texts)), key=lambda place: len(words.sequences[place]))  # short ones together: less padding
    for rows in ranges(len(texts), CHUNK_TEXTS):
        places = by_length[rows]
        states = _decode([evidence[list(words.sequences[place])] for place in places], base)
        for place, row in zip(places, states, strict=True):
            if (row != base).any():
                found[place] = tuple(_spans(texts[place], row[: len(words.sequences[place])].tolist(), identifier.codes, base))
    return found


def _decode(evidence: Sequence[NDArray[np.float64]], home: int) -> NDArray[np.int64]:
    """The most probable language of every word, before and after which the text is in ``home``: shape (N, T)."""
    longest = max(map(len, evidence))
    num_codes = evidence[0].shape[1]
    padded = np.zeros((len(evidence), longest, num_codes))  # behind its end a text says nothing
    for number, rows in enumerate(evidence):
        padded[number, : len(rows)] = rows
    change = COST * (1 - np.eye(num_codes))
    best = np.tile(-change[home], (len(evidence), 1))
    came_from = np.zeros((longest, len(evidence), num_codes), dtype=np.int64)
    for step in range(longest):
        if step:
            reached = best[:, :, None] - change
            came_from[step] = reached.argmax(axis=1)
            best = reached.max(axis=1)
        best = best + padded[:, step]
    states = np.full((len(evidence), longest), home)
    last = (best - change[:, home]).argmax(axis=1)
    for step in range(longest - 1, -1, -1):
        states[:, step] = last
        last = came_from[step][np.arange(len(evidence)), last]
    return states


def _spans(text: str, states: Sequence[int], codes: Sequence[str], home: int) -> Iterator[Span]:
    places = [match.span() for match in WORD.finditer(text)]
    start = 0
    for stop in range(1, len(states) + 1):
        if stop == len(states) or states[stop] != states[start]:
            if states[start] != home:
                yield Span(places[start][0], places[stop - 1][1], codes[states[start]], stop - start)
            start = stop
