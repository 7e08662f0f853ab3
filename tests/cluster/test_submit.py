"""``ray job submit`` against a head with token authentication, as the guide's users do it."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from jobs import format, ingest
from seshat.command import PIPELINE, read_settings
from seshat.settings import Settings
from seshat.store import Store
from tests.corpus import write_corpus

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent


@dataclass(frozen=True)
class Head:
    """A Ray head that was started for this module."""

    address: str
    environment: dict[str, str]
    token: str

    def get(self, path: str) -> Any:
        """What the dashboard's interface answers."""
        request = urllib.request.Request(f"{self.address}{path}", headers={"Authorization": f"Bearer {self.token}"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

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


@pytest.fixture(scope="module")
def head(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Head]:
    folder = tmp_path_factory.mktemp("head")
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
        "HF_HUB_OFFLINE": "1",
    }
    environment.pop("RAY_ADDRESS", None)
    command = [BIN / "ray", "start", "--head", "--block", f"--port={port}", f"--dashboard-port={dashboard}", "--dashboard-host=127.0.0.1"]
    # A fixed port of the agent would clash with another Ray on this machine, such as the tests' own session.
    command += [f"--dashboard-agent-listen-port={free_port()}", "--num-cpus=2", "--disable-usage-stats"]
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    address = f"http://127.0.0.1:{dashboard}"
    try:
        wait_for(address, token.read_text(), process, folder / "log")
        yield Head(address, environment, token.read_text())
    finally:
        started = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
        for one in started:  # the head would take half a minute to end of itself
            with suppress(psutil.NoSuchProcess):
                one.kill()
        psutil.wait_procs(started, timeout=60)


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
    return [f"root={root}", f"language={ROOT / 'configs/languages/sample.yaml'}"]


def here(verb: Callable[[Settings], object], root: Path) -> None:
    """A verb in this process: what comes before and between the jobs."""
    verb(read_settings(str(ROOT / PIPELINE), [*overrides(root), "execution=local"]))


@pytest.fixture(scope="module")
def aligned(head: Head, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace whose documents a submitted job has aligned."""
    root = tmp_path_factory.mktemp("workspace")
    write_corpus(root / "data" / "raw")
    here(ingest.run, root)
    done = head.submit("python", "-m", "jobs.align", *overrides(root))
    assert done.returncode == 0, done.stdout + done.stderr
    return root


@pytest.mark.ray
def test_an_anonymous_request_is_refused(head: Head) -> None:
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(f"{head.address}/api/jobs/", timeout=10)
    assert refused.value.code == 401


@pytest.mark.ray
def test_align_runs_as_a_submitted_job(aligned: Path) -> None:
    manifest = Store(str(aligned)).manifest("data/processed/align")
    assert manifest is not None
    assert manifest.kept > 100


@pytest.mark.slow
@pytest.mark.ray
def test_train_runs_as_a_submitted_job(head: Head, aligned: Path) -> None:
    here(format.run, aligned)
    tiny = ["model=small", "small.steps=2", "max_steps=2", "name=submitted", "max_seq_length=128", "lora.r=4", "tracking=false"]
    tiny += ["num_workers=1", "cpus_per_worker=1", "per_device_train_batch_size=1", "gradient_accumulation_steps=1", "evaluator.sample=0"]
    trained = head.submit("python", "-m", "jobs.train", *overrides(aligned), *tiny)
    assert trained.returncode == 0, trained.stdout + trained.stderr
    assert Store(str(aligned)).manifest("models/adapters/submitted") is not None


@pytest.mark.ray
def test_operators_carry_the_names_of_the_stages(head: Head, aligned: Path) -> None:
    jobs = [job["job_id"] for job in head.get("/api/jobs/") if job["job_id"]]
    datasets = [dataset for job in jobs for dataset in head.get(f"/api/data/datasets/{job}")["datasets"]]
    operators = " ".join(operator["name"] for dataset in datasets for operator in dataset["operators"])
    assert "align" in operators


@pytest.mark.ray
def test_a_relative_root_is_refused_in_a_submitted_job(head: Head) -> None:
    done = head.submit("python", "-m", "jobs.ingest", "--config", "configs/data/pipeline.yaml")
    assert done.returncode != 0
    assert "set root to an absolute path" in done.stdout
