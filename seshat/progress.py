"""How far long work has come: a line now and then, the first one only when there is something to wait for."""

from __future__ import annotations

import logging
import time

log = logging.getLogger(__name__)
EVERY = 15.0
"""Seconds between two lines."""


class Progress:
    """Logs what it is told, but not more often than a reader wants to see."""

    def __init__(self, every: float = EVERY) -> None:
        self._every, self._last = every, time.monotonic()

    def __call__(self, text: str) -> None:
        """Say it, unless something was said a moment ago."""
        if time.monotonic() - self._last >= self._every:
            self._last = time.monotonic()
            log.info(text)
