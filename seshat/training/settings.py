"""What ``configs/training/*.yaml`` and ``configs/tuning/*.yaml`` set. The keys are those of the guide."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag, field_validator, model_validator

from seshat.config import Section
from seshat.prompts import Task

SMALL = "small"
"""The value of ``model`` that asks for the small base model that is made on this machine."""
ADAPTERS = "models/adapters"
TUNING = "models/tuning"
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
Value = bool | int | float | str
TrainOn = Literal["answer", "everything"]


class Lora(Section):
    """The low-rank adapter, on all linear layers."""

    r: int = Field(64, ge=1)
    alpha: int = Field(128, ge=1)
    dropout: float = Field(0.0, ge=0, lt=1)
    train_embeddings: bool = False
    """Train the embeddings and the head, too: for a language whose letters or syllables the base has hardly seen."""


class DeepSpeed(Section):
    """What ``strategy: deepspeed`` shares out."""

    stage: Literal[2, 3] = 2
    """ZeRO-2: gradients and moments; ZeRO-3: the weights of the base, too."""
    offload: bool = False
    """Keep moments (with ZeRO-3 also weights) in the memory of the processor."""


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


class Evaluator(Section):
    """Scores while training goes on: every checkpoint translates the same few sentences of the validation set."""

    sample: int = Field(64, ge=0)
    """How many sentences, the same ones every time; 0: no scores."""
    keep_best: bool = True
    """The adapter is that of the last checkpoint, unless an earlier one has a chrF++ that is better beyond chance."""
    patience: int = Field(0, ge=0)
    """Above 0: training stops early when so many checkpoints in a row were not better than the best before them."""
    gpus: Literal["auto"] | Annotated[float, Field(ge=0)] = "auto"
    """``auto``: one, if the cluster has one that no worker takes; a share of a GPU, such as 0.3, is possible."""
    cpus: float = Field(0.0, ge=0)


class Phase(Section):
    """A part of a run with examples and an order of its own."""

    name: Name
    tasks: dict[Task, Annotated[float, Field(ge=0, le=1000)]] = {}
    """How often the examples of a task are trained in this phase, whatever their own weight and that of their folder (corrections
    too); a task that is not named is left out. Empty: all examples, with the weight that format gave them."""
    epochs: float = Field(1.0, gt=0)
    train_on: TrainOn = "answer"
    """``answer``: a chat, whose answer and end of turn are trained (instruction tuning); ``everything``: plain text without the
    chat template, trained from the first word to the end (continued pretraining; see ``seshat.training.pack``)."""
    order: Literal["random", "short-first"] = "random"
    """``short-first``: a curriculum, the first epoch from the shortest examples to the longest (see ``seshat.training.phases``)."""


class Training(Section):
    """One fine-tuning run."""

    name: Name = "adapter"
    """The folder in ``models/adapters``."""
    model: str = "Qwen/Qwen3-14B"
    """A name on the hub, a folder, or ``small``."""
    small: Small = Small()
    extend: Extend = Extend()
    precision: Literal["nf4", "lora", "full"] = "nf4"
    """``nf4``: QLoRA, the base in 4 bits; ``lora``: the base in 16 bits (32 without bf16); ``full``: every weight is trained, in 32."""
    strategy: Literal["auto", "ddp", "fsdp", "deepspeed"] = "auto"
    """How the model lies on several workers: whole (``ddp``) or in shares; ``auto``: ``fsdp`` on GPUs, else ``ddp``."""
    deepspeed: DeepSpeed = DeepSpeed()
    lora: Lora = Lora()
    optimizer: Literal["adamw", "paged_adamw_8bit"] = "adamw"
    """``paged_adamw_8bit``: moments in 8 bits that move out of a full GPU; with ``ddp`` only."""

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
    """Without ``phases``, which have epochs of their own."""
    max_steps: int = Field(0, ge=0)
    """Above 0: so many steps, whatever the epochs; with ``phases`` at most so many."""
    phases: tuple[Phase, ...] = ()
    """One after the other, in one run with one schedule; for example continued pretraining, then instruction tuning."""
    save_steps: int = Field(200, ge=1)
    save_total_limit: int = Field(2, ge=1)
    eval_steps: int = Field(200, ge=1)
    logging_steps: int = Field(10, ge=1)
    seed: int = 1
    bf16: Literal["auto"] | bool = "auto"
    """``auto``: where the processor or GPU is fast at it."""
    gradient_checkpointing: bool = False

    evaluator: Evaluator = Evaluator()

    num_workers: Literal["auto"] | Annotated[int, Field(ge=1)] = 1
    """``auto``: as many as the cluster has GPUs, or one; they share the batch that one worker would take."""
    min_workers: int = Field(0, ge=0)
    """Above 0, training is elastic: it goes on with so many workers where nodes are lost, and takes in nodes that join."""
    use_gpu: Literal["auto"] | bool = "auto"
    cpus_per_worker: float = Field(1.0, gt=0)
    gpus_per_worker: float = Field(1.0, gt=0)
    max_failures: int = Field(2, ge=0)
    """How often lost workers are started again from the newest checkpoint."""
    tracking: bool = True
    """Write curves and settings to ``mlflow.db`` in the workspace."""

    @model_validator(mode="after")
    def _safe(self) -> Training:
        if self.strategy == "deepspeed" and self.deepspeed.stage == 3 and self.precision == "nf4":
            raise ValueError(
                "deepspeed.stage: ZeRO-3 with 4-bit weights is not proven (elsewhere it has copied instead of shared them, and saved empty "
                "adapters): set deepspeed.stage=2, strategy=fsdp, or precision=lora"
            )
        if self.optimizer == "paged_adamw_8bit" and self.strategy in ("fsdp", "deepspeed"):
            raise ValueError(f"optimizer: paged_adamw_8bit cannot be shared out by {self.strategy}: set optimizer=adamw or strategy=ddp")
        if self.num_workers != "auto" and self.min_workers > self.num_workers:
            raise ValueError(f"min_workers: {self.min_workers} is more than num_workers={self.num_workers}")
        return self

    @field_validator("phases")
    @classmethod
    def _names_differ(cls, phases: tuple[Phase, ...]) -> tuple[Phase, ...]:
        twice = [name for name, count in Counter(phase.name for phase in phases).items() if count > 1]
        if twice:
            raise ValueError(f"two phases are called {twice[0]!r}: give each a name of its own")
        return phases

    @property
    def rows_per_step(self) -> int:
        """Packed rows in one step of the optimizer, over all workers, however many there are."""
        workers = 1 if self.num_workers == "auto" else self.num_workers
        return self.per_device_train_batch_size * self.gradient_accumulation_steps * workers

    def decides(self) -> dict[str, Any]:
        """The settings that an adapter depends on, beside base and data: how and where it is trained is not among them."""
        decided = self.model_dump(mode="json", exclude={*RESOURCES, "small", "extend", "evaluator"}) | {"rows_per_step": self.rows_per_step}
        scores = self.evaluator
        if scores.sample and (scores.keep_best or scores.patience):  # then they decide which step becomes the adapter
            decided |= {"evaluator": scores.model_dump(include={"sample", "keep_best", "patience"}), "save_steps": self.save_steps}
        return decided


RESOURCES = frozenset(
    {
        *("strategy", "deepspeed", "num_workers", "min_workers", "use_gpu", "cpus_per_worker", "gpus_per_worker", "max_failures"),
        *("per_device_train_batch_size", "gradient_accumulation_steps", "gradient_checkpointing"),
        *("tracking", "eval_steps", "logging_steps", "save_steps", "save_total_limit"),
    }
)
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
