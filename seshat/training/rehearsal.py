"""The fullest batch of a run, computed once before the first step: does it fit, and how long does it take?

Where the memory is too small the batch is halved, then activations are computed again instead of kept. The batch of a whole step
stays what was asked for, so the result does too.
"""

from __future__ import annotations

import gc
import logging
import time
from dataclasses import dataclass

import numpy as np
import torch
import torch.distributed as dist
from torch import nn

from seshat.errors import TooLargeError
from seshat.training.batches import Packed, collate
from seshat.training.strategy import Place, Replicated

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Rehearsed:
    """How a run fits into its place."""

    size: int
    """Rows that a worker takes at once."""
    seconds: float
    """For forward and backward pass of one such batch, on the slowest worker."""
    remarks: tuple[str, ...]
    """What had to be changed."""


def rehearse(strategy: Replicated, rows: Packed, pad: int, size: int, place: Place) -> Rehearsed:
    """Find the largest batch of at most ``size`` rows that fits, on all workers alike."""
    checkpointing, asked = strategy.training.gradient_checkpointing, size
    remarks: list[str] = []
    while True:
        seconds = _slowest(_attempt(strategy.module, rows, pad, size, place), place)
        if seconds is not None:
            return Rehearsed(size, seconds, tuple(remarks))
        if size > 1:
            size //= 2
            change = f"{size} rows at once instead of {asked} (per_device_train_batch_size), more often, so the batch of a step is the same"
        elif not checkpointing:
            checkpointing = True
            strategy.objective.checkpoint_activations()
            change = "activations are computed twice instead of kept (gradient_checkpointing), which is about a third slower"
        else:
            raise TooLargeError(
                f"one row of {strategy.training.max_seq_length} tokens does not fit into the memory of a worker: lower max_seq_length or "
                "lora.r, or take precision=nf4, strategy=fsdp with more workers, or a smaller model"
            )
        remarks.append(f"out of memory: {change}")


def _attempt(module: nn.Module, rows: Packed, pad: int, size: int, place: Place) -> float | None:
    """The seconds for the rows with the most targets; None if they do not fit."""
    fullest = np.argsort(rows.targets, kind="stable")[::-1][:size]
    batch = collate([rows[int(row)] for row in fullest], pad).to(place.device)
    try:
        for _ in range(2):  # the first pass also compiles and allocates
            started = time.perf_counter()
            module(*batch).backward()
            if place.device.type == "cuda":
                torch.cuda.synchronize(place.device)
            seconds = time.perf_counter() - started
    except RuntimeError as error:
        if not is_out_of_memory(error):
            raise
        return None
    finally:
        module.zero_grad(set_to_none=True)
        gc.collect()
        if place.device.type == "cuda":
            torch.cuda.empty_cache()
    return seconds


def is_out_of_memory(error: BaseException) -> bool:
    """Whether torch ran out of the memory of a GPU, or of the processor."""
    return isinstance(error, torch.OutOfMemoryError) or (isinstance(error, RuntimeError) and "can't allocate memory" in str(error))


def _slowest(seconds: float | None, place: Place) -> float | None:
    """The longest of all workers; None if one of them failed."""
    if place.world == 1:
        return seconds
    found = torch.tensor(torch.inf if seconds is None else seconds, device=place.device)
    dist.all_reduce(found, dist.ReduceOp.MAX)
    return None if torch.isinf(found) else float(found)
