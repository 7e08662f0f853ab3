"""What the documents say is there: files, folders, links, verbs and settings; and their programs run."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from seshat.completion import keys
from seshat.data.readers.content import Options, RefusedError
from seshat.verbs import VERBS

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
MADE = ("data/", "models/", "reports/", "workspaces/", "mlflow", "seshat.json")
"""What a run makes is not in the repository."""
ROOMS = ("seshat/", "configs/", "jobs/", "serve/", "deploy/", "docs/", "benchmarks/", "tests/", "notebooks/")


def text(page: Path) -> str:
    return page.read_text(encoding="utf-8")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", text(page))
    assert [link for link in links if not link.startswith("http") and not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_files_that_are_named_are_there(page: Path) -> None:
    named = re.findall(rf"`((?:{'|'.join(ROOMS)})[\w./-]+)`", text(page))
    wanted = [name for name in named if not name.startswith(MADE) and not re.search(r"xyz|NAME|<", name)]
    assert [name for name in wanted if not (ROOT / name).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_verbs_that_are_named_are_there(page: Path) -> None:
    verbs = re.findall(r"(?:^|[`\s(])seshat ([a-z][a-z-]+)(?=[\s`])", "\n".join(re.findall(r"`[^`\n]+`|```bash\n.*?```", text(page), re.S)))
    assert [verb for verb in verbs if verb not in VERBS] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_settings_that_are_set_are_there(page: Path) -> None:
    known = set(keys())
    known |= {key.rpartition(".")[0] for key in known}
    tops = {key.partition(".")[0] for key in known}
    named = re.findall(r"\b([a-z_]+\.[a-z_.]+)=", text(page))
    assert [key for key in named if key.partition(".")[0] in tops and key not in known] == []


def programs() -> dict[str, Any]:
    """What the programs of docs/extending.md define."""
    found: dict[str, Any] = {}
    for block in re.findall(r"```python\n(.*?)```", text(ROOT / "docs" / "extending.md"), re.S):
        exec(compile(block, "docs/extending.md", "exec"), found)
    return found


def test_the_format_of_the_example_is_read() -> None:
    [reader] = programs()["READERS"]
    content = reader.read(b"1:1 kaka\n1:2 yoi ika", Options())
    assert [(one.place, one.text) for one in content.paragraphs] == [("verse=1:1", "kaka"), ("verse=1:2", "yoi ika")]
    with pytest.raises(RefusedError, match="line 1 does not begin with chapter:verse"):
        reader.read(b"nothing", Options())


def test_the_engine_of_the_example_is_one() -> None:
    [line] = programs()["OneLine"]("").read(None)
    assert (line.text, line.confidence) == ("text", 0.9)
