"""Where a base model comes from, and what is said when it does not come."""

from __future__ import annotations

import json
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from seshat.engines import download
from seshat.engines.weights import weights_sha256
from seshat.errors import EngineError
from seshat.store import Store


@pytest.fixture
def model(store: Store, tmp_path: Path) -> Path:
    """A local model, outside of the workspace: the small base, with a file in another format beside it."""
    folder = tmp_path / "mine" / "Qwen-mine"
    folder.mkdir(parents=True)
    for entry in os.scandir(store.path("models/base/small")):
        if entry.name != "manifest.json":
            (folder / entry.name).write_bytes(Path(entry.path).read_bytes())
    (folder / "pytorch_model.bin").write_bytes(b"a pickle")
    return folder


def test_a_local_folder_is_linked_and_vouched_for(model: Path, tmp_path: Path) -> None:
    store = Store(str(tmp_path / "workspace"))
    manifest, before = download.fetch(str(model), store)
    assert not before
    folder = Path(store.path("models/base/Qwen-mine"))
    assert (folder / "model.safetensors").resolve() == model / "model.safetensors"
    assert not (folder / "pytorch_model.bin").exists()
    assert manifest.notes["base_sha256"] == weights_sha256(str(model))
    assert download.fetch(str(model), store) == (manifest, True)


def test_a_folder_without_weights_is_refused(model: Path, tmp_path: Path) -> None:
    (model / "model.safetensors").unlink()
    with pytest.raises(EngineError, match=r"no \*.safetensors.*training.model=/path/to/model"):
        download.fetch(str(model), Store(str(tmp_path / "workspace")))


@pytest.mark.parametrize("name", ["Qwen/Qwen3-14B", "/nowhere/model", "not a model"])
def test_a_model_that_is_not_there_names_the_cure(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(EngineError, match="give a local folder instead"):
        download.fetch(name, Store(str(tmp_path)))


def test_it_says_what_it_downloads_and_how_large_it_is_before_it_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = {"config.json": 700, "tokenizer.json": 11_000_000, "model-00001-of-00001.safetensors": 2_989_000_000, "onnx/model.onnx": 5}
    siblings = [SimpleNamespace(rfilename=name, size=size) for name, size in sizes.items()]
    said: list[str] = []

    def hub(name: str, **options: Any) -> Any:
        return SimpleNamespace(sha="0123456789abcdef", siblings=siblings)

    def snapshot(name: str, *, revision: str, local_dir: str, allow_patterns: list[str]) -> None:
        assert said == [
            f"download-model: Qwen/Qwen3-tiny (revision 0123456789ab): 3 files, 3.00 GB, into {tmp_path}/models/base/Qwen--Qwen3-tiny"
        ]
        for file in allow_patterns:
            Path(local_dir, file).write_text(json.dumps({}))

    monkeypatch.setattr("huggingface_hub.HfApi.model_info", lambda self, name, **options: hub(name, **options))
    monkeypatch.setattr("huggingface_hub.snapshot_download", snapshot)
    manifest, _ = download.fetch("Qwen/Qwen3-tiny", Store(str(tmp_path)), said.append)
    assert manifest.notes["revision"] == "0123456789abcdef"
    assert len(manifest.files) == 3
