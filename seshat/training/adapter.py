"""What a run leaves behind: the adapter (or the whole model) with its tokenizer, its card and a manifest."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

import torch
from safetensors.torch import load_file, save_file

from seshat.confidence import CALIBRATION
from seshat.errors import StoreError
from seshat.prompts import CARD, Card, ChatTokenizer
from seshat.store import Manifest, Store
from seshat.training.model import EMBEDDINGS
from seshat.working_copy import discard

WEIGHTS = "adapter_model.safetensors"
WHOLE = "model.safetensors"
"""The weights of a run that trained all of them."""


def describe(model: Any, tokenizer: ChatTokenizer, card: Card, folder: str) -> None:
    """Write everything but the weights. The last act of the first worker."""
    os.makedirs(folder, exist_ok=True)
    if hasattr(model, "peft_config"):
        for config in model.peft_config.values():
            config.base_model_name_or_path = card.base  # a folder of this machine would mean nothing elsewhere
            config.inference_mode = True
            config.save_pretrained(folder)
            config.inference_mode = False
    else:
        model.config.save_pretrained(folder)
    tokenizer.tokenizer.save_pretrained(folder)
    with open(os.path.join(folder, CARD), "w", encoding="utf-8") as stream:
        stream.write(card.model_dump_json(indent=1))


def write_weights(checkpoint: str, folder: str) -> None:
    """Write the weights of a checkpoint's file as peft, or for a whole model transformers, expects them."""
    weights = load_file(checkpoint)
    if empty := [name for name, weight in weights.items() if not weight.numel()]:
        raise StoreError(f"{checkpoint}: {empty[0]} and {len(empty) - 1} more weights are empty; they were not gathered from their shares")
    config = os.path.join(folder, "adapter_config.json")
    adapted = os.path.isfile(config)
    named = {published(name) if adapted else name: weight for name, weight in weights.items()}
    if adapted:
        with open(config, encoding="utf-8") as stream:
            named |= tied(named) if json.load(stream)["ensure_weight_tying"] else {}
    save_file(named, os.path.join(folder, WEIGHTS if adapted else WHOLE), metadata={"format": "pt"})


def published(name: str) -> str:
    """The name that peft gives a trained weight in a file: without that of the adapter, which is ours alone."""
    return name.replace(".modules_to_save.default", "").replace(".default", "")


def tied(named: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The head that a trained embedding is too, which peft expects under its own name."""
    (name,) = (name for name in named if name.endswith(f"{EMBEDDINGS[0]}.weight"))
    return {f"base_model.model.{EMBEDDINGS[1]}.weight": named[name].clone()}


def finish(store: Store, folder: str, manifest: Manifest) -> Manifest:
    """Vouch for the adapter's files: from now on the run is done. What an evaluation learnt about weights before them goes."""
    discard(store.path(f"{folder}/{CALIBRATION}"))
    names = sorted(entry.name for entry in os.scandir(store.path(folder)) if entry.is_file() and entry.name != "manifest.json")
    files = tuple(store.vouch(f"{folder}/{name}") for name in names if not name.endswith(".tmp"))
    done = manifest.model_copy(update={"files": files})
    store.finish(folder, done)
    return done
