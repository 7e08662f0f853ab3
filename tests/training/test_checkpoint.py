"""Checkpoints: whole or not at all, and believed only when every byte is right."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
import torch

from seshat.errors import ConfigError
from seshat.training import checkpoint
from seshat.training.model import Objective
from seshat.training.strategy import Place, Replicated, State
from tests.training.tiny import settings

IDENTITY = {"base": "abc", "data": "def", "rows per step": 8}


class Two(torch.nn.Module):
    """A model of two weights."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        torch.manual_seed(seed)
        self.a, self.b = torch.nn.Parameter(torch.randn(4, 3)), torch.nn.Linear(3, 2)

    def forward(self) -> torch.Tensor:
        return self.b(self.a).square().sum()


def trained(steps: int, state: State | None = None) -> Replicated:
    model = Two(steps)
    strategy = Replicated(cast(Objective, SimpleNamespace(model=model)), settings(), Place())
    strategy.begin(state)
    for step in range(steps):
        strategy.backward(model())
        strategy.update(0.1 / (step + 1))
    return strategy


def save(root: Path, step: int, keep: int = 9) -> None:
    checkpoint.save(str(root), step, IDENTITY, trained(step).state(), keep=keep)


def test_what_is_restored_is_what_was_saved(tmp_path: Path) -> None:
    save(tmp_path, 3)
    found = checkpoint.newest(str(tmp_path))
    assert found is not None
    assert found.step == 3
    restored, expected = trained(0, checkpoint.read(found)), trained(3).state()
    for kind in ("weights", "moments"):
        mine, its = getattr(restored.state(), kind), getattr(expected, kind)
        assert mine.keys() == its.keys()
        assert len(its) >= 3
        assert all(torch.equal(value, its[name]) for name, value in mine.items())


@pytest.mark.parametrize("name", [checkpoint.WEIGHTS, checkpoint.OPTIMIZER, checkpoint.STATE, checkpoint.MANIFEST])
@pytest.mark.parametrize("harm", ["missing", "half", "zero tail", "bit flip"])
@pytest.mark.parametrize("one_before", [True, False])
def test_a_damaged_checkpoint_is_passed_over(
    tmp_path: Path, name: str, harm: str, one_before: bool, caplog: pytest.LogCaptureFixture
) -> None:
    if one_before:
        save(tmp_path, 1)
    save(tmp_path, 2)
    file = tmp_path / "step-000002" / name
    data = bytearray(file.read_bytes())
    if harm == "missing":
        file.unlink()
    elif harm == "half":
        file.write_bytes(data[: len(data) // 2])
    elif harm == "zero tail":
        file.write_bytes(data[:-20] + bytes(20))
    else:
        data[len(data) // 2] ^= 1
        file.write_bytes(data)
    with caplog.at_level(logging.WARNING):
        found = checkpoint.newest(str(tmp_path))
    assert (found.step if found else 0) == int(one_before)
    assert "step-000002 is passed over" in caplog.text


def test_a_half_written_folder_is_no_checkpoint(tmp_path: Path) -> None:
    save(tmp_path, 1)
    (tmp_path / "step-000001").rename(tmp_path / "step-000001.0a1b2c3d.tmp")
    assert checkpoint.newest(str(tmp_path)) is None


def test_only_the_last_ones_are_kept(tmp_path: Path) -> None:
    for step in (1, 2, 3):
        save(tmp_path, step, keep=2)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["step-000002", "step-000003"]


def test_another_run_is_refused_with_every_difference(tmp_path: Path) -> None:
    save(tmp_path, 1)
    found = checkpoint.newest(str(tmp_path))
    assert found is not None
    checkpoint.check_identity(found, dict(reversed(IDENTITY.items())))
    with pytest.raises(ConfigError, match=r"data was 'def' and is 'new'; rows per step was 8 and is 4"):
        checkpoint.check_identity(found, IDENTITY | {"data": "new", "rows per step": 4})


def test_the_manifest_names_three_files(tmp_path: Path) -> None:
    save(tmp_path, 1)
    manifest = json.loads((tmp_path / "step-000001" / checkpoint.MANIFEST).read_text())
    assert sorted(manifest) == sorted([checkpoint.WEIGHTS, checkpoint.OPTIMIZER, checkpoint.STATE])
