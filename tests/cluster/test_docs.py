"""The commands of docs/cluster.md, run as they stand there; those that need a cloud or Kubernetes name files that are there."""

from __future__ import annotations

import re
import shlex
import stat
import subprocess
from pathlib import Path

import pytest

from seshat.store import Store
from tests.cluster.head import BIN, ROOT, Head
from tests.end_to_end.test_pipeline import QUICK

ELSEWHERE = ("ray up", "ray down", "ray dashboard", "docker build", "kubectl apply")
"""What needs machines or programs that a test has not."""


def commands() -> list[str]:
    """The lines of all blocks, those that go on in the next line joined, without remarks."""
    text = (ROOT / "docs" / "cluster.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```bash\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    lines = "\n".join(blocks).replace("\\\n", " ").splitlines()
    found = [command for line in lines if (command := re.sub(r"\s+# .*", "", line).strip())]
    assert len(found) >= 12
    return found


def run(command: str, head: Head, root: Path, *more: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """A command on the cluster of the tests and a workspace of theirs, with the sample language."""
    language = ROOT / "configs/languages/sample.yaml"
    for there, mine in {
        r"(s3://bucket|/data)/shipibo": str(root),
        r"configs/languages/shp\.yaml": str(language),
        r"http://127\.0\.0\.1:8265": head.address,
    }.items():
        command = re.sub(there, mine, command)
    surroundings = head.environment | {"PYTHONPATH": str(ROOT), "RAY_API_SERVER_ADDRESS": head.address} | environment
    return subprocess.run(
        ["bash", "-c", f"set -e\n{command} {shlex.join(more)}"],
        cwd=ROOT,
        env=surroundings,
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )


def of(start: str) -> str:
    """The command that starts so; there is one."""
    [command] = [command for command in commands() if command.startswith(start)]
    return command


@pytest.mark.ray
@pytest.mark.parametrize("start", ["seshat submit align", "ray job submit", "seshat submit doctor", "seshat jobs"])
def test_what_is_sent_to_a_cluster(head: Head, aligned: Path, start: str) -> None:
    done = run(of(start), head, aligned)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "align" in done.stdout or start == "seshat submit doctor"


@pytest.mark.slow
@pytest.mark.ray
def test_the_whole_way_as_one_job(head: Head, tmp_path: Path) -> None:
    done = run(of("seshat submit pipeline"), head, tmp_path, *QUICK, "data.sample=true", "training.cpus_per_worker=1")
    assert done.returncode == 0, (done.stdout + done.stderr)[-4000:]
    assert Store(str(tmp_path)).manifest("models/gguf/small") is not None


@pytest.mark.ray
def test_a_token_that_is_nobody_elses(head: Head, tmp_path: Path) -> None:
    for start in ("mkdir", "(umask"):
        assert run(of(start), head, tmp_path, HOME=str(tmp_path)).returncode == 0
    token = tmp_path / ".ray" / "auth_token"
    assert stat.S_IMODE(token.stat().st_mode) == 0o600
    assert re.fullmatch(r"[0-9a-f]{64}\n", token.read_text())


def test_every_other_command_names_what_is_there() -> None:
    tested = ("seshat submit align", "ray job submit", "seshat submit doctor", "seshat jobs", "seshat submit pipeline", "mkdir", "(umask")
    for command in commands():
        if command.startswith(tested):
            continue
        assert command.startswith(ELSEWHERE), f"no test runs {command!r}"
        files = [word for word in command.split() if word.endswith((".yaml", "Dockerfile"))]
        assert files, command
        assert all((ROOT / file).is_file() for file in files), command
    assert (BIN / "ray").is_file()
