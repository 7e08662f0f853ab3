"""What editors and shells are told of Seshat: a schema of the configuration, and what may be completed."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from ruamel.yaml import YAML

from jobs import completion as completion_job
from seshat.completion import SHELLS, keys, script
from seshat.schema import FILE, schema, text
from seshat.verbs import VERBS

ROOT = Path(__file__).resolve().parents[1]
WHOLE = ("configs/data/pipeline.yaml", "configs/quickstart.yaml")


def test_the_schema_in_the_repository_is_that_of_the_code() -> None:
    assert (ROOT / FILE).read_text(encoding="utf-8") == text(), f"run: seshat schema > {FILE}"


def test_it_is_a_schema_and_says_what_keys_mean() -> None:
    found = schema()
    Draft202012Validator.check_schema(found)
    assert found["$defs"]["Cluster"]["properties"]["worker_logs"]["description"] == "Show what workers print."
    assert {"type": "string", "description": "The name of a file that holds it."} in found["properties"]["language"]["anyOf"]
    assert "inherit" in found["$defs"]["Training"]["properties"]


@pytest.mark.parametrize("name", WHOLE)
def test_the_configurations_that_we_ship_are_valid(name: str) -> None:
    Draft202012Validator(schema()).validate(YAML(typ="safe").load((ROOT / name).read_text(encoding="utf-8")))


@pytest.mark.parametrize("path", sorted((ROOT / "configs" / "training").glob("*.yaml")), ids=lambda path: path.name)
def test_so_are_those_of_one_section(path: Path) -> None:
    whole = {"training": YAML(typ="safe").load(path.read_text(encoding="utf-8"))}
    Draft202012Validator(schema()).validate(whole)


@pytest.mark.parametrize(
    ("mistake", "where"),
    [({"align": {"bnad": 3}}, "align"), ({"training": {"precision": "nf5"}}, "training"), ({"nothing": 1}, "nothing")],
)
def test_a_mistake_is_seen(mistake: dict[str, object], where: str) -> None:
    errors = [*Draft202012Validator(schema()).iter_errors(mistake)]
    assert errors
    assert where in json.dumps([*errors[0].absolute_path]) + errors[0].message


def completed(line: str) -> list[str]:
    """What bash would offer at the end of a line."""
    words = line.split(" ")
    listed = " ".join(f"'{word}'" for word in words)
    program = (
        f"{script('bash')}\nCOMP_WORDS=({listed}); COMP_CWORD={len(words) - 1}; _seshat 2>/dev/null; printf '%s\\n' \"${{COMPREPLY[@]}}\""
    )
    done = subprocess.run(["bash", "-c", program], capture_output=True, text=True, check=True)
    return done.stdout.split()


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("seshat alig", ["align"]),
        ("seshat align align.ba", ["align.band="]),
        ("seshat align --dry", ["--dry-run"]),
        ("seshat train training.lora.r", ["training.lora.r="]),
    ],
)
def test_bash_completes(line: str, offered: list[str]) -> None:
    assert completed(line) == offered


def test_every_key_and_verb_is_there() -> None:
    assert {"root", "align.band", "training.lora.r", "language.bridge.code"} <= set(keys())
    for shell in SHELLS:
        assert all(verb in script(shell) for verb in VERBS)


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells_read_it(shell: str) -> None:
    if not shutil.which(shell):
        pytest.skip(f"no {shell} on this machine")
    subprocess.run([shell, "-c", script(shell)], check=True, capture_output=True)


def test_an_unknown_shell_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert completion_job.main(["cmd"]) == 2
    assert "known here: bash, zsh, fish" in capsys.readouterr().err
    assert completion_job.main([]) == 2
