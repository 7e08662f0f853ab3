"""What a verb costs is measured, kept, and said before and after it runs again."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from pathlib import Path

import pytest

from jobs import pipeline
from seshat.cost import FOLDERS, Cost, disk, size
from seshat.status import NAMES
from seshat.step import Outcome
from seshat.store import Store
from seshat.summary import ORDER, SUMMARY, expect, record

MEASURES = """
import subprocess, sys, time
from seshat.cost import watching

hold = "import time; held = bytearray(b'x') * 150_000_000; time.sleep(1.5)"
with watching() as before:
    pass
with watching() as ours:
    exec(hold)
    del held
with watching() as theirs:
    subprocess.run([sys.executable, "-c", hold], check=True)
print(ours.memory - before.memory, theirs.memory - before.memory)
"""


def test_memory_of_this_process_and_of_those_it_starts_is_seen() -> None:
    """In a process of its own: beside this one there may be a Ray session that lets go of some."""
    done = subprocess.run([sys.executable, "-c", MEASURES], capture_output=True, text=True, check=True)
    assert all(140_000_000 < int(more) < 300_000_000 for more in done.stdout.split())
    assert len(done.stdout.split()) == 2


def test_every_verb_that_leaves_a_row_has_its_folders() -> None:
    assert FOLDERS.keys() == set(ORDER)
    assert {NAMES[job.__name__] for job in pipeline.STEPS} <= FOLDERS.keys()


def test_what_a_verb_took_is_kept_and_compared(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    store = Store(str(tmp_path))
    store.write("data/processed/align/part-a.parquet", b"x" * 5_000)
    with caplog.at_level(logging.INFO, logger="seshat.summary"):
        record(Outcome(stage="align", rows_in=100, kept=90, seconds=2.0), store, 3_000_000)
        assert not caplog.messages, "nothing was expected"
        [row] = json.loads(store.read(SUMMARY))
        assert (row["seconds"], row["memory"], row["disk"]) == (2.0, 3_000_000, 5_000)
        assert expect("align", store, 400) == Cost(seconds=8.0, memory=3_000_000, disk=20_000)
        assert expect("align", store) == Cost(seconds=2.0, memory=3_000_000, disk=5_000)
        record(Outcome(stage="align", rows_in=400, kept=390, seconds=60.0), store, 4_000_000)
    assert caplog.messages == [
        "align: took 0:01:00, 4.0 MB of memory, 5.0 kB on disk; expected were 0:00:08, 3.0 MB of memory, 20 kB on disk"
    ]
    assert expect("ingest", store) == Cost(), "it never ran here"


def test_a_row_of_an_older_version_tells_what_it_knows(tmp_path: Path) -> None:
    store = Store(str(tmp_path))
    store.write(SUMMARY, json.dumps([{"stage": "ocr", "rows_in": 10, "seconds": 5.0, "note": ""}]).encode())
    assert expect("ocr", store, 20) == Cost(seconds=10.0)


def test_room_on_disk_is_that_of_all_files_below(tmp_path: Path) -> None:
    store = Store(str(tmp_path))
    assert disk("format", store) == 0
    store.write("data/training/train.jsonl", b"x" * 10)
    store.write("data/processed/format/deeper/part.parquet", b"x" * 7)
    assert disk("format", store) == 17


@pytest.mark.parametrize(
    ("count", "said"), [(4_100_000, "4.1 MB"), (250_400_000, "250 MB"), (1_240_000_000, "1.2 GB"), (900, "0.9 kB"), (204_000, "204 kB")]
)
def test_sizes_are_short(count: int, said: str) -> None:
    assert size(count) == said
