"""Recordings: the first audio track of any file that FFmpeg's libraries read, as samples at 16 kHz.

A truncated recording decodes without complaint, only short. So what was decoded is held against what the file promises.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, BinaryIO, Literal

import numpy as np

from seshat.data.readers.content import RefusedError
from seshat.engines.speech import SAMPLE_RATE, Samples

if TYPE_CHECKING:
    from av.audio.frame import AudioFrame
    from av.audio.stream import AudioStream
    from av.container import InputContainer

Channels = Literal["mix", "left", "right", "split"]
"""Which channels are heard: the mean of all, one of two, or each by itself."""
Tracks = Samples
"""Channels by samples."""

_GUESSED = ("aac", "amr")
"""Formats whose duration is worked out from the size of the file, so that it tells nothing about what is missing."""
_TOLERANCE = 0.02
"""So large a share of a recording may be missing or damaged; half a second in any case."""
_BELIEVED = 300.0
"""Seconds up to which a file's own word about its length is taken before it is decoded; the pieces of a longer one are counted."""
_OGG_PAGE = 1 << 16
"""No page of an Ogg file is longer."""


def decode(data: bytes, *, max_seconds: float) -> Samples:
    """The mean of all channels. Refused: no recording, no sound in it, longer than allowed, truncated, or damaged."""
    samples: Samples = decode_tracks(io.BytesIO(data), max_seconds=max_seconds)[0]
    return samples


def decode_tracks(stream: BinaryIO, *, max_seconds: float, channels: Channels = "mix") -> Tracks:
    """The whole of a recording, as ``decode``, of the channels that are asked for."""
    seconds = seconds_of(stream)
    refuse_long(seconds, max_seconds)
    with opened(stream) as (container, track):
        promised = _promised_seconds(container, track, stream)
        blocks, decoder = list[Tracks](), Decoder(channels)
        for packet in container.demux(track):
            blocks += [block for frame in decoder.frames(packet) for block in decoder.blocks(frame)]
            refuse_long(decoder.seconds, max_seconds)
        blocks += decoder.blocks(None)
        decoder.refuse_damaged()
    sound = np.concatenate(blocks, axis=1) if blocks else np.zeros((1, 0), np.float32)
    refuse_short(sound.shape[1] / SAMPLE_RATE, promised)
    return checked(sound)


def seconds_of(stream: BinaryIO) -> float:
    """How long a recording is, without decoding it; refused is what is truncated or no recording."""
    with opened(stream) as (container, track):
        promised = _promised_seconds(container, track, stream)
        if 0 < promised <= _BELIEVED:
            return promised
        counted = _counted_seconds(container, track)
    refuse_short(counted, promised)
    return counted


@contextmanager
def opened(stream: BinaryIO) -> Iterator[tuple[InputContainer, AudioStream]]:
    """A recording and its first audio track, at the beginning; what cannot be opened, or decoded inside, is refused."""
    import av  # brings native libraries

    stream.seek(0)
    if not stream.read(1):
        raise RefusedError("empty: the file holds nothing")
    _refuse_cut(stream)
    stream.seek(0)
    try:
        with av.open(_Nameless(stream), metadata_errors="ignore") as container:
            track = next(iter(container.streams.audio), None)
            if track is None:
                raise RefusedError("silent: the file has no audio track")
            yield container, track
    except (av.FFmpegError, ValueError) as error:
        raise RefusedError(f"unreadable: not a recording that can be decoded ({error}); save it again as WAV or FLAC") from None


class Decoder:
    """From packets to blocks of samples; a few packets that are damaged are left out."""

    def __init__(self, channels: Channels) -> None:
        import av

        self._channels, self._resampler = channels, av.AudioResampler(format="fltp", rate=SAMPLE_RATE)
        self._broken = av.error.InvalidDataError
        self._num_packets = self._num_damaged = 0
        self.seconds = 0.0
        """Of the sound that was given to ``blocks``."""

    def frames(self, packet: Any) -> list[AudioFrame]:
        """What is in a packet; nothing if it is damaged."""
        self._num_packets += 1
        try:
            return list(packet.decode())
        except self._broken:
            self._num_damaged += 1
            return []

    def blocks(self, frame: AudioFrame | None) -> list[Tracks]:
        """The samples of a frame as far as they are known; None gives the last ones."""
        if frame is not None:
            frame.pts = None
            self.seconds += frame.samples / frame.sample_rate
        elif not self.seconds:
            return []
        return [self._picked(block.to_ndarray()) for block in self._resampler.resample(frame)]

    def refuse_damaged(self) -> None:
        if self._num_damaged > _TOLERANCE * self._num_packets + 1:
            raise RefusedError(f"damaged: {self._num_damaged} of {self._num_packets} pieces cannot be decoded; copy the file again")

    def _picked(self, block: Tracks) -> Tracks:
        block = block.astype(np.float32)
        if self._channels == "split":
            return block
        if self._channels == "mix":
            mean: Tracks = block.mean(axis=0, keepdims=True)
            return mean
        if len(block) != 2:
            raise RefusedError(f"channels: there is no {self._channels} one among {len(block)}; set transcribe.channels to mix or split")
        side = 0 if self._channels == "left" else 1
        return block[side : side + 1]


def checked(sound: Tracks) -> Tracks:
    """Samples that can be heard; others are refused."""
    if not sound.shape[1]:
        raise RefusedError("silent: the audio track holds no sound")
    if not np.isfinite(sound).all():
        raise RefusedError("damaged: some samples are no numbers; save the recording again")
    return sound


def refuse_short(seconds: float, promised: float) -> None:
    if seconds < promised - max(0.5, _TOLERANCE * promised):
        raise RefusedError(f"truncated: {seconds:.1f} s of {promised:.1f} s can be decoded; copy the file again")


def refuse_long(seconds: float, max_seconds: float) -> None:
    if seconds > max_seconds:
        raise RefusedError(f"length: longer than {max_seconds / 60:g} minutes; cut it, or raise transcribe.max_minutes")


class _Nameless:
    """A stream without its name, so that what is in the file decides what it is read as."""

    def __init__(self, stream: BinaryIO) -> None:
        self.read, self.seek, self.tell = stream.read, stream.seek, stream.tell


def _counted_seconds(container: InputContainer, track: AudioStream) -> float:
    """From the time codes of the packets, or their durations where they have none."""
    base, first, last, total = float(track.time_base or 0), None, 0.0, 0.0
    for packet in container.demux(track):
        total += (packet.duration or 0) * base
        if packet.pts is not None:
            begins = packet.pts * base
            first = begins if first is None else first
            last = max(last, begins + (packet.duration or 0) * base)
    return max(total, last - (first or 0.0))


def _promised_seconds(container: InputContainer, track: AudioStream, stream: BinaryIO) -> float:
    """How long the file says that its sound is; 0 if it says nothing that can be trusted."""
    name = container.format.name
    if name in _GUESSED or (name == "mp3" and not _has_frame_count(stream)):
        return 0.0
    if track.duration is not None and track.time_base is not None:
        return float(track.duration * track.time_base)
    only_sound = len(container.streams) == 1  # a film may go on after its sound has ended
    return container.duration / 1_000_000 if container.duration and only_sound else 0.0


def _has_frame_count(stream: BinaryIO) -> bool:
    """True if the first frame after the tag of an MP3 is a table of contents (Xing, Info or VBRI)."""
    head, start = _at(stream, 0, 10), 0
    if head[:3] == b"ID3" and len(head) == 10:
        start = 10 + sum((byte & 0x7F) << shift for byte, shift in zip(head[6:], (21, 14, 7, 0), strict=True))
    frame = _at(stream, start, 256)
    return any(mark in frame for mark in (b"Xing", b"Info", b"VBRI"))


def _refuse_cut(stream: BinaryIO) -> None:
    """WAV and Ogg say how much should follow, but their demuxers do not mind if it does not."""
    size = stream.seek(0, io.SEEK_END)
    head = _at(stream, 0, 12)
    if head[:4] == b"RIFF" and head[8:] == b"WAVE":
        missing = _missing_from_wav(stream, size)
    elif head[:4] == b"OggS":
        end = _at(stream, max(0, size - 2 * _OGG_PAGE), 2 * _OGG_PAGE)
        missing = _missing_from_page(end, end.rfind(b"OggS"))
    else:
        return
    if missing > 0:
        raise RefusedError(f"truncated: the file ends {missing:,} bytes before its sound does; copy it again")


def _missing_from_wav(stream: BinaryIO, size: int) -> int:
    """How many bytes of the sound are not there; 0 if the header does not say (a recorder that was switched off)."""
    place = 12
    while place + 8 <= size:
        name, length = struct.unpack("<4sI", _at(stream, place, 8))
        if name == b"data":
            return 0 if length in (0, 0xFFFFFFFF) else max(0, place + 8 + length - size)
        place += 8 + length + length % 2
    return 0


def _missing_from_page(data: bytes, place: int) -> int:
    """How many bytes of the last Ogg page are not there."""
    num_segments = data[place + 26] if place >= 0 and place + 27 <= len(data) else 0
    segments = data[place + 27 : place + 27 + num_segments]
    return max(0, place + 27 + num_segments + sum(segments) - len(data))


def _at(stream: BinaryIO, place: int, size: int) -> bytes:
    """Some bytes of a file; whoever else reads it finds it where it was."""
    here = stream.tell()
    stream.seek(place)
    data = stream.read(size)
    stream.seek(here)
    return data
