"""Checkpoints: whole or not at all, and believed only when every byte is right."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest
import torch

from seshat.errors import ConfigError
from seshat.training import checkpoint

IDENTITY = {"base": "abc", "data": "def", "rows per step": 8}


def trained(steps: int) -> tuple[dict[str, torch.nn.Parameter], torch.optim.Optimizer]:
    torch.manual_seed(steps)
    weights = {"a": torch.nn.Parameter(torch.randn(4, 3)), "b.c": torch.nn.Parameter(torch.randn(2))}
    optimizer = torch.optim.AdamW(weights.values())
    for _ in range(steps):
        sum(weight.square().sum() for weight in weights.values()).backward()
        optimizer.step()
        optimizer.zero_grad()
    return weights, optimizer


def save(root: Path, step: int, keep: int = 9) -> None:
    weights, optimizer = trained(step)
    checkpoint.save(str(root), step, IDENTITY, weights, optimizer, keep=keep)


def test_what_is_restored_is_what_was_saved(tmp_path: Path) -> None:
    save(tmp_path, 3)
    found = checkpoint.newest(str(tmp_path))
    assert found is not None
    assert found.step == 3
    weights, optimizer = trained(0)
    checkpoint.restore(found, weights, optimizer)
    expected, its_optimizer = trained(3)
    for name, weight in weights.items():
        assert torch.equal(weight, expected[name])
        for key, value in its_optimizer.state[expected[name]].items():
            assert torch.equal(optimizer.state[weight][key], value)


@pytest.mark.parametrize("name", [checkpoint.WEIGHTS, checkpoint.OPTIMIZER, checkpoint.STATE, checkpoint.MANIFEST])
@pytest.mark.parametrize("harm", ["missing", "half", "zero tail", "bit flip"])
def test_a_damaged_checkpoint_is_passed_over(tmp_path: Path, name: str, harm: str, caplog: pytest.LogCaptureFixture) -> None:
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
    assert found is not None
    assert found.step == 1
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
