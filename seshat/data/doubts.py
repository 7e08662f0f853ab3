"""Reasons not to believe a speech recogniser: what it makes up looks fluent, so every utterance has to pass these guards."""

from __future__ import annotations

import math
import zlib

import numpy as np
import regex
from pydantic import Field

from seshat.config import Section
from seshat.engines.speech import SAMPLE_RATE, Heard, Samples
from seshat.language import words

_REPEATED = regex.compile(r"(?<!\S)(\S+(?: \S+){0,5}?)(?: \1){3,}(?!\S)")
"""One to six words, four times in a row or more."""


class Guards(Section):
    """From which doubt on an utterance is rejected."""

    min_confidence: float = Field(0.5, ge=0, le=1)
    """The geometric mean of the token probabilities; Whisper's own limit is 0.37."""
    max_no_speech: float = Field(0.6, ge=0, le=1)
    """How probable the engine may find it that nobody speaks."""
    min_loudness: float = Field(-55.0, le=0)
    """In dB below full scale; where the loudest fifth of a second is quieter, nobody speaks."""
    max_compression: float = Field(2.4, gt=1)
    """How much smaller zlib may make the text: a loop shrinks to nothing."""
    min_chars_per_second: float = Field(1.0, ge=0)
    max_chars_per_second: float = Field(30.0, gt=0)
    """Nobody speaks faster; fluent Spanish has about 15."""
    echoes: bool = True
    """Reject what the engine also writes for as much silence (see ``seshat.data.echoes``)."""

    def doubt(self, heard: Heard, samples: Samples) -> str:
        """Why an utterance is not to be believed, beginning with one word for the count; empty if it is."""
        seconds = max(0.01, heard.end - heard.start)
        rate = len(heard.text) / seconds
        loudness = loudest(samples[int(heard.start * SAMPLE_RATE) : int(heard.end * SAMPLE_RATE)])
        if not any(letter.isalpha() for letter in heard.text):
            return "empty: not one letter was heard"
        if heard.no_speech > self.max_no_speech:
            return f"silence: the engine finds it {heard.no_speech:.0%} probable that nobody speaks"
        if loudness < self.min_loudness:
            return f"silence: its loudest moment has {loudness:.0f} dB"
        if repeated := repetition(heard.text, self.max_compression):
            return f"repetition: {repeated}"
        if not self.min_chars_per_second <= rate <= self.max_chars_per_second:
            return f"rate: {len(heard.text)} characters in {seconds:.1f} s"
        if heard.confidence < self.min_confidence:
            return f"confidence: {heard.confidence:.2f} is below {self.min_confidence:g}"
        return ""


def repetition(text: str, max_compression: float) -> str:
    """What a text repeats more than people do; empty if nothing."""
    loop = _REPEATED.search(" ".join(words(text)))
    if loop:
        return f"{loop[1][:60]!r} again and again"
    data = text.encode()
    compression = len(data) / len(zlib.compress(data))
    return f"the text can be packed {compression:.1f} times" if compression > max_compression else ""


def loudest(samples: Samples) -> float:
    """The level of the loudest fifth of a second, in dB below full scale; -120 for digital silence."""
    size = SAMPLE_RATE // 5
    frames = samples[: len(samples) // size * size].reshape(-1, size) if len(samples) >= size else samples[None, :]
    power = float((frames.astype(np.float64) ** 2).mean(axis=1).max()) if frames.size else 0.0
    return 10 * math.log10(max(power, 1e-12))
