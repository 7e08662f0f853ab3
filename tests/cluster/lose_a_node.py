"""A cluster of a head and two nodes on this machine; one node is killed while it trains. Run by test_nodes.py, in its own process."""

from __future__ import annotations

import re
import sys
import threading

from ray.cluster_utils import Cluster

from seshat.cluster import board
from seshat.cluster.train import train
from seshat.store import Store
from tests.make import Told
from tests.training.tiny import LANGUAGE, PROMPTS, settings


def main(root: str) -> None:
    import ray

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 2, "resources": {"head": 1}})
    cluster.add_node(num_cpus=1, resources={"worker": 1})
    doomed = cluster.add_node(num_cpus=1, resources={"worker": 1})
    ray.init(address=cluster.address, log_to_driver=False)
    killed: list[int] = []

    def kill(line: str) -> None:
        step = int(re.search(r"step (\d+)", line)[1])  # type: ignore[index]
        if step >= 30 and not killed:
            killed.append(step)
            threading.Thread(target=cluster.remove_node, args=(doomed,), kwargs={"allow_graceful": False}).start()

    board.LOOK = 0.05
    board.Progress = lambda: Told(kill)  # type: ignore[assignment,misc,return-value]
    elastic = settings(name="elastic", max_steps=120, save_steps=20, per_device_train_batch_size=1, num_workers=4, min_workers=1)
    train(elastic, LANGUAGE, PROMPTS, Store(root))
    assert killed, "no node was killed"
    ray.shutdown()
    cluster.shutdown()


if __name__ == "__main__":
    main(sys.argv[1])
