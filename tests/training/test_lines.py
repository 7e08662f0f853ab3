"""Lines that cannot be trained on are refused before anything is done, with their numbers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from seshat.errors import DataError, StoreError
from seshat.examples import read_examples
from seshat.training.lines import SHOWN, windows


def line(**changes: Any) -> str:
    said = [{"role": "user", "content": changes.pop("prompt", "di")}, {"role": "assistant", "content": changes.pop("answer", "dicho")}]
    return json.dumps({"messages": said, "task": "translation", "direction": "spa-qtm", **changes})


def write(root: Path, *lines: str | bytes) -> str:
    path = root / "train.jsonl"
    path.write_bytes(b"".join((one.encode() if isinstance(one, str) else one) + b"\n" for one in lines))
    return str(path)


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ("{", "Expecting property name"),
        ("[1]", "it is no JSON object"),
        (line(answer=" "), "the answer must not be empty"),
        (line(prompt=" \n"), "the user's message is empty"),
        (line().replace('"task"', '"tusk"'), "unknown key 'tusk'; did you mean 'task'?"),
        (line().replace('"direction": "spa-qtm"', '"source": ""'), "the key 'direction' is missing"),
        (line(weight=float("nan")), "the weight is nan"),
        (line(weight=-1), "the weight is -1"),
        (line(weight=1e9), "the weight is 1e\\+09"),
        (line(answer="\ud83d"), "half a character"),
        (b'{"messages": "\xff"}', "it is not UTF-8"),
    ],
)
def test_a_line_that_cannot_be_trained_on_is_refused_with_its_number(tmp_path: Path, bad: str | bytes, reason: str) -> None:
    with pytest.raises(DataError, match=rf"train\.jsonl: 1 of 4 lines cannot be trained on \(line 3: .*{reason}.*\): correct"):
        windows(write(tmp_path, line(), "", bad, line()), "train.jsonl")


def test_all_bad_lines_are_counted_and_the_first_ones_named(tmp_path: Path) -> None:
    bad = [line(answer="")] * (SHOWN + 2)
    with pytest.raises(DataError, match=rf": {SHOWN + 2} of {SHOWN + 3} lines .*; line {SHOWN + 1}: [^;]*; and 2 more\)"):
        windows(write(tmp_path, line(), *bad), "train.jsonl", size=3)


def test_windows_hold_every_line_once_with_its_number(tmp_path: Path) -> None:
    path = write(tmp_path, *(line(answer=f"año {number}") if number != 4 else "" for number in range(1, 9)))
    found = windows(path, "train.jsonl", size=3)
    assert [one.origin for one in found] == ["train.jsonl#line=1", "train.jsonl#line=4", "train.jsonl#line=7"]
    pairs = [pair for window in found for pair in window.examples()]
    assert [number for number, _ in pairs] == [1, 2, 3, 5, 6, 7, 8]
    assert [example for _, example in pairs] == list(read_examples(path))


def test_a_window_reads_its_own_lines_only(tmp_path: Path) -> None:
    path = write(tmp_path, *(line(answer=str(number)) for number in range(6)))
    first, second = windows(path, "train.jsonl", size=3)
    data = Path(path).read_bytes()
    Path(path).write_bytes(b"x" * first.stop + data[first.stop :])
    assert [example.answer for _, example in second.examples()] == ["3", "4", "5"]
    with pytest.raises(StoreError, match="has changed since the run began"):
        list(first.examples())


def test_a_window_is_named_after_what_stands_on_which_lines(tmp_path: Path) -> None:
    one, two = (windows(write(tmp_path, *lines), "train.jsonl", size=2) for lines in ([line()] * 5, [*[line()] * 4, line(answer="otro")]))
    assert [a.id == b.id for a, b in zip(one, two, strict=True)] == [True, True, False]
    assert len({window.id for window in one}) == 3, "the same lines at another place are another window: errors name lines"
