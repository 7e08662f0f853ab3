"""Synthesised speech in Tamuri: a Spanish voice of espeak-ng that reads a respelling."""

from __future__ import annotations

import html
import io
import shutil
import subprocess
import wave
from math import gcd
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from seshat.errors import EngineError
from seshat.sample.grammar import Grammar, Sentence
from seshat.sample.phonology import GLOTTAL

SAMPLE_RATE = 16_000
"""Samples a second of everything here."""

VOICES = ("es", "es+f2", "es+m3", "es+f4")
NUM_SPOKEN = 36
_SPOKEN_STREAM = 7
_LONGEST = 7
"""Words of a spoken sentence."""
_RESPELLING = {"h": "j", "sj": "s", "cj": "ch", "w": "gu", "ü": "iu", GLOTTAL: '<break time="70ms"/>'}
"""In this order: h is silent in Spanish, but sh and ch are not touched by that."""

Samples = NDArray[np.float32]


def spoken_sentences(seed: int = 1) -> list[Sentence]:
    """The fixed inventory of the recordings: short statements. A grammar of the seed must say them before all others."""
    return spoken_by(Grammar(seed))


def spoken_by(grammar: Grammar) -> list[Sentence]:
    """The inventory from a fresh grammar, which from then on does not repeat it."""
    candidates = grammar.sentences(NUM_SPOKEN * 6, stream=_SPOKEN_STREAM)
    fitting = [s for s in candidates if s.text.endswith(".") and "," not in s.text and 3 <= len(s.text.split()) <= _LONGEST]
    return fitting[:NUM_SPOKEN]


def available() -> bool:
    """Whether espeak-ng is installed."""
    return shutil.which("espeak-ng") is not None


def synthesise(text: str, *, speed: int = 150, pitch: int = 50, voice: str = "es") -> Samples:
    """A sentence in Tamuri as mono samples at 16 kHz between -1 and 1, the same for the same arguments.

    ``speed`` is in words a minute (80 to 450), ``pitch`` goes from 0 to 99; the glottal stop is a short silence.
    """
    if not available():
        raise EngineError("speech is synthesised by espeak-ng, which is not installed: run 'apt-get install espeak-ng' (Debian, Ubuntu)")
    command = ["espeak-ng", "-m", "-v", voice, "-s", str(speed), "-p", str(pitch), "--stdin", "--stdout"]
    spoken = subprocess.run(command, input=_respelt(text).encode(), capture_output=True, check=False)
    if spoken.returncode != 0 or not spoken.stdout:
        raise EngineError(f"espeak-ng failed on {text!r}: {spoken.stderr.decode(errors='replace').strip()}")
    return _samples(spoken.stdout)


def write_wav(path: Path, samples: Samples) -> None:
    """A mono WAV file of 16 bits."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframes(_integers(samples).tobytes())


def write_flac(path: Path, samples: Samples) -> None:
    """A mono FLAC file of 16 bits."""
    import av

    with av.open(str(path), "w", format="flac", options={"fflags": "+bitexact"}) as container:
        stream = container.add_stream("flac", rate=SAMPLE_RATE, layout="mono", format="s16")
        frame = av.AudioFrame.from_ndarray(_integers(samples)[None, :], format="s16", layout="mono")
        frame.sample_rate = SAMPLE_RATE
        for packet in (*stream.encode(frame), *stream.encode(None)):
            container.mux(packet)


def _respelt(text: str) -> str:
    text = html.escape(text.lower(), quote=False)
    for letters, sound in _RESPELLING.items():
        text = text.replace(letters, sound)
    return text


def _samples(wav: bytes) -> Samples:
    """The samples of espeak-ng's WAV (22 050 Hz) at our rate."""
    from scipy.signal import resample_poly

    with wave.open(io.BytesIO(wav)) as file:
        rate = file.getframerate()
        samples = np.frombuffer(file.readframes(file.getnframes()), np.int16).astype(np.float32) / 32_768
    common = gcd(rate, SAMPLE_RATE)
    resampled: Samples = resample_poly(samples, SAMPLE_RATE // common, rate // common)
    return np.clip(resampled, -1, 1).astype(np.float32)


def _integers(samples: Samples) -> NDArray[np.int16]:
    return np.round(samples * 32_767).astype(np.int16)
