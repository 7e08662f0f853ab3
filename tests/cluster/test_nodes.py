"""What the loss of a whole node does to a run: it goes on with fewer workers, to the same adapter."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from safetensors.torch import load_file

from seshat.cluster.train import train
from tests.training.tiny import LANGUAGE, PROMPTS, make_workspace, settings

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.slow
@pytest.mark.ray
def test_a_run_goes_on_with_fewer_workers_when_a_node_is_lost(tmp_path: Path) -> None:
    store = make_workspace(tmp_path)
    here = settings(name="here", max_steps=30, save_steps=5, per_device_train_batch_size=4)
    train(here, LANGUAGE, PROMPTS, store, execution="local")
    script = [sys.executable, "-m", "tests.cluster.lose_a_node", store.root]
    done = subprocess.run(script, cwd=ROOT, capture_output=True, text=True, timeout=800, env={**os.environ, "RAY_ADDRESS": ""})
    assert done.returncode == 0, done.stderr[-4000:]
    one, elastic = (load_file(store.path(f"models/adapters/{name}/adapter_model.safetensors")) for name in ("here", "elastic"))
    assert all(weight.allclose(elastic[name], atol=1e-4) for name, weight in one.items())
