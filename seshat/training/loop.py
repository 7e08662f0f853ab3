"""The training loop: setup, fit, validate, in the order of reading. It knows no Ray; who runs it gives a ``report``.

A step is a number of packed rows, over all workers and accumulated batches. The loss of a step is the mean over all its
target tokens, so it does not depend on how the rows were dealt out.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any

import torch
import torch.distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from seshat.errors import ConfigError, SeshatError
from seshat.training import checkpoint
from seshat.training.batches import Order, Packed, collate
from seshat.training.model import Objective, trainable, uses_bf16
from seshat.training.settings import Training
from seshat.training.watch import Watch

log = logging.getLogger(__name__)
Report = Callable[[int, dict[str, float], Sequence[str]], None]
"""Called by every worker with the step, its numbers, and what is to be said about the run."""


@dataclass(frozen=True)
class Place:
    """Where this process stands among the workers."""

    rank: int = 0
    world: int = 1
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))


@dataclass(frozen=True)
class Schedule:
    """The learning rate as a function of the step: a linear rise, then a cosine to zero."""

    peak: float
    warmup_steps: int
    total_steps: int

    def __call__(self, step: int) -> float:
        """The rate of a step, counted from 0."""
        if step < self.warmup_steps:
            return self.peak * (step + 1) / self.warmup_steps
        progress = (step - self.warmup_steps) / max(1, self.total_steps - self.warmup_steps)
        return self.peak * 0.5 * (1 + math.cos(math.pi * min(1.0, progress)))


@dataclass
class Run:
    """Everything that a run holds while it goes on."""

    training: Training
    place: Place
    objective: nn.Module
    weights: dict[str, nn.Parameter]
    optimizer: torch.optim.Optimizer
    order: Order
    schedule: Schedule
    rows: Packed
    validation: Packed | None
    pad: int
    step: int = 0
    """Steps that are done."""
    first: int = 0
    """Steps that were done when this process began."""
    tokens: int = 0
    started: float = field(default_factory=time.monotonic)

    def autocast(self) -> AbstractContextManager[Any]:
        """bfloat16 arithmetic where the settings want it."""
        enabled = uses_bf16(self.training, self.place.device)
        context: AbstractContextManager[Any] = torch.autocast(self.place.device.type, torch.bfloat16, enabled=enabled)
        return context


def num_steps(training: Training, num_rows: int) -> int:
    """How many steps a run has."""
    return training.max_steps or max(1, math.ceil(training.num_train_epochs * num_rows / training.rows_per_step))


def setup(training: Training, model: Any, rows: Packed, validation: Packed | None, pad: int, place: Place) -> Run:
    """The model with its optimizer, the order of the data and the schedule, at step 0."""
    if place.world != training.num_workers:
        raise ConfigError(f"num_workers: {training.num_workers} were asked for and {place.world} are running; the batch would change")
    weights = dict(trainable(model))
    objective: nn.Module = Objective(model)
    if place.world > 1:
        objective = DistributedDataParallel(objective, gradient_as_bucket_view=True)
    optimizer = torch.optim.AdamW(
        weights.values(), lr=training.learning_rate, betas=(0.9, 0.98), weight_decay=training.weight_decay, fused=True
    )
    total = num_steps(training, len(rows))
    schedule = Schedule(training.learning_rate, max(1, round(training.warmup_ratio * total)), total)
    order = Order(len(rows), training.seed, training.rows_per_step)
    return Run(training, place, objective, weights, optimizer, order, schedule, rows, validation, pad)


def resume(run: Run, root: str, identity: checkpoint.Identity) -> None:
    """Go on from the newest checkpoint that validates, if there is one."""
    found = checkpoint.newest(root)
    if found:
        checkpoint.check_identity(found, identity)
        checkpoint.restore(found, run.weights, run.optimizer)
        run.step = run.first = found.step
        log.info("train: goes on from step %d of %d (%s)", run.step, run.schedule.total_steps, found.folder)


def fit(run: Run, root: str, identity: checkpoint.Identity, report: Report) -> dict[str, float]:
    """Train to the last step, with checkpoints and validation on the way; the last numbers."""
    training, total = run.training, run.schedule.total_steps
    watch = Watch(training, total)
    losses: list[float] = []
    last: dict[str, float] = {}
    while run.step < total:
        losses.append(train_step(run))
        run.step += 1
        remarks = list(watch.after_step(run.step, losses[-1]))
        numbers: dict[str, float] = {}
        if run.step % training.logging_steps == 0 or run.step == total:
            numbers |= _progress(run, losses)
            losses = []
        if run.validation and (run.step % training.eval_steps == 0 or run.step == total):
            numbers["eval_loss"] = validate(run)
            remarks += watch.after_validation(run.step, numbers["eval_loss"])
        if run.step % training.save_steps == 0 or run.step == total:
            _save(run, root, identity)
        if numbers or remarks:
            report(run.step, numbers, remarks)
            last |= numbers
    if run.first == total and run.validation:  # killed after its last checkpoint: nothing is left to train, but its loss is to be known
        last["eval_loss"] = validate(run)
        report(run.step, last, [])
    return last


def train_step(run: Run) -> float:
    """One step of the optimizer; the mean loss of its target tokens, over all workers."""
    training, place = run.training, run.place
    for group in run.optimizer.param_groups:
        group["lr"] = run.schedule(run.step)
    torch.manual_seed(training.seed * 1_000_003 + run.step * place.world + place.rank)  # dropout
    share = place.world / float(run.rows.targets[run.order.rows(run.step)].sum())  # DDP takes the mean over workers
    batches = run.order.slices(run.step, training.per_device_train_batch_size, place.rank, place.world)
    loss = torch.zeros((), device=place.device)
    for number, rows in enumerate(batches, 1):
        batch = collate([run.rows[row] for row in rows], run.pad)
        with _synchronised(run.objective, number == len(batches)):
            with run.autocast():
                part = run.objective(*batch.to(place.device)) * share
            part.backward()
        loss += part.detach()
        run.tokens += batch.ids.numel() * place.world
    norm = nn.utils.clip_grad_norm_(run.weights.values(), training.max_grad_norm)
    mean = float(_summed(loss, place)) / place.world
    if not math.isfinite(mean) or not math.isfinite(float(norm)):
        raise SeshatError(_not_finite(run, mean))
    run.optimizer.step()
    run.optimizer.zero_grad()
    return mean


def validate(run: Run) -> float:
    """The mean loss of the validation set's target tokens."""
    assert run.validation is not None
    rows, place = run.validation, run.place
    size = run.training.per_device_train_batch_size
    total = torch.zeros((), device=place.device)
    with _evaluating(run.objective), torch.no_grad(), run.autocast():
        for start in range(place.rank * size, len(rows), size * place.world):
            batch = collate([rows[row] for row in range(start, min(start + size, len(rows)))], run.pad)
            objective = run.objective.module if isinstance(run.objective, DistributedDataParallel) else run.objective
            total += objective(*batch.to(place.device))
    return float(_summed(total, place)) / float(rows.targets.sum())


@contextmanager
def _evaluating(module: nn.Module) -> Iterator[None]:
    module.eval()
    try:
        yield
    finally:
        module.train()


def _synchronised(module: nn.Module, last: bool) -> AbstractContextManager[Any]:
    """Gradients travel between workers with the last batch of a step only."""
    return module.no_sync() if isinstance(module, DistributedDataParallel) and not last else nullcontext()


def _summed(value: torch.Tensor, place: Place) -> torch.Tensor:
    if place.world > 1:
        dist.all_reduce(value)
    return value


def _progress(run: Run, losses: list[float]) -> dict[str, float]:
    seconds = time.monotonic() - run.started
    return {
        "loss": sum(losses) / len(losses),
        "learning_rate": run.schedule(run.step - 1),
        "epoch": run.step * run.order.rows_per_step / run.order.num_rows,
        "tokens_per_second": run.tokens / seconds,
        "seconds_per_step": seconds / (run.step - run.first),
    }


def _save(run: Run, root: str, identity: checkpoint.Identity) -> None:
    if run.place.rank == 0:
        checkpoint.save(root, run.step, identity, run.weights, run.optimizer, keep=run.training.save_total_limit)
    if run.place.world > 1:
        dist.barrier()


def _not_finite(run: Run, loss: float) -> str:
    lines = sorted(chat.line for row in run.order.rows(run.step) for chat in run.rows[row])
    shown = ", ".join(map(str, lines[:8])) + (", …" if len(lines) > 8 else "")
    return (
        f"training stopped at step {run.step + 1} of {run.schedule.total_steps}: the loss or its gradient is not finite ({loss}); "
        f"the step's examples are on lines {shown} of train.jsonl. Lower learning_rate, or raise warmup_ratio"
    )
