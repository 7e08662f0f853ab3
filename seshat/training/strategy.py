"""How a model lies on its workers: whole on each of them (DDP), or in shares (FSDP2, DeepSpeed's ZeRO). The loop sees no difference.

All of them take the mean of the gradients over the workers, and all give and take the same state: whole tensors by the
names of the model. So a checkpoint of one strategy, or of one number of workers, is a checkpoint of every other.
"""

from __future__ import annotations

import logging
import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, ClassVar

import torch
import torch.distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from seshat.errors import EngineError, StoreError
from seshat.training.model import Objective, trainable
from seshat.training.settings import Training

BETAS = (0.9, 0.98)
MOMENTS = ("exp_avg", "exp_avg_sq")
Tensors = dict[str, torch.Tensor]


@dataclass(frozen=True)
class Place:
    """Where this process stands among the workers."""

    rank: int = 0
    world: int = 1
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))


@dataclass(frozen=True)
class State:
    """What is trained, and what the optimizer remembers of it: whole tensors on the processor."""

    weights: Tensors
    moments: Tensors
    """By ``<name of the weight>/<name of the moment>``."""


class Replicated:
    """Every worker has the whole model (PyTorch DDP; Li et al., 2020). With one worker there is nothing to exchange."""

    name: ClassVar[str] = "ddp"

    def __init__(self, objective: Objective, training: Training, place: Place) -> None:
        self.objective, self.training, self.place = objective, training, place
        if training.gradient_checkpointing:
            objective.checkpoint_activations()
        self.module = self._spread()
        """What is called with a batch; until ``begin``, gradients do not travel between workers."""
        self.weights = dict(trainable(objective.model))
        """What is trained, by name; shares of it where the model is shared."""

    def _spread(self) -> nn.Module:
        return self.objective

    def begin(self, state: State | None = None) -> None:
        """Bring the workers together, and make the optimizer; with the state of a checkpoint if there is one, whole on every worker.

        Before that, a batch may be rehearsed.
        """
        if state:
            self._take_weights(state)
        self._join()
        if state:
            self._take_moments(state)

    def _join(self) -> None:
        self.optimizer = self._optimizer()
        if self.place.world > 1:
            self.module = DistributedDataParallel(self.objective, gradient_as_bucket_view=True, forward_sync_buffers=False)

    def _optimizer(self) -> torch.optim.Optimizer:
        training = self.training
        if training.optimizer == "paged_adamw_8bit":
            import bitsandbytes as bnb

            paged: torch.optim.Optimizer = bnb.optim.PagedAdamW8bit(
                self.weights.values(), lr=training.learning_rate, betas=BETAS, weight_decay=training.weight_decay
            )
            return paged
        return torch.optim.AdamW(
            self.weights.values(), lr=training.learning_rate, betas=BETAS, weight_decay=training.weight_decay, fused=True
        )

    @contextmanager
    def accumulating(self, *, last: bool) -> Iterator[None]:
        """Around forward and backward of one batch of a step: gradients travel between workers with the last one only."""
        if isinstance(self.module, DistributedDataParallel) and not last:
            with self.module.no_sync():
                yield
        else:
            yield

    def backward(self, loss: torch.Tensor) -> None:
        """Add the gradients of a loss to those that are there."""
        loss.backward()

    def update(self, rate: float) -> float:
        """One step of the optimizer with gradients of at most ``max_grad_norm``; the norm that they had.

        If it is not finite nothing is changed.
        """
        norm = nn.utils.clip_grad_norm_(self.weights.values(), self.training.max_grad_norm)
        found = float(norm.full_tensor() if hasattr(norm, "full_tensor") else norm)
        if math.isfinite(found):
            for group in self.optimizer.param_groups:
                group["lr"] = rate
            self.optimizer.step()
        self.optimizer.zero_grad()
        return found

    def state(self) -> State:
        """The whole state, on the first worker; empty on the others. All of them must ask."""
        weights = {name: self._whole(weight.detach()) for name, weight in self.weights.items()}
        moments = {
            f"{name}/{key}": self._whole(torch.as_tensor(value))
            for name, weight in self.weights.items()
            for key, value in self.optimizer.state[weight].items()
            if isinstance(value, torch.Tensor | int)
        }
        return State(weights, moments) if self.place.rank == 0 else State({}, {})

    def _take_weights(self, state: State) -> None:
        if state.weights.keys() != self.weights.keys():
            raise StoreError("the checkpoint holds other weights than this model trains: delete it to start anew")
        with torch.no_grad():
            for name, weight in self.weights.items():
                weight.copy_(self._share(state.weights[name], weight))

    def _take_moments(self, state: State) -> None:
        paged = self.training.optimizer == "paged_adamw_8bit"
        for name, weight in self.weights.items():
            keys = [key.rpartition("/")[2] for key in state.moments if key.rpartition("/")[0] == name]
            moments: dict[str, Any] = {key: state.moments[f"{name}/{key}"] for key in keys}
            step = moments.pop("step")
            shares = {key: self._share(value, weight) for key, value in moments.items()}
            self.optimizer.state[weight] = {"step": int(step) if paged else step.to(weight.device, copy=True), **shares}

    def _whole(self, value: torch.Tensor) -> torch.Tensor:
        return value.cpu().contiguous() if self.place.rank == 0 else value

    def _share(self, value: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
        return value.to(like.device)


class Sharded(Replicated):
    """Every worker has a share of each weight, and gathers a layer while it computes it (FSDP2, ``fully_shard``; Zhao et al., 2023)."""

    name: ClassVar[str] = "fsdp"

    def _spread(self) -> nn.Module:
        from torch.distributed.device_mesh import init_device_mesh
        from torch.distributed.fsdp import fully_shard

        objective, mesh = self.objective, init_device_mesh(self.place.device.type, (self.place.world,))
        kinds = set(objective.causal._no_split_modules or ())
        layers = [module for module in objective.modules() if type(module).__name__ in kinds]
        if not layers:
            raise EngineError(f"{type(objective.causal).__name__} does not say which modules are its layers: set training.strategy=ddp")
        for layer in layers:
            fully_shard(layer, mesh=mesh)
        return fully_shard(objective, mesh=mesh)

    def _join(self) -> None:
        self.optimizer = self._optimizer()

    @contextmanager
    def accumulating(self, *, last: bool) -> Iterator[None]:
        self.module.set_requires_gradient_sync(last)  # type: ignore[operator]
        yield

    def _whole(self, value: torch.Tensor) -> torch.Tensor:
        return super()._whole(value.full_tensor() if hasattr(value, "full_tensor") else value)

    def _share(self, value: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
        from torch.distributed.tensor import DTensor, distribute_tensor

        if not isinstance(like, DTensor):
            return super()._share(value, like)
        return distribute_tensor(value.to(like.device), like.device_mesh, like.placements)


class Zero(Replicated):
    """DeepSpeed's ZeRO (Rajbhandari et al., 2020): stage 2 shares gradients and moments, stage 3 the weights too."""

    name: ClassVar[str] = "deepspeed"

    def _join(self) -> None:
        if self.place.device.type == "cpu":
            os.environ["DS_ACCELERATOR"] = "cpu"
        try:
            import deepspeed
        except ImportError:
            raise EngineError(
                "training.strategy=deepspeed needs DeepSpeed: DS_BUILD_OPS=0 pip install --no-build-isolation -c constraints.txt deepspeed"
            ) from None
        logging.getLogger("DeepSpeed").setLevel(logging.WARNING)
        if not dist.is_initialized():
            dist.init_process_group("gloo", store=dist.HashStore(), rank=0, world_size=1)
        self.optimizer = self._optimizer()
        self._engine: Any = deepspeed.initialize(
            model=self.objective,
            model_parameters=list(self.weights.values()),
            optimizer=self.optimizer,
            config=self._config(),
            dist_init_required=False,
        )[0]
        self.module = self._engine

    def _config(self) -> dict[str, Any]:
        training = self.training
        zero: dict[str, Any] = {"stage": training.deepspeed.stage}
        if training.deepspeed.offload:
            zero["offload_optimizer"] = {"device": "cpu"}
            if training.deepspeed.stage == 3:
                zero["offload_param"] = {"device": "cpu"}
        return {
            "train_micro_batch_size_per_gpu": training.per_device_train_batch_size,
            "gradient_clipping": training.max_grad_norm,  # left out, DeepSpeed clips at 1.0
            "zero_optimization": zero,
            "zero_allow_untested_optimizer": True,
            "zero_force_ds_cpu_optimizer": False,
        }

    @contextmanager
    def accumulating(self, *, last: bool) -> Iterator[None]:
        self._engine.set_gradient_accumulation_boundary(last)
        yield

    def backward(self, loss: torch.Tensor) -> None:
        self._engine.backward(loss, scale_wrt_gas=False)

    def update(self, rate: float) -> float:
        for group in self._engine.optimizer.param_groups:
            group["lr"] = rate
        self._engine.step()
        return float(self._engine.get_global_grad_norm())

    def state(self) -> State:
        from deepspeed.utils import safe_get_full_fp32_param, safe_get_full_optimizer_state

        weights, moments = {}, {}
        for name, weight in self.weights.items():
            weights[name] = self._whole(safe_get_full_fp32_param(weight).detach().clone())
            for key in MOMENTS:
                moments[f"{name}/{key}"] = self._whole(safe_get_full_optimizer_state(weight, key).detach().clone())
            moments[f"{name}/step"] = torch.tensor(float(self._engine.global_steps))
        return State(weights, moments) if self.place.rank == 0 else State({}, {})

    def _take_moments(self, state: State) -> None:
        """DeepSpeed makes room for moments in its first step only, and we need it before."""
        from deepspeed.utils import safe_set_full_optimizer_state

        zero, step = self._engine.optimizer, next(value for key, value in state.moments.items() if key.endswith("/step"))
        whole = self.training.deepspeed.stage == 2
        for part in zero.single_partition_of_fp32_groups if whole else zero.fp32_partitioned_groups_flat:
            self.optimizer.state[part] = {"step": step.clone(), **{key: torch.zeros_like(part) for key in MOMENTS}}
        if whole:
            zero._lazy_init_hp_params_optimizer_state()
        for name, weight in self.weights.items():
            for key in MOMENTS:
                safe_set_full_optimizer_state(weight, state.moments[f"{name}/{key}"].to(self.place.device), key)
        self._engine.global_steps = int(step)


def strategy(objective: Objective, training: Training, place: Place) -> Replicated:
    """The strategy of the settings; with one worker, shares are wholes."""
    chosen = training.strategy
    if chosen == "auto":
        chosen = "fsdp" if place.device.type == "cuda" and training.optimizer == "adamw" else "ddp"
    if chosen == "deepspeed":
        return Zero(objective, training, place)
    return Sharded(objective, training, place) if chosen == "fsdp" and place.world > 1 else Replicated(objective, training, place)
