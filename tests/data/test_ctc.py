"""The best way through emissions is that of all ways, whatever the recogniser does not know."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from seshat.data.ctc import Vocabulary, align_emissions
from seshat.data.readers import RefusedError

LETTERS = Vocabulary(letters=("<pad>", "|", "a", "b", "k"), blank=0)
CLOSE = Vocabulary(letters=("<pad>", "a", "b"), blank=0)


def log_probs(num_frames: int, num_letters: int, seed: int) -> np.ndarray:
    values = np.random.default_rng(seed).normal(size=(num_frames, num_letters)) * 2
    return (values - np.log(np.exp(values).sum(axis=1, keepdims=True))).astype(np.float32)


def collapsed(way: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(one for one, _ in itertools.groupby(way) if one != 0)


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("sentences", [["ab"], ["aa"], ["a", "b"], ["ab", "a"]])
def test_the_way_is_the_most_probable_one_that_says_the_text(seed: int, sentences: list[str]) -> None:
    found = log_probs(6, 3, seed)
    text = tuple(CLOSE.letters.index(letter) for letter in "".join(sentences))
    ways = [way for way in itertools.product(range(3), repeat=6) if collapsed(way) == text]
    best = max(ways, key=lambda way: sum(found[frame, one] for frame, one in enumerate(way)))
    spans = align_emissions(found, CLOSE, sentences, seconds=6.0)
    groups, frame = [], 0
    for one, same in itertools.groupby(best):
        length = len(list(same))
        groups += [(frame, frame + length)] if one else []
        frame += length
    ends = np.cumsum([len(sentence) for sentence in sentences])
    assert [(span.start, span.end) for span in spans] == [
        (groups[end - len(sentence)][0], groups[end - 1][1]) for end, sentence in zip(ends, sentences, strict=True)
    ]


def spelt(said: str, *, sure: float = 0.9) -> np.ndarray:
    """Emissions of a recogniser that hears one letter a frame; ``.`` is the blank, ``?`` a letter that it does not know."""
    rows = np.full((len(said), 5), (1 - sure) / 4)
    for frame, letter in enumerate(said):
        rows[frame] = 0.25 if letter == "?" else rows[frame]
        rows[frame, 0 if letter in "." else LETTERS.letters.index(letter) if letter != "?" else 0] = 0.0 if letter == "?" else sure
    return np.log(np.maximum(rows, 1e-6)).astype(np.float32)


def test_sentences_are_found_with_their_score() -> None:
    spans = align_emissions(spelt("..aab.|.k.aa.."), LETTERS, ["Ab!", "K a."], seconds=1.4)
    assert [(span.start, span.end) for span in spans] == [(0.2, 0.5), (0.8, 1.2)]
    assert spans[0].score == pytest.approx(0.9, abs=0.3)


def test_letters_that_the_recogniser_does_not_know_are_passed_over() -> None:
    first, second = align_emissions(spelt("..ab.|.??.|.kb."), LETTERS, ["añb", "ñññ kb"], seconds=15.0)
    assert (first.start, first.end) == (2.0, 4.0)
    assert (second.start, second.end) == (7.0, 14.0)


@pytest.mark.parametrize(("sentences", "reason"), [(["ab" * 9], "length"), (["ab", "!"], "empty"), ([], "empty")])
def test_what_cannot_be_aligned_is_refused(sentences: list[str], reason: str) -> None:
    with pytest.raises(RefusedError, match=rf"^{reason}: "):
        align_emissions(spelt("..aab.|.k.aa.."), LETTERS, sentences, seconds=1.4)


def test_an_empty_recording_is_refused() -> None:
    with pytest.raises(RefusedError, match=r"^silence: "):
        align_emissions(np.zeros((0, 5), np.float32), LETTERS, ["ab"], seconds=0.0)
