"""Kill the driver in the middle of real recognition: the same command goes on where it stopped, to the same bytes."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import psutil
import pytest

from seshat.sample.grammar import Grammar
from seshat.sample.scans import Scanner, pages, save_pdf
from tests.needs import needs_tesseract

ROOT = Path(__file__).resolve().parents[2]
PARTS = "data/processed/ocr"
NUM_PAGES = 10


def write_scans(raw: Path) -> None:
    """One image-only PDF."""
    sentences = [sentence.text for sentence in Grammar(seed=1).sentences(500)]
    paragraphs = [" ".join(sentences[start : start + 5]) for start in range(0, len(sentences), 5)]
    scanner = Scanner(skew=0.8, rng=np.random.default_rng(1))
    (raw / "scans").mkdir(parents=True)
    save_pdf(raw / "scans" / "relato.pdf", [scanner.scan(page) for page in pages(paragraphs)[:NUM_PAGES]])


def ocr(root: Path, raw: Path) -> subprocess.Popen[str]:
    """``python -m jobs.ocr``, a page a part."""
    command = [sys.executable, "-m", "jobs.ocr", "--config", "configs/quickstart.yaml", f"root={root}", f"data.raw={raw}"]
    command += ["data.sample=false", "ocr.pages_per_part=1", "cluster.dashboard=false"]
    environment = {**os.environ, "RAY_ADDRESS": "local"}
    return subprocess.Popen(command, cwd=ROOT, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def finished(process: subprocess.Popen[str]) -> str:
    """What a run that ends well has printed."""
    printed, _ = process.communicate(timeout=300)
    assert process.returncode == 0, printed
    return printed


def committed(root: Path) -> dict[str, tuple[int, int]]:
    """Every committed file of the results, and what changes if it is written again."""
    found = {path.name: path.stat() for path in (root / PARTS).glob("part-*") if path.suffix != ".tmp"}
    return {name: (stat.st_ino, stat.st_mtime_ns) for name, stat in found.items()}


def contents(root: Path) -> dict[str, str]:
    """The results by name."""
    files = (path for path in (root / PARTS).iterdir() if path.suffix != ".tmp")
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.mark.slow
@pytest.mark.ray
@needs_tesseract
def test_ocr_goes_on_after_a_kill_to_the_same_bytes(tmp_path: Path) -> None:
    raw, root = tmp_path / "raw", tmp_path / "workspace"
    write_scans(raw)
    driver, deadline = ocr(root, raw), time.monotonic() + 240
    while len(lines := list((root / PARTS).glob("part-*.json"))) < 2 and driver.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    workers = psutil.Process(driver.pid).children(recursive=True)
    driver.send_signal(signal.SIGKILL)
    assert driver.wait() == -signal.SIGKILL, driver.communicate()[0]
    assert lines
    assert not psutil.wait_procs(workers, timeout=120)[1]  # they end, and may commit what they have
    before = committed(root)
    assert 0 < len([name for name in before if name.endswith(".json")]) < NUM_PAGES

    finished(ocr(root, raw))
    assert {name: place for name, place in committed(root).items() if name in before} == before
    killed = contents(root)
    root.rename(tmp_path / "killed")
    finished(ocr(root, raw))
    assert killed == contents(root)
