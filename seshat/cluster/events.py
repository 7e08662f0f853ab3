"""What happens in a training run, and the board on which it is written: light, because an actor of its own holds the board."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from seshat.training.loop import Stop


@dataclass(frozen=True)
class Event:
    """Something that happened in a run."""

    step: int
    numbers: dict[str, float] = field(default_factory=dict)
    remarks: Sequence[str] = ()
    """What is wrong, with the setting to change."""
    news: Sequence[str] = ()
    """What is good to know."""
    facts: dict[str, str] = field(default_factory=dict)
    """What the run is made with (see ``seshat.training.provenance``)."""
    scores: dict[str, float] = field(default_factory=dict)
    """Of the weights of the step."""
    samples: Sequence[tuple[str, str, str]] = ()
    """Source, reference and hypothesis."""
    saved: bool = False
    """A checkpoint is there, to be scored."""


class Board:
    """An actor on which everybody writes what happens, and the driver that the run should stop."""

    def __init__(self) -> None:
        self._events: list[Event] = []
        self._stop: Stop = ""

    def write(self, event: Event) -> None:
        self._events.append(event)

    def read(self) -> list[Event]:
        """What was written since somebody looked."""
        events, self._events = self._events, []
        return events

    def ask_to_stop(self, why: Stop) -> None:
        """The first one who asks is heard."""
        self._stop = self._stop or why

    def stop(self) -> Stop:
        """Whether the run should stop, and why."""
        return self._stop
