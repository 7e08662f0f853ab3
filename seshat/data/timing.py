"""When each sentence of a transcript is said: forced alignment without a model, from what the recording itself teaches.

A text is a row of letters, each of which lasts a while and sounds like something. At first only how long and how loud is known, by the
kind of letter (a vowel is longer and louder than a stop). The cheapest way through the recording then says which frames each letter
has, these frames what it sounds like, and that a better way: the flat start of speech recognisers (Rabiner, 1989) for one recording
alone. Silence costs nothing between sentences, a little after a word, and most inside one.
"""

# T frames, S states, L labels (0 is the pause), D dimensions

from __future__ import annotations

import math
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seshat.data.readers import RefusedError
from seshat.data.sounds import FRAME, Sounds, Vectors, listen
from seshat.engines.speech import Samples
from seshat.language import words

_KINDS = {"vowel": "aeiou", "stop": "ptkqcbdgx", "hiss": "szfjh", "nasal": "mn", "liquid": "lrwyv"}
_FRAMES = {"vowel": 4.5, "stop": 4.0, "hiss": 5.0, "nasal": 3.5, "liquid": 3.0, "digit": 15.0}
"""How long a letter lasts in comparison; a digit is a word."""
_LOUDNESS = {"vowel": 1.0, "stop": 0.45, "hiss": 0.55, "nasal": 0.75, "liquid": 0.8, "digit": 0.8}
"""From noise (0) to speech (1)."""
_PASSES = 6
"""At most; after four the borders of most recordings do not move any more."""
_CHANGE = 0.15
"""What a frame costs by which a letter is longer or shorter than expected. The distance of a letter from its own sound is about 0.5."""
_AFTER_WORD = 0.35
_INSIDE_WORD = 0.8
"""What a frame of silence costs there."""
_UNSAID = 2.0
"""What a frame of speech costs between two sentences."""
_FARTHEST = 2.0
"""No frame is farther from a sound: a cough is not the end of the world."""
_TRUST = 20.0
"""So many frames of its kind stand behind every letter, as rare ones are heard too seldom."""
_DOUBT = 0.08
"""How much nearer another letter may be, in the mean over a sentence, for a score of 0.5. Right sentences have 0.01 to 0.06."""
_BEAM = 6_000
"""States around the best that are looked at: about two minutes of speech."""
_MOST_LETTERS = 35.0
"""Letters a second that nobody can speak: a transcript with more belongs to another recording."""

Ints = NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Span:
    """When a sentence is said."""

    start: float
    """Seconds from the start of the recording."""
    end: float
    score: float
    """How well the sentence fits what is heard there, from 0 to 1; under 0.5 it is hardly what is said."""


@dataclass(frozen=True, slots=True)
class _States:
    """A text as a row of states, with the moves that ``timing_kernels.follow`` knows."""

    labels: Ints
    units: Ints
    moves: NDArray[np.float64]
    sentences: Ints
    """The sentence of each unit (a letter or a pause); -1 for a pause."""


def align_transcript(samples: Samples, sentences: Sequence[str]) -> list[Span]:
    """When each sentence of a recording is said, in order; nothing else may be said for long, and nothing of it left out.

    Refused: a sentence without a letter, a recording without speech, and a text that is too long for the recording.
    """
    texts = [[[letter for letter in word if letter.isalnum()] for word in words(sentence)] for sentence in sentences]
    sounds = listen(samples)
    refuse_impossible([sum(map(len, text)) for text in texts], sounds)
    from seshat.data.timing_kernels import follow

    alphabet = sorted({letter for text in texts for word in text for letter in word})
    kinds = [_kind(letter) for letter in alphabet]
    states = _states(texts, _durations(texts, alphabet, kinds, sounds))
    means = np.zeros((len(alphabet), sounds.vectors.shape[1]), np.float32)
    means[:, -1] = [_LOUDNESS[kind] for kind in kinds]
    first = means
    frames = states.labels[:0]
    for turn in range(_PASSES):
        costs = _costs(sounds, means, only_loudness=turn == 0)
        begins, units, cost = follow(costs, sounds.quiet, states.labels, states.units, states.moves, _BEAM)
        if not math.isfinite(cost):
            raise RefusedError("length: the transcript is too long for the recording; is it that of another one?")
        before, frames = frames, np.repeat(units, np.diff([*begins, len(costs)]))
        if np.array_equal(before, frames):
            break
        means = _heard(sounds, _labels(states)[frames], first, kinds)
    return _spans(len(texts), states.sentences[frames], _labels(states)[frames], costs, sounds)


def refuse_impossible(num_letters: Sequence[int], sounds: Sounds) -> None:
    """Refuse what cannot be aligned at all."""
    if not num_letters:
        raise RefusedError("empty: the transcript holds no sentence")
    if not all(num_letters):
        raise RefusedError(f"empty: sentence {num_letters.index(0) + 1} of the transcript has no letter")
    if not sounds.speaks:
        raise RefusedError("silence: nobody speaks in the recording, as far as can be heard")
    seconds = float((~sounds.quiet).sum()) * FRAME
    if sum(num_letters) > _MOST_LETTERS * seconds:
        raise RefusedError(
            f"length: the transcript has {sum(num_letters):,} letters for {seconds:.1f} s of speech; is it that of another recording?"
        )


def _kind(letter: str) -> str:
    """What sort of sound a letter is, by its base in the Latin script, else by the name that Unicode gives it (``GEORGIAN LETTER KAN``)."""
    base = unicodedata.normalize("NFD", letter)[0]
    if base.isdecimal():
        return "digit"
    if not base.isascii():
        name = unicodedata.name(base, "X").rpartition(" ")[2].lower()
        base = name[1] if len(name) == 2 and name[0] == "e" else name[0]  # EL, EM and EN are no vowels
    return next((kind for kind, letters in _KINDS.items() if base in letters), "stop")


def _durations(texts: list[list[list[str]]], alphabet: list[str], kinds: list[str], sounds: Sounds) -> dict[str, tuple[int, float]]:
    """The label and the expected frames of each letter, so that all of them together are as long as there is speech."""
    expected = {letter: _FRAMES[kind] for letter, kind in zip(alphabet, kinds, strict=True)}
    total = sum(expected[letter] for text in texts for word in text for letter in word)
    rate = float((~sounds.quiet).sum()) / total
    return {letter: (label, rate * expected[letter]) for label, letter in enumerate(alphabet, 1)}


def _states(texts: list[list[list[str]]], durations: dict[str, tuple[int, float]]) -> _States:
    """A pause that may be left out before each sentence and after the last; a letter has as many states as frames are expected."""
    labels, units, rest, sentences = [0], [0], [0.0], [-1]
    for number, text in enumerate(texts):
        expected, taken = 0.0, 0
        for word in text:
            for place, letter in enumerate(word, 1):
                label, duration = durations[letter]
                expected += duration
                length = max(1, round(expected - taken))
                taken += length
                labels += [label] * length
                units += [len(sentences)] * length
                rest += [_AFTER_WORD if place == len(word) else _INSIDE_WORD] * length
                sentences.append(number)
        labels.append(0)
        units.append(len(sentences))
        rest.append(0.0)
        sentences.append(-1)
    moves = np.zeros((len(labels), 4))
    pause = np.array(labels) == 0
    moves[:, 0] = np.where(pause, 0.0, _CHANGE)
    moves[:, 1] = rest
    _set_skips(moves, pause)
    return _States(np.array(labels, np.int32), np.array(units, np.int32), moves, np.array(sentences, np.int32))


def _set_skips(moves: NDArray[np.float64], pause: NDArray[np.bool_]) -> None:
    """To leave out one or two frames of a letter costs, to leave out a pause nothing; a pause is come to from the frame before alone."""
    missed = np.where(pause, 0.0, _CHANGE)
    moves[2:, 2] = missed[1:-1]
    moves[3:, 3] = missed[2:-1] + missed[1:-2]
    moves[3:, 3][pause[:-3]] = np.inf
    moves[pause, 2:] = np.inf


def _costs(sounds: Sounds, means: Vectors, *, only_loudness: bool) -> NDArray[np.float32]:
    """What each frame costs as a pause and as each letter (T, L)."""
    costs = np.empty((len(sounds.vectors), 1 + len(means)), np.float32)
    costs[:, 0] = np.where(sounds.quiet, 0.0, _UNSAID)
    vectors, means = (sounds.vectors[:, -1:], means[:, -1:]) if only_loudness else (sounds.vectors, means)
    for label, mean in enumerate(means, 1):
        costs[:, label] = np.minimum(np.sqrt(((vectors - mean) ** 2).sum(axis=1)), _FARTHEST)
    return costs


def _heard(sounds: Sounds, labels: Ints, first: Vectors, kinds: list[str]) -> Vectors:
    """What each letter sounds like (L, D): the mean of its frames, drawn to that of its kind, which is drawn to what is expected."""
    spoken = np.where(sounds.quiet, 0, labels)
    sums = np.stack([np.bincount(spoken, values, len(first) + 1)[1:] for values in sounds.vectors.T], axis=1)
    counts = np.bincount(spoken, minlength=len(first) + 1)[1:, None]
    means = np.empty_like(first)
    for kind in set(kinds):
        same = np.array([one == kind for one in kinds])
        of_kind = (sums[same].sum(axis=0) + _TRUST * first[same][0]) / (counts[same].sum() + _TRUST)
        means[same] = (sums[same] + _TRUST * of_kind) / (counts[same] + _TRUST)
    return means


def _labels(states: _States) -> Ints:
    """The label of each unit."""
    return states.labels[np.searchsorted(states.units, np.arange(len(states.sentences)))]


def _spans(num_sentences: int, sentences: Ints, labels: Ints, costs: NDArray[np.float32], sounds: Sounds) -> list[Span]:
    """Each sentence from its first frame to its last, with how much nearer than its letters others are to what is heard."""
    nearer = costs[np.arange(len(costs)), labels] - costs[:, 1:].min(axis=1)
    spans = []
    for number in range(num_sentences):
        stretch = np.flatnonzero(sentences == number)
        first, after = int(stretch[0]), int(stretch[-1]) + 1
        said = ~sounds.quiet[first:after]
        doubt = float(nearer[first:after][said].mean()) if said.any() else math.inf
        spans.append(Span(round(first * FRAME, 3), round(after * FRAME, 3), 1 / (1 + (doubt / _DOUBT) ** 2)))
    return spans
