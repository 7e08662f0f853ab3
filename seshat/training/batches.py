"""Examples as token ids, packed into rows of a token budget that are written once, and the order in which they are trained.

The order is ours: the row at a position is a pure function of (seed, position), whatever the number of workers, so that a
run that stops can go on at position k.

Legend of the shapes: B rows of the batch, T tokens.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pyarrow as pa
import torch

from seshat.errors import DataError
from seshat.prompts import ChatTokenizer
from seshat.records import Example, digest
from seshat.store import PROCESSED, Manifest, Store
from seshat.training.model import IGNORED

log = logging.getLogger(__name__)
VERSION = 1
WINDOW = 4096
"""Examples that are packed together: more fill the rows better, and all of them are in memory."""
ROWS_PER_BATCH = 256
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


def encode(examples: Iterable[Example], tokenizer: ChatTokenizer) -> Iterator[Chat]:
    """Each example as ids, as often as its weight says: 2.0 twice, 0.1 for one example in ten (its content decides which)."""
    for line, example in enumerate(examples, 1):
        copies = math.floor(example.weight + int(digest("weight", example.id), 16) % 10_000 / 10_000)
        if copies:
            prompt, answer = tokenizer.prompt(example.prompt), tokenizer.answer(example.answer)
            yield from [Chat(ids=[*prompt, *answer], prompt=len(prompt), line=line)] * copies


def pack_rows(chats: Iterable[Chat], max_length: int, seed: int) -> Iterator[Row]:
    """Rows of at most ``max_length`` ids: the longest chat first, each into the fullest row that has room for it."""
    generator = np.random.default_rng(seed)
    window: Row = []
    for chat in chats:
        window.append(chat)
        if len(window) == WINDOW:
            yield from _fill(window, max_length, generator)
            window = []
    yield from _fill(window, max_length, generator)


def _fill(window: Row, max_length: int, generator: np.random.Generator) -> Iterator[Row]:
    shuffled = [window[index] for index in generator.permutation(len(window))]
    rows: list[Row] = []
    by_room: list[list[int]] = [[] for _ in range(max_length + 1)]
    for chat in sorted(shuffled, key=lambda chat: -len(chat.ids)):
        length = len(chat.ids)
        room = next((room for room in range(length, max_length) if by_room[room]), max_length)
        if room == max_length:
            rows.append([])
        number = by_room[room].pop() if room < max_length else len(rows) - 1
        rows[number].append(chat)
        by_room[room - length].append(number)
    yield from rows


def pack(chats: Iterable[Chat], inputs: dict[str, str], max_length: int, seed: int, store: Store) -> Packed:
    """The packed rows of some chats, written once under the name of their content, or found there.

    ``inputs`` are the digests that the chats depend on, their tokenizer among them; the chats are read only if needed.
    """
    fingerprint = digest("pack", VERSION, max_length, seed, *sorted(inputs.items()))
    folder = f"{PROCESSED}/pack/{fingerprint}"
    manifest = store.done(folder, fingerprint)
    if manifest is None:
        everything = list(chats)
        fitting = _fitting(everything, inputs, max_length)
        rows = list(pack_rows(fitting, max_length, seed))
        file = store.write(f"{folder}/rows.arrow", _to_arrow(rows))
        manifest = Manifest(
            stage="pack",
            fingerprint=fingerprint,
            inputs=inputs,
            files=(file.model_copy(update={"rows": len(rows)}),),
            rows_in=len(everything),
            kept=len(fitting),
            rejected={"length": len(everything) - len(fitting)} if len(fitting) < len(everything) else {},
        )
        store.finish(folder, manifest)
        filled = sum(len(chat.ids) for chat in fitting) / (len(rows) * max_length)
        log.info("pack: %d examples in %d rows of %d tokens, %.1f%% filled", len(fitting), len(rows), max_length, 100 * filled)
    return Packed(store.path(manifest.files[0].path), fingerprint, manifest.kept, manifest.rows_in)


def _fitting(chats: Sequence[Chat], inputs: dict[str, str], max_length: int) -> list[Chat]:
    fitting = [chat for chat in chats if len(chat.ids) <= max_length]
    if not fitting:
        raise DataError(
            f"none of the {len(chats)} examples ({', '.join(inputs)}) fits into max_seq_length={max_length} tokens: "
            "raise it, or run 'make format' if there are no examples"
        )
    if len(fitting) < len(chats):
        left_out = len(chats) - len(fitting)
        log.warning("pack: %d of %d examples have more than max_seq_length=%d tokens and are left out", left_out, len(chats), max_length)
    return fitting


def _to_arrow(rows: Sequence[Row]) -> bytes:
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
    """Packed rows on disk, mapped into memory, so that a row costs what it holds."""

    def __init__(self, path: str, name: str, num_examples: int, num_read: int) -> None:
        self.path = path
        self.name = name
        """Of the content."""
        self.num_examples = num_examples
        self.num_read = num_read
        """With those that were too long."""
        self._reader = pa.ipc.open_file(pa.memory_map(path))
        batches = [self._reader.get_batch(index) for index in range(self._reader.num_record_batches)]
        self.targets = np.concatenate([batch.column("target").to_numpy() for batch in batches])
        """By row, the number of tokens that are trained."""

    def __reduce__(self) -> tuple[type[Packed], tuple[str, str, int, int]]:
        return Packed, (self.path, self.name, self.num_examples, self.num_read)

    def __len__(self) -> int:
        return len(self.targets)

    def __getitem__(self, index: int) -> Row:
        batch = self._reader.get_batch(index // ROWS_PER_BATCH)
        ids, lengths, prompts, lines = (
            batch.column(name)[index % ROWS_PER_BATCH].as_py() for name in ("ids", "lengths", "prompts", "lines")
        )
        ends = np.cumsum(lengths).tolist()
        parts = zip(ends, lengths, prompts, lines, strict=True)
        return [Chat(ids[end - length : end], prompt, line) for end, length, prompt, line in parts]


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
    ids = torch.full((len(rows), width), pad)
    positions = torch.zeros_like(ids)
    labels = torch.full_like(ids, IGNORED)
    for number, row in enumerate(rows):
        start = 0
        for chat in row:
            end = start + len(chat.ids)
            ids[number, start:end] = torch.tensor(chat.ids)
            positions[number, start:end] = torch.arange(len(chat.ids))
            labels[number, start + chat.prompt - 1 : end - 1] = ids[number, start + chat.prompt : end]
            start = end
        positions[number, start:] = torch.arange(width - start)
    return Batch(ids, positions, labels)


@dataclass(frozen=True)
class Order:
    """Which row is trained when: every epoch has its own permutation, and the epochs follow each other without a gap."""

    num_rows: int
    seed: int
    rows_per_step: int

    def rows(self, step: int) -> list[int]:
        """The rows of a step (from 0), over all workers and accumulated batches."""
        positions = range(step * self.rows_per_step, (step + 1) * self.rows_per_step)
        return [int(_permutation(self.num_rows, self.seed, at // self.num_rows)[at % self.num_rows]) for at in positions]

    def slices(self, step: int, size: int, rank: int, world: int) -> list[list[int]]:
        """The batches of ``size`` rows that one worker takes in a step: together the workers take all rows once."""
        rows = self.rows(step)
        return [rows[start + rank * size : start + (rank + 1) * size] for start in range(0, len(rows), size * world)]


@lru_cache(maxsize=4)
def _permutation(num_rows: int, seed: int, epoch: int) -> np.ndarray:
    return np.random.default_rng([seed, epoch]).permutation(num_rows)
