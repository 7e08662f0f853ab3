"""The step that packs: examples become token ids, and these become rows of a token budget that are written once.

A part is a window of lines (see ``seshat.training.lines``), so what is in memory is bounded, parts are packed side by side,
and a change makes only its own windows anew. A chat that does not fit into a row is left out and counted; a plain text is cut, and
its pieces count as examples.

**What is trained.** In a chat the answer and its end of turn: the prompt is read only. In continued pretraining (``train_on:
everything``) there is no chat: running text is a document as it stands in a book (Gururangan et al., 2020), and parallel text
is its source, a new line, its target, every word of which is trained, as in Tower (Alves et al., 2024). Format writes
each pair in both directions, which matters: continued pretraining helps a direction of translation only if it has
seen source and target in that order (Kondo et al., 2024). No control token of the chat is trained but the one that ends the
text, so that a model of chats does not unlearn, or learn to say, its template: the turns are taught by the phase after it.
"""

from __future__ import annotations

import itertools
import logging
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from pydantic import Field

from seshat.errors import DataError
from seshat.prompts import ChatTokenizer, Task
from seshat.records import Example, Record, digest
from seshat.stage import Resources, Stage
from seshat.step import Part, Step
from seshat.store import PROCESSED, Manifest, PartLine, Slice, Store
from seshat.training.batches import Chat, Packed, Row, to_arrow
from seshat.training.lines import SHOWN, WINDOW, Window
from seshat.training.settings import Phase, TrainOn

log = logging.getLogger(__name__)
VERSION = 1
TOO_LONG, LOST = "length", "lost"
Drawn = tuple[int, Example, int]
"""A line, its example, and how often it is trained on."""
Make = Callable[[Step], object]
"""Does what is left of a step, somewhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoded(Record):
    """One example as ids, and the row of its part into which it was put."""

    chat: Chat
    row: int = 0


class Encode(Stage[Window, Record]):
    """The examples of a window as ids, each as often as its weight says; then those that cannot be trained, rejected."""

    version: ClassVar[int] = 2
    loads_engine: ClassVar[bool] = True

    folder: str = Field(exclude=True)
    """Where the tokenizer is."""
    tokenizer: str
    """The digest of all that ids depend on."""
    max_length: int
    tasks: dict[Task, float] = {}
    train_on: TrainOn = "answer"
    hint_tokens: int = 0
    """The most tokens of the hints of a prompt."""

    @cached_property
    def _tokenizer(self) -> ChatTokenizer:
        return ChatTokenizer.load(self.folder)

    def __call__(self, records: Iterable[Window]) -> Iterator[Record]:
        rejected: list[Example] = []
        for window in records:
            drawn = [(line, example, _copies(example, self._weight(example))) for line, example in window.examples()]
            for example, copies, chat, lost in self._encoded([one for one in drawn if one[2]]):
                reason = f"{LOST}: line {chat.line}: {lost[:20]!r}" if lost else ""
                pieces = [chat]
                if len(chat.ids) > self.max_length and self.train_on == "everything":
                    pieces = list(_pieces(chat, self.max_length))
                elif len(chat.ids) > self.max_length:
                    reason = f"{TOO_LONG}: {len(chat.ids)} tokens"
                rejected += [example.reject(reason)] * copies if reason else []
                made = [Encoded(chat=piece, origin=example.origin, collection=example.collection) for piece in pieces]
                yield from () if reason else made * copies
        yield from rejected

    def _encoded(self, drawn: Sequence[Drawn]) -> Iterator[tuple[Example, int, Chat, str]]:
        """With hints where there are some; without them where the chat does not fit into a row else."""
        found = list(_encoded([(line, self._hinted(example), copies) for line, example, copies in drawn], self._tokenizer, self.train_on))
        again = [one for one, (_, _, chat, _) in zip(drawn, found, strict=True) if one[1].hints and len(chat.ids) > self.max_length]
        bare = iter(_encoded(again, self._tokenizer, self.train_on))
        long = {line for line, _, _ in again}
        return (next(bare) if chat.line in long else (example, copies, chat, lost) for example, copies, chat, lost in found)

    def _hinted(self, example: Example) -> Example:
        if not example.hints:
            return example
        return replace(example, prompt=self._tokenizer.hinted(example.prompt, example.hints, self.hint_tokens))

    def _weight(self, example: Example) -> float:
        weights: dict[Any, float] = {**self.tasks}
        return weights.get(example.task, 0.0) if weights else example.weight


class Fill(Stage[Encoded, Encoded]):
    """The examples of a part in the order of its rows."""

    whole: ClassVar[bool] = True

    resources: Resources = Resources(batch=1_000_000)  # a part as a whole
    max_length: int
    seed: int

    def __call__(self, records: Iterable[Encoded]) -> Iterator[Encoded]:
        batch = list(records)
        rows = _fill([one.chat for one in batch], self.max_length, np.random.default_rng(self.seed))
        for number, row in enumerate(rows):
            yield from (Encoded(chat=chat, row=number, origin=f"line={chat.line}", collection="") for chat in row)


@dataclass(frozen=True)
class Packing(Step):
    """The step; its parts are Arrow files, from which a row can be read without the others."""

    label: str = ""
    """What is packed, for people."""

    def commit(self, key: str, made: list[Record], store: Store) -> PartLine:
        """The rows, in an Arrow file; beside them the examples that were rejected."""
        strange = next((one.rejected for one in made if one.rejected and not isinstance(one, Example)), "")
        if strange:
            raise DataError(f"{self.label} cannot be packed ({strange}); this is a bug, please report it")
        encoded = [one for one in made if isinstance(one, Encoded)]
        rows = [[one.chat for one in row] for _, row in itertools.groupby(encoded, key=lambda one: one.row)]
        file = store.write(f"{self.folder}/part-{key}.arrow", to_arrow(rows))
        rejected = [one for one in made if one.rejected]
        return store.commit(self.place, key, rejected, rows_in=len(made), beside=(file.model_copy(update={"rows": len(rows)}),))

    def finish(self, store: Store) -> Manifest:
        """Commit the manifest, if there is something to train on and nothing is lost between text and ids."""
        lines = [line for part in self.parts if (line := self.committed(part, store))]
        num_lost, num_read = sum(line.rejected.get(LOST, 0) for line in lines), sum(line.rows_in for line in lines)
        if num_lost:
            raise DataError(
                f"{self.label}: the tokenizer loses something of {num_lost:,} of {num_read:,} examples ({self._lost(lines, store)}): "
                "write them with letters that it has, or take another base model"
            )
        if not any(line.kept for line in lines):
            raise DataError(self._nothing(num_read))
        return super().finish(store)

    def _nothing(self, num_read: int) -> str:
        [encode] = [stage for stage in self.stages if isinstance(stage, Encode)]
        if num_read == 0 and encode.tasks:
            tasks = ", ".join(encode.tasks)
            return f"{self.label} holds no example to train of the tasks {tasks}: name others in training.phases, or leave the phase out"
        return (
            f"none of the {num_read} examples of {self.label} fits into max_seq_length={encode.max_length} tokens: "
            "raise it, or run 'make format' if there are no examples"
        )

    def _lost(self, lines: Iterable[PartLine], store: Store) -> str:
        files = [file for line in lines if LOST in line.rejected for file in line.files if file.kind == Example.__name__]
        found = (one.rejected for file in files for one in store.slice(Slice(file), Example) if one.reason == LOST)
        return "; ".join(reason.partition(": ")[2] for reason in itertools.islice(dict.fromkeys(found), SHOWN))


def packing(
    name: str,
    windows: Sequence[Window],
    phase: Phase,
    *,
    folder: str,
    tokenizer: ChatTokenizer,
    max_length: int,
    seed: int,
    hint_tokens: int = 0,
    label: str = "",
) -> Packing:
    """The step that packs the windows of a file for a phase, with the tokenizer in ``folder``; ``label`` is what people call it."""
    encode = Encode(
        folder=folder,
        tokenizer=tokenizer_digest(tokenizer),
        max_length=max_length,
        tasks=phase.tasks,
        train_on=phase.train_on,
        hint_tokens=hint_tokens,
    )
    fill = Fill(max_length=max_length, seed=seed)
    return Packing(
        name="pack",
        stages=(encode, fill),
        parts=tuple(Part((window,)) for window in windows),
        max_rejected=1.0,
        variant=digest(name, encode.fingerprint, fill.fingerprint),
        label=label or name,
    )


def pack_phases(steps: Sequence[Packing], store: Store, make: Make) -> Packed:
    """The rows of all phases of a run: found, or made now."""
    manifests = [_made(step, store, make) for step in steps]
    files = tuple(
        tuple(store.path(file.path) for part in one.parts for file in part.files if file.path.endswith(".arrow")) for one in manifests
    )
    names = [one.fingerprint for one in manifests]
    name = names[0] if len(names) == 1 else digest(*names)
    return Packed(files, name, sum(one.kept for one in manifests), sum(one.rows_in for one in manifests))


def _made(step: Packing, store: Store, make: Make) -> Manifest:
    before = step.done(store)
    if before:
        return before
    make(step)
    manifest = step.done(store)
    assert manifest is not None, "whoever makes a step finishes it"
    too_long, rows = manifest.rejected.get(TOO_LONG, 0), sum(file.rows for part in manifest.parts for file in part.files if not file.kind)
    log.info("pack: %s: %d examples in %d rows", step.label, manifest.kept, rows)
    if too_long:
        log.warning(
            "pack: %d of %d examples of %s have more tokens than max_seq_length and are left out", too_long, manifest.rows_in, step.label
        )
    return manifest


def tokenizer_digest(tokenizer: ChatTokenizer) -> str:
    """Of the vocabulary, the chat template and the ends of texts: all that ids depend on."""
    inner = tokenizer.tokenizer
    return digest(inner.backend_tokenizer.to_str(), inner.chat_template, tokenizer.end, tokenizer.pad, inner.bos_token_id)


# Chats


def encode(examples: Iterable[Example], tokenizer: ChatTokenizer, train_on: TrainOn = "answer") -> Iterator[Chat]:
    """Each example as ids, as often as its weight says: 2.0 twice, 0.1 for one example in ten (its content decides which)."""
    drawn = [(line, example, _copies(example, example.weight)) for line, example in enumerate(examples, 1)]
    for _, copies, chat, _ in _encoded([one for one in drawn if one[2]], tokenizer, train_on):
        yield from [chat] * copies


def _copies(example: Example, weight: float) -> int:
    return math.floor(weight + int(digest("weight", example.id), 16) % 10_000 / 10_000)


def _encoded(drawn: Sequence[Drawn], tokenizer: ChatTokenizer, train_on: TrainOn) -> Iterator[tuple[Example, int, Chat, str]]:
    """For lines, examples and copies the same with the chat, and with what the tokenizer loses of it."""
    texts = [_texts(example, train_on) for _, example, _ in drawn]
    ids = iter(tokenizer.texts(list(itertools.chain.from_iterable(texts))))
    join = tokenizer.document if train_on == "everything" else tokenizer.chat
    for (line, example, copies), sides in zip(drawn, texts, strict=True):
        coded = [next(ids) for _ in sides]
        lost = "".join(map(tokenizer.lost, sides, coded))
        prompt, answer = join(*coded)
        yield example, copies, Chat(ids=[*prompt, *answer], prompt=len(prompt), line=line), lost


def _pieces(document: Chat, longest: int) -> Iterator[Chat]:
    """A plain text in pieces of ``longest`` tokens. Each begins with the last token of the one before, so all are trained once."""
    for start in range(0, len(document.ids) - 1, longest - 1):
        yield Chat(ids=document.ids[start : start + longest], prompt=1, line=document.line)


def _texts(example: Example, train_on: TrainOn) -> tuple[str, ...]:
    """What is encoded of an example: the two sides of a chat, or one plain text.

    A completion is one text that was cut in two; what has no bare source is read with the words around it. What a model wrote is no text
    to learn a language from.
    """
    if train_on == "answer":
        return example.prompt, example.answer
    if example.synthetic:
        return (example.answer,)
    between = " " if example.task == "completion" else "\n"
    return (f"{example.source or example.prompt}{between}{example.answer}",)


# Rows


def pack(chats: Iterable[Chat], inputs: dict[str, str], max_length: int, seed: int, store: Store) -> Packed:
    """The packed rows of chats that are made here, none longer than a row: written once under the name of ``inputs``, or found there."""
    fingerprint = digest("pack", VERSION, max_length, seed, *sorted(inputs.items()))
    folder = f"{PROCESSED}/pack/{fingerprint}"
    manifest = store.done(folder, fingerprint)
    if manifest is None:
        rows = list(pack_rows(chats, max_length, seed))
        count = sum(map(len, rows))
        file = store.write(f"{folder}/rows.arrow", to_arrow(rows)).model_copy(update={"rows": len(rows)})
        manifest = Manifest(stage="pack", fingerprint=fingerprint, inputs=inputs, files=(file,), rows_in=count, kept=count)
        store.finish(folder, manifest)
    return Packed(((store.path(manifest.files[0].path),),), fingerprint, manifest.kept, manifest.rows_in)


def pack_rows(chats: Iterable[Chat], max_length: int, seed: int) -> Iterator[Row]:
    """Rows of at most ``max_length`` ids: the longest chat first, each into the fullest row that has room for it."""
    generator, rest = np.random.default_rng(seed), iter(chats)
    while window := list(itertools.islice(rest, WINDOW)):
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
