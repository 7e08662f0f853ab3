"""The whole Ray Data wiring.

The row of the Ray dataset is a part descriptor: a worker reads its part, runs the stages, commits, and returns the part's
key. So results do not depend on the number of workers, a killed driver is harmless, and memory is bounded by the part.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from seshat.errors import SeshatError
from seshat.step import Outcome, Part, Step, outcome
from seshat.store import Store

if TYPE_CHECKING:
    import ray.data

    from seshat.settings import Settings

log = logging.getLogger(__name__)


def run_step(step: Step, settings: Settings, progress: Callable[[str], None] | None = None) -> Outcome:
    """Do what is left of a step, in the open or a new Ray session (``execution: ray``) or here, and commit its manifest."""
    store, start = Store(settings.root), time.monotonic()
    done = step.done(store)
    if done:
        return outcome(done, done_before=True)
    todo = [part for part in step.parts if store.part(step.name, step.key(part)) is None]
    for number, _ in enumerate(_work(step, todo, store, settings), 1):
        if progress:
            progress(f"{step.name} {number}/{len(todo)} parts, {number / (time.monotonic() - start):.1f}/s")
    return outcome(step.finish(store), seconds=time.monotonic() - start)


def _work(step: Step, todo: list[Part], store: Store, settings: Settings) -> Iterator[str]:
    if settings.execution == "local" or not todo:
        return (step.work(part, store).key for part in todo)
    return _on_ray(step, todo, store, settings)


def _on_ray(step: Step, todo: list[Part], store: Store, settings: Settings) -> Iterator[str]:
    import ray
    from ray.data import ActorPoolStrategy
    from ray.exceptions import RayError

    from seshat.cluster.connect import connect

    asked = step.resources
    with connect(settings):
        ray.data.DataContext.get_current().enable_progress_bars = False
        rows = ray.data.from_items([{"part": index} for index in range(len(todo))], override_num_blocks=len(todo))
        compute: dict[str, Any] = {"num_cpus": asked.cpus, "num_gpus": asked.gpus}
        if step.loads_engine:
            room = int(ray.cluster_resources().get("CPU", 1) // asked.cpus)
            most = max(1, min(asked.workers or room, len(todo)))
            compute["compute"] = ActorPoolStrategy(min_size=1, max_size=most)
        elif asked.workers:
            compute["concurrency"] = asked.workers
        committed = rows.map(_worker(step, todo, store), **compute)
        try:
            for row in committed.iter_rows():
                yield row["key"]
        except RayError as error:
            raise _unwrap(error, step) from error


def _worker(step: Step, todo: list[Part], store: Store) -> Any:
    """The operator, named after the step, so that the dashboard reads like the Makefile."""
    if not step.loads_engine:

        def work(row: dict[str, Any]) -> dict[str, Any]:
            return {"key": step.work(todo[row["part"]], store).key}

        work.__name__ = work.__qualname__ = step.name
        return work

    class Worker:
        """Keeps the stages, and so their engines, for all parts that this actor gets."""

        def __init__(self) -> None:
            self.step = step

        def __call__(self, row: dict[str, Any]) -> dict[str, Any]:
            return {"key": self.step.work(todo[row["part"]], store).key}

    Worker.__name__ = Worker.__qualname__ = step.name
    return Worker


def _unwrap(error: BaseException, step: Step) -> SeshatError:
    """The error that a worker raised, without Ray's wrapping."""
    cause: BaseException | None = error
    while cause is not None:
        inner = getattr(cause, "cause", None) or cause.__cause__
        if isinstance(cause, SeshatError):
            return cause
        cause = inner if inner is not cause else None
    return SeshatError(f"{step.name}: a worker failed: {error}")
