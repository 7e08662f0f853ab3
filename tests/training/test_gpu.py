"""What only a GPU can show: the same adapter as a processor's, and moments in 8 bits that survive a restart."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from seshat.errors import StoppedError
from seshat.store import Store
from seshat.training import run
from seshat.training.strategy import Place
from tests.training.test_strategy import Listener, Stopping, difference, finished
from tests.training.tiny import LANGUAGE, PROMPTS, settings

pytestmark = [pytest.mark.gpu, pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")]


def trained(store: Store, device: str, *, stop_after: int = 0, **changes: Any) -> dict[str, torch.Tensor]:
    job = run.prepare(settings(use_gpu=device == "cuda", lora={"r": 4, "alpha": 8}, **changes), LANGUAGE, PROMPTS, store)
    run.start(job)
    if stop_after:
        with pytest.raises(StoppedError):
            run.work(job, Place(device=torch.device(device)), Stopping(stop_after))
        return {}
    run.work(job, Place(device=torch.device(device)), Listener())
    return finished(store, job)


@pytest.mark.parametrize("precision", ["nf4", "lora"])
def test_a_gpu_gives_the_adapter_of_a_processor(store: Store, precision: str) -> None:
    common = {"precision": precision, "bf16": False, "learning_rate": 1e-3}
    cpu, gpu = (trained(store, device, name=f"{device}-{precision}", **common) for device in ("cpu", "cuda"))
    assert difference(cpu, gpu) < 2e-3


def test_paged_moments_in_8_bits_go_on_where_they_were(store: Store) -> None:
    whole = trained(store, "cuda", name="paged", optimizer="paged_adamw_8bit")
    trained(store, "cuda", name="paged-broken", optimizer="paged_adamw_8bit", stop_after=2)
    assert difference(whole, trained(store, "cuda", name="paged-broken", optimizer="paged_adamw_8bit")) < 1e-5
