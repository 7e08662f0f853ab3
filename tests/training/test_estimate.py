"""What is estimated from shapes is what a run then holds."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from seshat.store import Store
from seshat.training import run
from seshat.training.batches import collate
from seshat.training.estimate import Estimate
from seshat.training.model import Objective, build, trainable
from seshat.training.settings import Training
from tests.training.tiny import LANGUAGE, PROMPTS, settings

CPU = torch.device("cpu")


def both(store: Store, training: Training) -> tuple[Estimate, Any, run.Job]:
    """What is estimated, and the model."""
    job = run.prepare(training, LANGUAGE, PROMPTS, store)
    return (
        run.estimated(job, training.num_workers if training.num_workers != "auto" else 1, CPU),
        build(store.path(job.base), training, CPU),
        job,
    )


def size(weights: Any) -> int:
    return sum(weight.numel() * weight.element_size() for weight in weights)


@pytest.mark.parametrize("precision", ["nf4", "lora", "full"])
def test_weights_are_counted_as_they_are_stored(store: Store, precision: str) -> None:
    estimated, model, _ = both(store, settings(precision=precision, lora={"r": 8, "alpha": 16}))
    adapter = [weight for _, weight in trainable(model)]
    assert estimated.trained == 16 * sum(weight.numel() for weight in adapter)
    frozen = [weight for weight in model.parameters() if not weight.requires_grad]
    assert estimated.base == pytest.approx(size(frozen), rel=0.05)


def test_activations_are_within_twice_of_what_the_backward_pass_keeps(store: Store) -> None:
    training = settings(precision="lora", lora={"r": 8, "alpha": 16}, per_device_train_batch_size=2)
    estimated, model, job = both(store, training)
    kept = saved(Objective(model), job)
    assert kept / 2 < estimated.activations < 2 * kept
    twice, *_ = both(store, training.model_copy(update={"gradient_checkpointing": True}))
    objective = Objective(model)
    objective.checkpoint_activations()
    assert saved(objective, job) < twice.activations < estimated.activations


def saved(objective: Objective, job: run.Job) -> int:
    """Bytes that a forward pass keeps for the backward pass, beside the weights."""
    own = {weight.untyped_storage().data_ptr() for weight in objective.parameters()}
    kept: dict[int, int] = {}

    def note(value: torch.Tensor) -> torch.Tensor:
        storage = value.untyped_storage()
        if storage.data_ptr() not in own:
            kept[storage.data_ptr()] = storage.nbytes()
        return value

    batch = collate([job.rows[0], job.rows[1]], pad=0)
    with torch.autograd.graph.saved_tensors_hooks(note, lambda value: value):
        objective(*batch.to(CPU))
    return sum(kept.values())


def test_shares_are_smaller_and_a_step_reads_what_it_says(store: Store) -> None:
    alone, *_ = both(store, settings(lora={"r": 8, "alpha": 16}))
    shared, *_ = both(store, settings(lora={"r": 8, "alpha": 16}, num_workers=2, strategy="fsdp", per_device_train_batch_size=1))
    assert shared.base == alone.base / 2
    assert shared.trained == alone.trained / 2
    assert alone.steps == 6
    assert 0.8 * 6 * 2 * 128 < alone.tokens <= 6 * 2 * 128
    assert 0 < alone.targets < alone.tokens
    assert str(alone).startswith("6 steps, 0.00 million tokens")
