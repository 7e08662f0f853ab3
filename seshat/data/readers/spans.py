"""A stretch of a long recording, without holding the rest: where it begins and ends, and its samples.

Long recordings are listened to in parts. Nobody should be cut in a word or heard twice, so two neighbours meet where it is
quietest near the nominal cut; both work that place out from the file and the cut alone, and so find the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from seshat.data.readers.audio import Channels, Decoder, Tracks, checked, opened, refuse_short
from seshat.data.readers.content import RefusedError
from seshat.engines.speech import SAMPLE_RATE

if TYPE_CHECKING:
    from av.audio.frame import AudioFrame
    from av.audio.stream import AudioStream
    from av.container import InputContainer

REACH = 15.0
"""Seconds to either side of a nominal cut in which the quietest moment is looked for."""
_QUIET = 0.2
"""Seconds that a quiet moment lasts."""
_HOP = 0.02
_BEFORE = 2.0
"""Seconds that are decoded before a stretch and dropped: decoders and resampling need some to settle."""
_LATE = 60.0
"""Seconds that the last part may go on after the end that was counted."""
_GAP = 0.1
"""Seconds between two frames from which on there is a hole in the recording; silence stands for it."""


def quietest(stream: BinaryIO, cut: int, *, channels: Channels = "mix") -> float:
    """The middle of the quietest fifth of a second around a nominal cut; of equal ones the nearest."""
    start = max(0.0, cut - REACH)
    sound = span(stream, start, cut + REACH, channels=channels)
    size, hop = round(_QUIET * SAMPLE_RATE), round(_HOP * SAMPLE_RATE)
    if sound.shape[1] < size:
        raise RefusedError(f"truncated: the sound ends before {start:.0f} s; copy the file again")
    power = np.concatenate(([0.0], np.cumsum((sound.astype(np.float64) ** 2).mean(axis=0))))
    begins = np.arange(0, sound.shape[1] - size + 1, hop)
    level = np.round((power[begins + size] - power[begins]) / size, 12)
    middles = start + (begins + size / 2) / SAMPLE_RATE
    return round(float(middles[np.lexsort((np.abs(middles - cut), level))[0]]), 3)


def stretch(stream: BinaryIO, first: int, last: int, *, seconds: float, channels: Channels = "mix") -> tuple[float, Tracks]:
    """The part of a recording between two nominal cuts (``last`` -1: to the end, at ``seconds``): where it begins, and its samples.

    Refused if the sound ends before the part does: what was recorded is not all there.
    """
    start = quietest(stream, first, channels=channels) if first else 0.0
    stop = quietest(stream, last, channels=channels) if last >= 0 else seconds
    sound = span(stream, start, stop if last >= 0 else seconds + _LATE, channels=channels)
    refuse_short(sound.shape[1] / SAMPLE_RATE, stop - start)
    return start, checked(sound)


def span(stream: BinaryIO, start: float, stop: float, *, channels: Channels = "mix") -> Tracks:
    """The samples between two seconds, fewer where the recording ends before."""
    try:
        return _decoded(stream, start, stop, channels, jump=start > _BEFORE)
    except _NoJumpError:
        return _decoded(stream, start, stop, channels, jump=False)


class _NoJumpError(Exception):
    """The file cannot be entered just before a second of it."""


class _Window:
    """Takes what lies inside from blocks that come one after the other."""

    def __init__(self, begins: float, start: float, stop: float) -> None:
        self._here, self._start, self._stop = (round(second * SAMPLE_RATE) for second in (begins, start, stop))
        self.blocks: list[Tracks] = []

    def take(self, block: Tracks) -> None:
        inside = block[:, max(0, self._start - self._here) : max(0, self._stop - self._here)]
        self._here += block.shape[1]
        if inside.size:
            self.blocks.append(inside)

    def silence(self, seconds: float, num_channels: int) -> None:
        """Stand in for what the recording does not have."""
        end = self._here + round(seconds * SAMPLE_RATE)
        inside = min(end, self._stop) - max(self._here, self._start)
        if inside > 0:
            self.blocks.append(np.zeros((num_channels, inside), np.float32))
        self._here = end

    @property
    def over(self) -> bool:
        return self._here >= self._stop


def _decoded(stream: BinaryIO, start: float, stop: float, channels: Channels, *, jump: bool) -> Tracks:
    """Decode from just before ``start`` or, without ``jump``, from the beginning; what lies outside is dropped block by block."""
    window: _Window | None = None
    expected = 0.0
    with opened(stream) as (container, track):
        decoder = Decoder(channels)
        for second, frame in _frames(container, track, decoder, start - _BEFORE if jump else 0.0):
            if window is None:
                if jump and second > start:
                    raise _NoJumpError
                window, expected = _Window(second, start, stop), second
            if second > expected + _GAP:
                window.silence(second - expected, len(frame.layout.channels) if channels == "split" else 1)
                expected = second
            expected += frame.samples / frame.sample_rate
            for block in decoder.blocks(frame):
                window.take(block)
            if window.over:
                break
        if window and not window.over:
            for block in decoder.blocks(None):
                window.take(block)
        decoder.refuse_damaged()
    return np.concatenate(window.blocks, axis=1) if window and window.blocks else np.zeros((1, 0), np.float32)


def _frames(container: InputContainer, track: AudioStream, decoder: Decoder, start: float) -> Iterator[tuple[float, AudioFrame]]:
    """Frames from some second on, or from one before, each with the second at which it begins (of the first frame of the file: 0).

    Frames without a time code follow the one before.
    """
    import av

    base = float(track.time_base or 0)
    frames = (frame for packet in container.demux(track) for frame in decoder.frames(packet))
    frame = next(frames, None)
    zero = frame.pts if frame is not None else None
    if start:
        if zero is None:
            raise _NoJumpError
        try:
            container.seek(round(zero + start / base), stream=track, backward=True)
        except av.FFmpegError:
            raise _NoJumpError from None
        frames = (frame for packet in container.demux(track) for frame in decoder.frames(packet))
        frame = next(frames, None)
    second = 0.0
    while frame is not None:
        if frame.pts is not None:
            second = (frame.pts - (zero or 0)) * base
        elif start:
            raise _NoJumpError
        length = frame.samples / frame.sample_rate
        yield second, frame
        second, frame = second + length, next(frames, None)
