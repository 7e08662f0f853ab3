"""The whole way in an object store, on a head and a node that see no file of each other; the node is lost with its disk while it trains.

Run by test_working_copy.py, in its own process: ``ADDRESS FOLDER``. The node has another folder mounted where working copies are, in a
mount namespace of its own, and so has the one that takes its place, with nothing in it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import psutil
from ray.cluster_utils import Cluster

from jobs import pipeline
from seshat.cluster import board
from seshat.command import read_settings
from seshat.working_copy import path_of
from tests.end_to_end.test_pipeline import QUICK
from tests.make import Told, step_of_loss

ROOT = Path(__file__).resolve().parents[2]
TRAINS = [
    "execution=ray",
    "cluster.dashboard=false",
    "training.cpus_per_worker=2",
    "training.max_steps=240",
    "training.save_steps=20",
    "training.logging_steps=5",
    "training.tracking=false",
    "training.evaluator.sample=2",
]
"""Only the node has two processors."""


def start_node(address: str, disk: Path, place: Path) -> subprocess.Popen[bytes]:
    """A node that has its own folder in place of everybody's working copies."""
    disk.mkdir()
    ray = Path(sys.executable).parent / "ray"
    inside = f"mount --bind {disk} {place} && exec {ray} start --block --address={address} --num-cpus=2"
    return subprocess.Popen(
        ["unshare", "--mount", "--propagation", "private", "bash", "-c", inside],
        stdout=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        cwd=ROOT,
    )


def kill(node: subprocess.Popen[bytes]) -> None:
    for process in (*psutil.Process(node.pid).children(recursive=True), psutil.Process(node.pid)):
        process.kill()
    node.wait()


def main(address: str, folder: str) -> None:
    import ray

    place, disks = Path(folder) / "copies", [Path(folder) / "disk", Path(folder) / "new-disk"]
    place.mkdir(parents=True)
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    nodes = [start_node(cluster.address, disks[0], place)]
    ray.init(address=cluster.address, log_to_driver=False)
    while ray.cluster_resources().get("CPU", 0) < 3:
        time.sleep(0.2)
    steps: list[int] = []
    """That were told after the loss."""

    def step(line: str) -> None:
        at = step_of_loss(line)
        if at and len(nodes) > 1:
            steps.append(at)
        elif at and at >= 30:
            kill(nodes[0])
            nodes.append(start_node(cluster.address, disks[1], place))

    board.LOOK = 0.05
    progress: Any = lambda: Told(step)  # noqa: E731
    board.Progress = progress  # type: ignore[misc]
    threading.excepthook = lambda args: os._exit(3)
    where = [f"root={address}", f"cluster.working_copies={place}"]
    pipeline.run(read_settings(str(ROOT / "configs/quickstart.yaml"), [*QUICK, *TRAINS, *where]))
    trained = [str(disk) for disk in disks if list(disk.glob("*/models/adapters/small/checkpoints/step-*"))]
    prepared = path_of(address, str(place))
    print(f"went on at step {min(steps, default=0)}; trained on {len(trained)} disks of nodes; {os.path.isdir(prepared)}")
    ray.shutdown()
    for node in nodes[1:]:
        kill(node)
    cluster.shutdown()


if __name__ == "__main__":
    main(*sys.argv[1:])
