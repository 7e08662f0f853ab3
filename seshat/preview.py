"""What a command would do, found by the command itself: it goes its usual way, and stops where work would begin.

So a preview can never say anything else than what the command does. Whoever is about to compute something says so here first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from seshat.config import flat
from seshat.cost import Cost, verb_of
from seshat.step import Part, Step
from seshat.store import Manifest, Slice, Store
from seshat.summary import expect

_ON: ContextVar[bool] = ContextVar("preview", default=False)
NOTHING = Cost()
_NAMED = 3
"""Inputs or settings that are named; the others are counted."""
_SHARED = ("language.", "prompts.", "clean.", "hints.")
"""Sections of the configuration that several steps depend on."""


@dataclass(frozen=True)
class Plan:
    """What would be done, and why."""

    verb: str
    why: str
    todo: str = ""
    """How much of it: ``2 of 9 parts, 400 rows``."""
    cost: Cost = NOTHING
    """By what it took last time."""
    new: bool = False
    """It was never done."""

    def __str__(self) -> str:
        return "  ".join(filter(None, (f"{self.verb:<18}", f"{'would run':>10}", self.effort, self.why)))

    @property
    def effort(self) -> str:
        """How much, how long, and what it needs."""
        expected = f"about {self.cost}, as last time" if self.cost.seconds else ""
        return ", ".join(filter(None, (self.todo, expected)))


class WouldRun(Exception):  # noqa: N818
    """Not an error: in a preview, the plan."""

    def __init__(self, plan: Plan) -> None:
        super().__init__(str(plan))
        self.plan = plan


@contextmanager
def preview() -> Iterator[None]:
    """Inside, nothing is computed: a verb that would begin to work raises ``WouldRun``."""
    before = _ON.set(True)
    try:
        yield
    finally:
        _ON.reset(before)


def is_on() -> bool:
    """True where nothing may be written that is not there yet."""
    return _ON.get()


def about_to_make(verb: str, folder: str, store: Store, todo: Callable[[], object] = str) -> None:
    """Work begins after this that makes a folder of the workspace, which is not there, or not from what there is now.

    ``todo`` says how much of it, and is only asked in a preview.

    Raises:
        WouldRun: In a preview.
    """
    if _ON.get():
        made = store.manifest(folder) is not None
        why = "its input or its settings have changed" if made else "never done"
        raise WouldRun(Plan(verb, why, str(todo()), expect(verb, store), new=not made))


def about_to_do(step: Step, todo: Sequence[Part], store: Store) -> None:
    """Work on parts of a step begins after this.

    Raises:
        WouldRun: In a preview.
    """
    if not _ON.get():
        return
    rows = sum(piece.stop - piece.start if isinstance(piece, Slice) and piece.stop >= 0 else 0 for part in todo for piece in part.inputs)
    verb = verb_of(step.folder) or step.name
    cost = expect(verb, store, rows if verb == step.name else 0)  # what a verb of several steps took is known of all of them together
    if not rows or verb != step.name:
        cost = cost.times(len(todo) / max(1, len(step.parts)))
    said = f"{len(todo):,} of {len(step.parts):,} parts, {rows:,} rows" if rows else f"{len(todo):,} of {len(step.parts):,} parts"
    raise WouldRun(Plan(verb, _why(step, todo, store), said, cost, new=not store.has_run(step.place)))


def _why(step: Step, todo: Sequence[Part], store: Store) -> str:
    before = store.manifest(step.folder)
    if before is None:
        if len(todo) < len(step.parts):
            return "not finished"
        return "what it had made is gone" if store.has_run(step.place) else "never done"
    changed = _changes(before.inputs, step.inputs) or _other_settings(step, before)
    return changed or "Seshat itself has changed"


def _changes(before: Mapping[str, str], now: Mapping[str, str]) -> str:
    """Files that are new, gone, or not what they were."""
    found = [f"new input: {name}" for name in sorted(now.keys() - before.keys())]
    found += [f"input gone: {name}" for name in sorted(before.keys() - now.keys())]
    found += [f"input changed: {name}" for name in sorted(now.keys() & before.keys()) if now[name] != before[name]]
    return _few(found)


def _other_settings(step: Step, before: Manifest) -> str:
    """Settings of the step, or of what many steps share, that were others when it was done."""
    if not step.settings or not before.settings:
        return ""
    old, new = flat(before.settings, step.name), flat(step.settings, step.name)
    names = [name for name in sorted(old.keys() | new.keys()) if old.get(name) != new.get(name)]
    own = [name for name in names if name.startswith((f"{step.name}.", *_SHARED))]
    return _few([f"{name} was set to {old[name]}" if name in old else f"{name} was not set" for name in own])


def _few(found: Sequence[str]) -> str:
    more = f" and {len(found) - _NAMED:,} more" if len(found) > _NAMED else ""
    return "; ".join(found[:_NAMED]) + more
