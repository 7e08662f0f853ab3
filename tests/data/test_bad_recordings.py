"""Recordings as they come: each is heard or rejected with its reason, and the good ones beside it are as if they were alone."""

from __future__ import annotations

import io
import os
import signal
import struct
import time
import wave
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest

from seshat.data.transcribe import Transcribe, step
from seshat.engines.speech import SAMPLE_RATE, Heard, Samples, SpeechFake
from seshat.records import Record, Utterance
from seshat.store import Store
from tests.data.test_bad_scans import PNG, stored
from tests.data.test_transcribe import TAMURI
from tests.recordings import encoded, tone, wav

SOUND = tone(2.0)
WAV = wav(SOUND)
FORMATS = {
    "wav": ("wav", "pcm_s16le", 44_100),
    "flac": ("flac", "flac", 16_000),
    "mp3": ("mp3", "libmp3lame", 16_000),
    "opus": ("ogg", "libopus", 48_000),
    "m4a": ("ipod", "aac", 16_000),
}


def as_file(kind: str, channels: int = 2) -> bytes:
    container, codec, rate = FORMATS[kind]
    return encoded(tone(2.0, rate=rate), container, codec, rate, channels)


def half(kind: str) -> bytes:
    data = as_file(kind)
    return data[: len(data) // 2]


def pcm(codec: str, rate: int = SAMPLE_RATE) -> bytes:
    return encoded(tone(2.0, rate=rate), "wav", codec, rate, 1)


def video(*, sound: bool) -> bytes:
    """Four seconds of grey pictures, with or without the tone."""
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as file:
        pictures = file.add_stream("mpeg4", rate=5)
        pictures.width = pictures.height = 64
        voice = file.add_stream("aac", rate=SAMPLE_RATE, layout="mono") if sound else None
        for _ in range(20):
            frame = av.VideoFrame.from_ndarray(np.full((64, 64, 3), 128, np.uint8), format="rgb24")
            file.mux(pictures.encode(frame))
        file.mux(pictures.encode(None))
        if voice:
            heard = av.AudioFrame.from_ndarray(SOUND[None], format="fltp", layout="mono")
            heard.sample_rate = SAMPLE_RATE
            file.mux(voice.encode(heard))
            file.mux(voice.encode(None))
    return buffer.getvalue()


def no_samples() -> bytes:
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setparams((1, 2, SAMPLE_RATE, 0, "NONE", ""))
    return buffer.getvalue()


def unfinished() -> bytes:
    """What a recorder leaves that was switched off: its header says four gigabytes."""
    data = bytearray(WAV)
    struct.pack_into("<I", data, data.index(b"data") + 4, 0xFFFFFFFF)
    return bytes(data)


Files = dict[str, Callable[[], bytes]]
BAD: dict[str, tuple[Files, list[str]]] = {
    # name: files with their bytes, and for each utterance (or file) the reason; "" if it is heard
    "zero bytes": ({"a.wav": lambda: b""}, ["empty"]),
    "zero bytes of an MP3": ({"a.mp3": lambda: b""}, ["empty"]),
    **{f"half a {kind.upper()}": ({f"a.{kind}": lambda kind=kind: half(kind)}, ["truncated"]) for kind in ("wav", "flac", "mp3", "opus")},
    "half an M4A": ({"a.m4a": lambda: half("m4a")}, ["unreadable"]),
    "a head of a WAV": ({"a.wav": lambda: WAV[:44]}, ["unreadable"]),
    "no samples": ({"a.wav": no_samples}, ["silent"]),
    "one sample": ({"a.wav": lambda: wav(SOUND[:1])}, ["silence"]),
    "noise as a WAV": ({"a.wav": lambda: bytes(range(256)) * 40}, ["unreadable"]),
    "noise as an MP3": ({"a.mp3": lambda: bytes(range(256)) * 40}, ["unreadable"]),
    "zeros as an OGG": ({"a.ogg": lambda: bytes(9_000)}, ["unreadable"]),
    "text as an MP3": ({"a.mp3": lambda: b"no sound at all " * 200}, ["unreadable"]),
    "a page of HTML as an M4A": ({"a.m4a": lambda: b"<html><body>404</body></html>"}, ["unreadable"]),
    "a picture as a WAV": ({"a.wav": lambda: PNG}, ["silent"]),
    "no numbers": ({"a.wav": lambda: encoded(np.full(32_000, np.nan, np.float32), "wav", "pcm_f32le", SAMPLE_RATE, 1)}, ["damaged"]),
    "silence": ({"a.wav": lambda: wav(np.zeros(64_000, np.float32))}, ["silence"]),
    "far too long": ({"a.flac": lambda: encoded(np.zeros(121 * SAMPLE_RATE, np.float32), "flac", "flac", SAMPLE_RATE, 1)}, ["length"]),
    "a faint voice": ({"a.wav": lambda: wav(tone(2.0, loudness=0.05))}, ["confidence"]),
    "switched off": ({"a.wav": unfinished}, [""]),
    "8 kHz": ({"a.wav": lambda: pcm("pcm_s16le", 8_000)}, [""]),
    "96 kHz": ({"a.wav": lambda: pcm("pcm_s16le", 96_000)}, [""]),
    "8 bits": ({"a.wav": lambda: pcm("pcm_u8")}, [""]),
    "24 bits": ({"a.wav": lambda: pcm("pcm_s24le")}, [""]),
    "a telephone's": ({"a.wav": lambda: pcm("pcm_mulaw", 8_000)}, [""]),
    "floating point": ({"a.wav": lambda: pcm("pcm_f32le")}, [""]),
    "an MP3 called WAV": ({"a.wav": lambda: as_file("mp3")}, [""]),
    "a WAV called MP3": ({"a.mp3": lambda: WAV}, [""]),
    "a film": ({"a.mp4": lambda: video(sound=True)}, [""]),
    "a silent film": ({"a.mp4": lambda: video(sound=False)}, ["silent"]),
    "capitals": ({"A.WAV": lambda: WAV}, [""]),
    "spaces in its name": ({"a b (1).wav": lambda: WAV}, [""]),
    "a name in another script": ({"рукопись ñandú.wav": lambda: WAV}, [""]),
    "an empty transcript": ({"a.wav": lambda: WAV, "a.txt": lambda: b""}, ["empty"]),
    "a transcript that nobody could speak": ({"a.wav": lambda: WAV, "a.txt": lambda: b"kama noi siwa tala. " * 400}, ["length"]),
    "half an ELAN file": ({"a.wav": lambda: WAV, "a.eaf": lambda: b"<ANNOTATION_DOCUMENT><TIER "}, ["syntax"]),
    "a TextGrid that is none": ({"a.wav": lambda: WAV, "a.TextGrid": lambda: bytes(range(256))}, ["encoding"]),
}


def heard(folder: Path, files: Files, **settings: float) -> list[Record]:
    """What becomes of the recordings of a raw folder."""
    (folder / "audio").mkdir(parents=True)
    for name, data in files.items():
        (folder / "audio" / name).write_bytes(data())
    store = Store(str(folder / "workspace"))
    asked = Transcribe(engine="fake", max_minutes=2, part_seconds=0).model_copy(update=settings)
    work = step(asked, TAMURI, str(folder))
    return [record for part in work.parts for record in stored(work.work(part, store), store)]


@pytest.mark.parametrize("case", BAD)
def test_a_recording_is_heard_or_rejected_with_its_reason(tmp_path: Path, case: str) -> None:
    files, reasons = BAD[case]
    found = heard(tmp_path, {**files, "good.wav": lambda: WAV})
    mine = [one for one in found if "good.wav" not in one.origin]
    assert [one.reason for one in mine] == reasons, [one.rejected for one in mine]
    assert all("0x" not in one.rejected and str(tmp_path) not in one.rejected for one in mine), "a reason is the same on every machine"
    [good] = [one for one in found if "good.wav" in one.origin]
    assert isinstance(good, Utterance)
    assert (good.text, good.rejected) == ("stretch 1", "")


class Fragile(SpeechFake):
    """Hears like the fake, but a recording that begins with a certain sample kills it or hangs it."""

    def transcribe(self, samples: Samples, *, language: str = "", everywhere: bool = False) -> list[Heard]:
        if abs(samples[0] - 0.25) < 0.01:
            os.kill(os.getpid(), signal.SIGSEGV)
        if abs(samples[0] - 0.75) < 0.01:
            time.sleep(60)
        return super().transcribe(samples, language=language, everywhere=everywhere)


def marked(first: float) -> bytes:
    """The good recording with another first sample."""
    return wav(np.concatenate([[np.float32(first)], SOUND[1:]]))


def test_a_recording_that_brings_the_engine_down_twice_is_rejected_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fragile = tmp_path / "fragile" / "sitecustomize.py"  # what the watched process imports before anything else
    fragile.parent.mkdir()
    fragile.write_text(
        "import seshat.data.listen, tests.data.test_bad_recordings as bad\n"
        "seshat.data.listen.load_engine = lambda _engine, _folder, listening, **_: bad.Fragile(listening)\n"
    )
    monkeypatch.syspath_prepend(str(fragile.parent))
    monkeypatch.setattr("seshat.watched.LOADING", 12.0)
    files = {f"{number}.wav": lambda first=first: marked(first) for number, first in enumerate((0.0, 0.25, 0.0, 0.75, 0.0))}
    found = heard(tmp_path / "watched", files, part_seconds=2.0)
    assert [one.reason for one in found] == ["", "crash", "", "hang", ""], [one.rejected for one in found]
    assert found[1].rejected == "crash: the library that reads it ended with SIGSEGV"
    alone = heard(tmp_path / "alone", {name: files[name] for name in ("0.wav", "2.wav", "4.wav")})
    assert [one for one in found if not one.rejected] == alone, "the others are as if nothing had been"
