"""Recordings: the first audio track of any file that FFmpeg's libraries read, as mono samples at 16 kHz.

A truncated recording decodes without complaint, only short. So what was decoded is held against what the file promises.
"""

from __future__ import annotations

import io
import struct
from typing import TYPE_CHECKING, Any

import numpy as np

from seshat.data.readers.content import RefusedError
from seshat.engines.speech import SAMPLE_RATE, Samples

if TYPE_CHECKING:
    from av.audio.stream import AudioStream
    from av.container import InputContainer

_GUESSED = ("aac", "amr")
"""Formats whose duration is worked out from the size of the file, so that it tells nothing about what is missing."""
_TOLERANCE = 0.02
"""So large a share of a recording may be missing or damaged; half a second in any case."""


def decode(data: bytes, *, max_seconds: float) -> Samples:
    """The mean of all channels. Refused: no recording, no sound in it, longer than allowed, truncated, or damaged."""
    import av  # brings native libraries

    if not data:
        raise RefusedError("empty: the file holds nothing")
    _refuse_short(data)
    try:
        with av.open(io.BytesIO(data), metadata_errors="ignore") as container:
            stream = next(iter(container.streams.audio), None)
            if stream is None:
                raise RefusedError("silent: the file has no audio track")
            promised = _promised_seconds(container, stream, data)
            samples = _mixed(container, stream, max_seconds)
    except (av.FFmpegError, ValueError) as error:
        raise RefusedError(f"unreadable: not a recording that can be decoded ({error}); save it again as WAV or FLAC") from None
    seconds = len(samples) / SAMPLE_RATE
    if seconds < promised - max(0.5, _TOLERANCE * promised):
        raise RefusedError(f"truncated: {seconds:.1f} s of {promised:.1f} s can be decoded; copy the file again")
    if not len(samples):
        raise RefusedError("silent: the audio track holds no sound")
    if not np.isfinite(samples).all():
        raise RefusedError("damaged: some samples are no numbers; save the recording again")
    return samples


def _mixed(container: InputContainer, stream: AudioStream, max_seconds: float) -> Samples:
    """The whole track; a few packets that are damaged are left out."""
    import av

    resampler = av.AudioResampler(format="fltp", rate=SAMPLE_RATE)
    blocks: list[Samples] = []
    length = num_packets = num_damaged = 0
    for packet in container.demux(stream):
        num_packets += 1
        try:
            frames: list[Any] = list(packet.decode())
        except av.error.InvalidDataError:
            num_damaged += 1
            continue
        for frame in frames:
            frame.pts = None
            length += frame.samples
            blocks += [block.to_ndarray().mean(axis=0) for block in resampler.resample(frame)]
        if length > max_seconds * stream.rate:
            raise RefusedError(f"length: longer than {max_seconds / 60:g} minutes; cut it, or raise transcribe.max_minutes")
    if num_damaged > _TOLERANCE * num_packets + 1:
        raise RefusedError(f"damaged: {num_damaged} of {num_packets} pieces cannot be decoded; copy the file again")
    if blocks:
        blocks += [block.to_ndarray().mean(axis=0) for block in resampler.resample(None)]
    return np.concatenate(blocks).astype(np.float32) if blocks else np.zeros(0, np.float32)


def _promised_seconds(container: InputContainer, stream: AudioStream, data: bytes) -> float:
    """How long the file says that its sound is; 0 if it says nothing that can be trusted."""
    name = container.format.name
    if name in _GUESSED or (name == "mp3" and not _has_frame_count(data)):
        return 0.0
    if stream.duration is not None and stream.time_base is not None:
        return float(stream.duration * stream.time_base)
    only_sound = len(container.streams) == 1  # a film may go on after its sound has ended
    return container.duration / 1_000_000 if container.duration and only_sound else 0.0


def _has_frame_count(mp3: bytes) -> bool:
    """True if the first frame after the tag is a table of contents (Xing, Info or VBRI)."""
    start = 0
    if mp3[:3] == b"ID3" and len(mp3) > 10:
        start = 10 + sum((byte & 0x7F) << shift for byte, shift in zip(mp3[6:10], (21, 14, 7, 0), strict=True))
    return any(mark in mp3[start : start + 256] for mark in (b"Xing", b"Info", b"VBRI"))


def _refuse_short(data: bytes) -> None:
    """WAV and Ogg say how much should follow, but their demuxers do not mind if it does not."""
    if data[:4] == b"RIFF" and data[8:12] == b"WAVE":
        missing = _missing_from_wav(data)
    elif data[:4] == b"OggS":
        missing = _missing_from_page(data, data.rfind(b"OggS"))
    else:
        return
    if missing > 0:
        raise RefusedError(f"truncated: the file ends {missing:,} bytes before its sound does; copy it again")


def _missing_from_wav(data: bytes) -> int:
    """How many bytes of the sound are not there; 0 if the header does not say (a recorder that was switched off)."""
    place = 12
    while place + 8 <= len(data):
        name, size = struct.unpack_from("<4sI", data, place)
        if name == b"data":
            return 0 if size in (0, 0xFFFFFFFF) else max(0, place + 8 + size - len(data))
        place += 8 + size + size % 2
    return 0


def _missing_from_page(data: bytes, place: int) -> int:
    """How many bytes of the last Ogg page are not there."""
    num_segments = data[place + 26] if place + 27 <= len(data) else 0
    segments = data[place + 27 : place + 27 + num_segments]
    return max(0, place + 27 + num_segments + sum(segments) - len(data))
