"""The identity of model weights, so that an adapter is only ever put on the base that it was trained on."""

from __future__ import annotations

import glob
import hashlib
import os

from seshat.errors import EngineError


def sha256(path: str) -> str:
    """The SHA-256 of a file."""
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def weight_files(folder: str) -> list[str]:
    """The safetensors files of a model folder, by name."""
    files = sorted(glob.glob(os.path.join(glob.escape(folder), "*.safetensors")))
    if not files:
        raise EngineError(f"{folder} holds no weights (*.safetensors): run 'make download-model' first")
    return files


def weights_sha256(folder: str) -> str:
    """One SHA-256 over all weights of a folder: of the lines ``name sha256`` of its safetensors files, by name."""
    lines = [f"{os.path.basename(file)} {sha256(file)}\n" for file in weight_files(folder)]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def is_whole(folder: str) -> bool:
    """Whether training left a whole model (all weights were trained) and no adapter."""
    return not os.path.isfile(os.path.join(folder, "adapter_model.safetensors")) and os.path.isfile(os.path.join(folder, "config.json"))
