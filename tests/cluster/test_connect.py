"""One Ray session for a whole run, whoever asks for it how often."""

from __future__ import annotations

import stat
import subprocess
import sys
from pathlib import Path

import pytest

from seshat.cluster.token import keep_private

PROJECT = Path(__file__).resolve().parents[2]
NESTED = """
import ray
from seshat.cluster.connect import connect, one_session
from seshat.settings import Cluster, Settings
from tests.make import LANGUAGE

settings = Settings(language=LANGUAGE, cluster=Cluster(cpus=1, dashboard=False))
seen = []
with one_session():
    with one_session():
        with connect(settings):
            seen.append(ray.is_initialized())
    seen.append(ray.is_initialized())
    with connect(settings):
        pass
    seen.append(ray.is_initialized())
seen.append(ray.is_initialized())
print(seen)
"""


@pytest.mark.ray
def test_a_session_inside_a_session_is_the_same_and_stays_open() -> None:
    done = subprocess.run([sys.executable, "-c", NESTED], cwd=PROJECT, capture_output=True, text=True, timeout=300, check=False)
    assert done.stdout.strip().split("\n")[-1] == "[True, True, True, False]", done.stderr


def test_nobody_else_reads_the_token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    token = tmp_path / "token"
    monkeypatch.setenv("RAY_AUTH_TOKEN_PATH", str(token))
    keep_private()
    token.write_text("secret")
    token.chmod(0o644)
    keep_private()
    assert stat.S_IMODE(token.stat().st_mode) == 0o600
