"""Training examples on disk: chat JSONL, one example a line, as ``data/training/{train,val,test}.jsonl`` hold it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator

from seshat.errors import DataError, StoreError
from seshat.records import Example

TRAINING = "data/training"
SPLITS = ("train", "val", "test")


def to_line(example: Example) -> str:
    """One line of JSON, keys in a fixed order."""
    return json.dumps(
        {
            "messages": [{"role": "user", "content": example.prompt}, {"role": "assistant", "content": example.answer}],
            "id": example.id,
            "task": example.task,
            "direction": example.direction,
            "source": example.source,
            "group": example.group,
            "split": example.split,
            "weight": example.weight,
            "parent": example.parent,
            "collection": example.collection,
            "origin": example.origin,
        },
        ensure_ascii=False,
    )


def read_examples(path: str) -> Iterator[Example]:
    """The examples of a JSONL file; a line that is not one is a DataError with its number."""
    if not os.path.isfile(path):
        raise StoreError(f"{path} is not there: run 'make format' first")
    with open(path, encoding="utf-8") as lines:
        yield from parse_lines(lines, path)


def parse_lines(lines: Iterable[str], path: str) -> Iterator[Example]:
    """The examples of JSON lines."""
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            yield _example(json.loads(line))
        except (ValueError, KeyError, TypeError) as error:
            raise DataError(
                f"{path}:{number}: not a training example ({type(error).__name__}: {error}); a line holds "
                '{"messages": [{"role": "user", "content": ...}, {"role": "assistant", "content": ...}], "task": ..., "direction": ...}'
            ) from None


def _example(data: dict[str, object]) -> Example:
    messages = data["messages"]
    if not isinstance(messages, list) or [turn["role"] for turn in messages] != ["user", "assistant"]:
        raise ValueError("messages must be one of the user and one of the assistant")
    prompt, answer = (turn["content"] for turn in messages)
    if not isinstance(prompt, str) or not isinstance(answer, str) or not answer.strip():
        raise ValueError("both messages must be text and the answer must not be empty")
    return Example(
        prompt=prompt,
        answer=answer,
        task=str(data["task"]),
        direction=str(data["direction"]),
        source=str(data.get("source", "")),
        group=str(data.get("group", "")),
        split=str(data.get("split", "train")),
        weight=float(str(data.get("weight", 1.0))),
        parent=str(data.get("parent", "")),
        collection=str(data.get("collection", "")),
        origin=str(data.get("origin", "")),
    )
