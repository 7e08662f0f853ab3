"""Training under Ray Train, or in this process: the same loop in both places."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, Literal

import torch

from seshat.errors import EngineError, SeshatError
from seshat.language import Language
from seshat.progress import Progress
from seshat.prompts import Prompts
from seshat.rights import Rights
from seshat.step import Outcome, outcome
from seshat.store import Store
from seshat.training import run
from seshat.training.loop import Place, Report, num_steps
from seshat.training.provenance import facts
from seshat.training.settings import Training
from seshat.training.tracking import Tracker

log = logging.getLogger(__name__)
Execution = Literal["ray", "local"]
LOOK = 2.0
"""Seconds between two looks at how far the workers are."""


def train(
    training: Training,
    language: Language,
    prompts: Prompts,
    store: Store,
    *,
    rights: Rights | None = None,
    execution: Execution = "ray",
    session: Callable[[], AbstractContextManager[None]] = nullcontext,
) -> Outcome:
    """Train an adapter, or go on with one, or find that it is there.

    With ``ray``, ``session`` opens a Ray session if there is something to do; workers that are lost are started again and go on
    from the newest checkpoint.
    """
    started = time.monotonic()
    job = run.prepare(training, language, prompts, store, rights)
    done = store.done(job.folder, job.fingerprint)
    if done:
        return outcome(done, done_before=True, note=job.folder)
    run.start(job)
    if execution == "ray":
        with session():
            numbers = _on_ray(job)
    else:
        numbers = _here(job)
    manifest = run.finish(job, numbers)
    note = f"{job.folder}  " + ", ".join(f"{name} {value}" for name, value in manifest.notes.items() if name.endswith("loss"))
    return outcome(manifest, seconds=time.monotonic() - started, note=note)


def _here(job: run.Job) -> dict[str, float]:
    """One worker, in this process."""
    if job.training.num_workers > 1:
        raise EngineError("execution: local trains with one worker: set training.num_workers=1, or execution=ray")
    device = torch.device("cuda" if _wants_gpu(job.training) else "cpu")
    progress = Progress()

    def report(step: int, numbers: dict[str, float], remarks: Sequence[str]) -> None:
        for text in remarks:
            log.warning("train: step %d: %s", step, text)
        if numbers:
            progress(_line(job, step, numbers))

    return _tracked(job, Place(device=device), report)


def _on_ray(job: run.Job) -> dict[str, float]:
    """Workers of Ray Train, each with its share of the machine."""
    import ray
    from ray.train import FailureConfig, RunConfig, ScalingConfig
    from ray.train.torch import TorchConfig, TorchTrainer
    from ray.train.v2.api.exceptions import TrainingFailedError

    training, gpu = job.training, _wants_gpu(job.training)
    board = ray.remote(num_cpus=0)(Board).remote()
    resources = {"CPU": training.cpus_per_worker, **({"GPU": 1} if gpu else {})}
    for kind, amount in resources.items():
        there = ray.cluster_resources().get(kind, 0)
        if there < amount * training.num_workers:
            log.warning(
                f"train: {training.num_workers} workers with {amount:g} {kind} each do not fit into {there:g}: waiting for nodes to join; "
                "where none can, lower training.num_workers or training.cpus_per_worker"
            )
    trainer = TorchTrainer(
        _worker,
        train_loop_config={"job": job, "threads": max(1, int(training.cpus_per_worker)), "gpu": gpu, "board": board},
        scaling_config=ScalingConfig(num_workers=training.num_workers, use_gpu=gpu, resources_per_worker=resources),
        torch_config=TorchConfig(backend="nccl" if gpu else "gloo"),
        run_config=RunConfig(
            name=job.fingerprint,
            storage_path=os.path.join(Store(job.root).path(job.folder), "ray"),
            failure_config=FailureConfig(max_failures=training.max_failures),
        ),
    )
    try:
        with _told(board):
            result = trainer.fit()
    except TrainingFailedError as error:
        raise _reason(error) from error
    return dict(result.return_value or {})


def _worker(config: dict[str, Any]) -> dict[str, float]:
    """What Ray runs on every worker; what the first one returns is the result."""
    import ray.train
    from ray.train.torch import get_device

    torch.set_num_threads(config["threads"])
    context = ray.train.get_context()
    device = get_device() if config["gpu"] else torch.device("cpu")
    place = Place(rank=context.get_world_rank(), world=context.get_world_size(), device=device)

    def report(step: int, numbers: dict[str, float], remarks: Sequence[str]) -> None:
        if place.rank == 0:
            line = _line(config["job"], step, numbers) if numbers else ""
            if line:
                log.info(line)
            config["board"].write.remote(line, [f"train: step {step}: {text}" for text in remarks])
        ray.train.report({"step": step, **numbers})

    return _tracked(config["job"], place, report)


class Board:
    """An actor on which the first worker writes how far it is, for the driver to read, and what is to be said about the run."""

    def __init__(self) -> None:
        self._line = ""
        self._remarks: list[str] = []

    def write(self, line: str, remarks: Sequence[str]) -> None:
        self._line = line or self._line
        self._remarks += remarks

    def read(self) -> tuple[str, list[str]]:
        """The line that was written last, and the remarks since somebody looked."""
        remarks, self._remarks = self._remarks, []
        return self._line, remarks


@contextmanager
def _told(board: Any) -> Iterator[None]:
    """Tell, while something else goes on, what stands on the board."""
    import ray
    from ray.exceptions import RayError

    progress, over = Progress(), threading.Event()

    def look() -> None:
        seen, ended = "", False
        while not ended:
            ended = over.wait(LOOK)
            try:
                line, remarks = ray.get(board.read.remote())
            except RayError as error:  # the node with the board is gone, the training need not be
                log.warning("train: how far it is cannot be shown any more (%s)", type(error).__name__)
                return
            for text in remarks:
                log.warning("%s", text)
            if line != seen:
                progress(line)
                seen = line

    reader = threading.Thread(target=look, daemon=True, name="progress")
    reader.start()
    try:
        yield
    finally:
        over.set()
        reader.join()


def _tracked(job: run.Job, place: Place, report: Report) -> dict[str, float]:
    """Work, with the curves of the first worker in MLflow."""
    tracker = Tracker(job.root, job.training.name, job.fingerprint) if job.training.tracking and place.rank == 0 else None
    if tracker:
        tracker.describe(job.training, job.card, facts(place.device, place.world))

    def both(step: int, numbers: dict[str, float], remarks: Sequence[str]) -> None:
        if tracker:
            tracker.log(step, numbers)
            for text in remarks:
                tracker.remark(step, text)
        report(step, numbers, remarks)

    try:
        last = run.work(job, place, both)
    except BaseException:
        if tracker:
            tracker.close(failed=True)
        raise
    if tracker:
        tracker.close()
    return last


def _line(job: run.Job, step: int, numbers: dict[str, float]) -> str:
    total = num_steps(job.training, len(job.rows))
    return f"train: step {step} of {total}  " + "  ".join(f"{name} {value:.4g}" for name, value in numbers.items())


def _wants_gpu(training: Training) -> bool:
    """The setting ``use_gpu``; on ``auto`` the GPUs of the cluster, or of this machine where there is no cluster."""
    if training.use_gpu != "auto":
        return bool(training.use_gpu)
    import ray

    if ray.is_initialized():
        return bool(ray.cluster_resources().get("GPU", 0) >= training.num_workers)
    return bool(torch.cuda.is_available())


def _reason(error: Exception) -> SeshatError:
    """The error of a worker that was meant for the user, or the first line of whatever it was."""
    failures: dict[int, Exception] = getattr(error, "worker_failures", {})
    for failure in failures.values():
        cause = failure
        while cause is not None:
            if isinstance(cause, SeshatError):
                return cause
            cause = getattr(cause, "cause", None) or cause.__cause__  # type: ignore[assignment]
    first = next(iter(failures.values()), error)
    lines = str(first).strip().splitlines() or [type(first).__name__]
    return SeshatError(f"training failed on a worker: {lines[-1]}")
