"""A disk that is full when a stage commits: what was there stays valid, the message says what to do, and nothing is left behind."""

from __future__ import annotations

import itertools
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from seshat.records import SentencePair
from seshat.store import Store

ROOT = Path(__file__).resolve().parents[2]
COMMAND = [sys.executable, "-m", "jobs.ingest", "--config", "configs/quickstart.yaml", "data.sample=false", "execution=local"]


def ingest(workspace: Path, raw: Path, settings: Sequence[str] = ()) -> subprocess.CompletedProcess[str]:
    command = [*COMMAND, f"root={workspace}", f"data.raw={raw}", *settings]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def texts(workspace: Path) -> list[str]:
    """What the finished stage holds; reading it checks every digest."""
    return [pair.text for pair in Store(str(workspace)).records("ingest", SentencePair)]


def fill(disk: Path) -> Path:
    """A file that takes all the room that there is."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as stream, pytest.raises(OSError, match="No space left"):
        stream.writelines(itertools.repeat(bytes(512)))
    return filler


@pytest.mark.slow
def test_a_stage_on_a_full_disk_keeps_the_old_output_and_goes_on_when_there_is_room(tmp_path: Path, tiny_disk: Path) -> None:
    raw = tmp_path / "raw"
    (raw / "transcriptions").mkdir(parents=True)
    (raw / "transcriptions" / "a.csv").write_text("qtm,es\nMiru.,Perro.\n")
    assert ingest(tiny_disk, raw).returncode == 0
    files = sorted(path.name for path in (tiny_disk / "data/processed/ingest").iterdir())

    (raw / "transcriptions" / "b.csv").write_text("qtm,es\n" + "".join(f"Da {number}.,{os.urandom(8).hex()}.\n" for number in range(500)))
    filler = fill(tiny_disk)
    failed = ingest(tiny_disk, raw)
    assert failed.returncode == 1
    last = failed.stderr.strip().splitlines()[-1]
    said = re.match(
        rf"{re.escape(str(tiny_disk))}/\S+\.parquet: ([\d,]+) bytes could not be written, ([\d,]+) are free: make room, or set root", last
    )
    assert said, failed.stderr
    needed, free = (int(number.replace(",", "")) for number in said.groups())
    assert needed > 10_000 > free
    assert texts(tiny_disk) == ["Miru."]
    assert sorted(path.name for path in (tiny_disk / "data/processed/ingest").iterdir()) == files
    assert not list(tiny_disk.rglob("*.tmp"))

    filler.unlink()
    assert ingest(tiny_disk, raw).returncode == 0
    assert len(texts(tiny_disk)) == 501
