"""Sentences are found in a recording of them; what cannot belong together is refused."""

from __future__ import annotations

import itertools
from itertools import pairwise

import numpy as np
import pytest

from seshat.data.readers import RefusedError
from seshat.data.sounds import FRAME, listen
from seshat.data.timing import Span, align_transcript
from seshat.data.timing_kernels import follow
from seshat.engines.speech import SAMPLE_RATE, Samples
from seshat.sample import speech
from tests.recordings import tone

SPOKEN = [
    "Sisi ñochünenu yayokala.",
    "Taki waru.",
    "Sisi lamotüma yayokala wukuchan nosima.",
    "Nosima mawirrila taki.",
    "Waru sisi ñochünenu lamotüma.",
]


def said(sentences: list[str], *, pause: float = 0.4, noise: float = 1e-3) -> tuple[Samples, list[float]]:
    """A recording, and where the middle of each pause between two sentences is."""
    rest = np.zeros(int(pause * SAMPLE_RATE), np.float32)
    pieces, borders = [rest], []
    for sentence in sentences:
        samples = speech.synthesise(sentence)
        loud = np.flatnonzero(np.abs(samples) > 0.004)
        pieces += [samples[loud[0] : loud[-1] + 1], rest]
        borders.append(sum(map(len, pieces)) / SAMPLE_RATE - pause / 2)
    samples = np.concatenate(pieces)
    hiss = noise * np.random.default_rng(1).standard_normal(len(samples))
    return (samples + hiss).astype(np.float32), borders[:-1]


def between(spans: list[Span]) -> list[float]:
    return [(one.end + other.start) / 2 for one, other in pairwise(spans)]


needs_voice = pytest.mark.skipif(not speech.available(), reason="espeak-ng is not installed")


@needs_voice
@pytest.mark.parametrize(("pause", "noise"), [(0.6, 1e-3), (0.1, 1e-3), (0.4, 8e-3)])
def test_sentences_are_found_where_they_are_said(pause: float, noise: float) -> None:
    samples, borders = said(SPOKEN, pause=pause, noise=noise)
    spans = align_transcript(samples, SPOKEN)
    assert np.abs(np.array(between(spans)) - borders).max() < 0.3
    assert min(span.score for span in spans) > 0.5
    assert all(span.start < span.end for span in spans)


@needs_voice
def test_letters_that_nobody_knows_are_learnt() -> None:
    georgian = ["".join(chr(0x10D0 + ord(letter) % 33) if letter.isalpha() else letter for letter in text.lower()) for text in SPOKEN]
    samples, borders = said(SPOKEN)
    assert np.abs(np.array(between(align_transcript(samples, georgian))) - borders).max() < 0.3


@needs_voice
def test_a_sentence_that_is_not_said_has_a_low_score() -> None:
    samples, _ = said(SPOKEN[:2] + SPOKEN[3:])
    scores = [span.score for span in align_transcript(samples, SPOKEN)]
    assert scores[2] < 0.5


def test_without_a_voice_pauses_and_lengths_decide() -> None:
    spans = align_transcript(tone(2.0, 0.5, 1.0), ["Kaya mala tawa naka sala.", "Taka.", "Mala taka wa."])
    assert [round(border, 1) for border in between(spans)] == [3.5, 5.0]


def test_one_sentence_has_all_that_is_said() -> None:
    (span,) = align_transcript(tone(2.0), ["Kaya mala tawa."])
    assert (round(span.start, 1), round(span.end, 1)) == (1.0, 3.0)


@pytest.mark.parametrize(
    ("samples", "sentences", "reason"),
    [
        (tone(2.0), [], "empty"),
        (tone(2.0), ["Kaya.", "..."], "empty"),
        (np.zeros(32_000, np.float32), ["Kaya."], "silence"),
        (np.zeros(0, np.float32), ["Kaya."], "silence"),
        (np.zeros(10, np.float32), ["Kaya."], "silence"),
        (tone(1.0), ["Kaya mala tawa naka sala."] * 9, "length"),
        (tone(0.05, pause=0.01), ["Kaya"] * 3, "length"),
    ],
)
def test_what_cannot_be_aligned_is_refused_with_the_reason(samples: Samples, sentences: list[str], reason: str) -> None:
    with pytest.raises(RefusedError, match=f"^{reason}: "):
        align_transcript(samples, sentences)


def test_frames_know_where_nobody_speaks() -> None:
    sounds = listen(tone(1.0, pause=1.0))
    assert sounds.vectors.shape == (150, 13)
    assert np.flatnonzero(~sounds.quiet)[[0, -1]] * FRAME == pytest.approx([1.0, 2.0], abs=0.04)


# The kernel


@pytest.mark.parametrize("seed", range(20))
def test_the_cheapest_way_is_that_of_all_ways(seed: int) -> None:
    rng = np.random.default_rng(seed)
    num_frames, num_states = 7, int(rng.integers(1, 7))
    costs = rng.random((num_frames, 4)).astype(np.float32)
    quiet, labels = rng.random(num_frames) < 0.4, rng.integers(0, 4, num_states).astype(np.int32)
    moves = np.where(rng.random((num_states, 4)) < 0.2, np.inf, rng.random((num_states, 4)))
    begins, units, cost = follow(costs, quiet, labels, np.arange(num_states, dtype=np.int32), moves, 100)
    ways = [way for way in itertools.product(range(num_states), repeat=num_frames) if way[0] < 2 and way[-1] >= num_states - 2]
    priced = [(_price(way, costs, quiet, labels, moves), way) for way in ways if all(0 <= b - a <= 3 for a, b in pairwise(way))]
    cheapest = min(priced, default=(np.inf, ()))
    assert cost == pytest.approx(cheapest[0], abs=1e-5)
    if np.isfinite(cost):
        assert tuple(np.repeat(units, np.diff([*begins, num_frames]))) == cheapest[1]


def _price(way: tuple[int, ...], costs: np.ndarray, quiet: np.ndarray, labels: np.ndarray, moves: np.ndarray) -> float:
    total = float(costs[0, labels[way[0]]])
    for frame, (before, state) in enumerate(pairwise(way), 1):
        step, here = state - before, float(costs[frame, labels[state]])
        stay = min(here + moves[state, 0], moves[state, 1] if quiet[frame] else np.inf)
        total += stay if step == 0 else here + (moves[state, step] if step > 1 else 0.0)
    return total


def test_what_no_way_needs_any_more_is_forgotten() -> None:
    num_frames, num_units = 12_000, 3_000
    labels = (np.arange(num_units) % 7).astype(np.int32)
    costs = np.ones((num_frames, 7), np.float32)
    costs[np.arange(num_frames), np.arange(num_frames) // 4 % 7] = 0.0
    begins, units, cost = follow(
        costs, np.zeros(num_frames, np.bool_), labels, np.arange(num_units, dtype=np.int32), np.zeros((num_units, 4)), 800
    )
    assert cost == 0
    assert (begins == 4 * np.arange(num_units)).all()
    assert (units == np.arange(num_units)).all()
