"""What ``configs/training/*.yaml`` and ``configs/tuning/*.yaml`` set. The keys are those of the guide."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag, model_validator

from seshat.config import Section

SMALL = "small"
"""The value of ``model`` that asks for the small base model that is made on this machine."""
ADAPTERS = "models/adapters"
TUNING = "models/tuning"
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
Value = bool | int | float | str


class Lora(Section):
    """The low-rank adapter, on all linear layers."""

    r: int = Field(64, ge=1)
    alpha: int = Field(128, ge=1)
    dropout: float = Field(0.0, ge=0, lt=1)
    train_embeddings: bool = False
    """Train the embeddings and the head, too: for a language whose letters or syllables the base has hardly seen."""


class Small(Section):
    """A base model of Qwen3 architecture that is made here, from text in the bridge language only."""

    hidden_size: int = Field(256, ge=256, multiple_of=256, description="a multiple of 256, so that Q4_K fits")
    intermediate_size: int = Field(512, ge=256, multiple_of=256)
    num_layers: int = Field(3, ge=1)
    num_heads: int = Field(4, ge=1)
    num_key_value_heads: int = Field(2, ge=1)
    vocabulary: int = Field(2500, ge=400)
    context: int = Field(1024, ge=128)
    steps: int = Field(400, ge=1)
    rows: int = Field(4, ge=1, description="packed rows in a step")
    row_length: int = Field(256, ge=32)
    learning_rate: float = Field(1e-3, gt=0)
    seed: int = 1


class Extend(Section):
    """New tokens for the language, on top of those of the base model."""

    tokens: int = Field(0, ge=0)
    """How many; 0 leaves the vocabulary as it is. Texts get shorter; that it helps quality has not been established."""
    min_count: int = Field(10, ge=2)
    """No token for what stands in the training text less often: its rows would hardly be trained."""


class Training(Section):
    """One fine-tuning run."""

    name: Name = "adapter"
    """The folder in ``models/adapters``."""
    model: str = "Qwen/Qwen3-14B"
    """A name on the hub, a folder, or ``small``."""
    small: Small = Small()
    extend: Extend = Extend()
    precision: Literal["nf4", "lora"] = "nf4"
    """``nf4``: QLoRA, the base in 4 bits; ``lora``: the base in 16 bits (32 without bf16)."""
    strategy: Literal["ddp"] = "ddp"
    lora: Lora = Lora()

    max_seq_length: int = Field(512, ge=16)
    """Tokens in a packed row; an example that is longer is left out and counted."""
    per_device_train_batch_size: int = Field(1, ge=1)
    """Packed rows that a worker takes at once."""
    gradient_accumulation_steps: int = Field(1, ge=1)
    learning_rate: float = Field(2e-4, gt=0)
    warmup_ratio: float = Field(0.03, ge=0, le=1)
    weight_decay: float = Field(0.0, ge=0)
    max_grad_norm: float = Field(1.0, gt=0)
    num_train_epochs: float = Field(3.0, gt=0)
    max_steps: int = Field(0, ge=0)
    """Above 0: so many steps, whatever the epochs."""
    save_steps: int = Field(200, ge=1)
    save_total_limit: int = Field(2, ge=1)
    eval_steps: int = Field(200, ge=1)
    logging_steps: int = Field(10, ge=1)
    seed: int = 1
    bf16: Literal["auto"] | bool = "auto"
    """``auto``: where the processor or GPU is fast at it."""
    gradient_checkpointing: bool = False

    num_workers: int = Field(1, ge=1)
    use_gpu: Literal["auto"] | bool = "auto"
    cpus_per_worker: float = Field(1.0, gt=0)
    max_failures: int = Field(2, ge=0)
    """How often lost workers are started again from the newest checkpoint."""
    tracking: bool = True
    """Write curves and settings to ``mlflow.db`` in the workspace."""

    @property
    def rows_per_step(self) -> int:
        """Packed rows in one step of the optimizer, over all workers."""
        return self.per_device_train_batch_size * self.gradient_accumulation_steps * self.num_workers


RESOURCES = frozenset({"use_gpu", "cpus_per_worker", "max_failures", "tracking", "logging_steps", "save_steps", "save_total_limit"})
"""Settings of a run that its adapter does not depend on."""


class Range(Section):
    """Numbers to draw from; whole ones if both ends are."""

    low: int | float
    high: int | float
    log: bool = False
    """Draw the logarithm: as often between 1e-5 and 1e-4 as between 1e-4 and 1e-3."""

    @model_validator(mode="after")
    def _is_one(self) -> Range:
        if not self.low < self.high:
            raise ValueError(f"low: {self.low:g} is not below high: {self.high:g}")
        if self.log and self.low <= 0:
            raise ValueError(f"log: true needs a low above 0, not {self.low:g}")
        return self


Space = Annotated[
    Annotated[tuple[Value, ...], Tag("list")] | Annotated[Range, Tag("range")],
    Discriminator(lambda value: "range" if isinstance(value, Mapping | Range) else "list"),
]
"""What a setting may be: one of a list, or a number of a range."""


class Tuning(Section):
    """A search over settings of a training run."""

    name: Name = "tuning"
    training: Training = Training()
    """What every trial starts from."""
    search: dict[str, Space] = {"learning_rate": (1e-4, 2e-4), "lora.r": (32, 64)}
    """By key (``lora.r``) the values to try: a list, or ``{low: 1e-5, high: 1e-3, log: true}``."""
    algorithm: Literal["grid", "random", "tpe"] = "grid"
    """``grid``: all combinations of lists, in an order drawn with the seed; ``random``: each value drawn by itself; ``tpe``: drawn where
    the trials before were good (Bergstra et al., 2011), after five random ones. No combination is tried twice."""
    num_trials: int = Field(2, ge=1)
    """So many combinations; all of them if there are no more. Raise it later to go on with the same search."""
    metric: Literal["eval_loss", "chrf++"] = "eval_loss"
    """What makes a trial the best: the lowest loss on the validation set, or the highest chrF++ where the run reports it."""
    early_stopping: bool = False
    """Stop trials that are behind (ASHA, Li et al., 2020): at ``grace`` validations, and at every ``reduction_factor`` times as many, the
    best of each ``reduction_factor`` trials that came so far go on."""
    grace: int = Field(1, ge=1)
    """Validations (every ``training.eval_steps`` steps) before a trial may be stopped."""
    reduction_factor: int = Field(3, ge=2)
    seed: int = 1
    cpus_per_trial: float = Field(1.0, gt=0)
    gpus_per_trial: Literal["auto"] | Annotated[float, Field(ge=0)] = "auto"
    """``auto``: one if ``training.use_gpu`` wants it, or where the cluster has any."""

    @property
    def num_combinations(self) -> int | None:
        """How many there are; None if a range of fractions makes them countless."""
        lengths = [len(values) for values in map(choices, self.search.values()) if values is not None]
        return math.prod(lengths) if len(lengths) == len(self.search) else None

    @model_validator(mode="after")
    def _values_fit(self) -> Tuning:
        for key, space in self.search.items():
            if not isinstance(space, Range) and not 0 < len(space) == len(set(space)):
                raise ValueError(f"search.{key} names a value twice" if space else f"search.{key} has no values to try")
            for value in (space.low, space.high) if isinstance(space, Range) else space:
                with_overrides(self.training, {key: value})
            if choices(space) is None and self.algorithm == "grid":
                raise ValueError(f"search.{key} is a range of fractions, and a grid needs lists: set algorithm to random or tpe")
        return self


def choices(space: tuple[Value, ...] | Range) -> Sequence[Value] | None:
    """All values of a list or of a range of whole numbers; None if there is no end to them."""
    if not isinstance(space, Range):
        return space
    return range(space.low, space.high + 1) if isinstance(space.low, int) and isinstance(space.high, int) else None


def with_overrides(training: Training, overrides: Mapping[str, Value]) -> Training:
    """The same settings with ``key.sub: value`` changed and validated."""
    data: dict[str, Any] = training.model_dump()
    for key, value in overrides.items():
        *sections, name = key.split(".")
        here = data
        for section in sections:
            if not isinstance(here.get(section), dict):
                raise ValueError(f"{key}: training has no section {section!r}")
            here = here[section]
        here[name] = value
    return Training.model_validate(data)
