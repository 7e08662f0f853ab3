"""Every strategy, on one worker and on two, gives the same adapter, and takes up the checkpoints of every other."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import tempfile
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing
from safetensors.torch import load_file

from seshat.config import load
from seshat.errors import ConfigError, StoppedError
from seshat.store import Store
from seshat.training import adapter, checkpoint, run
from seshat.training.loop import Listener, Stop
from seshat.training.settings import Training
from seshat.training.strategy import Place
from tests.training.tiny import LANGUAGE, PROMPTS, make_workspace, settings

pytestmark = pytest.mark.heavy
needs_deepspeed = pytest.mark.skipif(
    not importlib.util.find_spec("deepspeed") or not shutil.which("g++"), reason="needs the extra deepspeed, and a C++ compiler"
)


STRATEGIES = ("ddp", "fsdp")
PRECISIONS = ("nf4", "lora", "full")


class Stopping(Listener):
    """Stops after a number of steps, as somebody would with SIGTERM; keeps the numbers of every step."""

    def __init__(self, after: int = 0) -> None:
        self.after, self.seen = after, -1
        self.numbers: list[dict[str, float]] = []

    def report(self, step: int, numbers: dict[str, float], remarks: Sequence[str]) -> None:
        self.numbers.append(numbers)

    def stop(self) -> Stop:
        self.seen += 1
        return "asked" if self.after and self.seen == self.after else ""


Plan = list[tuple[run.Job, int]]
"""Runs one after the other, each with the step after which it is stopped; 0 for those that are not."""


def process(rank: int, world: int, plan: Plan, meeting: str) -> None:
    """One of the workers."""
    torch.set_num_threads(1)
    os.environ |= {"RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": str(world)}
    dist.init_process_group("gloo", init_method=f"file://{meeting}", rank=rank, world_size=world)
    for job, after in plan:
        listener = Stopping(after)
        with pytest.raises(StoppedError) if after else nullcontext():
            run.work(job, Place(rank, world), listener)
        if rank == 0:
            Path(job.root, f"{job.training.name}.json").write_text(json.dumps(listener.numbers))
    dist.destroy_process_group()


def in_processes(store: Store, world: int, *runs: tuple[Training, int]) -> list[dict[str, torch.Tensor]]:
    """The adapters of some runs with so many workers; nothing of those that were stopped."""
    plan = [(run.prepare(training, LANGUAGE, PROMPTS, store), after) for training, after in runs]
    for job, _ in plan:
        run.start(job)
    with tempfile.TemporaryDirectory() as folder:
        torch.multiprocessing.spawn(process, (world, plan, f"{folder}/meeting"), nprocs=world)
    return [{} if after else finished(store, job) for job, after in plan]


def finished(store: Store, job: run.Job) -> dict[str, torch.Tensor]:
    run.finish(job, {})
    return load_file(store.path(f"{job.folder}/{adapter.WHOLE if job.training.precision == 'full' else adapter.WEIGHTS}"))


def short(name: str, world: int = 2, **changes: Any) -> Training:
    """Four steps of four rows."""
    defaults: dict[str, Any] = {"lora": {"r": 4, "alpha": 8}, "max_steps": 4, "save_steps": 2, "eval_steps": 2, "max_grad_norm": 0.5}
    return settings(**{**defaults, "name": name, "num_workers": world, "per_device_train_batch_size": 4 // world, **changes})


def difference(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> float:
    assert one.keys() == other.keys()
    assert all(weight.numel() for weight in one.values())
    return max(float((weight - other[name]).abs().max()) for name, weight in one.items())


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return make_workspace(tmp_path_factory.mktemp("strategies"))


def worked(training: Training, store: Store, after: int = 0) -> tuple[run.Job, Stopping]:
    """A run in this process, to its end or to the step after which it is stopped."""
    job, listener = run.prepare(training, LANGUAGE, PROMPTS, store), Stopping(after)
    run.start(job)
    with pytest.raises(StoppedError, match=f"stopped after step {after} of 4") if after else nullcontext():
        run.work(job, Place(), listener)
    return job, listener


@pytest.fixture(scope="module")
def alone(store: Store) -> dict[str, torch.Tensor]:
    """The adapter of one worker."""
    job, _ = worked(short("alone", 1), store)
    return finished(store, job)


@pytest.fixture(scope="module")
def together(store: Store) -> dict[str, dict[str, torch.Tensor]]:
    """What two workers make, by the name of the run: started once, because most of their time is the start."""
    worked(short("grows", 1), store, after=2)
    runs = [(short(f"{name}-{precision}", strategy=name, precision=precision), 0) for precision in PRECISIONS for name in STRATEGIES]
    runs += [(short("shrinks", strategy="fsdp"), 2), (short("grows", strategy="fsdp"), 0)]
    made = in_processes(store, 2, *runs)
    return {training.name: adapter for (training, _), adapter in zip(runs, made, strict=True)}


@pytest.mark.parametrize("precision", PRECISIONS)
def test_ddp_and_fsdp_on_two_workers_give_the_adapter_of_one(
    store: Store, together: dict[str, dict[str, torch.Tensor]], precision: str
) -> None:
    job, listener = worked(short(f"one-{precision}", 1, precision=precision), store)
    one = finished(store, job)
    ddp, fsdp = (together[f"{strategy}-{precision}"] for strategy in STRATEGIES)
    assert difference(ddp, fsdp) < 1e-5
    assert difference(one, ddp) < 1e-4
    for strategy in STRATEGIES:
        numbers = json.loads(Path(store.root, f"{strategy}-{precision}.json").read_text())
        for name in ("loss", "grad_norm", "eval_loss"):
            expected = [step[name] for step in listener.numbers if name in step]
            assert [step[name] for step in numbers if name in step] == pytest.approx(expected, rel=1e-5)
    before = load_file(f"{job.checkpoints}/step-000002/{checkpoint.WEIGHTS}")
    assert difference(one, {adapter.published(name): weight for name, weight in before.items()}) > 1e-4, "nothing was trained"


def test_a_checkpoint_of_one_strategy_and_number_of_workers_is_one_of_all(
    store: Store, alone: dict[str, torch.Tensor], together: dict[str, dict[str, torch.Tensor]]
) -> None:
    """Two workers with shares begin, one goes on; one begins, two with shares go on: the steps have the same rows."""
    assert together["shrinks"] == {}, "stopped"
    job, _ = worked(short("shrinks", 1), store)
    assert difference(alone, finished(store, job)) < 1e-5
    assert difference(alone, together["grows"]) < 1e-5


@pytest.mark.slow
@needs_deepspeed
def test_zero_on_two_workers_gives_the_adapter_of_one(store: Store, alone: dict[str, torch.Tensor]) -> None:
    """ZeRO-2 with 4-bit weights, with its moments in the memory of the processor too; ZeRO-3 with whole weights."""
    plan = [
        short("zero2", strategy="deepspeed"),
        short("offload", strategy="deepspeed", deepspeed={"stage": 2, "offload": True}),
        short("ddp-whole", strategy="ddp", precision="lora"),
        short("zero3", strategy="deepspeed", deepspeed={"stage": 3}, precision="lora"),
    ]
    zero2, offload, whole, zero3 = in_processes(store, 2, *((training, 0) for training in plan))
    assert difference(alone, zero2) < 1e-5
    assert difference(alone, offload) < 1e-5
    assert difference(whole, zero3) < 1e-4


@pytest.mark.slow
@needs_deepspeed
def test_zero_goes_on_where_it_was_stopped(store: Store, alone: dict[str, torch.Tensor]) -> None:
    in_processes(store, 2, (short("zero-goes-on", strategy="deepspeed"), 2))
    (rest,) = in_processes(store, 2, (short("zero-goes-on", strategy="deepspeed"), 0))
    assert difference(alone, rest) < 1e-5


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        (["strategy=deepspeed", "deepspeed.stage=3"], "ZeRO-3 with 4-bit weights is not proven"),
        (["strategy=fsdp", "optimizer=paged_adamw_8bit"], "cannot be shared out by fsdp"),
        (["num_workers=2", "min_workers=3"], "min_workers: 3 is more than num_workers=2"),
    ],
)
def test_what_is_unsafe_is_refused_with_the_reason(changes: list[str], reason: str) -> None:
    with pytest.raises(ConfigError, match=reason):
        load(Training, None, changes)
