"""A line now and then, not one for every part."""

from __future__ import annotations

import pytest

from seshat import progress


def test_a_reader_is_told_at_most_now_and_then(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    now = 0.0
    monkeypatch.setattr(progress.time, "monotonic", lambda: now)
    caplog.set_level("INFO", logger="seshat.progress")
    tell = progress.Progress(every=10)
    for second in range(31):
        now = float(second)
        tell(f"{second} of 30")
    assert caplog.messages == ["10 of 30", "20 of 30", "30 of 30"]
