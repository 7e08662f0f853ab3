"""Eighty bad scans and recordings at once, with any number of workers, and with workers and the driver killed: always the same bytes."""

from __future__ import annotations

import hashlib
import itertools
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from jobs import ocr, transcribe
from seshat.config import to_yaml
from seshat.records import KINDS, Page, Record, Utterance
from seshat.settings import Settings
from seshat.store import Slice, Store
from tests.data import test_bad_recordings as recordings
from tests.data import test_bad_scans as scans
from tests.data.test_ocr import TAMURI

ROOT = Path(__file__).resolve().parents[2]
VERBS: dict[str, Callable[[Settings], object]] = {"ocr": ocr.run, "transcribe": transcribe.run}
NUM_KILLS = 4
pytestmark = [pytest.mark.slow, pytest.mark.ray]


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Each bad input in a folder of its own, with a good one beside it."""
    folder = tmp_path_factory.mktemp("planted") / "raw"
    planted = [{name: data, "good.png": lambda: scans.PNG} for name, data, _ in scans.BAD.values()]
    plant(folder / "scans", planted)
    plant(folder / "audio", [{**files, "good.wav": lambda: recordings.WAV} for files, _ in recordings.BAD.values()])
    assert len(scans.BAD) + len(recordings.BAD) >= 80
    return folder


def plant(folder: Path, planted: list[dict[str, Callable[[], bytes]]]) -> None:
    for number, files in enumerate(planted):
        (folder / f"{number:02}").mkdir(parents=True)
        for name, data in files.items():
            (folder / f"{number:02}" / name).write_bytes(data())


def settings(root: Path, raw: Path, workers: int) -> Settings:
    """With the engines that need no weights; the engines themselves run as in earnest, in watched processes."""
    resources = {"workers": workers}
    return Settings.model_validate(
        {
            "root": str(root),
            "execution": "ray" if workers else "local",
            "language": TAMURI.model_dump(),
            "data": {"raw": str(raw)},
            "ocr": {"engine": "fake", "max_rejected": 1.0, "resources": resources},
            "transcribe": {"engine": "fake", "max_minutes": 2, "resources": resources},
            "cluster": {"dashboard": False},
        }
    )


def results(root: Path, verb: str) -> dict[str, str]:
    """The files that the manifest of a verb names, and what is in them."""
    store = Store(str(root))
    manifest = store.manifest(f"data/processed/{verb}")
    assert manifest
    return {file.path: hashlib.sha256(store.read(file.path)).hexdigest() for part in manifest.parts for file in part.files}


def records(root: Path, verb: str) -> Iterator[Record]:
    store = Store(str(root))
    manifest = store.manifest(f"data/processed/{verb}")
    for file in itertools.chain.from_iterable(part.files for part in manifest.parts if manifest):
        yield from store.slice(Slice(file), KINDS[file.kind])


@pytest.fixture(scope="module")
def undisturbed(raw: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What is made of them in this process, one after the other."""
    root = tmp_path_factory.mktemp("undisturbed")
    for run in VERBS.values():
        run(settings(root, raw, 0))
    return root


@pytest.mark.parametrize("verb", VERBS)
def test_each_is_handled_or_rejected_and_the_good_ones_are_as_if_they_were_alone(undisturbed: Path, verb: str) -> None:
    found = list(records(undisturbed, verb))
    reasons = [reasons for _, _, reasons in scans.BAD.values()] if verb == "ocr" else [reasons for _, reasons in recordings.BAD.values()]
    for number, expected in enumerate(reasons):
        here = [one for one in found if f"/{number:02}/" in one.origin]
        assert [one.reason for one in here if "good." not in one.origin] == expected
        [good] = [one for one in here if "good." in one.origin]
        assert good.rejected == ""
        assert isinstance(good, Page | Utterance)
        assert good.text in (scans.READ, "stretch 1")


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("workers", [1, 2, 4])
def test_any_number_of_workers_gives_the_same_bytes(
    tmp_path: Path, raw: Path, undisturbed: Path, ray_session: None, workers: int, verb: str
) -> None:
    VERBS[verb](settings(tmp_path, raw, workers))
    assert results(tmp_path, verb) == results(undisturbed, verb)


@pytest.mark.parametrize("verb", VERBS)
def test_workers_that_are_killed_change_nothing(tmp_path: Path, raw: Path, undisturbed: Path, ray_session: None, verb: str) -> None:
    killed: list[str] = []
    over = threading.Event()

    def kill() -> None:
        """Now a worker of Ray, now the process in which one reads."""
        while not over.wait(0.5) and len(killed) < NUM_KILLS:
            name = ("seshat.watched", f"Map({verb})")[len(killed) % 2]
            for process in psutil.Process().children(recursive=True):
                with_name = " ".join(process.cmdline()) if process.is_running() and process.status() != psutil.STATUS_ZOMBIE else ""
                if name.lower() in with_name.lower():
                    process.kill()
                    killed.append(name)
                    break

    hunter = threading.Thread(target=kill, daemon=True)
    hunter.start()
    VERBS[verb](settings(tmp_path, raw, 2))
    over.set()
    hunter.join()
    assert len(killed) >= 2, f"too few were found to be killed: {killed}"
    assert results(tmp_path, verb) == results(undisturbed, verb)


@pytest.mark.parametrize("verb", VERBS)
def test_a_driver_that_is_killed_goes_on_to_the_same_bytes(tmp_path: Path, raw: Path, undisturbed: Path, verb: str) -> None:
    root = tmp_path / "workspace"
    config = tmp_path / "settings.yaml"
    config.write_text(to_yaml(settings(root, raw, 0)), encoding="utf-8")
    command = [sys.executable, "-m", f"jobs.{verb}", "--config", str(config)]
    parts = root / "data/processed" / verb
    for wanted in (3, 12):
        driver = subprocess.Popen(
            command, cwd=ROOT, env={**os.environ, "RAY_ADDRESS": "local"}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        deadline = time.monotonic() + 120
        while len(list(parts.glob("part-*.json"))) < wanted and driver.poll() is None and time.monotonic() < deadline:
            time.sleep(0.02)
        driver.send_signal(signal.SIGKILL)
        assert driver.wait() == -signal.SIGKILL, "it was done before it was killed"
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    assert results(root, verb) == results(undisturbed, verb)
