"""What a recording sounds like, frame by frame: cepstra, loudness, and where nobody speaks."""

# T frames, N samples of a window, B bands

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seshat.engines.speech import SAMPLE_RATE, Samples

FRAME = 0.02
"""Seconds from one frame to the next."""
HOP = round(FRAME * SAMPLE_RATE)
_WINDOW = 400
_FFT = 512
_NUM_BANDS = 26
_NUM_CEPSTRA = 12
_LOWEST, _HIGHEST = 100.0, 7_000.0
"""Hertz."""
_BLOCK = 3_000
"""Frames that are looked at together: a minute."""
_RANGE = 50.0
"""Decibels below speech at which the noise of a room is at the quietest; digital silence says nothing about speech."""
_QUIET = 0.35
"""Where between noise and speech silence ends."""
_NOTHING = -95.0
"""Decibels below full scale under which no sound is."""

Vectors = NDArray[np.float32]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Sounds:
    """A recording as frames."""

    vectors: Vectors
    """(T, 13): twelve cepstra with the mean and spread of speech taken out, and the loudness from 0 (noise) to 1 (speech)."""
    quiet: Flags
    """(T): nobody speaks."""

    @property
    def speaks(self) -> bool:
        """True if there is something above the noise."""
        return not bool(self.quiet.all())


def listen(samples: Samples) -> Sounds:
    """The frames of a recording; one of less than a frame has one all the same."""
    blocks = [_block(samples, start) for start in range(0, max(1, len(samples) // HOP), _BLOCK)]
    cepstra, loudness = np.concatenate([one for one, _ in blocks]), np.concatenate([one for _, one in blocks])
    noise, speech = levels(loudness)
    quiet = (loudness < noise + _QUIET * (speech - noise)) | (loudness < _NOTHING)
    heard = cepstra[~quiet] if not quiet.all() else cepstra
    spread = np.maximum(heard.std(axis=0), 1e-3) * np.sqrt(2 * _NUM_CEPSTRA)
    level = np.clip((loudness - noise) / max(1.0, speech - noise), -0.2, 1.2)
    return Sounds(np.column_stack([(cepstra - heard.mean(axis=0)) / spread, level]).astype(np.float32), quiet)


def levels(loudness: NDArray[np.float32]) -> tuple[float, float]:
    """The levels of noise and of speech in decibels."""
    loud = loudness[loudness > float(np.percentile(loudness, 99.5)) - _RANGE / 2]
    speech = float(np.percentile(loud, 90)) if len(loud) else 0.0
    noise = float(np.percentile(loudness, 5))
    return max(noise, speech - _RANGE), speech


def _block(samples: Samples, start: int) -> tuple[Vectors, NDArray[np.float32]]:
    """The cepstra and the loudness of some frames from one on."""
    stop = min(start + _BLOCK, max(1, len(samples) // HOP))
    needed = (stop - start - 1) * HOP + _WINDOW
    piece = samples[start * HOP : start * HOP + needed].astype(np.float32)
    piece = np.pad(piece, (0, needed - len(piece)))
    frames = np.lib.stride_tricks.sliding_window_view(piece, _WINDOW)[::HOP]
    loudness = 10 * np.log10((frames**2).mean(axis=1) + 1e-10)
    sharper = np.append(piece[:1], piece[1:] - np.float32(0.97) * piece[:-1])
    frames = np.lib.stride_tricks.sliding_window_view(sharper, _WINDOW)[::HOP]
    power = np.abs(np.fft.rfft(frames * np.hamming(_WINDOW).astype(np.float32), _FFT)) ** 2
    return (np.log(power @ _bands() + 1e-7) @ _cosines()).astype(np.float32), loudness.astype(np.float32)


@cache
def _bands() -> NDArray[Any]:
    """The triangular filters of the mel scale."""
    lowest, highest = (2595 * np.log10(1 + hertz / 700) for hertz in (_LOWEST, _HIGHEST))
    corners = 700 * (10 ** (np.linspace(lowest, highest, _NUM_BANDS + 2) / 2595) - 1)
    hertz = np.arange(_FFT // 2 + 1) * SAMPLE_RATE / _FFT
    rising = (hertz[:, None] - corners[None, :-2]) / (corners[1:-1] - corners[:-2])
    falling = (corners[None, 2:] - hertz[:, None]) / (corners[2:] - corners[1:-1])
    filters: NDArray[Any] = np.clip(np.minimum(rising, falling), 0, None)
    return filters


@cache
def _cosines() -> NDArray[Any]:
    """The cosine transform of the bands, without the first, which is loudness."""
    places = np.pi * (np.arange(_NUM_BANDS) + 0.5) / _NUM_BANDS
    cosines: NDArray[Any] = np.cos(places[:, None] * np.arange(1, _NUM_CEPSTRA + 1)) * np.sqrt(2 / _NUM_BANDS)
    return cosines
