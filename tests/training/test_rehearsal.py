"""What happens where the memory is too small: the same result, in smaller pieces."""

from __future__ import annotations

import logging
from typing import Any

import pytest
import torch

from seshat.cluster import train as cluster
from seshat.cluster.train import train
from seshat.errors import TooLargeError
from seshat.store import Store
from seshat.training.model import Objective
from seshat.training.rehearsal import is_out_of_memory
from tests.training.test_run import adapter
from tests.training.tiny import LANGUAGE, PROMPTS, settings

pytestmark = pytest.mark.heavy


@pytest.fixture
def small_memory(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A GPU that holds so many tokens at once, half as many without checkpoints of activations."""
    forward, checkpoint = Objective.forward, Objective.checkpoint_activations

    def limit(tokens: int) -> None:
        def limited(self: Objective, ids_BT: torch.Tensor, *others: torch.Tensor) -> torch.Tensor:
            if ids_BT.numel() > tokens * (2 if getattr(self, "computes_twice", False) else 1):
                raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB.")
            return forward(self, ids_BT, *others)

        def computes_twice(self: Objective) -> None:
            self.computes_twice = True
            checkpoint(self)

        monkeypatch.setattr(Objective, "forward", limited)
        monkeypatch.setattr(Objective, "checkpoint_activations", computes_twice)

    return limit


def test_a_batch_that_does_not_fit_is_halved_and_gives_the_same_adapter(
    store: Store, small_memory: Any, caplog: pytest.LogCaptureFixture
) -> None:
    train(settings(name="roomy", per_device_train_batch_size=4), LANGUAGE, PROMPTS, store, execution="local")
    small_memory(130)
    with caplog.at_level(logging.WARNING):
        train(settings(name="narrow", per_device_train_batch_size=4), LANGUAGE, PROMPTS, store, execution="local")
    said = [text for text in caplog.messages if "out of memory" in text]
    assert ["2 rows at once instead of 4" in said[0], "1 rows at once instead of 4" in said[1], len(said)] == [True, True, 2]
    roomy, narrow = adapter(store, "roomy"), adapter(store, "narrow")
    assert all(weight.allclose(narrow[name], atol=1e-4) for name, weight in roomy.items())


def test_then_activations_are_computed_twice(store: Store, small_memory: Any, caplog: pytest.LogCaptureFixture) -> None:
    train(settings(name="kept", per_device_train_batch_size=2), LANGUAGE, PROMPTS, store, execution="local")
    small_memory(65)
    with caplog.at_level(logging.WARNING):
        train(settings(name="twice", per_device_train_batch_size=2), LANGUAGE, PROMPTS, store, execution="local")
    assert [text for text in caplog.messages if "activations are computed twice instead of kept (gradient_checkpointing)" in text]
    kept, twice = adapter(store, "kept"), adapter(store, "twice")
    assert all(weight.allclose(twice[name], atol=1e-4) for name, weight in kept.items())


def test_at_last_rows_are_shortened_and_the_run_is_known_by_what_was_asked(
    store: Store, small_memory: Any, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster, "SHORTEST", 64)
    small_memory(35)
    with caplog.at_level(logging.WARNING):
        train(settings(name="short"), LANGUAGE, PROMPTS, store, execution="local")
    assert [text for text in caplog.messages if text.endswith("Going on with max_seq_length=64")]
    manifest = store.manifest("models/adapters/short")
    assert manifest is not None
    assert "max_seq_length: 64" in manifest.settings
    assert train(settings(name="short"), LANGUAGE, PROMPTS, store, execution="local").done_before


def test_what_never_fits_is_an_error_that_names_the_settings(store: Store, small_memory: Any) -> None:
    small_memory(1)
    with pytest.raises(TooLargeError, match=r"one row of 128 tokens .* lower max_seq_length or lora.r"):
        train(settings(name="never"), LANGUAGE, PROMPTS, store, execution="local")


def test_only_memory_is_taken_for_memory() -> None:
    assert is_out_of_memory(RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory: you tried"))
    assert not is_out_of_memory(RuntimeError("mat1 and mat2 shapes cannot be multiplied"))
