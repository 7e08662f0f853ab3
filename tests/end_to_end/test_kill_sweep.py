"""Kill every data stage at twenty moments, each time run it again to the end: the same bytes as a run that nobody disturbed."""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from seshat.data.align import PASSES
from seshat.sample.make import make_sample
from seshat.store import Store
from tests.needs import needs_tesseract

ROOT = Path(__file__).resolve().parents[2]
STAGES = {
    "ingest": ("data/processed/ingest",),
    "ocr": ("data/processed/ocr",),
    "transcribe": ("data/processed/transcribe",),
    "align": tuple(f"data/processed/{name}" for name in (*PASSES, "align")),
    "format": ("data/processed/format", "data/training"),
}
"""What each verb writes, in the order in which they run."""
MARKS = {"ocr": needs_tesseract}
SOME = ("cartel.qtm.png", "cartel.spa.jpg", "diccionario.png", *(f"grabacion-0{number}" for number in range(1, 7)))
"""The scans and recordings that are kept: a few show it as well as all."""
NUM_KILLS = 20
NUM_KILLS_ON_RAY = 3


@dataclass
class Workspace:
    """The sample language, with all stages done, and how long each took."""

    root: Path
    seconds: dict[str, float] = field(default_factory=dict)

    def start(self, verb: str, execution: str = "local") -> subprocess.Popen[str]:
        """``python -m jobs.VERB`` in a process group of its own."""
        command = [sys.executable, "-m", f"jobs.{verb}", "--config", "configs/quickstart.yaml", f"root={self.root}"]
        command += [f"execution={execution}", "data.sample=false", "ocr.pages_per_part=1", "cluster.dashboard=false"]
        environment = {**os.environ, "RAY_ADDRESS": "local"}
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        return subprocess.Popen(command, cwd=ROOT, env=environment, text=True, start_new_session=True, **pipes)

    def finish(self, verb: str, execution: str = "local") -> float:
        """Run to the end; the seconds that it took."""
        start = time.monotonic()
        process = self.start(verb, execution)
        printed, _ = process.communicate(timeout=300)
        assert process.returncode == 0, printed
        return time.monotonic() - start

    def forget(self, verb: str) -> None:
        """Take away what a verb has made."""
        for folder in STAGES[verb]:
            shutil.rmtree(self.root / folder, ignore_errors=True)

    def contents(self, verb: str) -> dict[str, str]:
        """The SHA-256 of the manifests of a verb and of every file that they name."""
        store = Store(str(self.root))
        names: list[str] = []
        for folder in STAGES[verb]:
            manifest = store.manifest(folder)
            assert manifest, f"{folder} is not done"
            named = [*manifest.files, *(file for part in manifest.parts for file in part.files)]
            names += [f"{folder}/manifest.json", *(file.path for file in named)]
        return {name: hashlib.sha256(store.read(name)).hexdigest() for name in names}

    def is_partial(self, verb: str) -> bool:
        """Something is committed and not all."""
        folders = [self.root / folder for folder in STAGES[verb]]
        return any(folder.is_dir() for folder in folders) and not all((folder / "manifest.json").exists() for folder in folders)

    def kill(self, verb: str, seconds: float, execution: str) -> bool:
        """Start a verb and kill its whole process group some seconds later; False if it was done before that."""
        process = self.start(verb, execution)
        time.sleep(seconds)
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate(timeout=60)
        return process.returncode == -signal.SIGKILL


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    made = Workspace(tmp_path_factory.mktemp("kill"))
    make_sample(Store(str(made.root)), str(made.root / "data/raw"), seed=1)
    for folder in ("scans", "audio"):
        for path in (made.root / "data/raw" / folder).iterdir():
            if path.name != "SOURCE.yaml" and not path.name.startswith(SOME):
                path.unlink()
    return made


@pytest.fixture(scope="module")
def prepare(workspace: Workspace) -> Callable[[str], dict[str, str]]:
    """Run all stages up to a verb, each once; what this one made."""
    before: dict[str, dict[str, str]] = {}

    def prepared(verb: str) -> dict[str, str]:
        for name in STAGES:
            if name not in before and (name not in MARKS or not MARKS[name].args[0]):
                workspace.seconds[name] = workspace.finish(name)
                before[name] = workspace.contents(name)
            if name == verb:
                break
        return before[verb]

    return prepared


def moments(seconds: float, number: int, seed: str) -> Iterator[float]:
    """Random moments of a run, one in each of as many equal stretches of it."""
    rng = random.Random(seed)
    return ((index + rng.random()) * seconds / number for index in range(number))


def sweep(
    workspace: Workspace, verb: str, undisturbed: dict[str, str], times: Sequence[float], execution: str, enough: int = NUM_KILLS
) -> str:
    """Kill at every moment and run again to the end; how many kills found what.

    After ``enough`` kills, one of which found parts, it is over: when parts are there differs from run to run on a busy machine.
    """
    partial, start, kills = 0, time.monotonic(), 0
    for kills, moment in enumerate(times, 1):
        workspace.forget(verb)
        while not workspace.kill(verb, moment, execution):  # this run was quicker than the one that was measured
            workspace.forget(verb)
            moment *= 0.9
        partial += workspace.is_partial(verb)
        workspace.finish(verb, execution)
        assert workspace.contents(verb) == undisturbed, f"after a kill {moment:.2f} s into {verb}"
        if partial and kills >= enough:
            break
    assert partial, "no kill came while parts were there and others were not"
    return f"{verb} ({execution}): {kills} kills, {partial} of a run that had committed a part, {time.monotonic() - start:.0f} s"


@pytest.mark.slow
@pytest.mark.parametrize("verb", [pytest.param(verb, marks=MARKS.get(verb, ())) for verb in STAGES])
def test_a_killed_stage_goes_on_to_the_same_bytes(workspace: Workspace, prepare: Callable[[str], dict[str, str]], verb: str) -> None:
    undisturbed = prepare(verb)
    print(sweep(workspace, verb, undisturbed, [*moments(workspace.seconds[verb], NUM_KILLS, verb)], "local"))


@pytest.mark.slow
@pytest.mark.ray
@pytest.mark.parametrize("verb", ["ingest", "align"])
def test_a_stage_that_is_killed_on_ray_goes_on_to_the_same_bytes(
    workspace: Workspace, prepare: Callable[[str], dict[str, str]], verb: str
) -> None:
    local = prepare(verb)
    workspace.forget(verb)
    seconds, undisturbed = workspace.finish(verb, "ray"), workspace.contents(verb)
    assert {name for name in local if local[name] != undisturbed[name]} <= {f"{folder}/manifest.json" for folder in STAGES[verb]}
    last = [seconds * (0.5 + share / 2) for share in moments(1, 3 * NUM_KILLS_ON_RAY, verb)]  # before that, Ray starts
    inside_out = [moment for first in range(3) for moment in last[first::3]]
    print(sweep(workspace, verb, undisturbed, inside_out, "ray", enough=NUM_KILLS_ON_RAY))
