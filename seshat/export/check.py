"""Is this an adapter of ours: whole, unchanged, trained, and of this base? Asked before hours of work, and answered in one sentence."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from seshat.engines.weights import is_whole, sha256, weight_files, weights_sha256
from seshat.errors import EngineError, StoreError
from seshat.prompts import CARD, Card
from seshat.store import Manifest

if TYPE_CHECKING:
    import torch

WEIGHTS, CONFIG, MANIFEST = "adapter_model.safetensors", "adapter_config.json", "manifest.json"
FULL_TYPES = frozenset({"F16", "BF16", "F32", "F64"})
"""What safetensors calls the types of weights that an update can be added to."""
AGAIN = "copy its whole folder again, or run 'make train' again"


def check_base(card: Card, base: str) -> None:
    """Refuse a quantised base, and one that the adapter was not trained on."""
    if found := _quantised(base):
        raise EngineError(
            f"{base} holds quantised weights ({found}), and adding an update to them would round most of it away: download the "
            "16-bit model of the same name, set training.model to it and train again (precision: nf4 quantises it by itself)"
        )
    if not card.base_sha256:
        raise EngineError(f"the {CARD} of {card.name!r} does not say which base it was trained on (base_sha256): run 'make train' again")
    if weights_sha256(base) != card.base_sha256:
        raise EngineError(
            f"{base} is not the model that the adapter {card.name!r} was trained on: its weights differ; put back the base with the "
            f"SHA-256 {card.base_sha256[:12]}…, or train again on this one"
        )


def check_files(adapter: str) -> Manifest:
    """The manifest of an adapter that vouches for all of its files, and is right."""
    path = os.path.join(adapter, MANIFEST)
    try:
        with open(path, encoding="utf-8") as stream:
            manifest = Manifest.model_validate_json(stream.read())
    except FileNotFoundError:
        raise StoreError(f"{path} is not there, so nobody vouches for this adapter: run 'make train' to its end, or {AGAIN}") from None
    except (ValidationError, UnicodeDecodeError):
        raise StoreError(f"{path} is not a manifest of ours: {AGAIN}") from None
    files = {os.path.basename(file.path): file.sha256 for file in manifest.files}
    needed = {CARD} | ({"config.json"} if is_whole(adapter) else {WEIGHTS, CONFIG})
    if is_whole(adapter) and not any(name.endswith(".safetensors") for name in files):
        needed.add("model.safetensors")
    if missing := sorted(needed - files.keys()):
        raise StoreError(f"{path} does not vouch for {' and '.join(missing)}, so they may be of another adapter: {AGAIN}")
    places = {name: os.path.join(adapter, name) for name in files}
    if wrong := sorted(name for name, place in places.items() if not os.path.isfile(place) or sha256(place) != files[name]):
        raise StoreError(f"{adapter}: {', '.join(wrong)} is not what {MANIFEST} says (changed, damaged or missing): {AGAIN}")
    return manifest


def check_adapter(adapter: str, base: str) -> None:
    """Refuse an adapter that does not fit the base tensor by tensor, or in which nothing, or nonsense, was trained."""
    path = os.path.join(adapter, WEIGHTS)
    expected, found = _expected(adapter, base), _shapes(path)
    wrong = [f"{name} is {found.get(name, 'missing')} and should be {expected.get(name, 'absent')}"
             for name in sorted(expected.keys() | found.keys()) if expected.get(name) != found.get(name)]  # fmt: skip
    if wrong:
        more = f", and {len(wrong) - 1} more" if len(wrong) > 1 else ""
        raise EngineError(f"{adapter} does not fit the base {base} ({wrong[0]}{more}): it is of another model; {AGAIN}")
    check_numbers(adapter)


def check_numbers(folder: str) -> None:
    """Refuse weights that are not finite, and an adapter whose update is nothing."""
    updates = trained = 0
    for path in weight_files(folder):
        for name, tensor in _tensors(path):
            if not bool(tensor.isfinite().all()):
                raise EngineError(
                    f"{path} holds numbers that are not finite (NaN or infinity, in {name}): its training went wrong; lower "
                    "training.learning_rate and train again"
                )
            if ".lora_B." in name:
                updates, trained = updates + 1, trained + bool(tensor.any())
    if updates and not trained:
        raise EngineError(
            f"{folder}: nothing was trained, every update in it is zero; look at the steps and the learning rate in its manifest.json, "
            "and train again"
        )


def _quantised(base: str) -> str:
    """How the weights of a base are quantised; empty if they are not."""
    with open(os.path.join(base, "config.json"), encoding="utf-8") as stream:
        settings = json.load(stream).get("quantization_config")
    if settings:
        known = {"load_in_4bit": "4 bits", "load_in_8bit": "8 bits"}
        bits = next((words for key, words in known.items() if settings.get(key)), f"{settings.get('bits', 'few')} bits")
        return f"quantization_config in config.json: {settings.get('quant_method', 'unknown method')}, {bits}"
    for path in weight_files(base):
        for name, kind in _kinds(path).items():
            if kind not in FULL_TYPES:
                return f"{name} in {os.path.basename(path)} is of type {kind}"
    return ""


def _expected(adapter: str, base: str) -> dict[str, tuple[int, ...]]:
    """Names and shapes of an adapter of these settings on this base, from a model without numbers."""
    import torch
    from peft import PeftConfig, get_peft_model, get_peft_model_state_dict
    from transformers import AutoConfig, AutoModelForCausalLM

    try:
        config = PeftConfig.from_pretrained(adapter)
        config.base_model_name_or_path = base  # or peft warns that this machine calls it otherwise
        with torch.device("meta"):
            model = AutoModelForCausalLM.from_config(AutoConfig.from_pretrained(base, local_files_only=True))
            state: Mapping[str, Any] = get_peft_model_state_dict(get_peft_model(model, config), save_embedding_layers=False)
    except (OSError, ValueError, KeyError, TypeError, RuntimeError, AttributeError) as error:
        problem = (str(error).strip() or type(error).__name__).splitlines()[0].split(". ")[0]
        raise EngineError(f"{os.path.join(adapter, CONFIG)} does not fit the base {base} ({problem}): {AGAIN}") from None
    return {name: tuple(tensor.shape) for name, tensor in state.items()}


def _shapes(path: str) -> dict[str, tuple[int, ...]]:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as weights:
            return {name: tuple(weights.get_slice(name).get_shape()) for name in weights.keys()}  # noqa: SIM118 (no mapping)
    except SafetensorError as error:
        raise EngineError(f"{path} is no safetensors file ({error}): {AGAIN}") from None


def _kinds(path: str) -> dict[str, str]:
    from safetensors import safe_open

    with safe_open(path, framework="pt") as weights:
        return {name: weights.get_slice(name).get_dtype() for name in weights.keys()}  # noqa: SIM118 (no mapping)


def _tensors(path: str) -> Iterator[tuple[str, torch.Tensor]]:
    from safetensors import safe_open

    with safe_open(path, framework="pt") as weights:
        for name in sorted(weights.keys()):
            yield name, weights.get_tensor(name)
