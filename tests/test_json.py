"""What reads can be read by programs: --json is JSON alone, and a reader who has seen enough is no error."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from jobs import align, format, ingest
from tests.corpus import write_corpus
from tests.test_status import settings

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("json")
    write_corpus(folder / "data" / "raw")
    (folder / "data/raw/transcriptions/same.csv").write_text("qtm,spa\nyaku,yaku\nwasi,wasi\n")
    for job in (ingest, align, format):
        job.run(settings(folder))
    return folder


def command(job: str, root: Path, *words: str) -> list[str]:
    own = [f"root={root}", "language=configs/languages/sample.yaml", "execution=local"]
    return [sys.executable, "-m", f"jobs.{job}", *own, *words]


@pytest.mark.parametrize(
    ("job", "words", "keys"),
    [
        ("data_stats", ["--json"], {"examples", "lengths", "characters"}),
        ("check_gpu", ["--json"], {"verdict", "details"}),
        ("rejected", ["align", "--json", "--most", "1"], {"reason", "id", "origin", "says"}),
    ],
)
def test_it_is_json_and_nothing_else(root: Path, job: str, words: list[str], keys: set[str]) -> None:
    done = subprocess.run(command(job, root, *words), cwd=ROOT, capture_output=True, text=True, check=True)
    text = done.stdout.splitlines()[0] if job == "rejected" else done.stdout
    assert keys <= json.loads(text).keys()


def test_a_reader_who_has_seen_enough_is_no_error(root: Path) -> None:
    line = " ".join(command("rejected", root, "align", "--most", "0"))
    done = subprocess.run(["bash", "-c", f"{line} | true; echo ${{PIPESTATUS[0]}}"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() in ("0", "141")
    assert done.stderr == ""
