"""The verb ``tokenizer-extend``: a base model with new tokens for the language, in a folder beside the base.

Each new token gets a row in the embedding and, where that is stored apart, in the output layer. It begins as the mean of the
rows of the old tokens that it replaces (Gee et al., 2022). Rows that the base has without a token (Qwen pads its vocabulary)
are used first. Weight files without such a layer are linked, not copied. The folder's name says what it was made of: other
training text, another base or other settings give another folder, so an adapter never loses the base that it was trained on.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
from collections.abc import Mapping
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from seshat.config import Section
from seshat.engines.download import commit
from seshat.engines.weights import weight_files
from seshat.errors import DataError, EngineError
from seshat.examples import TRAINING, by_people, read_examples
from seshat.language import Language
from seshat.preview import about_to_make
from seshat.prompts import ChatTokenizer
from seshat.records import Example, digest
from seshat.store import Manifest, Store
from seshat.training.settings import Extend
from seshat.training.vocabulary import Grown, grow

log = logging.getLogger(__name__)
VERSION = 1
RECORD = "seshat-extension.json"
INDEX = "model.safetensors.index.json"
TABLES = ("embed_tokens.weight", "lm_head.weight")
"""How the names of the tensors end that have a row for each token."""
STALE = ("vocab.json", "merges.txt", "manifest.json", INDEX)
"""Files of a base that do not hold for the extended one."""

# V vocabulary, D hidden size


class Extension(Section):
    """What was added to a base model; ``seshat-extension.json`` in its folder."""

    base: str
    """The folder of the base, in the workspace."""
    first: int
    """The id of the first new token; the others follow it."""
    tokens: tuple[str, ...]
    """The new tokens, as the vocabulary writes them."""


def new_rows(folder: str) -> list[int]:
    """The ids of the new tokens of an extended base model; none for any other."""
    path = os.path.join(folder, RECORD)
    if not os.path.isfile(path):
        return []
    with open(path, encoding="utf-8") as stream:
        extension = Extension.model_validate_json(stream.read())
    return list(range(extension.first, extension.first + len(extension.tokens)))


def extend(settings: Extend, base: Manifest, source: str, language: Language, store: Store) -> tuple[Manifest, str, bool]:
    """The manifest and the folder of the base ``source`` with new tokens, and whether it was there before.

    The tokens are learnt from ``train.jsonl`` alone.
    """
    texts = taught_texts(language, store)
    files = sorted((os.path.basename(file.path), file.sha256) for file in base.files)
    fingerprint = digest("extend", VERSION, settings.model_dump_json(), *files, len(texts), *texts)
    folder = f"{source}-extended-{fingerprint[:8]}"
    done = store.done(folder, fingerprint)
    if done:
        return done, folder, True
    about_to_make("tokenizer-extend", folder, store)
    old, path = ChatTokenizer.load(store.path(source)), store.path(folder)
    grown = _learn(settings, old, store.path(source), texts)
    shutil.rmtree(path, ignore_errors=True)  # what a killed run left behind
    os.makedirs(path)
    _write_weights(store.path(source), path, grown)
    _write_others(base, store, path, grown)
    extension = Extension(base=source, first=min(grown.pieces), tokens=grown.tokens)
    _write(os.path.join(path, RECORD), extension.model_dump_json(indent=1).encode())
    _check_ids(old, path, extension)
    notes = {"tokens": str(len(grown.tokens)), "extends": source}
    model = base.notes.get("model", source)
    return commit(f"{model} extended", folder, fingerprint, store, notes, "tokenizer-extend"), folder, False


def taught_texts(language: Language, store: Store) -> list[str]:
    """The sides of the training examples that are in the language that is taught, each once."""
    examples = by_people(read_examples(store.path(f"{TRAINING}/train.jsonl")))
    return list(dict.fromkeys(text for example in examples for text in _taught_sides(example, language.code)))


def _taught_sides(example: Example, code: str) -> list[str]:
    source, _, target = example.direction.partition("-")
    answers = target == code or (source == code and example.task == "completion")
    return [*([example.source] if source == code else []), *([example.answer] if answers else [])]


def _learn(settings: Extend, old: ChatTokenizer, source: str, texts: list[str]) -> Grown:
    with open(os.path.join(source, "tokenizer.json"), "rb") as stream:
        data = stream.read()
    grown = grow(data, texts, old.tokenizer.get_vocab(), settings, source)
    if not grown.tokens:
        raise DataError(
            f"no pair of tokens stands {settings.min_count} times in the {len(texts)} texts of train.jsonl in the language, so there "
            "is no token to add: lower training.extend.min_count, or set training.extend.tokens=0"
        )
    if len(grown.tokens) < settings.tokens:
        few = f"only {len(grown.tokens)} of {settings.tokens} new tokens stand {settings.min_count} times in the training text"
        log.warning("tokenizer-extend: %s (training.extend.min_count)", few)
    return grown


def _write_weights(source: str, folder: str, grown: Grown) -> None:
    """Write the files that hold a table of tokens with its new rows, and link all others."""
    found, growth = set[str](), 0
    for path in weight_files(source):
        target = os.path.join(folder, os.path.basename(path))
        with safe_open(path, framework="pt") as weights:
            names = [name for name in sorted(weights.keys()) if name.endswith(TABLES)]
        if not names:
            os.symlink(os.path.realpath(path), target)
            continue
        tensors = load_file(path)
        larger = {name: with_rows(tensors[name], grown.pieces, name) for name in names}
        growth += sum(larger[name].nbytes - tensors[name].nbytes for name in names)
        save_file(tensors | larger, target, metadata={"format": "pt"})
        found.update(names)
    if not any(name.endswith(TABLES[0]) for name in found):
        raise EngineError(f"{source}: no weights are called {TABLES[0]!r}, so the embedding is not found; extend another base model")
    index = os.path.join(source, INDEX)
    if os.path.isfile(index):
        layout = _read_json(index)
        if "total_size" in layout.get("metadata", {}):
            layout["metadata"]["total_size"] += growth
        _write(os.path.join(folder, INDEX), json.dumps(layout, indent=2).encode())


def with_rows(table_VD: torch.Tensor, pieces: Mapping[int, tuple[int, ...]], name: str = "embedding") -> torch.Tensor:
    """The table with the row of each new id as the mean of the rows of its pieces; all other rows stay what they are."""
    first = min(pieces)
    if first > len(table_VD):
        raise EngineError(f"{name} has {len(table_VD)} rows and the tokenizer {first} tokens: this base model is not whole")
    rows = [table_VD[list(old)].float().mean(dim=0) for old in pieces.values()]
    added = torch.stack(rows).to(table_VD.dtype)
    return torch.cat([table_VD[:first], added, table_VD[first + len(added) :]])


def _write_others(base: Manifest, store: Store, folder: str, grown: Grown) -> None:
    """The tokenizer, the configuration with the new size, and whatever else belongs to the base."""
    for file in base.files:
        name = os.path.basename(file.path)
        if name not in STALE and not name.endswith(".safetensors"):
            shutil.copyfile(store.path(file.path), os.path.join(folder, name))
    _write(os.path.join(folder, "tokenizer.json"), grown.data)
    path = os.path.join(folder, "config.json")
    config = _read_json(path)
    if "vocab_size" not in config:
        raise EngineError(f"{path}: there is no vocab_size, so this is no plain language model; extend another base model")
    config["vocab_size"] = max(config["vocab_size"], max(grown.pieces) + 1)
    _write(path, json.dumps(config, indent=2, ensure_ascii=False).encode())


def _check_ids(old: ChatTokenizer, folder: str, extension: Extension) -> None:
    """Load the tokenizer as training will, and compare the ids one by one: a library may number tokens in its own way."""
    new = ChatTokenizer.load(folder)
    expected = {**old.tokenizer.get_vocab(), **{token: place for place, token in enumerate(extension.tokens, extension.first)}}
    if new.tokenizer.get_vocab() != expected or new.tokenizer.added_tokens_decoder.keys() != old.tokenizer.added_tokens_decoder.keys():
        raise EngineError(f"{folder}: tokens of the base have other ids after the extension; set training.extend.tokens=0 for this base")


def _read_json(path: str) -> dict[str, Any]:
    with open(path, encoding="utf-8") as stream:
        data: dict[str, Any] = json.load(stream)
    return data


def _write(path: str, data: bytes) -> None:
    with open(path, "wb") as stream:
        stream.write(data)
