"""Training examples on disk: chat JSONL, one example a line, as ``data/training/{train,val,test}.jsonl`` hold it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator

from seshat.config import did_you_mean
from seshat.errors import DataError, StoreError
from seshat.records import Example

TRAINING = "data/training"
SPLITS = ("train", "val", "test")
IN_ONE_LANGUAGE = ("translation", "completion")
"""Tasks whose answers are text in one language."""
OF_WORDS = (*IN_ONE_LANGUAGE, "dictionary")
"""Tasks whose answers are words of one language: not segmented, and not an explanation."""
KEYS = ("messages", "id", "task", "direction", "source", "hints", "group", "split", "weight", "parent", "collection", "origin", "synthetic")
"""What a line may hold."""


def to_line(example: Example) -> str:
    """One line of JSON, keys in a fixed order."""
    return json.dumps(
        {
            "messages": [{"role": "user", "content": example.prompt}, {"role": "assistant", "content": example.answer}],
            "id": example.id,
            "task": example.task,
            "direction": example.direction,
            "source": example.source,
            "hints": list(example.hints),
            "group": example.group,
            "split": example.split,
            "weight": example.weight,
            "parent": example.parent,
            "collection": example.collection,
            "origin": example.origin,
        }
        | ({"synthetic": example.synthetic} if example.synthetic else {}),
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
        if line.strip():
            try:
                yield parse(line)
            except DataError as error:
                raise DataError(
                    f"{path}:{number}: not a training example ({error}); a line holds "
                    '{"messages": [{"role": "user", "content": ...}, {"role": "assistant", "content": ...}], "task": ..., "direction": ...}'
                ) from None


def parse(line: str) -> Example:
    """The example of one line.

    Raises:
        DataError: What is wrong with it, without the place.
    """
    try:
        data = json.loads(line)
        if not isinstance(data, dict):
            raise ValueError("it is no JSON object")
        unknown = [key for key in data if key not in KEYS]
        if unknown:
            raise ValueError(f"unknown key {unknown[0]!r}{did_you_mean(unknown[0], KEYS)}")
        return _example(data)
    except KeyError as error:
        raise DataError(f"the key {error} is missing") from None
    except (ValueError, TypeError, RecursionError) as error:
        raise DataError(str(error)) from None


def _example(data: dict[str, object]) -> Example:
    messages = data["messages"]
    if not isinstance(messages, list) or [turn["role"] for turn in messages] != ["user", "assistant"]:
        raise ValueError("messages must be one of the user and one of the assistant")
    prompt, answer = (turn["content"] for turn in messages)
    if not isinstance(prompt, str) or not isinstance(answer, str) or not answer.strip():
        raise ValueError("both messages must be text and the answer must not be empty")
    hints = data.get("hints", [])
    if not isinstance(hints, list) or not all(isinstance(hint, str) for hint in hints):
        raise ValueError("hints must be a list of texts")
    return Example(
        prompt=prompt,
        answer=answer,
        task=str(data["task"]),
        direction=str(data["direction"]),
        source=str(data.get("source", "")),
        hints=tuple(hints),
        group=str(data.get("group", "")),
        split=str(data.get("split", "train")),
        weight=float(str(data.get("weight", 1.0))),
        parent=str(data.get("parent", "")),
        collection=str(data.get("collection", "")),
        origin=str(data.get("origin", "")),
        synthetic=str(data.get("synthetic", "")),
    )


def by_people(examples: Iterable[Example]) -> Iterator[Example]:
    """Those of which no model has written a side: all from which anything is learnt about words, or about what can be had without one."""
    return (one for one in examples if not one.synthetic)


def texts_of(examples: Iterable[Example]) -> dict[str, list[str]]:
    """The different texts of each language in some examples, by its code, that people wrote.

    Explanations, which are in no one language, are left out.
    """
    found: dict[str, dict[str, None]] = {}
    for one in by_people(examples):
        source, _, target = one.direction.partition("-")
        sides = [(source, one.source), (target or source, one.answer)] if one.task in OF_WORDS else [(source, one.source)]
        for code, text in sides:
            found.setdefault(code, {})[text] = None
    return {code: [*texts] for code, texts in found.items()}
