"""The settings of training and tuning, and the files that hold them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from seshat.config import load
from seshat.errors import ConfigError
from seshat.training.settings import Training, Tuning, with_overrides

CONFIGS = Path(__file__).resolve().parents[2] / "configs"
TRAININGS = sorted((CONFIGS / "training").glob("*.yaml"))
TUNINGS = sorted((CONFIGS / "tuning").glob("*.yaml"))


def test_there_are_files_to_load() -> None:
    assert {path.stem for path in TRAININGS} >= {"base", "quickstart", "qlora_qwen3_14b", "qlora_qwen3_32b"}
    assert {path.stem for path in TUNINGS} >= {"qlora"}


@pytest.mark.parametrize("path", TRAININGS, ids=lambda path: path.stem)
def test_every_training_file_loads(path: Path) -> None:
    training = load(Training, path)
    assert training.name == (path.stem if path.stem != "base" else "adapter")


@pytest.mark.parametrize("path", TUNINGS, ids=lambda path: path.stem)
def test_every_tuning_file_loads(path: Path) -> None:
    assert len(load(Tuning, path).search) >= 1


def test_a_strategy_that_is_not_built_is_refused() -> None:
    with pytest.raises(ConfigError, match="strategy: input should be 'auto', 'ddp', 'fsdp' or 'deepspeed'"):
        load(Training, None, ["strategy=horovod"])


def test_a_search_over_an_unknown_key_is_refused() -> None:
    with pytest.raises(ConfigError, match="lerning_rate"):
        load(Tuning, None, ["search={lerning_rate: [1, 2]}"])


def test_overrides_reach_into_sections() -> None:
    changed = with_overrides(Training(), {"lora.r": 8, "learning_rate": 1e-3})
    assert (changed.lora.r, changed.lora.alpha, changed.learning_rate) == (8, Training().lora.alpha, 1e-3)


def test_settings_are_light() -> None:
    heavy = "print(*(name for name in ('torch', 'ray', 'transformers') if name in sys.modules))"
    code = f"import sys, seshat.training.settings, seshat.engines.download; {heavy}"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == ""


def test_an_adapter_is_known_by_what_decides_it_and_not_by_where_it_was_trained() -> None:
    training = Training()
    known = training.decides()
    where = {"evaluator.gpus": 0.3, "num_workers": 4, "strategy": "ddp", "cpus_per_worker": 2.0}
    elsewhere = with_overrides(training.model_copy(update={"gradient_accumulation_steps": 4}), {**where, "gradient_accumulation_steps": 1})
    assert elsewhere.decides() == with_overrides(training, {"gradient_accumulation_steps": 4}).decides()
    for key, value in {"save_steps": 9, "evaluator.sample": 9, "evaluator.patience": 1, "learning_rate": 1e-3}.items():
        assert with_overrides(training, {key: value}).decides() != known
    unscored = with_overrides(training, {"evaluator.sample": 0})
    assert with_overrides(unscored, {"save_steps": 9, "evaluator.patience": 1}).decides() == unscored.decides()
