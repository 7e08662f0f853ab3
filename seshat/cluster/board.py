"""Who is told how a training run goes: workers and evaluator write on the board, the driver reads it and tells the user and MLflow."""

from __future__ import annotations

import logging
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, wait
from contextlib import contextmanager
from typing import Any

from seshat import history
from seshat.cluster.evaluator import Evaluator
from seshat.cluster.events import Board, Event
from seshat.cluster.metrics import trained
from seshat.progress import Progress, left
from seshat.training.loop import Listener, Stop
from seshat.training.phases import num_steps
from seshat.training.run import Job
from seshat.training.tracking import Tracker

log = logging.getLogger(__name__)
LOOK = 2.0
"""Seconds between two looks at the board."""


class Teller:
    """Tells the user and MLflow."""

    def __init__(self, job: Job) -> None:
        self._total = num_steps(job.training, job.rows.spans)
        self._progress = Progress()
        self._first: tuple[int, float] | None = None
        self._job = job
        self._tracker = Tracker(job.root, job.training.name, job.fingerprint) if job.training.tracking else None

    def __call__(self, event: Event) -> None:
        if self._tracker:
            self._track(self._tracker, event)
        for text in event.news:
            log.info("train: step %d: %s", event.step, text)
        for text in event.remarks:
            log.warning("train: step %d: %s", event.step, text)
        try:
            history.append(self._job.checkpoints, event.step, event.numbers | event.scores)
        except OSError as error:
            log.warning("train: step %d will be missing in the report's curve: it could not be kept (%s)", event.step, error)
        trained(self._job.training.name, event.numbers | event.scores)
        if event.numbers or event.scores:
            said = "  ".join(f"{name} {value:.4g}" for name, value in (event.numbers | event.scores).items())
            self._progress(f"train: step {event.step} of {self._total}  {said}{self._left(event)}")

    def _left(self, event: Event) -> str:
        """The time that the other steps will take at the pace since the first event that was told."""
        now = time.monotonic()
        if self._first is None:
            self._first = (event.step, now)
        first, start = self._first
        return f"  {left(self._total - event.step, (now - start) / (event.step - first))}" if event.step > first else ""

    def _track(self, tracker: Tracker, event: Event) -> None:
        if event.facts:
            tracker.describe(self._job.training, self._job.card, event.facts)
        if event.numbers:
            tracker.log(event.step, event.numbers)
        if event.scores:
            tracker.scores(event.step, event.scores)
            tracker.samples(event.step, event.samples)
        for text in event.remarks:
            tracker.remark(event.step, text)

    def close(self, *, failed: bool) -> None:
        """The run has ended."""
        self._progress.close()
        if self._tracker:
            self._tracker.close(failed=failed)


class Here(Listener):
    """Of a run in this process: told at once, and scored between two steps."""

    def __init__(self, tell: Callable[[Event], None], evaluator: Evaluator | None, stopping: threading.Event) -> None:
        self._tell, self._evaluator, self._stopping = tell, evaluator, stopping

    def report(self, step: int, numbers: dict[str, float], remarks: Sequence[str]) -> None:
        self._tell(Event(step, numbers, remarks))

    def news(self, step: int, text: str) -> None:
        self._tell(Event(step, news=(text,)))

    def saved(self, step: int) -> None:
        if self._evaluator:
            for event in self._evaluator.score_waiting():
                self._tell(event)

    def stop(self) -> Stop:
        if self._stopping.is_set():
            return "asked"
        return "early" if self._evaluator and self._evaluator.is_exhausted else ""


class OnRay(Listener):
    """Of a worker of Ray Train: the first one writes on the board; none ever waits for it.

    Nothing goes to ``ray.train.report``: its queue has room for one report, which the controller fetches every two seconds, so a run that
    logs each step would wait two seconds for each step.
    """

    def __init__(self, rank: int, board: Any) -> None:
        self._rank, self._board = rank, board
        self._answer: Any = None
        self._stop: Stop = ""
        self._written: list[Any] = []
        """The newest event on its way; the board takes them one after the other."""

    def report(self, step: int, numbers: dict[str, float], remarks: Sequence[str]) -> None:
        if self._rank == 0:
            self.write(Event(step, numbers, remarks))

    def news(self, step: int, text: str) -> None:
        if self._rank == 0:
            self.write(Event(step, news=(text,)))

    def saved(self, step: int) -> None:
        self.write(Event(step, saved=True))

    def write(self, event: Event) -> None:
        """Whichever worker this is."""
        self._written = [self._board.write.remote(event)]

    def close(self) -> None:
        """Wait until all is on the board, or known to be lost with it."""
        import ray

        ray.wait(self._written)

    def stop(self) -> Stop:
        import ray
        from ray.exceptions import RayError

        if self._answer is None:
            self._answer = self._board.stop.remote()
        elif ray.wait([self._answer], timeout=0)[0]:
            try:
                self._stop = ray.get(self._answer)
            except RayError:  # the node with the board is gone, the training need not be
                log.warning("train: the board is gone, so nobody can stop this run but by ending it")
            self._answer = self._board.stop.remote() if not self._stop else None
        return self._stop


def hang_up() -> Any:
    """A board on the node of this process, so that no other node takes it away when it is lost.

    Ray puts an actor that needs no processor anywhere, whatever it was asked to do, unless it was asked strictly (``soft=False``).
    """
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
    return ray.remote(num_cpus=0, scheduling_strategy=here)(Board).remote()


@contextmanager
def told(board: Any, tell: Callable[[Event], None], stopping: threading.Event) -> Iterator[None]:
    """Tell, while something else goes on, what is written on the board; write there that the run should stop once that is asked."""
    import ray
    from ray.exceptions import RayError

    over = threading.Event()

    def look() -> None:
        ended = False
        while not ended:
            ended = over.wait(LOOK)
            try:
                if stopping.is_set():
                    board.ask_to_stop.remote("asked")
                for event in ray.get(board.read.remote()):
                    tell(event)
            except RayError as error:  # the node with the board is gone, the training need not be
                log.warning("train: how far it is cannot be shown any more (%s)", type(error).__name__)
                return

    reader = threading.Thread(target=look, daemon=True, name="board")
    reader.start()
    try:
        yield
    finally:
        over.set()
        reader.join()


def fitted(trainer: Any, stopping: threading.Event) -> Any:
    """What the first worker of a trainer of Ray Train returns.

    On the main thread Ray Train would keep Ctrl-C for itself, even after the training, and end this process with 0. So it gets a thread of
    its own, and the first Ctrl-C asks the workers to stop as SIGTERM does; the second one is not waited for.

    Raises:
        KeyboardInterrupt: When the workers have stopped.
        TrainingFailedError: Of Ray Train.
    """
    result: Future[Any] = Future()

    def fit() -> None:
        try:
            result.set_result(trainer.fit().return_value)
        except BaseException as error:
            result.set_exception(error)

    threading.Thread(target=fit, daemon=True, name="fit").start()
    try:
        wait([result])
    except KeyboardInterrupt:
        stopping.set()
        log.info("train: stops when the step is kept that it is at; Ctrl-C again stops it at once")
        wait([result])
        raise
    return result.result()


@contextmanager
def stop_signal() -> Iterator[threading.Event]:
    """Set when somebody asks this process to end (SIGTERM), which then ends when it has kept what was done."""
    stopping = threading.Event()
    if threading.current_thread() is not threading.main_thread():  # signals are for the main thread alone
        yield stopping
        return
    before = signal.signal(signal.SIGTERM, lambda *_: stopping.set())
    try:
        yield stopping
    finally:
        signal.signal(signal.SIGTERM, before)
