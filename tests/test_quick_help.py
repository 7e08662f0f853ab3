"""The help of a verb without loading what the verb loads: the same text, and examples that can be typed."""

from __future__ import annotations

import ast
import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from seshat import command, plain
from seshat.command import described
from seshat.completion import keys
from seshat.quick_help import parser_of
from seshat.settings import Settings
from seshat.verbs import VERBS

ROOT = Path(__file__).resolve().parents[1]
OWN_WAY = {"init", "time_transcripts", "submit", "submitted", "completion", "schema"}
"""Modules that make a parser of their own."""
KEYS = set(keys())


def doc(module: str) -> str:
    return ast.get_docstring(ast.parse((ROOT / "jobs" / f"{module}.py").read_text(encoding="utf-8")), clean=False) or ""


COMMANDS = [line.strip() for module, _ in VERBS.values() for line in described(doc(module))["epilog"].split("\n")[1:]]


class Parsed(Exception):  # noqa: N818
    """In place of parsing."""


def real_help(module: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """What the module itself would say."""
    made: list[Any] = []

    def keep(parser: Any) -> Any:
        made.append(parser)
        raise Parsed

    for place in (command, plain):
        real = place.parser
        monkeypatch.setattr(place, "parser", lambda *given, real=real: keep(real(*given)))
    with pytest.raises(Parsed):
        exec(compile((ROOT / "jobs" / f"{module}.py").read_text(encoding="utf-8"), module, "exec"), {"__name__": "__main__"})
    return str(made[0].format_help())


@pytest.mark.parametrize("module", sorted({module for module, _ in VERBS.values()} - OWN_WAY))
def test_it_is_what_the_verb_says(module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", [f"seshat {module}"])
    found = parser_of(module)
    assert found is not None
    assert found.format_help() == real_help(module, monkeypatch)


@pytest.mark.parametrize("module", sorted(OWN_WAY))
def test_a_parser_of_another_kind_is_left_to_the_verb(module: str) -> None:
    assert parser_of(module) is None


def test_nothing_heavy_is_loaded() -> None:
    loaded = "print(sorted({'ray', 'torch', 'pyarrow', 'numpy'} & set(sys.modules)))"
    script = f"import sys; from seshat.cli import main; main(['train', '--help']); {loaded}"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, env={**os.environ, "SESHAT_LANG": "en"}, check=True
    )
    assert "Fine-tune the base model" in done.stdout
    assert "    seshat train --config configs/training/qlora_qwen3_14b.yaml" in done.stdout
    assert done.stdout.endswith("[]\n")


def test_every_verb_has_an_example() -> None:
    bare = {"ocr_files", "transcribe_files", "time_transcripts"}  # their usage stands in what they say
    silent = {"completion", "schema"}
    for module, _ in VERBS.values():
        found = described(doc(module))
        assert found["epilog"] or module in silent or (module in bare and f"python -m jobs.{module}" in found["description"]), module


@pytest.mark.parametrize("line", COMMANDS)
def test_examples_can_be_typed(line: str) -> None:
    program, verb, *words = shlex.split(line)
    assert program == "seshat"
    module = VERBS[verb][0]
    if verb in ("init", "jobs"):
        return
    if verb == "submit":
        verb, *words = [word for word in words if word != "--no-wait"]
        module = VERBS[verb][0]
    parser = parser_of(module)
    assert parser is not None
    asked = parser.parse_intermixed_args([word for word in words if "=" not in word])
    section = next(
        (
            one
            for one in ("training", "evaluation", "serving", "tuning", "speech", "review", "ocr_learn")
            if f"'{one}' section" in parser.format_help()
        ),
        "",
    )
    for word in (word for word in words if "=" in word):
        key, _, value = word.partition("=")
        assert key in KEYS | set(Settings.model_fields) or f"{section}.{key}" in KEYS, word
        assert not value.startswith("configs/") or (ROOT / value).is_file(), word
    assert not asked.config.startswith("configs/") or (ROOT / asked.config).is_file()
