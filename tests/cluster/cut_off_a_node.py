"""A head and two nodes with addresses of their own, in network namespaces of this machine, do a step while a cable is cut and mended.

Run by test_namespaces.py, in its own process: ``FOLDER LOG cut|whole``. The head's namespace has a bridge, and each node a cable to it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from tests.cluster.trouble_a_node import environment as impatient

ROOT = Path(__file__).resolve().parents[2]
NODES = 3
PORT = 6379
HEAD = "10.211.7.1"


def ip(*words: str, check: bool = True) -> None:
    subprocess.run(["ip", *words], check=check, capture_output=True)


@contextmanager
def network(name: str) -> Iterator[list[str]]:
    """Namespaces with a bridge in the first; gone on leaving, with all that runs in them."""
    spaces = [f"{name}-{number}" for number in range(NODES)]
    try:
        for space in spaces:
            ip("netns", "add", space)
            ip("-n", space, "link", "set", "lo", "up")
        ip("-n", spaces[0], "link", "add", "bridge", "type", "bridge")
        ip("-n", spaces[0], "addr", "add", f"{HEAD}/24", "dev", "bridge")
        ip("-n", spaces[0], "link", "set", "bridge", "up")
        for number, space in enumerate(spaces[1:], 2):
            ip("-n", spaces[0], "link", "add", f"cable{number}", "type", "veth", "peer", "name", "eth0", "netns", space)
            ip("-n", spaces[0], "link", "set", f"cable{number}", "master", "bridge", "up")
            ip("-n", space, "addr", "add", f"10.211.7.{number}/24", "dev", "eth0")
            ip("-n", space, "link", "set", "eth0", "up")
        yield spaces
    finally:
        for space in spaces:
            found = subprocess.run(["ip", "netns", "pids", space], capture_output=True, text=True, check=False)
            for pid in map(int, found.stdout.split()):
                if psutil.pid_exists(pid):
                    psutil.Process(pid).kill()
            ip("netns", "del", space, check=False)


def inside(space: str, *command: str, **more: object) -> subprocess.Popen[bytes]:
    """A process in a namespace."""
    environment = {**os.environ, **impatient(), "RAY_AUTH_MODE": "disabled", "PYTHONPATH": str(ROOT)}  # nobody else is in that network
    return subprocess.Popen(["ip", "netns", "exec", space, *command], env=environment, cwd=ROOT, **more)  # type: ignore[call-overload, no-any-return]


def start(spaces: list[str], log: Path) -> None:
    """A head without processors for work, and nodes with one each."""
    ray = str(Path(sys.executable).parent / "ray")
    with log.open("w") as out:
        head = ["--head", f"--node-ip-address={HEAD}", f"--port={PORT}", "--num-cpus=0", "--include-dashboard=false"]
        inside(spaces[0], ray, "start", "--block", *head, stdout=out, stderr=out)
        for number, space in enumerate(spaces[1:], 2):
            node = [f"--address={HEAD}:{PORT}", f"--node-ip-address=10.211.7.{number}", "--num-cpus=1"]
            once = f"{ray} start --block {' '.join(node)}"
            again = f"sleep {4 * number}; until {once}; do sleep 1; done"  # a busy head may let a node wait for too long
            inside(space, "bash", "-c", again, stdout=out, stderr=out)


def drive(root: str, log: str, trouble: str) -> None:
    """The driver, in the head's namespace."""
    import ray

    from seshat.cluster.data import run_step
    from seshat.settings import Cluster as Where
    from seshat.settings import Settings
    from tests.cluster.trouble_a_node import step
    from tests.make import LANGUAGE

    for _ in range(60):
        try:
            ray.init(address=f"{HEAD}:{PORT}", log_to_driver=False, _node_ip_address=HEAD)
            break
        except (ConnectionError, RuntimeError):
            time.sleep(1)
    while ray.cluster_resources().get("CPU", 0) < NODES - 1:
        time.sleep(0.5)
    over = threading.Event()

    def cut() -> None:
        while len(list((Path(root) / "data/processed/ocr").glob("part-*.json"))) < 4:
            time.sleep(0.02)
        ip("link", "set", "cable3", "down")
        print("cut", flush=True)
        over.wait()
        ip("link", "set", "cable3", "up")

    thread = threading.Thread(target=cut)
    if trouble == "cut":
        thread.start()
    started = time.monotonic()
    try:
        outcome = run_step(step(log), Settings(root=root, language=LANGUAGE, execution="ray", cluster=Where(dashboard=False)))
        print(f"kept: {outcome.kept} in {time.monotonic() - started:.0f} s")
    finally:
        over.set()
        if trouble == "cut":
            thread.join()
    time.sleep(3)  # what the node had in hand is written now, once more
    ray.shutdown()


def main(folder: str, log: str, trouble: str) -> int:
    """Make the network, start the nodes, and let the driver run; its exit code."""
    with network(f"seshat{os.getpid()}") as spaces:
        start(spaces, Path(folder).with_suffix(".log"))
        driver = inside(spaces[0], sys.executable, "-m", "tests.cluster.cut_off_a_node", "--drive", folder, log, trouble)
        return driver.wait(900)


if __name__ == "__main__":
    if sys.argv[1] == "--drive":
        drive(*sys.argv[2:])
    else:
        sys.exit(main(*sys.argv[1:]))
