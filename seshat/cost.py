"""What a verb costs: time, memory and room on disk. It is measured while the verb works, and said before it works again."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta

from seshat.config import Section
from seshat.store import Store

FOLDERS = {
    "sample": ("data/raw", "data/gold"),
    "ingest": ("data/processed/ingest",),
    "ocr": ("data/processed/ocr",),
    "transcribe": ("data/processed/transcribe",),
    "speech-train": ("models/speech",),
    "align": tuple(f"data/processed/{name}" for name in ("mended", "anchors", "anchors-again", "anchors-last", "aligned", "align")),
    "back-translate": ("data/processed/back-translate",),
    "format": ("data/processed/format", "data/training"),
    "data-stats": ("data/processed/stats",),
    "download-model": ("models/base",),
    "tokenizer-analysis": ("data/processed/tokenizer",),
    "tokenizer-extend": ("data/processed/tokenizer-extend",),
    "train": ("data/processed/pack", "models/adapters"),
    "tune": ("models/tuning",),
    "eval": ("reports",),
    "export-gguf": ("models/merged", "models/gguf"),
}
"""Where each verb writes, below the workspace."""
EVERY = 0.5
"""Seconds between two looks at the memory."""


class Cost(Section):
    """Of one run of a verb; 0 is not known."""

    seconds: float = 0.0
    memory: int = 0
    """Bytes that its processes had at most for themselves, all together, on this machine."""
    disk: int = 0
    """Bytes of what it has written and is still there."""

    def __str__(self) -> str:
        told = [f"{timedelta(seconds=max(1, round(self.seconds)))}" if self.seconds else ""]
        told += [f"{size(self.memory)} of memory" if self.memory else "", f"{size(self.disk)} on disk" if self.disk else ""]
        return ", ".join(filter(None, told))

    def times(self, share: float) -> Cost:
        """Of more rows, or fewer: memory does not grow with them, because rows are streamed."""
        return Cost(seconds=self.seconds * share, memory=self.memory, disk=round(self.disk * share))


class Peak:
    """The most memory that was seen."""

    memory = 0
    """Bytes."""


@contextmanager
def watching() -> Iterator[Peak]:
    """Look again and again at what this process and all that it has started hold for themselves."""
    peak, over = Peak(), threading.Event()

    def look() -> None:
        while not over.wait(EVERY):
            peak.memory = max(peak.memory, _memory())

    thread = threading.Thread(target=look, name="memory", daemon=True)
    thread.start()
    try:
        yield peak
    finally:
        over.set()
        thread.join()
        peak.memory = max(peak.memory, _memory())


def _memory() -> int:
    import psutil

    this = psutil.Process(os.getpid())
    total = 0
    for process in (this, *this.children(recursive=True)):
        with suppress(psutil.Error):  # it has ended meanwhile
            held = process.memory_info()
            total += held.rss - getattr(held, "shared", 0)
    return total


def verb_of(folder: str) -> str:
    """The verb that writes a folder of the workspace; empty if none does."""
    return next((verb for verb, places in FOLDERS.items() if any(folder == one or folder.startswith(f"{one}/") for one in places)), "")


def disk(verb: str, store: Store) -> int:
    """The bytes of what a verb has written, whenever that was."""
    return sum(store.used(folder) for folder in FOLDERS.get(verb, ()))


def size(count: int) -> str:
    """``12 kB``, ``4.1 MB`` or ``1.2 GB``."""
    value, unit = next((count / whole, unit) for whole, unit in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")) if count >= whole or unit == "kB")
    return f"{value:.1f} {unit}" if value < 10 else f"{value:.0f} {unit}"
