"""How far long work has come: one line that changes, in a terminal; elsewhere a line now and then."""

from __future__ import annotations

import logging
import os
import shutil
import sys
import time
from datetime import timedelta
from typing import TextIO

from seshat.messages import spoken

log = logging.getLogger(__name__)
EVERY = 15.0
"""Seconds between two lines where they stay."""
_EVERY_LIVE = 0.2
"""Seconds between two changes of a line in a terminal."""
_ERASE = "\r\x1b[K"


class Progress:
    """Shows what it is told, but not more often than a reader wants to see; a terminal shows the newest alone, below all else.

    Close it, or use it as a context, so that the line goes when the work is over.
    """

    def __init__(self, every: float = EVERY, stream: TextIO | None = None) -> None:
        self._line = Line.of(stream or sys.stderr)
        self._every, self._last = every if self._line is None else _EVERY_LIVE, time.monotonic()

    def __call__(self, text: str) -> None:
        """Say it, unless something was said a moment ago."""
        if time.monotonic() - self._last < self._every:
            return
        self._last = time.monotonic()
        if self._line:
            self._line.show(spoken(text))
        else:
            log.info(text)

    def close(self) -> None:
        """Nothing more will be said."""
        if self._line:
            self._line.show("")

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Line:
    """The last line of a terminal, which is written again and again while log lines pass above it."""

    _by_stream: dict[int, Line] = {}

    def __init__(self, stream: TextIO) -> None:
        self._stream, self._shown = stream, ""

    @classmethod
    def of(cls, stream: TextIO) -> Line | None:
        """The one of a stream; None where it is a file, or a terminal that cannot go back in a line."""
        if not stream.isatty() or os.environ.get("TERM", "") in ("", "dumb"):
            return None
        return cls._by_stream.setdefault(stream.fileno(), cls(stream))

    def show(self, text: str) -> None:
        """Write it in place of what was there, cut to the width of the terminal."""
        width = shutil.get_terminal_size().columns - 1
        text = text if len(text) <= width else text[: width - 1] + "…"
        if text or self._shown:
            self._stream.write(_ERASE + text)
            self._stream.flush()
        self._shown = text

    def above(self, text: str) -> None:
        """Write a line that stays, above this one."""
        self._stream.write((_ERASE if self._shown else "") + text + "\n" + self._shown)
        self._stream.flush()


class LogHandler(logging.StreamHandler[TextIO]):
    """Log lines in the reader's language, with a terminal's line of progress kept below them."""

    def format(self, record: logging.LogRecord) -> str:
        """See ``logging``."""
        return spoken(super().format(record))

    def emit(self, record: logging.LogRecord) -> None:
        """See ``logging``."""
        line = Line.of(self.stream)
        if line is None:
            super().emit(record)
            return
        try:
            line.above(self.format(record))
        except Exception:
            self.handleError(record)


class Rate:
    """How many of how many things are done, how fast, and how long the rest will take."""

    def __init__(self, total: int, things: str = "") -> None:
        self._total, self._things = total, f" {things}" if things else ""
        self._start = time.monotonic()

    def __call__(self, done: int) -> str:
        """``12 of 40 parts, 3.2/s, 0:00:09 left``."""
        each = (time.monotonic() - self._start) / done
        return f"{done:,} of {self._total:,}{self._things}, {1 / max(each, 1e-9):.1f}/s, {left(self._total - done, each)}"


def left(things: int, seconds_each: float) -> str:
    """``0:00:09 left``."""
    return f"{timedelta(seconds=round(things * seconds_each))} left"
