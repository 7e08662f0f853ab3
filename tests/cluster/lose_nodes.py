"""The quickstart on a head and two nodes of this machine; one node is lost while pages are read, the other one while a model trains.

Run by test_nodes.py, in its own process: it prints what was lost, at which step the training went on, and how long all of it took.
"""

from __future__ import annotations

import sys
import threading
import time
from pathlib import Path
from typing import Any

from ray.cluster_utils import Cluster

from jobs import pipeline
from seshat.cluster import board
from seshat.command import read_settings
from seshat.settings import Settings
from tests.end_to_end.test_pipeline import QUICK
from tests.make import Told, step_of_loss

ROOT = Path(__file__).resolve().parents[2]
ON_NODES = [
    *QUICK,
    "data.sample=true",
    "execution=ray",
    "ocr.pages_per_part=1",
    "training.max_steps=200",
    "training.save_steps=20",
    "training.logging_steps=5",
    "training.num_workers=2",
    "training.min_workers=1",
    "training.tracking=false",
    "training.evaluator.sample=0",
]


def settings(root: str) -> Settings:
    return read_settings(str(ROOT / "configs" / "quickstart.yaml"), [f"root={root}", *ON_NODES])


def main(root: str, lose: str) -> None:
    """With ``lose`` = yes the nodes are lost; otherwise nothing disturbs the run."""
    import ray

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    nodes = [cluster.add_node(num_cpus=1) for _ in range(2)]
    ray.init(address=cluster.address, log_to_driver=False)
    lost: list[str] = []
    steps: list[int] = []
    """That were told after the loss of a node that trained."""

    def remove(what: str) -> None:
        cluster.remove_node(nodes.pop(), allow_graceful=False)
        lost.append(what)

    def read_pages() -> None:
        parts = Path(root) / "data/processed/ocr"
        while len(list(parts.glob("part-*.json"))) < 2:
            time.sleep(0.02)
        remove("ocr")

    def step(line: str) -> None:
        at = step_of_loss(line)
        if at and lost == ["ocr", "train"]:
            steps.append(at)
        if at and at >= 30 and lost == ["ocr"]:
            remove("train")

    if lose == "yes":
        threading.Thread(target=read_pages, daemon=True).start()
        board.LOOK = 0.05
        progress: Any = lambda: Told(step)  # noqa: E731
        board.Progress = progress  # type: ignore[misc]
    start = time.monotonic()
    pipeline.run(settings(root))
    print(f"lost: {' '.join(lost) or 'nothing'}; went on at step {min(steps, default=0)}; {time.monotonic() - start:.0f} s")
    ray.shutdown()
    cluster.shutdown()


if __name__ == "__main__":
    main(*sys.argv[1:])
