"""A Ray head with token authentication, as a user of a cluster has it, and what is sent to it."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from seshat.command import PIPELINE, read_settings
from seshat.settings import Settings
from seshat.verbs import VERBS

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent


@dataclass(frozen=True)
class Head:
    """A Ray head that was started for this module."""

    address: str
    environment: dict[str, str]
    token: str
    metrics: str
    """Where Prometheus would read."""

    def get(self, path: str) -> Any:
        """What the dashboard's interface answers."""
        request = urllib.request.Request(f"{self.address}{path}", headers={"Authorization": f"Bearer {self.token}"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def seshat(self, *arguments: str, folder: Path = ROOT, **environment: str) -> subprocess.CompletedProcess[str]:
        """``seshat submit`` or ``seshat jobs``."""
        verb, *rest = arguments
        command = [sys.executable, "-m", f"jobs.{VERBS[verb][0]}", "--address", self.address, *rest]
        surroundings = self.environment | {"PYTHONPATH": str(ROOT)} | environment
        return subprocess.run(command, cwd=folder, env=surroundings, capture_output=True, text=True, timeout=600, check=False)

    def submit(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Submit a job and wait for its end; the exit code is the job's."""
        return subprocess.run(
            [BIN / "ray", "job", "submit", "--address", self.address, "--working-dir", ".", "--", *command],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=600,
        )


@contextmanager
def start_head(folder: Path) -> Iterator[Head]:
    """A head with two processors, and the token and the log in a folder; on leaving, all its processes are killed."""
    token = folder / "token"
    token.write_text("a" * 64)
    token.chmod(0o600)
    port, dashboard = free_port(), free_port()
    environment = {
        **os.environ,
        "PATH": f"{BIN}:{os.environ['PATH']}",
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN_PATH": str(token),
        "RAY_TMPDIR": "/tmp",
        "RAY_worker_niceness": "0",
        "RAY_metrics_report_interval_ms": "500",
        "HF_HUB_OFFLINE": "1",
    }
    environment.pop("RAY_ADDRESS", None)
    command = [BIN / "ray", "start", "--head", "--block", f"--port={port}", f"--dashboard-port={dashboard}", "--dashboard-host=127.0.0.1"]
    # Ray finds the cluster of a job by a file in this folder, and other Rays of this machine delete or change that in the usual one.
    place = tempfile.mkdtemp(prefix="head-", dir="/tmp")
    command.append(f"--temp-dir={place}")
    # A fixed port of the agent would clash with another Ray on this machine, such as the tests' own session.
    exported = free_port()
    command += [
        f"--dashboard-agent-listen-port={free_port()}",
        f"--metrics-export-port={exported}",
        "--num-cpus=2",
        "--disable-usage-stats",
    ]
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    address = f"http://127.0.0.1:{dashboard}"
    try:
        wait_for(address, token.read_text(), process, folder / "log")
        yield Head(address, environment, token.read_text(), f"http://127.0.0.1:{exported}/metrics")
    finally:
        started = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
        for one in started:  # the head would take half a minute to end of itself
            with suppress(psutil.NoSuchProcess):
                one.kill()
        psutil.wait_procs(started, timeout=60)
        shutil.rmtree(place, ignore_errors=True)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(address: str, token: str, process: subprocess.Popen[bytes], log: Path) -> None:
    request = urllib.request.Request(f"{address}/api/jobs/", headers={"Authorization": f"Bearer {token}"})
    for _ in range(180):
        try:
            urllib.request.urlopen(request, timeout=5)
        except OSError:
            assert process.poll() is None, log.read_text()
            time.sleep(0.5)
        else:
            return
    raise AssertionError(f"the head did not come up: {log.read_text()}")


def overrides(root: Path) -> list[str]:
    """The workspace and the sample language."""
    return [f"root={root}", f"language={ROOT / 'configs/languages/sample.yaml'}"]


def here(verb: Callable[[Settings], object], root: Path, *more: str) -> None:
    """A verb in this process: what comes before and between the jobs."""
    verb(read_settings(str(ROOT / PIPELINE), [*overrides(root), "execution=local", *more]))
