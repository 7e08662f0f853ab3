"""The whole Ray Data wiring.

The row of the Ray dataset is a part descriptor: a worker reads its part, runs the stages, commits, and returns how many
records were rejected. So results do not depend on the number of workers, a killed driver is harmless, and memory is bounded by the part.
"""

from __future__ import annotations

import logging
import pickle
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from itertools import accumulate
from typing import TYPE_CHECKING, Any, Literal

from seshat.cluster.metrics import committed
from seshat.cluster.placement import require
from seshat.errors import SeshatError
from seshat.preview import about_to_do
from seshat.progress import Progress, Rate
from seshat.stage import PATIENCE
from seshat.step import Outcome, Part, Step, outcome
from seshat.store import Store
from seshat.working_copy import is_copy

if TYPE_CHECKING:
    import ray.data

    from seshat.settings import Settings

log = logging.getLogger(__name__)
Execution = Literal["ray", "local"]
TURNS = 64
"""How often a worker asks Ray for work in one run: a part each time costs too much where there are thousands, and few times leave workers
idle at the end. One that dies with several parts in hand costs nothing but the one that it was at: what is committed is not made again."""
MOST_TURNS = 10_000
"""Of all workers together on a cluster that may grow while it works: parts that were given out as one go to one worker."""
Session = Callable[[], AbstractContextManager[None]]
"""Opens a Ray session, or finds the one that is open."""


def run_step(step: Step, settings: Settings) -> Outcome:
    """Do what is left of a step, in the open or a new Ray session (``execution: ray``) or here, and commit its manifest."""
    from seshat.cluster.connect import connect

    return do_step(step, Store(settings.root), settings.execution, lambda: connect(settings), settings.cluster.patience)


def do_step(
    step: Step,
    store: Store,
    execution: Execution,
    session: Session = nullcontext,
    patience: float = PATIENCE,
) -> Outcome:
    """``run_step`` for whoever opens the session in a way of its own."""
    start = time.monotonic()
    done = step.done(store)
    if done:
        return outcome(done, done_before=True, note=step.note)
    todo = [part for part in step.parts if step.committed(part, store) is None]
    about_to_do(step, todo, store)
    on_ray = execution == "ray" and todo and not is_copy(store.root)  # other nodes would not find what is in this one's working copy
    rejected = _on_ray(step, todo, store, session, patience) if on_ray else _here(step, todo, store)
    rate = Rate(len(todo), "parts")
    with Progress() as progress:
        for number, total in enumerate(accumulate(rejected), 1):
            progress(f"{step.name}: {rate(number)}, {total:,} rejected")
    return outcome(step.finish(store), seconds=time.monotonic() - start, note=step.note)


def _here(step: Step, todo: list[Part], store: Store) -> Iterator[int]:
    """How many records of each part were rejected."""
    for part in todo:
        yield sum(step.work(part, store).rejected.values())


def _on_ray(step: Step, todo: list[Part], store: Store, session: Session, patience: float) -> Iterator[int]:
    """The same, by the workers of a cluster."""
    from ray.exceptions import RayError

    with session():
        require(step.name, step.resources, patience)
        try:
            for row in dataset(step, todo, store).iter_rows():
                if row["error"]:
                    raise pickle.loads(row["error"])
                yield row["rejected"]
        except RayError as error:
            raise SeshatError(f"{step.name}: a worker failed ({cause(error)}); run the same command again, or with --debug") from error


def dataset(step: Step, todo: list[Part], store: Store) -> ray.data.Dataset:
    """The numbers of the parts to do, turned into how many records of each are rejected; lazy, like every Ray dataset."""
    import ray.data

    from seshat.cluster.connect import is_ours  # loads Ray

    logging.getLogger("ray.data").setLevel(logging.WARNING)
    logging.getLogger("ray.data._internal.progress").setLevel(logging.ERROR)  # it warns that there is no bar
    asked = step.resources
    ray.data.DataContext.get_current().enable_progress_bars = False
    room = max(1, int(ray.cluster_resources().get("CPU", 1) // asked.cpus))
    turns = TURNS * room if is_ours() else max(TURNS * room, MOST_TURNS)
    rows = ray.data.from_items([{"part": index} for index in range(len(todo))], override_num_blocks=min(len(todo), turns))
    compute: dict[str, Any] = {"num_cpus": asked.cpus, "num_gpus": asked.gpus}
    if step.loads_engine:
        most = max(1, min(asked.workers or room, len(todo)))
        compute["compute"] = ray.data.ActorPoolStrategy(min_size=1, max_size=most)
    elif asked.workers:
        compute["concurrency"] = asked.workers
    return rows.map(_worker(step, todo, store), **compute)


def _worker(step: Step, todo: list[Part], store: Store) -> Any:
    """The operator, named after the step, so that the dashboard reads like the Makefile."""
    if not step.loads_engine:

        def work(row: dict[str, Any]) -> dict[str, Any]:
            return _attempt(step, todo[row["part"]], store)

        work.__name__ = work.__qualname__ = step.name
        return work

    class Worker:
        """Keeps the stages, and so their engines, for all parts that this actor gets."""

        def __init__(self) -> None:
            self.step = step

        def __call__(self, row: dict[str, Any]) -> dict[str, Any]:
            return _attempt(self.step, todo[row["part"]], store)

    Worker.__name__ = Worker.__qualname__ = step.name
    return Worker


def _attempt(step: Step, part: Part, store: Store) -> dict[str, Any]:
    """How many records of a committed part are rejected, or the error that stops the run.

    Raised here, it would arrive in Ray's wrapping, without its type.
    """
    start = time.monotonic()
    try:
        done = step.work(part, store)
        committed(step.place, done, time.monotonic() - start)
        return {"rejected": sum(done.rejected.values()), "error": b""}
    except SeshatError as error:
        return {"rejected": 0, "error": pickle.dumps(error)}


def cause(error: Exception) -> str:
    """The one line of Ray's report that says what happened."""
    first, chained, _ = str(error).partition("\n\nThe above exception was the direct cause")
    lines = first.strip().splitlines() or [type(error).__name__]
    return lines[-1] if chained else lines[0]
