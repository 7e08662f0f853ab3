"""Packed rows: how they lie on disk, the tensors they become, and the order in which they are trained.

The order is ours: the rows of a step are a pure function of (seed, step), whatever the number of workers, so that a run that
stops can go on at step k.

Legend of the shapes: B rows of the batch, T tokens.
"""

from __future__ import annotations

import os
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
import pyarrow as pa
import torch

from seshat.training.model import IGNORED
from seshat.working_copy import fetch

ROWS_PER_BATCH = 256
OPEN_FILES = 64
SCHEMA = pa.schema(
    [
        pa.field("ids", pa.list_(pa.int32()), nullable=False),
        pa.field("lengths", pa.list_(pa.int32()), nullable=False),
        pa.field("prompts", pa.list_(pa.int32()), nullable=False),
        pa.field("lines", pa.list_(pa.int32()), nullable=False),
        pa.field("target", pa.int64(), nullable=False),
    ]
)


@dataclass(frozen=True, slots=True)
class Chat:
    """One example as ids: a prompt, and an answer with its end of turn."""

    ids: list[int]
    prompt: int
    """How many of the ids are the prompt, which is read but not trained; at least one."""
    line: int = 0
    """Where it stands among the examples, from 1."""

    @property
    def target(self) -> int:
        """The number of tokens that are trained."""
        return len(self.ids) - self.prompt


Row = list[Chat]


def to_arrow(rows: Sequence[Row]) -> bytes:
    """Rows as a file that can be mapped into memory."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, SCHEMA) as writer:
        for start in range(0, len(rows), ROWS_PER_BATCH):
            writer.write_batch(_record_batch(rows[start : start + ROWS_PER_BATCH]))
    return bytes(sink.getvalue().to_pybytes())


def _record_batch(rows: Sequence[Row]) -> pa.RecordBatch:
    columns = {
        "ids": [[token for chat in row for token in chat.ids] for row in rows],
        "lengths": [[len(chat.ids) for chat in row] for row in rows],
        "prompts": [[chat.prompt for chat in row] for row in rows],
        "lines": [[chat.line for chat in row] for row in rows],
        "target": [sum(chat.target for chat in row) for row in rows],
    }
    return pa.RecordBatch.from_pydict(columns, schema=SCHEMA)


class Packed:
    """Packed rows on disk, mapped into memory, so that a row costs what it holds. They are numbered through all phases."""

    def __init__(self, phases: tuple[tuple[str, ...], ...], name: str, num_examples: int, num_read: int) -> None:
        """``phases`` are the files with the rows of each, in order."""
        self.phases = phases
        self.name = name
        """Of the content."""
        self.num_examples = num_examples
        self.num_read = num_read
        """With those that were too long."""
        self._paths = [path for paths in phases for path in paths]
        fetch(*{os.path.dirname(path) for path in self._paths})
        columns = [_column(path, "target") for path in self._paths]
        self._starts = np.cumsum([0, *map(len, columns)])
        """By file, the number of its first row; at the end the number of all rows."""
        self.targets = np.concatenate(columns)
        """By row, the number of tokens that are trained."""

    def __reduce__(self) -> tuple[type[Packed], tuple[Any, ...]]:
        return Packed, (self.phases, self.name, self.num_examples, self.num_read)

    def __len__(self) -> int:
        return len(self.targets)

    def __getitem__(self, index: int) -> Row:
        file = bisect_right(self._starts, index) - 1
        batch, row = divmod(index - int(self._starts[file]), ROWS_PER_BATCH)
        found = _reader(self._paths[file]).get_batch(batch)
        ids, lengths, prompts, lines = (found.column(name)[row].as_py() for name in ("ids", "lengths", "prompts", "lines"))
        ends = np.cumsum(lengths).tolist()
        parts = zip(ends, lengths, prompts, lines, strict=True)
        return [Chat(ids[end - length : end], prompt, line) for end, length, prompt, line in parts]

    @property
    def spans(self) -> list[range]:
        """By phase, the numbers of its rows."""
        ends = np.cumsum([len(paths) for paths in self.phases])
        return [range(int(self._starts[end - len(paths)]), int(self._starts[end])) for paths, end in zip(self.phases, ends, strict=True)]

    @cached_property
    def row_lengths(self) -> np.ndarray:
        """By row, the number of its tokens."""
        return np.concatenate([_sizes(path, "ids") for path in self._paths])

    @cached_property
    def example_lengths(self) -> np.ndarray:
        """By row, the mean number of tokens of its examples."""
        num_examples = np.concatenate([_sizes(path, "lengths") for path in self._paths])
        lengths: np.ndarray = self.row_lengths / num_examples
        return lengths


@lru_cache(maxsize=OPEN_FILES)
def _reader(path: str) -> Any:
    return pa.ipc.open_file(pa.memory_map(path))


def _batches(path: str) -> list[pa.RecordBatch]:
    reader = _reader(path)
    return [reader.get_batch(index) for index in range(reader.num_record_batches)]


def _column(path: str, name: str) -> np.ndarray:
    return np.concatenate([np.empty(0, np.int64), *(batch.column(name).to_numpy() for batch in _batches(path))])


def _sizes(path: str, name: str) -> np.ndarray:
    """By row, how many values a list holds."""
    return np.concatenate([np.empty(0, np.int64), *(batch.column(name).value_lengths().to_numpy() for batch in _batches(path))])


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows as tensors [B, T]. Positions begin again with each example, which is what keeps the examples of a row apart."""

    ids: torch.Tensor
    positions: torch.Tensor
    labels: torch.Tensor
    """The id that follows where that is trained; IGNORED after prompts and in padding."""

    def to(self, device: torch.device) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """The arguments of the objective."""
        return self.ids.to(device), self.positions.to(device), self.labels.to(device)


def collate(rows: Sequence[Row], pad: int) -> Batch:
    """Rows side by side, filled up at the end to the longest of them."""
    width = max(sum(len(chat.ids) for chat in row) for row in rows)
    ids = np.full((len(rows), width), pad, np.int64)
    positions = np.zeros_like(ids)
    labels = np.full_like(ids, IGNORED)
    for number, row in enumerate(rows):
        start = 0
        for chat in row:
            end = start + len(chat.ids)
            ids[number, start:end] = chat.ids
            positions[number, start:end] = np.arange(len(chat.ids))
            labels[number, start + chat.prompt - 1 : end - 1] = chat.ids[chat.prompt :]
            start = end
        positions[number, start:] = np.arange(width - start)
    return Batch(torch.from_numpy(ids), torch.from_numpy(positions), torch.from_numpy(labels))


@dataclass(frozen=True)
class Span:
    """The steps of one phase and the rows that are trained in them."""

    steps: range
    rows: range
    first: tuple[int, ...] = ()
    """The rows in the order of the first epoch, if that is not drawn."""


@dataclass(frozen=True)
class Order:
    """Which row is trained when.

    In a phase every epoch has its own permutation, and the epochs follow each other without a gap. A step belongs to one phase
    wholly: its last step is filled up from the phase's next epoch.
    """

    num_rows: int
    """Of all phases."""
    seed: int
    rows_per_step: int
    phases: tuple[Span, ...] = ()
    """Empty: all rows, for as many steps as are asked for."""

    def rows(self, step: int) -> list[int]:
        """The rows of a step (from 0), over all workers and accumulated batches."""
        number, span = self._phase(step)
        start = (step - span.steps.start) * self.rows_per_step
        return [self._row(number, span, position) for position in range(start, start + self.rows_per_step)]

    def slices(self, step: int, size: int, rank: int, world: int) -> list[list[int]]:
        """The batches of ``size`` rows that one worker takes in a step: together the workers take all rows once."""
        rows = self.rows(step)
        return [rows[start + rank * size : start + (rank + 1) * size] for start in range(0, len(rows), size * world)]

    @property
    def starts(self) -> frozenset[int]:
        """The steps with which phases begin, but for the first."""
        return frozenset(span.steps.start for span in self.phases[1:])

    def progress(self, steps: int) -> dict[str, float]:
        """After so many steps, how many epochs are done; where there are phases, of the last of them, with its number from 1."""
        number, span = self._phase(steps - 1)
        epoch = (steps - span.steps.start) * self.rows_per_step / len(span.rows)
        return {"phase": number + 1, "epoch": epoch} if self.phases else {"epoch": epoch}

    def _phase(self, step: int) -> tuple[int, Span]:
        """The number and the span of the phase of a step; the last one goes on for ever."""
        spans = self.phases or (Span(range(0), range(self.num_rows)),)
        return next(((number, span) for number, span in enumerate(spans) if step < span.steps.stop), (len(spans) - 1, spans[-1]))

    def _row(self, phase: int, span: Span, position: int) -> int:
        epoch, place = divmod(position, len(span.rows))
        if epoch == 0 and span.first:
            return span.first[place]
        return span.rows[int(_permutation(len(span.rows), self.seed, epoch, phase)[place])]


@lru_cache(maxsize=4)
def _permutation(num_rows: int, seed: int, epoch: int, phase: int) -> np.ndarray:
    """The first phase draws what a run without phases draws."""
    return np.random.default_rng([seed, epoch, phase] if phase else [seed, epoch]).permutation(num_rows)
