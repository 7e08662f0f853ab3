"""What a run leaves behind: the adapter with its tokenizer, its card and a manifest."""

from __future__ import annotations

import os
from typing import Any

from seshat.prompts import CARD, Card, ChatTokenizer
from seshat.store import Manifest, Store

WEIGHTS = "adapter_model.safetensors"


def save(model: Any, tokenizer: ChatTokenizer, card: Card, folder: str) -> None:
    """Write the adapter's files. The last act of the first worker."""
    for config in model.peft_config.values():
        config.base_model_name_or_path = card.base  # a folder of this machine would mean nothing elsewhere
    model.save_pretrained(folder, save_embedding_layers=False)  # those that are trained are saved in any case
    tokenizer.tokenizer.save_pretrained(folder)
    boilerplate = os.path.join(folder, "README.md")
    if os.path.exists(boilerplate):
        os.remove(boilerplate)
    with open(os.path.join(folder, CARD), "w", encoding="utf-8") as stream:
        stream.write(card.model_dump_json(indent=1))


def finish(store: Store, folder: str, manifest: Manifest) -> Manifest:
    """Vouch for the adapter's files: from now on the run is done."""
    names = sorted(entry.name for entry in os.scandir(store.path(folder)) if entry.is_file() and entry.name != "manifest.json")
    files = tuple(store.vouch(f"{folder}/{name}") for name in names if not name.endswith(".tmp"))
    done = manifest.model_copy(update={"files": files})
    store.finish(folder, done)
    return done
