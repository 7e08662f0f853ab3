"""Nodes with network addresses of their own: a node whose cable is cut loses no byte and adds none."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from seshat.cluster.data import run_step
from tests.cluster import trouble_a_node
from tests.cluster.test_data import tree

ROOT = Path(__file__).resolve().parents[2]


def _may_make_networks() -> bool:
    if os.geteuid() != 0:
        return False
    try:
        return (
            subprocess.run(
                ["unshare", "--net", "ip", "link", "add", "probe", "type", "bridge"], capture_output=True, check=False
            ).returncode
            == 0
        )
    except OSError:
        return False


@pytest.mark.slow
@pytest.mark.ray
@pytest.mark.skipif(not _may_make_networks(), reason="needs root and 'ip netns' (iproute2)")
def test_a_node_that_is_cut_off_changes_no_byte(tmp_path: Path) -> None:
    root, log = tmp_path / "cut", tmp_path / "log"
    script = [sys.executable, "-m", "tests.cluster.cut_off_a_node", str(root), str(log), "cut"]
    environment = {**os.environ, "RAY_ADDRESS": ""}
    done = subprocess.run(script, cwd=ROOT, capture_output=True, text=True, timeout=1_000, env=environment, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    assert re.search(r"^cut$", done.stdout, re.MULTILINE)
    print(done.stdout)
    run_step(trouble_a_node.step(str(log)), trouble_a_node.settings(str(tmp_path / "here"), "local"))
    assert tree(root) == tree(tmp_path / "here")
    assert len({line.split()[0] for line in log.read_text().splitlines()}) >= 3, "both nodes worked, and this process"
