"""One Ray session for a whole run, whoever asks for it how often."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

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
