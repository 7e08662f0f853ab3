"""The training loop: setup, fit, validate, in the order of reading. It knows no Ray; who runs it gives a ``report``.

A step is a number of packed rows, over all workers and accumulated batches. The loss of a step is the mean over all its
target tokens, so it does not depend on how the rows were dealt out.
"""

from __future__ import annotations

import logging
import math
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import torch
import torch.distributed as dist

from seshat.errors import DivergedError, SeshatError, StoppedError
from seshat.training import candidates, checkpoint
from seshat.training.batches import Batch, Order, Packed, collate
from seshat.training.model import IGNORED, Objective, uses_bf16
from seshat.training.phases import num_steps, order_of
from seshat.training.rehearsal import Rehearsed, is_out_of_memory, rehearse
from seshat.training.settings import Training
from seshat.training.strategy import Place, Replicated, strategy
from seshat.training.watch import Watch
from seshat.working_copy import fetch, publish

log = logging.getLogger(__name__)
Stop = Literal["", "early", "asked"]
"""Why a run ends before its last step: further steps bring nothing, or somebody asked for it."""
STOPS: tuple[Stop, ...] = ("", "early", "asked")


class Listener:
    """Hears how a run goes. Every worker has one; only that of the first is told of checkpoints and asked whether to stop."""

    def report(self, step: int, numbers: dict[str, float], remarks: Sequence[str]) -> None:
        """The numbers of a step, and what is to be said about the run."""

    def news(self, step: int, text: str) -> None:
        """Something that is good to know, and no trouble."""

    def saved(self, step: int) -> None:
        """A checkpoint is there, and its weights are among the candidates."""

    def stop(self) -> Stop:
        """Whether to stop before the last step; asked after each one, so it must not take long."""
        return ""


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
    strategy: Replicated
    order: Order
    schedule: Schedule
    rows: Packed
    validation: Packed | None
    pad: int
    rehearsed: Rehearsed
    step: int = 0
    """Steps that are done."""
    first: int = 0
    """Steps that were done when this process began."""
    tokens: int = 0
    waited: float = 0.0
    """Seconds in which the rows of a batch were read and put together."""
    started: float = field(default_factory=time.monotonic)


def setup(
    training: Training,
    model: Any,
    rows: Packed,
    validation: Packed | None,
    pad: int,
    place: Place,
    found: checkpoint.Checkpoint | None = None,
) -> Run:
    """The model with its optimizer, the order of the data and the schedule; its fullest batch fits.

    It stands at step 0, or where a checkpoint was left, whatever the strategy and the number of workers that wrote it.
    """
    spread = strategy(Objective(model, bf16=uses_bf16(training, place.device)), training, place)
    rehearsed = rehearse(spread, rows, pad, training.per_device_train_batch_size, place)
    spread.begin(checkpoint.read(found) if found else None)
    total, step = num_steps(training, rows.spans), found.step if found else 0
    schedule = Schedule(training.learning_rate, max(1, round(training.warmup_ratio * total)), total)
    return Run(training, place, spread, order_of(training, rows), schedule, rows, validation, pad, rehearsed, step, step)


def fit(run: Run, root: str, identity: checkpoint.Identity, listener: Listener) -> dict[str, float]:
    """Train to the last step, or until the listener wants to stop, with checkpoints and validation on the way; the last numbers.

    Where somebody asked to stop, that ends with a StoppedError, on all workers.
    """
    training, total = run.training, run.schedule.total_steps
    watch = Watch(training, total, run.order.starts)
    losses: list[float] = []
    last: dict[str, float] = {}
    saved = run.step
    stop = _agreed(run, listener)
    while run.step < total and not stop:
        loss, norm = train_step(run)
        losses.append(loss)
        run.step += 1
        remarks = list(watch.after_step(run.step, loss))
        numbers: dict[str, float] = {}
        if run.step % training.logging_steps == 0 or run.step == total:
            numbers |= _progress(run, losses) | {"grad_norm": norm}
            losses = []
        if run.validation and (run.step % training.eval_steps == 0 or run.step == total):
            numbers["eval_loss"] = validate(run)
            remarks += watch.after_validation(run.step, numbers["eval_loss"])
        if run.step % training.save_steps == 0 or run.step == total:
            saved = _save(run, root, identity, listener)
        if numbers or remarks:
            listener.report(run.step, numbers, remarks)
            last |= numbers
        stop = _agreed(run, listener)
    if stop == "asked" and run.step < total:
        if saved < run.step:
            _save(run, root, identity, listener)
        raise StoppedError(f"train: stopped after step {run.step} of {total}; the same command goes on from there")
    if run.first == total and run.validation:  # killed after its last checkpoint: nothing is left to train, but much to be known
        last["eval_loss"] = validate(run)
        listener.report(run.step, last, [])
        if run.place.rank == 0:
            listener.saved(run.step)
    return last


def train_step(run: Run) -> tuple[float, float]:
    """One step of the optimizer: the mean loss of its target tokens over all workers, and the norm of its gradients."""
    training, place = run.training, run.place
    torch.manual_seed(training.seed * 1_000_003 + run.step * place.world + place.rank)  # dropout
    share = place.world / float(run.rows.targets[run.order.rows(run.step)].sum())  # gradients are the mean over workers
    batches = run.order.slices(run.step, run.rehearsed.size, place.rank, place.world)
    loss = torch.zeros((), device=place.device)
    for number, rows in enumerate(batches, 1):
        waiting = time.monotonic()
        batch = _batch(run, run.rows, rows)
        run.waited += time.monotonic() - waiting
        try:
            with run.strategy.accumulating(last=number == len(batches)):
                part = run.strategy.module(*batch.to(place.device)) * share
                run.strategy.backward(part)
        except RuntimeError as error:
            raise (_no_memory(run) if is_out_of_memory(error) else error) from error
        loss += part.detach()
        run.tokens += batch.ids.numel() * place.world
    mean = float(_summed(loss, place)) / place.world
    norm = run.strategy.update(run.schedule(run.step)) if math.isfinite(mean) else math.nan
    if not math.isfinite(norm):
        raise DivergedError(_not_finite(run, mean))
    return mean, norm


def validate(run: Run) -> float:
    """The mean loss of the validation set's target tokens."""
    assert run.validation is not None
    rows, place, module, size = run.validation, run.place, run.strategy.module, run.rehearsed.size
    total = torch.zeros((), device=place.device)
    module.eval()
    with torch.no_grad():
        for start in range(0, len(rows), size * place.world):  # as many batches for every worker, because shares are gathered in each
            mine = range(start + place.rank * size, min(start + (place.rank + 1) * size, len(rows)))
            total += module(*_batch(run, rows, mine).to(place.device))
    module.train()
    return float(_summed(total, place)) / float(rows.targets.sum())


def _batch(run: Run, rows: Packed, numbers: Sequence[int]) -> Batch:
    """The rows of these numbers; where there are none, one row of which nothing is trained, so that every worker takes part."""
    if numbers:
        return collate([rows[number] for number in numbers], run.pad)
    empty = collate([rows[0]], run.pad)
    return replace(empty, labels=torch.full_like(empty.labels, IGNORED))


def expected_seconds(run: Run) -> float:
    """How long what is left of a run will take, from how long its fullest batch took."""
    batches = len(run.order.slices(run.step, run.rehearsed.size, 0, run.place.world))
    return run.rehearsed.seconds * batches * (run.schedule.total_steps - run.step)


def _agreed(run: Run, listener: Listener) -> Stop:
    """What the listener of the first worker says, on all workers."""
    said = STOPS.index(listener.stop()) if run.place.rank == 0 else 0
    if run.place.world > 1:
        code = torch.tensor(said, device=run.place.device)
        dist.broadcast(code, 0)
        said = int(code)
    return STOPS[said]


def _summed(value: torch.Tensor, place: Place) -> torch.Tensor:
    if place.world > 1:
        dist.all_reduce(value)
    return value


def _progress(run: Run, losses: list[float]) -> dict[str, float]:
    seconds = time.monotonic() - run.started
    return {
        "loss": sum(losses) / len(losses),
        "learning_rate": run.schedule(run.step - 1),
        **run.order.progress(run.step),
        "tokens_per_second": run.tokens / seconds,
        "seconds_per_step": seconds / (run.step - run.first),
        "waiting_for_data": run.waited / seconds,
    }


def _save(run: Run, root: str, identity: checkpoint.Identity, listener: Listener) -> int:
    """Write a checkpoint; its step."""
    state = run.strategy.state()
    if run.place.rank == 0:
        folder = checkpoint.save(root, run.step, identity, state, keep=run.training.save_total_limit)
        offered = bool(run.training.evaluator.sample and run.validation)
        if offered:
            candidates.offer(root, run.step, os.path.join(folder, checkpoint.WEIGHTS))
        publish(root)
        fetch(os.path.join(root, candidates.FOLDER))  # what the evaluator has let go of on another machine goes here, too
        if offered:
            listener.saved(run.step)
    if run.place.world > 1:
        dist.barrier()
    return run.step


def _no_memory(run: Run) -> SeshatError:
    return SeshatError(
        f"training ran out of memory at step {run.step + 1}, though its fullest batch had fitted before: the same command goes on from "
        f"the newest checkpoint; if it happens again, lower per_device_train_batch_size, now {run.rehearsed.size}, or max_seq_length"
    )


def _not_finite(run: Run, loss: float) -> str:
    lines = sorted(chat.line for row in run.order.rows(run.step) for chat in run.rows[row])
    shown = ", ".join(map(str, lines[:8])) + (", …" if len(lines) > 8 else "")
    return (
        f"training stopped at step {run.step + 1} of {run.schedule.total_steps}: the loss or its gradient is not finite ({loss}); "
        f"the step's examples are on lines {shown} of train.jsonl. Lower learning_rate, or raise warmup_ratio"
    )
