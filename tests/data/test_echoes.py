"""What an engine also writes for silence is not believed."""

from __future__ import annotations

import numpy as np
import pytest

from seshat.data.echoes import Echoes
from seshat.engines.speech import SAMPLE_RATE, Heard, Samples


class Dreamer:
    """Writes thanks where nobody speaks, and may say that nobody does."""

    def __init__(self, no_speech: float) -> None:
        self.no_speech, self.asked = no_speech, list[tuple[float, str]]()

    def transcribe(self, samples: Samples, *, language: str = "", everywhere: bool = False) -> list[Heard]:
        assert everywhere
        assert np.abs(samples).max() < 0.02
        self.asked.append((len(samples) / SAMPLE_RATE, language))
        return [Heard("¡Gracias por ver!", 0.0, 1.0, 0.9, no_speech=self.no_speech)]


@pytest.mark.parametrize(
    ("text", "no_speech", "doubt"),
    [
        ("Gracias por ver.", 0.1, "silence: the engine writes the same for 4 s of silence"),
        ("Gracias por venir.", 0.1, ""),
        ("Gracias por ver.", 0.9, ""),
    ],
    ids=["an echo", "something else", "the engine says itself that nobody speaks there"],
)
def test_an_echo_of_silence_is_named(text: str, no_speech: float, doubt: str) -> None:
    assert Echoes(Dreamer(no_speech), 0.6).doubt(Heard(text, 2.0, 5.0, 0.9), "es") == doubt


def test_an_engine_is_asked_once_for_each_length_and_language() -> None:
    engine = Dreamer(0.1)
    echoes = Echoes(engine, 0.6)
    for seconds in (3.0, 3.5, 1.5, 60.0, 3.0):
        echoes.doubt(Heard("Sisi.", 0.0, seconds, 0.9), "es")
    echoes.doubt(Heard("Sisi.", 0.0, 3.0, 0.9), "")
    assert engine.asked == [(4.0, "es")] * 2 + [(2.0, "es")] * 2 + [(28.0, "es")] * 2 + [(4.0, "")] * 2
