"""The house as DESIGN draws it: imports point downwards, importing is free, and a file fits a sitting."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[1]
PYPROJECT = PROJECT / "pyproject.toml"
CODE = sorted(path for room in ("seshat", "jobs", "serve", "benchmarks", "tests") for path in (PROJECT / room).rglob("*.py"))
HEAVY = {"torch", "ray", "transformers", "sentence_transformers", "peft", "mlflow", "faster_whisper", "rapidocr", "tesserocr", "pypdfium2"}


def loaded_by(module: str) -> set[str]:
    """Which heavy libraries a fresh process has loaded after an import."""
    program = f"import sys, {module}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], cwd=PROJECT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return HEAVY & set(done.stdout.split())


@pytest.mark.parametrize("module", ["seshat.data.align", "seshat.settings", "seshat.translate"])
def test_importing_is_free(module: str) -> None:
    assert loaded_by(module) == set()


def test_imports_point_downwards() -> None:
    program = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([program, "--no-cache"], cwd=PROJECT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_every_room_has_its_place() -> None:
    contracts = {contract["name"]: contract for contract in tomllib.loads(PYPROJECT.read_text())["tool"]["importlinter"]["contracts"]}
    floors = {room for floor in contracts["Imports point downwards"]["layers"] for room in floor.split(" | ")}
    rooms = {f"seshat.{path.stem}" for path in (PROJECT / "seshat").iterdir() if path.suffix == ".py" or (path / "__init__.py").is_file()}
    rooms -= {"seshat.__init__"}
    assert rooms <= floors
    assert set(contracts["Ray stays at the edge"]["source_modules"]) == rooms - {"seshat.cluster"}


def test_there_is_code() -> None:
    assert len(CODE) > 50


@pytest.mark.parametrize("path", CODE, ids=lambda path: path.relative_to(PROJECT).as_posix())
def test_a_file_fits_a_sitting(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400
