"""A line now and then, not one for every part; in a terminal one line that changes, below all others."""

from __future__ import annotations

import io
import logging
import re

import pytest

from seshat import progress
from seshat.progress import Line, LogHandler, Progress, Rate


class Terminal(io.StringIO):
    """A stream that can go back in its last line."""

    def isatty(self) -> bool:
        return True

    def fileno(self) -> int:
        return id(self)

    def seen(self) -> list[str]:
        """The lines as they stand in the end."""
        return [re.split(r"\r\x1b\[K", line)[-1] for line in self.getvalue().split("\n")]


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setattr(progress, "_EVERY_LIVE", 0.0)
    return Terminal()


def test_a_reader_is_told_at_most_now_and_then(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    now = 0.0
    monkeypatch.setattr(progress.time, "monotonic", lambda: now)
    caplog.set_level("INFO", logger="seshat.progress")
    with Progress(every=10, stream=io.StringIO()) as tell:
        for second in range(31):
            now = float(second)
            tell(f"{second} of 30")
    assert caplog.messages == ["10 of 30", "20 of 30", "30 of 30"]


def test_a_terminal_has_one_line_which_goes_with_the_work(terminal: Terminal) -> None:
    with Progress(stream=terminal) as tell:
        tell("align: 1 of 9")
        tell("align: 2 of 9")
        assert terminal.seen() == ["align: 2 of 9"]
        tell("align: " + "x" * 99)
        assert terminal.seen() == ["align: " + "x" * 31 + "…"]
    assert terminal.seen() == [""]


def test_it_goes_when_the_work_fails(terminal: Terminal) -> None:
    def work() -> None:
        with Progress(stream=terminal) as tell:
            tell("align: 1 of 9")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        work()
    assert terminal.seen() == [""]


def test_what_is_logged_stands_above_it(terminal: Terminal) -> None:
    log = logging.Logger("test")
    log.addHandler(LogHandler(terminal))
    with Progress(stream=terminal) as tell:
        tell("align: 1 of 9")
        log.warning("a page is bad")
        assert terminal.seen() == ["a page is bad", "align: 1 of 9"]
        tell("align: 2 of 9")
        log.warning("another one")
    assert terminal.seen() == ["a page is bad", "another one", ""]


@pytest.mark.parametrize("term", ["dumb", ""])
def test_a_terminal_that_cannot_go_back_is_a_file(terminal: Terminal, monkeypatch: pytest.MonkeyPatch, term: str) -> None:
    monkeypatch.setenv("TERM", term)
    assert Line.of(terminal) is None


def test_the_rate_and_what_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(progress.time, "monotonic", lambda: now)
    rate = Rate(1_200, "parts")
    now = 110.0
    assert rate(300) == "300 of 1,200 parts, 30.0/s, 0:00:30 left"
