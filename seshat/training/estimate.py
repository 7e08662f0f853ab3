"""What a run will need, from the shapes of its base and its settings, before anything is loaded.

The sum follows what is stored: weights of the base (4-bit ones at 4.13 bits with their scales; Dettmers et al., 2023), what is trained
with its gradients and moments, the activations that a backward pass needs (Korthikanti et al., 2022, counted for this architecture),
and the logits of target tokens. In the memory of the machine, what a worker is before it holds any of that comes first.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass

from seshat.engines.weights import weight_files
from seshat.training.batches import Packed
from seshat.training.phases import num_steps
from seshat.training.settings import Training

RUNTIME = 0.65e9
"""Bytes of a worker on a processor that has loaded its libraries (torch, transformers, peft, bitsandbytes, Ray) and no model: measured."""
NF4 = 0.516
"""Bytes of a 4-bit weight, with its share of the scales."""
TRAINED = 16
"""Bytes of a trained weight: itself, its gradient, and two moments, all in float32."""
LOGITS = 12
"""Bytes of a logit: itself, its softmax and its gradient."""


@dataclass(frozen=True)
class Shapes:
    """What the files of a base say about its size."""

    linear: int
    """Weights of linear layers, which take 4 bits and adapters."""
    others: int
    """Embeddings, head and norms."""
    sides: int
    """Inputs and outputs of all linear layers: an adapter of rank 1 has so many weights."""
    layers: int
    hidden: int
    intermediate: int
    heads: int
    """Width of all query heads together."""
    keys: int
    """Width of all key heads together."""
    vocabulary: int


@dataclass(frozen=True)
class Estimate:
    """Of one worker, in bytes, and of the whole run."""

    runtime: float
    base: float
    trained: float
    activations: float
    steps: int
    tokens: float
    """That are read, over all epochs."""
    targets: float
    """That are trained, over all epochs."""

    @property
    def memory(self) -> float:
        """All of it, in bytes."""
        return self.runtime + self.base + self.trained + self.activations

    def __str__(self) -> str:
        return (
            f"{self.steps:,} steps, {self.tokens / 1e6:.2f} million tokens ({self.targets / 1e6:.2f} trained); about "
            f"{self.memory / 1e9:.1f} GB for each worker ({self._libraries()}base {self.base / 1e9:.1f}, what is trained "
            f"{self.trained / 1e9:.1f}, activations {self.activations / 1e9:.1f})"
        )

    def _libraries(self) -> str:
        return f"libraries {self.runtime / 1e9:.1f}, " if self.runtime else ""


def read_shapes(folder: str) -> Shapes:
    """Of a model folder: its ``config.json`` and the headers of its weights."""
    from safetensors import safe_open

    with open(os.path.join(folder, "config.json"), encoding="utf-8") as stream:
        config = json.load(stream)
    linear = others = sides = 0
    for file in weight_files(folder):
        with safe_open(file, framework="pt") as weights:
            for name in weights.keys():  # noqa: SIM118 - it is no mapping
                shape = weights.get_slice(name).get_shape()
                if len(shape) == 2 and ".layers." in name:
                    linear, sides = linear + shape[0] * shape[1], sides + sum(shape)
                else:
                    others += _product(shape)
    heads = config["num_attention_heads"]
    width = config.get("head_dim") or config["hidden_size"] // heads
    return Shapes(
        linear=linear,
        others=others,
        sides=sides,
        layers=config["num_hidden_layers"],
        hidden=config["hidden_size"],
        intermediate=config["intermediate_size"],
        heads=heads * width,
        keys=config.get("num_key_value_heads", heads) * width,
        vocabulary=config["vocab_size"],
    )


def estimate(training: Training, shapes: Shapes, rows: Packed, *, workers: int, compute: int, runtime: float) -> Estimate:
    """What a run will need; ``compute`` are the bytes of a number in its arithmetic, 2 or 4, and ``runtime`` those of the libraries."""
    base, trained = _weights(training, shapes, compute)
    if workers > 1 and training.strategy == "fsdp":
        base, trained = base / workers, trained / workers
    elif workers > 1 and training.strategy == "deepspeed":
        trained = trained / 4 + trained * 3 / 4 / workers  # every worker keeps what it trains, and a share of the rest
    steps = num_steps(training, rows.spans)
    read = steps * training.rows_per_step
    mean = float(rows.targets.mean())
    return Estimate(
        runtime=runtime,
        base=base,
        trained=trained,
        activations=_activations(training, shapes, mean, compute),
        steps=steps,
        tokens=read * float(rows.row_lengths.mean()),
        targets=read * mean,
    )


def _weights(training: Training, shapes: Shapes, compute: int) -> tuple[float, float]:
    """Bytes of the base, and of what is trained."""
    if training.precision == "full":
        return 0.0, float(TRAINED * (shapes.linear + shapes.others))
    linear = shapes.linear * (NF4 if training.precision == "nf4" else compute)
    adapter = training.lora.r * shapes.sides + (shapes.others if training.lora.train_embeddings else 0)
    return linear + shapes.others * compute, float(TRAINED * adapter)


def _activations(training: Training, shapes: Shapes, targets: float, compute: int) -> float:
    """Bytes of what the backward pass needs of one batch of a worker."""
    size = training.per_device_train_batch_size
    layer = compute * (9 * shapes.hidden + 4 * shapes.heads + 4 * shapes.keys + 5 * shapes.intermediate + 14 * training.lora.r)
    kept = shapes.layers * layer
    if training.gradient_checkpointing:
        kept = shapes.layers * compute * shapes.hidden + layer
    return size * (training.max_seq_length * kept + targets * shapes.vocabulary * LOGITS)


def _product(shape: list[int]) -> int:
    size = 1
    for side in shape:
        size *= side
    return size
