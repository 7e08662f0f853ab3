"""The order of the whole way."""

from __future__ import annotations

from pathlib import Path

import pytest

from jobs import pipeline, tokenizer_extend
from seshat.command import PIPELINE, read_settings, run

ROOT = Path(__file__).resolve().parents[1]


def names(*overrides: str) -> list[str]:
    settings = read_settings(str(ROOT / PIPELINE), overrides)
    return [job.__name__.removeprefix("jobs.") for job in pipeline.steps(settings)]


def test_new_tokens_are_added_only_if_somebody_asks_for_them() -> None:
    assert "tokenizer_extend" not in names()
    asked = names("training.extend.tokens=500")
    assert [name for name in asked if name != "tokenizer_extend"] == names()
    place = asked.index("train")
    assert asked[place - 2 : place + 2] == ["tokenizer_analysis", "tokenizer_extend", "train", "tokenizer_extend"]


def test_the_verb_wants_to_know_how_many(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tokenizer_extend.run, "", section="training", argv=["--config", str(ROOT / PIPELINE)]) == 2
    assert "extend.tokens=500" in capsys.readouterr().err
