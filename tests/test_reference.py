"""The reference of the Python interface can be made, and has every module."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.slow
def test_every_module_is_in_the_reference(tmp_path: Path) -> None:
    command = ["make", "reference", f"REFERENCE={tmp_path}", f"BIN={Path(sys.executable).parent}", "--assume-old=.venv/.installed"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    modules = [path.relative_to(ROOT).with_suffix("") for name in ("seshat", "serve", "jobs") for path in (ROOT / name).rglob("*.py")]
    made = [module.parent if module.name == "__init__" else module for module in modules]
    assert [str(module) for module in made if not (tmp_path / module).with_suffix(".html").exists()] == []
    page = (tmp_path / "seshat" / "records.html").read_text(encoding="utf-8")
    assert "unambiguous at their borders" in page, "a docstring"
    assert "StoreError" in page, "what is raised"
