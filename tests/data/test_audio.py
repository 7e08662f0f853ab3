"""Every format of sound becomes mono at 16 kHz; what is broken is refused with its reason."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest

from seshat.data.readers import RefusedError
from seshat.data.readers.audio import decode
from seshat.engines.speech import SAMPLE_RATE, Listening, SpeechFake
from tests.recordings import encoded, tone, wav

FORMATS = {
    "wav": ("wav", "pcm_s16le", 44_100),
    "24 bits": ("wav", "pcm_s24le", 48_000),
    "8 kHz": ("wav", "pcm_s16le", 8_000),
    "flac": ("flac", "flac", 16_000),
    "mp3": ("mp3", "libmp3lame", 16_000),
    "opus": ("ogg", "libopus", 48_000),
    "m4a": ("ipod", "aac", 16_000),
    "webm": ("webm", "libopus", 48_000),
}


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_becomes_mono_at_16_khz(name: str) -> None:
    container, codec, rate = FORMATS[name]
    samples = decode(encoded(tone(2.0, 1.0, rate=rate), container, codec, rate), max_seconds=60)
    assert samples.dtype == np.float32
    assert len(samples) / SAMPLE_RATE == pytest.approx(6.0, abs=0.1)
    loudness = np.sqrt((samples[int(1.5 * SAMPLE_RATE) : int(2.5 * SAMPLE_RATE)] ** 2).mean())
    assert loudness == pytest.approx(0.5 / np.sqrt(2), rel=0.1)
    assert [(round(one.start), round(one.end)) for one in SpeechFake(Listening()).transcribe(samples)] == [(1, 3), (4, 5)]


@pytest.mark.parametrize("name", FORMATS)
def test_a_truncated_recording_is_refused(name: str) -> None:
    container, codec, rate = FORMATS[name]
    whole = encoded(tone(2.0, 1.0, rate=rate), container, codec, rate)
    with pytest.raises(RefusedError, match=r"^(truncated|unreadable):"):
        decode(whole[: len(whole) * 6 // 10], max_seconds=60)


def test_a_recorder_that_was_switched_off_leaves_a_readable_file() -> None:
    data = bytearray(wav(tone(2.0)))
    place = data.index(b"data")
    struct.pack_into("<I", data, place + 4, 0xFFFFFFFF)
    assert len(decode(bytes(data), max_seconds=60)) == 4 * SAMPLE_RATE


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b"no sound at all " * 200, "unreadable"),
        (bytes(5_000), "unreadable"),
        (wav(tone(1.0))[:100], "truncated"),
        (wav(tone(4.0)), "length"),
        (encoded(np.full(32_000, np.nan, np.float32), "wav", "pcm_f32le", SAMPLE_RATE, 1), "damaged"),
    ],
    ids=["nothing", "text", "zeros", "only a header", "too long", "no numbers"],
)
def test_what_cannot_be_heard_is_refused_with_its_reason(data: bytes, reason: str) -> None:
    with pytest.raises(RefusedError, match=f"^{reason}: "):
        decode(data, max_seconds=5)


def test_a_long_recording_is_decoded_no_further_than_allowed() -> None:
    with pytest.raises(RefusedError, match=r"^length: longer than 0\.1 minutes; cut it, or raise transcribe\.max_minutes"):
        decode(wav(tone(20.0)), max_seconds=6)


def test_a_real_recording_decodes_whole(shared: Path) -> None:
    path = shared / "media" / "jfk.flac"
    if not path.is_file():
        pytest.skip(f"no {path}")
    assert len(decode(path.read_bytes(), max_seconds=60)) / SAMPLE_RATE == pytest.approx(11.0, abs=0.01)
