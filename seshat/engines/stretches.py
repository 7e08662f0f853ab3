"""Where in a recording to listen: where Silero finds speech, or everywhere, in pieces that fit a recogniser's window."""

from __future__ import annotations

import numpy as np

from seshat.engines.speech import SAMPLE_RATE, Listening, Samples
from seshat.errors import EngineError

WINDOW = 28.0
"""Seconds that are given to an engine at once; Whisper's window holds 30."""
_PADDING_MS = 200
"""What is kept before and after speech, so that no sound is cut."""
_CUT = 5.0
"""Seconds before the end of a window in which the quietest moment is looked for, to cut there."""
_QUIET = SAMPLE_RATE // 5
"""Samples of such a moment."""


def stretches(samples: Samples, listening: Listening, *, everywhere: bool = False) -> list[tuple[int, int]]:
    """First and last sample of every piece to listen to, in order; none is longer than ``WINDOW``."""
    if not len(samples):
        return []
    if everywhere or not listening.vad:
        return _windows(samples)
    try:
        from faster_whisper.vad import VadOptions, get_speech_timestamps  # heavy
    except ImportError:
        raise EngineError(
            "Looking for speech needs the package faster-whisper: run 'make install', or set transcribe.vad to false"
        ) from None
    options = VadOptions(
        min_silence_duration_ms=round(listening.pause * 1000),
        speech_pad_ms=_PADDING_MS,
        max_speech_duration_s=WINDOW,
    )
    return [(stretch["start"], stretch["end"]) for stretch in get_speech_timestamps(samples, options)]


def _windows(samples: Samples) -> list[tuple[int, int]]:
    """All of a recording, cut where it is quiet."""
    size, start, found = round(WINDOW * SAMPLE_RATE), 0, list[tuple[int, int]]()
    while len(samples) - start > size:
        tail = samples[start + size - round(_CUT * SAMPLE_RATE) : start + size]
        power = np.concatenate(([0.0], np.cumsum(tail.astype(np.float64) ** 2)))
        stop = start + size - len(tail) + int(np.argmin(power[_QUIET:] - power[:-_QUIET])) + _QUIET // 2
        found.append((start, stop))
        start = stop
    return [*found, (start, len(samples))]
