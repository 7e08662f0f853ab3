"""The lines of ``train.jsonl`` and ``val.jsonl`` before anything is done with them: all can be trained on, or the run is refused.

A file is read once from end to end, a line at a time, and cut into windows, which are what is packed at once.
"""

from __future__ import annotations

import hashlib
import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass

from seshat.errors import DataError, StoreError
from seshat.examples import parse
from seshat.records import Example, RawFile, digest

WINDOW = 4096
"""Lines that are packed together: more fill the rows better, and all of them are in memory."""
SHOWN = 5
"""So many bad lines are named, and the others counted."""
HEAVIEST = 1000.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Window(RawFile):
    """Some lines of a file of examples; ``start`` and ``stop`` count bytes, and ``sha256`` is that of these bytes alone."""

    first: int
    """The number of the first line, from 1."""
    collections: tuple[str, ...]
    """The folders that its examples came from, by name."""

    @property
    def digest(self) -> str:
        """The name of what stands on which lines."""
        return digest("Window", self.sha256, self.first)

    def examples(self) -> Iterator[tuple[int, Example]]:
        """The examples of the window, each with the number of its line; nothing else of the file is read."""
        with open(self.path, "rb") as file:
            file.seek(self.start)
            data = file.read(self.stop - self.start)
        if hashlib.sha256(data).hexdigest() != self.sha256:
            raise StoreError(
                f"{self.path} has changed since the run began: wait for whatever else runs here, and run the same command again"
            )
        for number, line in enumerate(data.split(b"\n"), self.first):
            if line.strip():
                yield number, parse(line.decode())


def windows(path: str, name: str, size: int = WINDOW) -> tuple[Window, ...]:
    """A file cut into windows of ``size`` lines; ``name`` is what it is called in the workspace.

    Raises:
        DataError: If it holds lines that cannot be trained on: how many, the first few with their numbers, and why.
    """
    found: list[Window] = []
    bad: list[str] = []
    num_bad, first, start = 0, 1, 0
    with open(path, "rb") as file:
        while lines := list(itertools.islice(file, size)):
            data = b"".join(lines)
            sha256, stop = hashlib.sha256(data).hexdigest(), start + len(data)
            place = f"{name}#line={first}"
            looked = [_look(line) for line in lines]
            collections = tuple(sorted({collection for _, collection in looked} - {""}))
            found.append(
                Window(path=path, origin=place, collection="", first=first, collections=collections, start=start, stop=stop, sha256=sha256)
            )
            problems = [f"line {number}: {reason}" for number, (reason, _) in enumerate(looked, first) if reason]
            num_bad += len(problems)
            bad += problems[: SHOWN - len(bad)]
            first, start = first + len(lines), stop
    if bad:
        raise DataError(refusal(path, num_bad, first - 1, bad))
    return tuple(found)


def refusal(path: str, num_bad: int, num_lines: int, shown: list[str]) -> str:
    """What a run says that does not begin because of some lines."""
    more = f"; and {num_bad - len(shown)} more" if num_bad > len(shown) else ""
    return (
        f"{path}: {num_bad:,} of {num_lines:,} lines cannot be trained on ({'; '.join(shown)}{more}): "
        "correct them, or run 'make format', which makes the file anew"
    )


def _look(line: bytes) -> tuple[str, str]:
    """Why a line cannot be trained on, empty if it can or is blank; and the collection of its example."""
    if not line.strip():
        return "", ""
    try:
        example = parse(line.decode())
        return _unfit(example), example.collection
    except UnicodeDecodeError:
        return "it is not UTF-8", ""
    except DataError as error:
        return str(error), ""


def _unfit(example: Example) -> str:
    if not example.prompt.strip():
        return "the user's message is empty"
    if not (math.isfinite(example.weight) and 0 <= example.weight <= HEAVIEST):
        return f"the weight is {example.weight:g}, and must be from 0 to {HEAVIEST:g}"
    try:
        "".join((example.prompt, example.answer, example.source)).encode()
    except UnicodeEncodeError:
        return "the text holds half a character (a lone surrogate)"
    return ""
