"""The guide's chapter on data is executed, command by command, on the sample language."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from seshat.cli import VERBS

GUIDE = Path(__file__).parents[2] / "docs" / "guide.md"
CHAPTER = GUIDE.read_text(encoding="utf-8").partition("\n## 1. Data\n")[2].partition("\n## 2. ")[0]
COMMANDS = [shlex.split(line, comments=True) for block in re.findall(r"```bash\n(.*?)```", CHAPTER, re.S) for line in block.splitlines()]


def arguments(command: list[str], root: Path) -> list[str]:
    """A command of the guide as this interpreter runs it: in a workspace of the test, with an id and a source that are there."""
    program, verb, *rest = command
    assert program in ("make", "seshat"), command
    if verb == "trace":
        with (root / "data/training/train.jsonl").open(encoding="utf-8") as lines:
            rest[0] = json.loads(next(lines))["id"][:12]
    if verb == "withdraw":
        rest[0] = "translations/" + min(path.name for path in (root / "data/raw/translations").iterdir() if path.suffix == ".txt")
    return [sys.executable, "-m", f"jobs.{VERBS[verb][0]}", *rest, "--config", "configs/quickstart.yaml", f"root={root}", "execution=local"]


@pytest.mark.heavy
def test_every_command_of_the_chapter_on_data_does_what_it_says(tmp_path: Path) -> None:
    root = tmp_path / "workspace"
    sample = [sys.executable, "-m", "jobs.sample", "--config", "configs/quickstart.yaml", f"root={root}"]
    subprocess.run(sample, cwd=GUIDE.parents[1], check=True, capture_output=True)
    said: dict[str, str] = {}
    for command in COMMANDS:
        done = subprocess.run(arguments(command, root), cwd=GUIDE.parents[1], capture_output=True, text=True, stdin=subprocess.DEVNULL)
        assert done.returncode == 0, f"{' '.join(command)}: {done.stdout}\n{done.stderr}"
        said[command[1]] = done.stdout
    assert list(said)[:6] == ["ingest", "ocr", "transcribe", "align", "format", "data-stats"], "the chapter names the verbs in order"
    for verb in ("ingest", "align"):
        assert re.search(r"[\d,]+ rows +[\d,]+ kept", said[verb])
    assert "nearest training sentence" in said["format"]
    for split in ("train", "val", "test"):
        assert (root / f"data/training/{split}.jsonl").stat().st_size > 0
    assert "train.jsonl" in said["trace"], "the way begins at the line of the file"
    assert "raw" in said["trace"], "and ends at the raw file"
