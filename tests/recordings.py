"""Recordings that are made on the spot: tones with pauses, in any format."""

from __future__ import annotations

import io

import av
import numpy as np

from seshat.engines.speech import SAMPLE_RATE, Samples


def tone(*stretches: float, loudness: float = 0.5, pause: float = 1.0, rate: int = SAMPLE_RATE) -> Samples:
    """Stretches of 440 Hz of so many seconds, with pauses around them."""
    rest = np.zeros(int(pause * rate))
    parts = [rest]
    for seconds in stretches:
        parts += [loudness * np.sin(2 * np.pi * 440 * np.arange(int(seconds * rate)) / rate), rest]
    return np.concatenate(parts).astype(np.float32)


def encoded(samples: Samples, container: str, codec: str, rate: int, channels: int = 2) -> bytes:
    """Samples as the bytes of a file."""
    buffer, layout = io.BytesIO(), {1: "mono", 2: "stereo"}[channels]
    with av.open(buffer, "w", format=container) as file:
        stream = file.add_stream(codec, rate=rate, layout=layout)
        resampler = av.AudioResampler(format=stream.format.name, layout=layout, rate=rate)
        frame = av.AudioFrame.from_ndarray(np.stack([samples] * channels), format="fltp", layout=layout)
        frame.sample_rate = rate
        for block in (*resampler.resample(frame), *resampler.resample(None)):
            file.mux(stream.encode(block))
        file.mux(stream.encode(None))
    return buffer.getvalue()


def wav(samples: Samples) -> bytes:
    """Mono, 16 kHz."""
    return encoded(samples, "wav", "pcm_s16le", SAMPLE_RATE, 1)
