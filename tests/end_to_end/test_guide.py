"""The guide's chapter on data is executed, command by command, on the sample language."""

from __future__ import annotations

import json
import re
import shlex
import shutil
from pathlib import Path

import pytest

from seshat.cli import main
from tests.conftest import Written

GUIDE = Path(__file__).parents[2] / "docs" / "guide.md"
CHAPTER = GUIDE.read_text(encoding="utf-8").partition("\n## 1. Data\n")[2].partition("\n## 2. ")[0]
COMMANDS = [shlex.split(line, comments=True) for block in re.findall(r"```bash\n(.*?)```", CHAPTER, re.S) for line in block.splitlines()]

SOME = ("SOURCE.yaml", "cartel", *(f"grabacion-0{number}" for number in range(1, 4)))
"""The scans and recordings that are kept: reading a few shows it as well as all."""


def arguments(command: list[str], root: Path) -> list[str]:
    """A command of the guide, after the program's name: in a workspace of the test, with an id and a source that are there."""
    program, verb, *rest = command
    assert program in ("make", "seshat"), command
    if verb == "trace":
        with (root / "data/training/train.jsonl").open(encoding="utf-8") as lines:
            rest[0] = json.loads(next(lines))["id"][:12]
    if verb == "withdraw":
        rest[0] = "translations/" + min(path.name for path in (root / "data/raw/translations").iterdir() if path.suffix == ".txt")
    return [verb, *rest, "--config", "configs/quickstart.yaml", f"root={root}", "execution=local"]


def copy_some(raw: Path, copy: Path) -> None:
    """The sample's raw material, with few scans and recordings."""
    shutil.copytree(raw, copy)
    for path in (path for folder in ("scans", "audio") for path in (copy / folder).glob("*") if not path.name.startswith(SOME)):
        path.unlink()


@pytest.mark.heavy
@pytest.mark.filterwarnings("ignore:.*found in sys.modules:RuntimeWarning")
def test_every_command_of_the_chapter_on_data_does_what_it_says(
    written: Written, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    root = tmp_path / "workspace"
    copy_some(written.raw, root / "data" / "raw")
    monkeypatch.chdir(GUIDE.parents[1])
    monkeypatch.setattr("sys.argv", [])  # the program sets it
    said: dict[str, str] = {}
    for command in COMMANDS:
        with pytest.raises(SystemExit) as ended:
            main(arguments(command, root))
        done = capsys.readouterr()
        assert ended.value.code == 0, f"{' '.join(command)}: {done.out}\n{done.err}"
        said[command[1]] = done.out
    assert list(said)[:6] == ["ingest", "ocr", "transcribe", "align", "format", "data-stats"], "the chapter names the verbs in order"
    for verb in ("ingest", "align"):
        assert re.search(r"[\d,]+ rows +[\d,]+ kept", said[verb])
    assert "nearest training sentence" in said["format"]
    for split in ("train", "val", "test"):
        assert (root / f"data/training/{split}.jsonl").stat().st_size > 0
    assert "train.jsonl" in said["trace"], "the way begins at the line of the file"
    assert "raw" in said["trace"], "and ends at the raw file"
