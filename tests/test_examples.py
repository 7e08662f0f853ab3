"""Chat JSONL: what is written reads back, and a line that is no example is named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seshat.errors import DataError, StoreError
from seshat.examples import by_people, parse_lines, read_examples, texts_of, to_line
from seshat.records import Example

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
LINE = '{"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}], "task": "t", "direction": "d"}'


def example(**facts: Any) -> Example:
    said: dict[str, Any] = {"prompt": "Traduce: ama", "answer": "hola", "task": "translation", "direction": "qtm-spa"}
    where = {"group": "g", "split": "train", "parent": "p", "origin": "o", "collection": "c"}
    return Example(**{**said, **where, **facts})


@given(prompt=TEXT, answer=TEXT.filter(str.strip), source=TEXT, weight=st.floats(0, 100))
def test_an_example_is_one_line_that_reads_back(prompt: str, answer: str, source: str, weight: float) -> None:
    made = example(prompt=prompt, answer=answer, source=source, weight=weight)
    line = to_line(made)
    assert "\n" not in line
    assert list(parse_lines([line], "train.jsonl")) == [made]


def test_what_a_model_wrote_is_marked_and_is_no_text_of_a_language() -> None:
    made = example(source="ama", synthetic="round-1")
    assert list(parse_lines([to_line(made)], "train.jsonl")) == [made]
    assert "synthetic" not in to_line(example())
    assert list(by_people([made, example()])) == [example()]
    assert texts_of([made]) == {}


def test_a_line_of_somebody_else_needs_messages_task_and_direction_only(tmp_path: Path) -> None:
    path = tmp_path / "train.jsonl"
    path.write_text(f"\n{LINE}\n\n", encoding="utf-8")
    [read] = read_examples(str(path))
    assert (read.prompt, read.answer, read.split, read.weight) == ("a", "b", "train", 1.0)


@pytest.mark.parametrize(
    "line",
    [
        "no json",
        "[]",
        "3",
        "{}",
        LINE.replace('"user"', '"system"'),
        LINE.replace('"role"', '"from"'),
        LINE.replace('"content": "b"', '"content": " "'),
        LINE.replace('"content": "b"', '"content": null'),
        LINE.replace('{"role": "user", "content": "a"}, ', ""),
        LINE.replace('"task": "t", ', ""),
        LINE.replace('"task"', '"weight": "heavy", "task"'),
    ],
)
def test_a_line_that_is_no_example_is_named(line: str) -> None:
    with pytest.raises(DataError, match=r"train.jsonl:2: not a training example"):
        list(parse_lines([LINE, line], "train.jsonl"))


def test_a_missing_file_names_the_make_that_makes_it(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"train\.jsonl is not there: run 'make format' first"):
        list(read_examples(str(tmp_path / "train.jsonl")))
