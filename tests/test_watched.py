"""Work that may take its process with it."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from seshat.errors import DataError
from seshat.watched import LostError, Watched


def work(item: str) -> Iterator[str]:
    """Says its item letter by letter; some letters are trouble."""
    for letter in item:
        if letter == "!":
            os.kill(os.getpid(), signal.SIGSEGV)
        if letter == "z":
            time.sleep(60)
        if letter == "M":
            hold = bytearray(400_000_000)
            hold[::4096] = b"x" * len(hold[::4096])
            time.sleep(5)
        if letter == "?":
            raise DataError("no letter")
        yield f"{letter}{os.getpid()}"


class AwkwardError(Exception):
    """Does not survive the journey by itself."""

    def __init__(self, one: str, other: str) -> None:
        super().__init__(f"{one} {other}")


def awkward(_: str) -> Iterator[str]:
    subprocess.Popen(["sleep", "30"], close_fds=False)
    if _ == "!":
        os._exit(3)
    raise AwkwardError("two", "words")
    yield ""


def test_an_error_that_cannot_travel_and_a_program_that_stays_do_no_harm() -> None:
    watched = Watched(awkward, seconds=20, megabytes=0)
    with pytest.raises(DataError, match=r"AwkwardError\('two words'\)"):
        list(watched("x"))
    began = time.monotonic()
    with pytest.raises(LostError, match="exit code 3"):
        list(watched("!"))
    assert time.monotonic() - began < 10, "it waits for nobody who inherited the line"


def said(watched: Watched[str, str], item: str) -> tuple[str, str]:
    """The letters that came, and what went wrong."""
    heard = ""
    try:
        for one in watched(item):
            heard += one[0]
    except DataError as error:
        return heard, str(error)
    return heard, ""


def test_what_is_lost_is_said_and_what_came_before_is_kept() -> None:
    watched = Watched(work, seconds=3, megabytes=200)
    assert said(watched, "abc") == ("abc", "")
    first = {one[1:] for one in watched("de")}
    assert first == {one[1:] for one in watched("f")}, "one process for all"
    assert str(os.getpid()) not in first
    assert said(watched, "ab!c") == ("ab", "crash: the library that reads it ended with SIGSEGV")
    assert next(watched("wx"))[0] == "w"
    assert said(watched, "y") == ("y", ""), "the rest of what nobody listened to is not heard by the next"
    assert said(watched, "gz") == ("g", "hang: nothing came of it within 3 s")
    heard, why = said(watched, "hM")
    assert heard == "h"
    assert why.startswith("memory: it took ")
    assert said(watched, "i?j") == ("i", "no letter")
    assert {one[1:] for one in watched("k")}.isdisjoint(first), "it was started again"
    watched.close()


def test_the_error_of_the_work_is_its_own() -> None:
    watched = Watched(work, seconds=20, megabytes=0)
    with pytest.raises(DataError, match="no letter") as caught:
        list(watched("?"))
    assert not isinstance(caught.value, LostError)
    watched.close()


def crash_once(mark: str) -> Iterator[str]:
    """Ends its process the first time."""
    if not os.path.exists(mark):
        Path(mark).touch()
        os._exit(9)
    yield "done"


def test_what_is_lost_once_is_asked_again(tmp_path: Path) -> None:
    assert Watched(crash_once, seconds=30, megabytes=0).twice(str(tmp_path / "mark")) == ["done"]
    with pytest.raises(LostError, match="crash"):
        Watched(work, seconds=30, megabytes=0).twice("ab!")
