"""Training under Ray Train, or in this process: the same loop in both places."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from datetime import timedelta
from functools import cache, partial
from math import inf
from typing import Any

import torch

from seshat.cluster.board import Here, OnRay, Teller, fitted, hang_up, stop_signal, told
from seshat.cluster.connect import is_ours
from seshat.cluster.data import Execution, Session, do_step
from seshat.cluster.evaluator import Evaluator, sample
from seshat.cluster.events import Event
from seshat.cluster.placement import require
from seshat.engines.weights import weight_files
from seshat.errors import ConfigError, DivergedError, EngineError, SeshatError, StoppedError, TooLargeError
from seshat.language import Language
from seshat.preview import about_to_make
from seshat.prompts import Prompts
from seshat.rights import Rights
from seshat.stage import PATIENCE, Resources
from seshat.step import Outcome, Step, outcome
from seshat.store import Store
from seshat.training import run
from seshat.training.estimate import Estimate
from seshat.training.hardware import free_memory, used_memory
from seshat.training.provenance import facts
from seshat.training.settings import Training
from seshat.training.strategy import Place
from seshat.working_copy import address_of

log = logging.getLogger(__name__)
LESS = "if that is too much the batch is halved; lower max_seq_length, per_device_train_batch_size or lora.r to need less from the start"
SHORTEST = 128
"""Tokens in a row below which a run that does not fit into memory is given up."""
LARGEST_ON_CPU = 1_000_000_000
"""Bytes of weights above which a processor is too slow to translate even a few sentences for each checkpoint."""


def train(
    training: Training,
    language: Language,
    prompts: Prompts,
    store: Store,
    *,
    rights: Rights | None = None,
    execution: Execution = "ray",
    session: Session = nullcontext,
    patience: float = PATIENCE,
) -> Outcome:
    """Train an adapter, or go on with one, or find that it is there.

    With ``ray``, ``session`` opens a Ray session if there is something to do; workers that are lost are started again and go on
    from the newest checkpoint. Whoever ends this process with SIGTERM finds a checkpoint of the last step.
    """
    started, fitting = time.monotonic(), training
    with ExitStack() as opened:

        @cache
        def once() -> None:
            opened.enter_context(session())

        def make(step: Step) -> Outcome:
            return _make(step, store, execution, once, patience)

        job = run.prepare(training, language, prompts, store, rights, make)
        done = store.done(job.folder, job.fingerprint)
        if done:
            return outcome(done, done_before=True, note=job.folder)
        about_to_make("train", job.folder, store, partial(_foreseen, job))
        if execution == "ray":
            once()
        while True:
            run.start(job)
            try:
                numbers = _told(job, partial(_on_ray, patience=patience) if execution == "ray" else _here)
                break
            except TooLargeError as error:
                fitting = _shorter(fitting, error)
                job = run.prepare(fitting, language, prompts, store, rights, make, asked=training)
    manifest = run.finish(job, numbers)
    shown = [f"{name} {value}" for name, value in manifest.notes.items() if name in (*run.LOSSES, "chrf++", "step")]
    return outcome(manifest, seconds=time.monotonic() - started, note=f"{job.folder}  {', '.join(shown)}")


def _foreseen(job: run.Job) -> Estimate:
    """What a run would need on this machine; how many workers a cluster would give it is not asked."""
    workers = 1 if job.training.num_workers == "auto" else job.training.num_workers
    return run.estimated(job, workers, torch.device("cuda" if torch.cuda.is_available() else "cpu"))


def _make(step: Step, store: Store, execution: Execution, once: Callable[[], None], patience: float) -> Outcome:
    """Pack, in the session that the training goes on in."""

    @contextmanager
    def session() -> Iterator[None]:
        once()
        yield

    return do_step(step, store, execution, session, patience)


def _shorter(training: Training, error: TooLargeError) -> Training:
    """The last resort where memory is too small: rows of half the length, so the longest examples are left out."""
    length = training.max_seq_length // 2
    if length < SHORTEST:
        raise error
    log.warning("train: %s. Going on with max_seq_length=%d", error, length)
    return training.model_copy(update={"max_seq_length": length})


def _told(job: run.Job, work: Callable[[run.Job, Teller], dict[str, float]]) -> dict[str, float]:
    """Work, while the user and MLflow are told of it."""
    teller = Teller(job)
    try:
        numbers = work(job, teller)
    except BaseException:
        teller.close(failed=True)
        raise
    teller.close(failed=False)
    return numbers


def _here(job: run.Job, teller: Teller) -> dict[str, float]:
    """One worker, in this process."""
    if job.training.num_workers not in (1, "auto"):
        raise EngineError("execution: local trains with one worker: set training.num_workers=1, or execution=ray")
    device = device_here(job.training)
    estimated = _announced(job, 1, device, room=free_memory(device) + used_memory(device))
    evaluator = Evaluator(job, device) if _is_scored(job, device.type == "cuda", teller) else None
    teller(Event(0, facts=facts(device, 1)))
    with stop_signal() as stopping:
        numbers = run.work(job, Place(device=device), Here(teller, evaluator, stopping))
    _compare(numbers, estimated)
    return numbers


def _announced(job: run.Job, workers: int, device: torch.device, room: float) -> Estimate:
    """What the run will need, told to the user, with a warning where the gigabytes that its workers share are fewer."""
    estimated = run.estimated(job, workers, device)
    log.info("train: %s", estimated)
    if (needed := estimated.memory * workers / 1e9) > room:
        log.warning("train: about %.1f GB are needed and %.1f GB are free on the %s: %s", needed, room, device.type, LESS)
    return estimated


def _compare(numbers: dict[str, float], estimated: Estimate) -> None:
    log.info(
        "train: took %s (expected %s) and %.1f GB of a worker's memory (expected %.1f)",
        *(timedelta(seconds=round(numbers[name])) for name in ("seconds", "expected_seconds")),
        *(numbers["peak_gigabytes"], estimated.memory / 1e9),
    )


def _on_ray(job: run.Job, teller: Teller, patience: float) -> dict[str, float]:
    """Workers of Ray Train, each with its share of the machine, and an evaluator beside them."""
    import ray
    from ray.train import FailureConfig, RunConfig, ScalingConfig
    from ray.train.torch import TorchConfig, TorchTrainer
    from ray.train.v2.api.exceptions import TrainingFailedError

    training, gpu, workers = job.training, wants_gpu(job.training), _num_workers(job.training)
    resources = shares(training, workers, gpu, patience)
    device = torch.device("cuda" if gpu else "cpu")
    estimated = _announced(job, workers, device, room=free_memory(device) if is_ours() and not gpu else inf)
    board = hang_up()
    scoring = Scoring(job, board, teller, gpus_taken=workers * training.gpus_per_worker if gpu else 0)
    trainer = TorchTrainer(
        _worker,
        train_loop_config={
            "job": ray.put(job),  # so that Ray's controller need not load what only a worker can use
            "threads": max(1, int(training.cpus_per_worker)),
            "gpu": gpu,
            "board": board,
        },
        scaling_config=ScalingConfig(
            num_workers=(training.min_workers, workers) if training.min_workers else workers, use_gpu=gpu, resources_per_worker=resources
        ),
        torch_config=TorchConfig(backend="nccl" if gpu else "gloo"),
        run_config=RunConfig(
            name=job.fingerprint,
            storage_path=os.path.join(address_of(Store(job.root).path(job.folder)), "ray"),
            failure_config=FailureConfig(max_failures=training.max_failures),
        ),
    )
    try:
        with stop_signal() as stopping, told(board, scoring, stopping):
            result = fitted(trainer, stopping)
            if isinstance(result, SeshatError):
                raise result
            scoring.wait()
    except TrainingFailedError as error:
        raise reason(error) from error
    _compare(result, estimated)
    return dict(result)


def _worker(config: dict[str, Any]) -> dict[str, float] | SeshatError:
    """What Ray runs on every worker; what the first one returns is the result: an error that is raised, Ray would try again."""
    import ray.train
    from ray.train.torch import get_device

    torch.set_num_threads(config["threads"])
    context = ray.train.get_context()
    device = get_device() if config["gpu"] else torch.device("cpu")
    place = Place(rank=context.get_world_rank(), world=context.get_world_size(), device=device)
    listener = OnRay(place.rank, config["board"])
    if place.rank == 0:
        listener.write(Event(0, facts=facts(device, place.world)))
    try:
        return run.work(ray.get(config["job"]), place, listener)
    except (DivergedError, StoppedError, TooLargeError) as error:  # all workers have it in the same step
        return error
    finally:
        listener.close()


class EvaluatorActor:
    """The evaluator in a process of its own; what it finds it writes on the board."""

    def __init__(self) -> None:
        self._evaluator: Evaluator | None = None

    def score(self, job: run.Job, board: Any, gpu: bool) -> None:
        """Score what waits, and stop the workers when further steps bring nothing; then all of it is on the board."""
        import ray

        if self._evaluator is None:
            torch.set_num_threads(1)
            self._evaluator = Evaluator(job, torch.device("cuda" if gpu else "cpu"))
        told = [board.write.remote(event) for event in self._evaluator.score_waiting()]
        if self._evaluator.is_exhausted:
            board.ask_to_stop.remote("early")
        ray.wait(told, num_returns=len(told))


class Scoring:
    """Tells on what is written on the board, and wakes the evaluator with every checkpoint.

    The evaluator begins with the first one, so that it does not slow the workers' start.
    """

    def __init__(self, job: run.Job, board: Any, tell: Teller, *, gpus_taken: float) -> None:
        import ray

        self._job, self._board, self._tell = job, board, tell
        asked = job.training.evaluator.gpus if wants_gpu(job.training) else 0.0
        free = ray.cluster_resources().get("GPU", 0) - gpus_taken
        self._gpus = (1.0 if free >= 1 else 0.0) if asked == "auto" else asked
        self._wanted = _is_scored(job, self._gpus > 0, tell)
        self._actor: Any = None
        self._one = threading.Lock()
        """The board is read by a thread of its own."""

    def __call__(self, event: Event) -> None:
        self._tell(event)
        if event.saved and self._wanted:
            self._wake()

    def wait(self) -> None:
        """Until the last checkpoint is scored."""
        import ray
        from ray.exceptions import RayError

        if self._wanted:
            try:
                ray.get(self._wake())
            except RayError as error:
                log.warning("train: the evaluator failed (%s)", str(error).strip().splitlines()[-1])

    def _wake(self) -> Any:
        import ray

        with self._one:
            if self._actor is None:
                options = {"num_cpus": self._job.training.evaluator.cpus, "num_gpus": self._gpus, "max_restarts": 2, "max_task_retries": 2}
                self._actor = ray.remote(**options)(EvaluatorActor).remote()
        return self._actor.score.remote(self._job, self._board, self._gpus > 0)


def _is_scored(job: run.Job, gpu: bool, teller: Teller) -> bool:
    if not sample(job):
        return False
    size = sum(os.path.getsize(file) for file in weight_files(Store(job.root).path(job.base)))
    if size > LARGEST_ON_CPU and not gpu:
        why = f"no GPU is left that could translate with a model of {size / 1e9:.0f} GB, so checkpoints are not scored"
        teller(Event(0, remarks=(f"{why}: give training.evaluator.gpus a share, such as 0.3 with training.gpus_per_worker=0.7",)))
        return False
    return True


def _num_workers(training: Training) -> int:
    """The setting ``num_workers``; on ``auto`` as many as the cluster has GPUs for."""
    if training.num_workers != "auto":
        return training.num_workers
    import ray

    return max(1, int(ray.cluster_resources().get("GPU", 0) // training.gpus_per_worker))


def shares(training: Training, workers: int, gpu: bool, patience: float) -> dict[str, float]:
    """What each worker takes: what was asked for, or its share of the processor of a machine that nobody will join."""
    import ray

    if not is_ours():
        one = Resources(cpus=training.cpus_per_worker, gpus=training.gpus_per_worker if gpu else 0.0)
        require("train", one, patience, {"CPU": "training.cpus_per_worker", "GPU": "training.gpus_per_worker"})
    asked = {"CPU": training.cpus_per_worker, **({"GPU": training.gpus_per_worker} if gpu else {})}
    for kind, amount in asked.items():
        there = ray.cluster_resources().get(kind, 0)
        if there >= amount * workers:
            continue
        if is_ours() and kind == "GPU":
            raise ConfigError(f"training.use_gpu: {workers} workers want {amount:g} GPUs each and there are {there:g}: set use_gpu=auto")
        if is_ours():
            asked[kind] = there / workers
            log.info("train: %g CPUs for each of %d workers, not %g: there are no more", asked[kind], workers, amount)
        else:
            log.warning(
                f"train: {workers} workers with {amount:g} {kind} each do not fit into {there:g}: waiting for nodes to join; "
                "where none can, lower training.num_workers or training.cpus_per_worker"
            )
    return asked


def device_here(training: Training) -> torch.device:
    """Where a run in this process computes.

    Raises:
        ConfigError: If a GPU is asked for that torch does not see.
    """
    if not wants_gpu(training):
        return torch.device("cpu")
    if not torch.cuda.is_available():
        raise ConfigError("training.use_gpu: torch sees no GPU on this machine: 'make check-gpu' says why; without one set use_gpu=auto")
    return torch.device("cuda")


def wants_gpu(training: Training) -> bool:
    """The setting ``use_gpu``; on ``auto`` the GPUs of the cluster, or of this machine where there is no cluster."""
    import ray

    if training.use_gpu != "auto":
        return bool(training.use_gpu)
    if ray.is_initialized():
        needed = training.gpus_per_worker * (1 if training.num_workers == "auto" else training.num_workers)
        return bool(ray.cluster_resources().get("GPU", 0) >= needed)
    return bool(torch.cuda.is_available())


def reason(error: Exception) -> SeshatError:
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
