"""The parties of ``benchmarks.training``: our loop, transformers' Trainer and trl's SFTTrainer, on the same model and examples.

All of them get examples as ids, and take steps of the same number of examples on average. The clock is that of the processor, for all
threads of this process; on a GPU it is the wall's, after a synchronisation.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import torch

from seshat.prompts import ChatTokenizer
from seshat.training.batches import Chat, Order, Packed, collate
from seshat.training.loop import setup, train_step
from seshat.training.model import IGNORED, uses_bf16
from seshat.training.settings import Training
from seshat.training.strategy import Place

POOL = 4_000
"""Examples that the libraries choose their batches from: enough for the sampler by length to sort fifty batches at a time."""
LIBRARIES: dict[str, Mapping[str, Any]] = {
    "by length": {"train_sampling_strategy": "group_by_length"},
    "random order": {},
    "flattened": {"flat": True},
    "packed": {"packing": True},
    "by length, not fused": {"train_sampling_strategy": "group_by_length", "optim": "adamw_torch"},
    "by length, bf16": {"train_sampling_strategy": "group_by_length", "bf16": True},
}
"""The settings that are tried for the libraries, by name; ``flat`` is padding-free, one row of all examples of a batch."""
GRID = {"Trainer": [name for name in LIBRARIES if name != "packed"], "trl": list(LIBRARIES)}
BEST = {"Trainer": ["by length", "flattened"], "trl": ["by length", "packed"]}
"""The best two of the grid on a processor, which every run of the benchmark measures again."""


def clock(device: torch.device) -> float:
    """Seconds of the processor, or of the wall when a GPU has done what it was asked to do."""
    if device.type != "cuda":
        return time.process_time()
    torch.cuda.synchronize()
    return time.perf_counter()


@dataclass(frozen=True)
class Work:
    """What all parties have to do, and the part of it that counts."""

    training: Training
    model: Callable[[], Any]
    """Makes the model with its adapter anew, always the same."""
    tokenizer: ChatTokenizer
    rows: Packed
    steps: range
    """Of our order of the rows; the libraries choose from the examples of these rows and of those that follow."""
    warm: int = 5
    """Steps that do not count."""
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))

    @property
    def order(self) -> Order:
        """Of our rows."""
        return Order(len(self.rows), self.training.seed, self.training.rows_per_step)

    def chats(self) -> list[Chat]:
        """The examples that the libraries choose from."""
        found: list[Chat] = []
        steps = count(self.steps.start)
        while len(found) < min(POOL, self.rows.num_examples):
            found += [chat for row in self.order.rows(next(steps)) for chat in self.rows[row]]
        return found

    @property
    def examples_per_step(self) -> int:
        """As many as our rows of a step hold on average."""
        return max(1, round(self.rows.num_examples / len(self.rows) * self.training.rows_per_step))


@dataclass
class Meter:
    """What the batches of some steps held and what they took, without those of the warm-up."""

    warm: int
    device: torch.device
    batches: list[tuple[int, int, int]] = field(default_factory=list)
    """By step target tokens, tokens and places; a library may have made more than it trained."""
    data_seconds: float = 0.0
    """What it takes to read rows and to put them side by side."""
    _aside: float = 0.0
    _times: list[float] = field(default_factory=list)

    def aside(self, seconds: float, read: float) -> None:
        """Leave out what only the measuring cost; ``read`` of it is what the step spends on its data, too."""
        if len(self._times) >= self.warm:
            self._aside, self.data_seconds = self._aside + seconds, self.data_seconds + read

    def step(self) -> None:
        """Take the time at the end of a step."""
        self._times.append(clock(self.device))

    @property
    def seconds(self) -> float:
        """What the counted steps took."""
        return self._times[-1] - self._times[self.warm - 1] - self._aside

    @property
    def held(self) -> tuple[int, int, int]:
        """Target tokens, tokens and places of the counted steps."""
        targets, tokens, places = zip(*self.batches[self.warm : len(self._times)], strict=True)
        return sum(targets), sum(tokens), sum(places)


def by_us(work: Work) -> Meter:
    """Our loop. What reading and collating cost is measured on the same rows before each step; only the step's own counts as time."""
    run = setup(work.training, work.model(), work.rows, None, work.tokenizer.pad, Place(device=work.device))
    run.step, meter = work.steps.start, Meter(work.warm, work.device)
    for step in work.steps:
        begin = clock(work.device)
        batches = [[run.rows[row] for row in rows] for rows in run.order.slices(step, work.training.per_device_train_batch_size, 0, 1)]
        made = [collate(rows, run.pad) for rows in batches]
        read = clock(work.device) - begin
        targets = sum(int((batch.labels != IGNORED).sum()) for batch in made)
        tokens = sum(len(chat.ids) for rows in batches for row in rows for chat in row)
        meter.batches.append((targets, tokens, sum(batch.ids.numel() for batch in made)))
        meter.aside(clock(work.device) - begin, read)
        train_step(run)
        run.step += 1
        meter.step()
    return meter


def by_library(library: str, setting: str, work: Work) -> Meter:
    """One of the libraries, with one of the settings of ``LIBRARIES``."""
    from datasets import Dataset
    from datasets.utils.logging import disable_progress_bar
    from transformers import PrinterCallback, TrainerCallback

    disable_progress_bar()
    chats, meter = work.chats(), Meter(work.warm, work.device)
    columns = {"input_ids": [chat.ids for chat in chats], "labels": [[IGNORED] * chat.prompt + chat.ids[chat.prompt :] for chat in chats]}
    options = dict(LIBRARIES[setting])
    size = work.training.rows_per_step if options.get("packing") else work.examples_per_step

    class Clock(TrainerCallback):  # type: ignore[misc]
        def on_step_end(self, *_: Any, **__: Any) -> None:
            meter.step()

    with tempfile.TemporaryDirectory() as folder:
        make = _trainer if library == "Trainer" else _sft_trainer
        common = {"output_dir": folder, "per_device_train_batch_size": size, **_common(work)}
        trainer = make(work, Dataset.from_dict(columns), options, common)
        trainer.data_collator = _Counted(trainer.data_collator, meter)
        trainer.remove_callback(PrinterCallback)
        trainer.add_callback(Clock())
        trainer.train()
    return meter


def _common(work: Work) -> dict[str, Any]:
    """What both libraries are told so that they do what we do and nothing beside it."""
    return {
        "max_steps": len(work.steps),
        "learning_rate": work.training.learning_rate,
        "lr_scheduler_type": "cosine",
        "max_grad_norm": work.training.max_grad_norm,
        "adam_beta2": 0.98,
        "optim": "adamw_torch_fused",
        "gradient_checkpointing": work.training.gradient_checkpointing,
        "bf16": uses_bf16(work.training, work.device),
        "use_cpu": work.device.type == "cpu",
        "logging_strategy": "no",
        "save_strategy": "no",
        "report_to": [],
        "disable_tqdm": True,
        "dataloader_pin_memory": False,
    }


def _trainer(work: Work, data: Any, options: dict[str, Any], common: Mapping[str, Any]) -> Any:
    from transformers import DataCollatorForSeq2Seq, DataCollatorWithFlattening, Trainer, TrainingArguments

    flat = options.pop("flat", False)
    collator = DataCollatorWithFlattening() if flat else DataCollatorForSeq2Seq(work.tokenizer.tokenizer)
    return Trainer(model=work.model(), args=TrainingArguments(**{**common, **options}), train_dataset=data, data_collator=collator)


def _sft_trainer(work: Work, data: Any, options: dict[str, Any], common: Mapping[str, Any]) -> Any:
    from trl import SFTConfig, SFTTrainer

    flat = options.pop("flat", False)
    longest = None if flat else work.training.max_seq_length
    args = SFTConfig(**{**common, "max_length": longest, "padding_free": flat, **options})
    trainer = SFTTrainer(model=work.model(), args=args, train_dataset=data, processing_class=work.tokenizer.tokenizer)
    if not args.bf16:
        for weight in trainer.model.parameters():  # trl makes the adapter of a 4-bit base bfloat16, which is slow where that is
            weight.data = weight.data.float() if weight.requires_grad else weight.data
    return trainer


@dataclass
class _Counted:
    """A collator that counts what it makes."""

    collator: Callable[[Sequence[Any]], Any]
    meter: Meter

    def __call__(self, examples: Sequence[Any]) -> Any:
        batch = self.collator(examples)
        tokens = sum(len(example["input_ids"]) for example in examples)
        self.meter.batches.append((int((batch["labels"][:, 1:] != IGNORED).sum()), tokens, batch["input_ids"].numel()))
        return batch
