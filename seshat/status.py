"""How far a workspace is, step by step: each verb is asked what it would do (see ``seshat.preview``)."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, replace
from typing import Literal, Protocol

from seshat.cost import disk, size
from seshat.errors import SeshatError
from seshat.preview import WouldRun, preview
from seshat.settings import Settings
from seshat.step import Outcome
from seshat.store import Store
from seshat.summary import failures
from seshat.verbs import VERBS

NAMES = {f"jobs.{module}": verb for verb, (module, _) in VERBS.items()} | {"jobs.sample": "sample"}
"""Verbs by their modules."""
Verdict = Literal["done", "left out", "to do", "stale", "failed", "waits"]


class Job(Protocol):
    """A module of ``jobs``."""

    __name__: str

    def run(self, settings: Settings) -> Outcome:
        """Do what is left."""


@dataclass(frozen=True)
class State:
    """Where one verb is."""

    verb: str
    state: Verdict
    """``left out``: optional, and something is missing for it; ``waits``: for a step before it."""
    why: str = ""
    disk: int = 0
    """Bytes of what it has written."""

    def __str__(self) -> str:
        return f"{self.verb:<20} {self.state:<9} {size(self.disk) if self.disk else '':>8}  {self.why}".rstrip()


def states(settings: Settings, jobs: Iterable[Job]) -> list[State]:
    """Of every verb of the way, in its order. What comes after a verb that would run is judged by what is there now."""
    store = Store(settings.root)
    failed = failures(store)
    found: list[State] = []
    for job in jobs:
        verb = NAMES[job.__name__]
        found.append(replace(_state(job, verb, settings, failed.get(verb, "")), disk=disk(verb, store)))
    return found


def next_command(found: Sequence[State], typed: str) -> str:
    """What to type: the first verb that is not done, with the arguments that the question had; empty if all is done."""
    verb = next((one.verb for one in found if one.state not in ("done", "left out")), "")
    if not verb:
        return ""
    start, _, arguments = typed.replace(" --json", "").partition("status")
    return f"{start}{verb if start.startswith('seshat') else VERBS[verb][0]}{arguments}"


def _state(job: Job, verb: str, settings: Settings, failed: str) -> State:
    try:
        with _silence(), preview():
            outcome = job.run(settings)
    except WouldRun as would:
        if failed:
            return State(verb, "failed", failed)
        plan = would.plan
        first = f"needs {plan.verb} first" if plan.verb != verb else ""
        return State(verb, "to do" if plan.new else "stale", "; ".join(filter(None, (first, plan.why, plan.effort))))
    except SeshatError as error:
        return State(verb, "waits", str(error))
    return State(verb, "left out" if outcome.left_out else "done", outcome.note if outcome.left_out else "")


@contextmanager
def _silence() -> Iterator[None]:
    """What verbs would print and log is not asked for."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with open(os.devnull, "w", encoding="utf-8") as nowhere, redirect_stdout(nowhere):
            yield
    finally:
        logging.disable(before)
