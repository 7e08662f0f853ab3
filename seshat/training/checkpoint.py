"""Checkpoints that can be trusted: written whole or not at all, and believed only if every byte is what the manifest says.

``checkpoints/step-000123/``: ``weights.safetensors`` (what is trained), ``optimizer.safetensors``, ``state.json``,
``manifest.json`` (SHA-256 of each). The schedule, the order of the data and the random numbers of a step are pure
functions of the seed and the step, so the step is all the state that they have.
"""

from __future__ import annotations

import json
import logging
import os
import re
import shutil
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from safetensors.torch import load_file, save_file

from seshat.engines.weights import sha256
from seshat.errors import ConfigError, StoreError
from seshat.training.strategy import State
from seshat.working_copy import address_of, discard

log = logging.getLogger(__name__)
WEIGHTS, OPTIMIZER, STATE, MANIFEST = "weights.safetensors", "optimizer.safetensors", "state.json", "manifest.json"
_NAME = re.compile(r"step-(\d{6,})")
Identity = Mapping[str, Any]
"""What a run must share with the checkpoint that it goes on from, by setting."""


@dataclass(frozen=True)
class Checkpoint:
    """A valid checkpoint on disk."""

    folder: str
    step: int
    """Steps that were done."""
    identity: Identity


def save(root: str, step: int, identity: Identity, state: State, *, keep: int) -> str:
    """Write a checkpoint and remove those before the last ``keep``; its folder."""
    folder = os.path.join(root, f"step-{step:06d}")
    draft = f"{folder}.{uuid.uuid4().hex[:8]}.tmp"
    try:
        os.makedirs(draft)
        save_file(state.weights, os.path.join(draft, WEIGHTS))
        save_file(state.moments, os.path.join(draft, OPTIMIZER))
        _write_json(os.path.join(draft, STATE), {"step": step, "identity": dict(identity)})
        files = {name: sha256(os.path.join(draft, name)) for name in (WEIGHTS, OPTIMIZER, STATE)}
        _write_json(os.path.join(draft, MANIFEST), files)
        for name in files:
            _sync(os.path.join(draft, name))
        shutil.rmtree(folder, ignore_errors=True)  # one of this step that did not validate
        os.rename(draft, folder)
        _sync(root)
    except OSError as error:
        shutil.rmtree(draft, ignore_errors=True)
        raise StoreError(f"{folder}: the checkpoint could not be written ({error}); the one before it is untouched") from None
    for old in _folders(root)[keep:]:
        discard(old)
    return folder


def newest(root: str) -> Checkpoint | None:
    """The newest checkpoint that validates; a damaged one is passed over with a warning."""
    for folder in _folders(root):
        fault = _fault(folder)
        if not fault:
            with open(os.path.join(folder, STATE), encoding="utf-8") as stream:
                state = json.load(stream)
            return Checkpoint(folder, int(state["step"]), state["identity"])
        log.warning("%s is passed over: %s", folder, fault)
    return None


def check_identity(checkpoint: Checkpoint, identity: Identity, *, name: str = "training.name") -> None:
    """Refuse to go on with other data, another base or another batch; every difference is named.

    ``name`` is the setting that names the run.
    """
    old, new = checkpoint.identity, json.loads(json.dumps(dict(identity)))
    differences = [f"{key} was {old.get(key)!r} and is {new.get(key)!r}" for key in sorted({*old, *new}) if old.get(key) != new.get(key)]
    if differences:
        raise ConfigError(
            f"{checkpoint.folder} belongs to another run ({'; '.join(differences)}): set these back to go on from it, "
            f"give the run another {name}, or delete {address_of(os.path.dirname(checkpoint.folder))} to start anew"
        )


def read(checkpoint: Checkpoint) -> State:
    """The weights and moments of a checkpoint."""
    weights, moments = (load_file(os.path.join(checkpoint.folder, name)) for name in (WEIGHTS, OPTIMIZER))
    return State(weights, moments)


def _fault(folder: str) -> str:
    """What is wrong with a checkpoint; empty if nothing is."""
    try:
        with open(os.path.join(folder, MANIFEST), encoding="utf-8") as stream:
            files = json.load(stream)
        if sorted(files) != sorted((WEIGHTS, OPTIMIZER, STATE)):
            return f"{MANIFEST} does not name its three files"
        wrong = [name for name, expected in files.items() if sha256(os.path.join(folder, name)) != expected]
    except (OSError, ValueError) as error:
        return f"it cannot be read ({error})"
    return f"{', '.join(wrong)} is not what {MANIFEST} says" if wrong else ""


def _folders(root: str) -> list[str]:
    """The checkpoints of a run, the newest first."""
    if not os.path.isdir(root):
        return []
    names = [name for name in os.listdir(root) if _NAME.fullmatch(name)]
    return [os.path.join(root, name) for name in sorted(names, key=lambda name: -int(name.partition("-")[2]))]


def _write_json(path: str, data: object) -> None:
    with open(path, "w", encoding="utf-8") as stream:
        json.dump(data, stream, indent=1, sort_keys=True)
    _sync(path)


def _sync(path: str) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
