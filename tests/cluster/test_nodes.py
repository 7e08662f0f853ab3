"""What the loss of a whole node, its silence or its slowness does to a run: it goes on with the others, to the same result."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from safetensors.torch import load_file

from seshat.cluster.data import run_step
from seshat.cluster.train import train
from seshat.store import Store
from tests.cluster import trouble_a_node
from tests.cluster.test_data import tree
from tests.needs import needs_tesseract
from tests.training.tiny import LANGUAGE, PROMPTS, make_workspace, settings

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.slow
@pytest.mark.ray
def test_a_run_goes_on_with_fewer_workers_when_a_node_is_lost(tmp_path: Path) -> None:
    store = make_workspace(tmp_path)
    here = settings(name="here", max_steps=120, save_steps=20, per_device_train_batch_size=4)
    train(here, LANGUAGE, PROMPTS, store, execution="local")
    script = [sys.executable, "-m", "tests.cluster.lose_a_node", store.root]
    done = subprocess.run(script, cwd=ROOT, capture_output=True, text=True, timeout=800, env={**os.environ, "RAY_ADDRESS": ""})
    assert done.returncode == 0, done.stderr[-4000:]
    one, elastic = (load_file(store.path(f"models/adapters/{name}/adapter_model.safetensors")) for name in ("here", "elastic"))
    assert all(weight.allclose(elastic[name], atol=1e-4) for name, weight in one.items())


@pytest.mark.ray
def test_what_is_told_of_a_run_is_lost_with_no_other_node() -> None:
    script = [sys.executable, "-m", "tests.cluster.hang_boards"]
    done = subprocess.run(script, cwd=ROOT, capture_output=True, text=True, timeout=300, env={**os.environ, "RAY_ADDRESS": ""}, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
    assert "with the driver: True" in done.stdout


def run_on_three_nodes(root: Path, lose: str) -> float:
    """The seconds that the whole way took; where nodes were lost, the training must have gone on from a checkpoint."""
    script = [sys.executable, "-m", "tests.cluster.lose_nodes", str(root), lose]
    done = subprocess.run(
        script, cwd=ROOT, capture_output=True, text=True, timeout=1_500, env={**os.environ, "RAY_ADDRESS": ""}, check=False
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    said = re.search(r"^lost: (.*); went on at step (\d+); (\d+) s$", done.stdout, re.MULTILINE)
    assert said, done.stdout
    assert said[1] == ("ocr train" if lose == "yes" else "nothing")
    assert int(said[2]) > 20 or lose == "no", "it began again"
    return float(said[3])


def data(root: Path) -> dict[str, str]:
    """The SHA-256 of every file that the data stages have made."""
    store = Store(str(root))
    found = {}
    for stage in ("ingest", "ocr", "transcribe", "align", "format"):
        manifest = store.manifest(f"data/processed/{stage}")
        assert manifest, stage
        found |= {file.path: file.sha256 for part in manifest.parts for file in part.files}
    return found


@pytest.mark.slow
@pytest.mark.ray
@needs_tesseract
def test_the_quickstart_survives_the_loss_of_two_nodes(tmp_path: Path) -> None:
    undisturbed = run_on_three_nodes(tmp_path / "undisturbed", "no")
    disturbed = run_on_three_nodes(tmp_path / "disturbed", "yes")
    assert data(tmp_path / "disturbed") == data(tmp_path / "undisturbed")
    assert Store(str(tmp_path / "disturbed")).manifest("models/adapters/small") is not None
    print(f"three nodes: {undisturbed:.0f} s undisturbed, {disturbed:.0f} s with two nodes lost")
    assert disturbed <= 3 * undisturbed


@pytest.mark.slow
@pytest.mark.ray
@pytest.mark.parametrize("trouble", ["silent", "slow"])
def test_a_node_that_is_silent_or_slow_changes_no_byte(tmp_path: Path, trouble: str) -> None:
    """Neither one that is cut off and comes back when its work was done by others, nor one that takes five times as long."""
    root, log = tmp_path / trouble, tmp_path / "log"
    script = [sys.executable, "-m", "tests.cluster.trouble_a_node", str(root), str(log), trouble]
    environment = {**os.environ, **trouble_a_node.environment(), "RAY_ADDRESS": ""}
    done = subprocess.run(script, cwd=ROOT, capture_output=True, text=True, timeout=1_200, env=environment, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    assert int(re.findall(r"^troubled: (\d+)$", done.stdout, re.MULTILINE)[0]) >= 2, "the node and a worker of it"
    run_step(trouble_a_node.step(str(log)), trouble_a_node.settings(str(tmp_path / "here"), "local"))
    assert tree(root) == tree(tmp_path / "here")
    assert len({line.split()[0] for line in log.read_text().splitlines()}) >= 3, "both nodes worked, and this process"
