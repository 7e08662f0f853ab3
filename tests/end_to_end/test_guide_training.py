"""The training chapter of the guide: its commands run as they stand, on a small folder of Qwen3 architecture."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from safetensors import safe_open

from seshat.store import Store
from tests.training.tiny import make_workspace

pytestmark = [pytest.mark.ray, pytest.mark.slow]
ROOT = Path(__file__).resolve().parents[2]
COMMAND = "make train CONFIG=configs/training/qlora_qwen3_14b.yaml"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Examples, and a local folder of Qwen3 architecture where another machine has Qwen3-14B."""
    store = make_workspace(tmp_path_factory.mktemp("guide"))
    shutil.copytree(store.path("models/base/small"), store.path("models/base/Qwen3-14B"))
    return store


def test_the_recommended_configuration_runs_as_it_is(store: Store) -> None:
    assert COMMAND in (ROOT / "docs" / "guide.md").read_text(encoding="utf-8")
    changes = [f"root={store.root}", "language=configs/languages/sample.yaml", f"model={store.path('models/base/Qwen3-14B')}"]
    command = [sys.executable, "-m", "jobs.train", "--config", COMMAND.partition("CONFIG=")[2], *changes]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=800, env={**os.environ, "RAY_ADDRESS": ""})
    assert done.returncode == 0, done.stderr
    manifest = store.manifest("models/adapters/qlora_qwen3_14b")
    assert manifest is not None
    assert {"precision: nf4", "max_seq_length: 2048", "gradient_accumulation_steps: 16"} <= set(manifest.settings.splitlines())
    folder = Path(store.path("models/adapters/qlora_qwen3_14b"))
    assert json.loads((folder / "adapter_config.json").read_text())["r"] == 64
    with safe_open(folder / "adapter_model.safetensors", framework="pt") as weights:
        assert all(0 not in weights.get_slice(name).get_shape() for name in weights.keys())  # noqa: SIM118 - it is no mapping
    assert "million tokens" in done.stderr
    assert "GB of a worker's memory (expected" in done.stderr
