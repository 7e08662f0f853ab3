"""A head and a node of this machine do a step, while the node is silent for a time, or slow all the time.

Run by test_nodes.py, in its own process. All processes of the node are stopped (SIGSTOP), as a network that is cut would silence them, and
go on when the run is over, so that what they had in hand comes too late; or they are stopped four fifths of the time.
"""

from __future__ import annotations

import sys
import threading
import time
from pathlib import Path

import psutil
from ray.cluster_utils import Cluster

from seshat.cluster.data import run_step
from seshat.settings import Cluster as Where
from seshat.settings import Settings
from seshat.stage import Resources
from seshat.step import Part, Step
from tests.make import LANGUAGE, raw
from tests.stages import ReadWords, Slow

IMPATIENT = {
    "health_check_period_ms": 500,
    "health_check_timeout_ms": 1_000,
    "health_check_failure_threshold": 3,
    "grpc_client_keepalive_time_ms": 5_000,
    "grpc_client_keepalive_timeout_ms": 3_000,
    "grpc_keepalive_time_ms": 5_000,
    "grpc_keepalive_timeout_ms": 3_000,
}
"""Of Ray: when a node that does not answer is given up, and calls that wait for it (seven minutes where nobody sets it)."""


def environment() -> dict[str, str]:
    """The same for every process of a cluster, drivers too."""
    return {f"RAY_{name}": str(value) for name, value in IMPATIENT.items()}


def step(log: str) -> Step:
    """Sixty parts of a fifth of a second."""
    parts = tuple(Part((raw(f"word{number}"),)) for number in range(60))
    return Step("ocr", (ReadWords(), Slow(seconds=0.2, log=log, resources=Resources(cpus=1))), parts)


def settings(root: str, execution: str) -> Settings:
    return Settings(root=root, language=LANGUAGE, execution=execution, cluster=Where(dashboard=False))  # type: ignore[arg-type]


def main(root: str, log: str, trouble: str) -> None:
    """``trouble`` is silent or slow."""
    import ray

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    cluster.add_node(num_cpus=1)
    ray.init(address=cluster.address, log_to_driver=False)
    raylets = [one for one in psutil.Process().children(recursive=True) if one.name() == "raylet"]
    doomed = max(raylets, key=lambda one: one.create_time())
    over = threading.Event()

    def processes() -> list[psutil.Process]:
        return [doomed, *doomed.children(recursive=True)]

    def make_trouble() -> None:
        while len(list((Path(root) / "data/processed/ocr").glob("part-*.json"))) < 4:
            time.sleep(0.02)
        stopped: list[psutil.Process] = []
        while not over.is_set():
            stopped = processes()
            for one in stopped:
                one.suspend()
            if trouble == "silent":
                break
            over.wait(0.4)
            for one in stopped:
                one.resume()
            over.wait(0.1)
        print(f"troubled: {len(stopped)}", flush=True)
        over.wait()
        for one in stopped:
            one.resume()

    thread = threading.Thread(target=make_trouble)
    thread.start()
    try:
        outcome = run_step(step(log), settings(root, "ray"))
        print(f"kept: {outcome.kept}")
    finally:
        over.set()
        thread.join()
    time.sleep(2)  # what the node had in hand is written now, once more
    ray.shutdown()
    cluster.shutdown()


if __name__ == "__main__":
    main(*sys.argv[1:])
