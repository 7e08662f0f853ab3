"""What an engine writes where nobody speaks. It is no sign of anything, so it is not believed where somebody may speak either."""

from __future__ import annotations

import numpy as np

from seshat.engines.speech import SAMPLE_RATE, Heard, Samples, SpeechEngine
from seshat.language import words

LENGTHS = (1, 2, 4, 8, 16, 28)
"""Seconds of silence for which an engine is asked, once each: an utterance is compared with the silence that is just as long or longer."""
_LEVELS = (0.0, 0.002)
"""Digital silence, and the noise of a quiet room (-54 dB)."""


class Echoes:
    """Asks an engine about silence, and keeps the answers: once for each length and language."""

    def __init__(self, engine: SpeechEngine, max_no_speech: float) -> None:
        self._engine, self._max_no_speech = engine, max_no_speech
        self._known: dict[tuple[int, str], frozenset[tuple[str, ...]]] = {}

    def doubt(self, heard: Heard, language: str) -> str:
        """Why what was heard may be an echo of nothing; empty if the engine does not write it for silence.

        What it writes there while it says itself that nobody speaks does no harm, and is not held against the same words elsewhere.
        """
        length = next((length for length in LENGTHS if length >= heard.end - heard.start), LENGTHS[-1])
        if (length, language) not in self._known:
            self._known[length, language] = frozenset(
                tuple(words(one.text))
                for level in _LEVELS
                for one in self._engine.transcribe(_silence(length, level), language=language, everywhere=True)
                if one.no_speech <= self._max_no_speech
            )
        said = tuple(words(heard.text))
        return f"silence: the engine writes the same for {length} s of silence" if said in self._known[length, language] else ""


def _silence(seconds: int, level: float) -> Samples:
    noise = np.random.default_rng(seconds).standard_normal(seconds * SAMPLE_RATE, dtype=np.float32)
    return noise * np.float32(level)
