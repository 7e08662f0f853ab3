"""What is no adapter of ours, or not of this base, or holds nothing, is refused in a sentence before anything is made."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from seshat.engines.transformers_model import TransformersModel
from seshat.engines.weights import weights_sha256
from seshat.errors import EngineError, SeshatError, StoreError
from seshat.export.check import check_adapter, check_base, check_files
from seshat.export.export import export
from seshat.export.settings import Export
from seshat.store import Manifest, Store
from seshat.training import adapter
from seshat.training.model import load_base
from seshat.training.settings import Training
from tests.export.conftest import Tiny
from tests.tiny_model import LANGUAGE

pytestmark = pytest.mark.heavy
ADAPTER = "models/adapters/tiny"
Tensors = dict[str, torch.Tensor]


def refused(store: Store, kind: type[SeshatError], why: str) -> None:
    """Export says why it does not, and leaves no draft behind and what was there alone."""
    folder = Path(store.path("models/merged"))
    before = sorted(path.name for path in folder.iterdir())
    with pytest.raises(kind, match=why) as raised:
        export(Export(threads=1), store, "tiny")
    assert "\n" not in str(raised.value)
    assert sorted(path.name for path in folder.iterdir()) == before


def changed(store: Store, change: Callable[[Tensors], Tensors]) -> None:
    """The adapter with other weights, vouched for: as a training that went wrong leaves it."""
    path = store.path(f"{ADAPTER}/adapter_model.safetensors")
    save_file(change(load_file(path)), path, metadata={"format": "pt"})
    vouch(store)


def vouch(store: Store) -> None:
    Path(store.path(f"{ADAPTER}/README.md")).unlink(missing_ok=True)
    adapter.finish(store, ADAPTER, Manifest(stage="train", fingerprint="tiny"))


def test_the_files_of_a_good_adapter_pass(copy: Store, tiny: Tiny) -> None:
    check_base(tiny.card, copy.path("models/base/tiny"))
    check_adapter(copy.path(ADAPTER), copy.path("models/base/tiny"))
    assert {Path(file.path).name for file in check_files(copy.path(ADAPTER)).files} >= {"adapter_model.safetensors", "seshat.json"}


def test_an_adapter_may_be_called_otherwise(copy: Store) -> None:
    shutil.copytree(copy.path(ADAPTER), copy.path("models/adapters/renamed"))
    check_files(copy.path("models/adapters/renamed"))


def test_a_base_in_4_bits_is_refused(tiny: Tiny, tmp_path: Path) -> None:
    base = str(tiny.root / "models" / "base" / "tiny")
    load_base(base, Training(precision="nf4", bf16=False), torch.device("cpu")).save_pretrained(tmp_path / "nf4")
    card = tiny.card.model_copy(update={"base_sha256": weights_sha256(str(tmp_path / "nf4"))})
    with pytest.raises(EngineError, match=r"bitsandbytes, 4 bits\).*download the 16-bit model of the same name"):
        check_base(card, str(tmp_path / "nf4"))
    config = json.loads((tmp_path / "nf4" / "config.json").read_text())
    del config["quantization_config"]
    (tmp_path / "nf4" / "config.json").write_text(json.dumps(config))
    with pytest.raises(EngineError, match=r"is of type U8\).*download the 16-bit model"):
        check_base(card, str(tmp_path / "nf4"))


@pytest.mark.parametrize(("sha", "why"), [("0" * 64, "trained on: its weights differ"), ("", "does not say which base")])
def test_a_base_must_be_the_one_of_the_card(tiny: Tiny, sha: str, why: str) -> None:
    with pytest.raises(EngineError, match=why):
        check_base(tiny.card.model_copy(update={"base_sha256": sha}), str(tiny.root / "models" / "base" / "tiny"))


@pytest.mark.parametrize("name", ["adapter_model.safetensors", "adapter_config.json", "seshat.json", "tokenizer.json"])
def test_a_file_that_was_changed_after_training_is_refused_by_name(copy: Store, tiny: Tiny, name: str) -> None:
    path = Path(copy.path(f"{ADAPTER}/{name}"))
    data = bytearray(path.read_bytes())
    data[-2:-1] = b" " if name.endswith(".json") else bytes([data[-2] ^ 1])
    path.write_bytes(data)
    if name == "seshat.json":  # still a card, but of another model
        path.write_text(tiny.card.model_copy(update={"language": LANGUAGE.model_copy(update={"name": "other"})}).model_dump_json())
    refused(copy, StoreError, f"{name} is not what manifest.json says")


def test_a_file_that_went_missing_is_refused_by_name(copy: Store) -> None:
    Path(copy.path(f"{ADAPTER}/tokenizer.json")).unlink()
    refused(copy, StoreError, "tokenizer.json is not what manifest.json says .*missing")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (None, "nobody vouches for this adapter: run 'make train' to its end"),
        ("{}", "is not a manifest of ours"),
        ('{"stage": "train", "fingerprint": "x"}', "does not vouch for adapter_config.json and adapter_model.safetensors and seshat.json"),
    ],
)
def test_an_adapter_for_which_nobody_vouches_is_refused(copy: Store, text: str | None, why: str) -> None:
    path = Path(copy.path(f"{ADAPTER}/manifest.json"))
    path.unlink()
    if text is not None:
        path.write_text(text)
    refused(copy, StoreError, why)


def test_an_adapter_without_a_card_is_refused(copy: Store) -> None:
    Path(copy.path(f"{ADAPTER}/seshat.json")).unlink()
    refused(copy, StoreError, r"seshat\.json is not there, so nobody knows how to speak to this model")


def without(part: str) -> Callable[[Tensors], Tensors]:
    return lambda tensors: {name: tensor for name, tensor in tensors.items() if part not in name}


def smaller(tensors: Tensors) -> Tensors:
    return {name: tensor[:, :-1].contiguous() if ".lora_A." in name else tensor for name, tensor in tensors.items()}


def deeper(tensors: Tensors) -> Tensors:
    return tensors | {name.replace("layers.1.", "layers.2."): tensor.clone() for name, tensor in tensors.items() if "layers.1." in name}


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (smaller, r"does not fit the base .*lora_A.weight is \(8, \d+\) and should be \(8, \d+\), and 13 more\): it is of another model"),
        (without("layers.1."), r"does not fit the base .*layers\.1\..* is missing and should be \(\d+, \d+\), and 13 more"),
        (deeper, r"does not fit the base .*layers\.2\..* is \(\d+, \d+\) and should be absent"),
        (without("embed_tokens"), r"does not fit the base .*embed_tokens.weight is missing"),
    ],
)
def test_weights_of_another_model_are_refused(copy: Store, change: Callable[[Tensors], Tensors], why: str) -> None:
    changed(copy, change)
    refused(copy, EngineError, why)


def test_settings_of_another_adapter_are_refused(copy: Store) -> None:
    path = Path(copy.path(f"{ADAPTER}/adapter_config.json"))
    config = json.loads(path.read_text())
    for change, why in (
        ({"r": 4}, r"is \(8, 512\) and should be \(4, 512\)"),
        ({"target_modules": ["c_attn"]}, "No modules were targeted"),
    ):
        path.write_text(json.dumps(config | change))
        vouch(copy)
        refused(copy, EngineError, f"does not fit the base .*{why}")


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_an_adapter_with_numbers_that_are_none_is_refused(copy: Store, number: float) -> None:
    def spoil(tensors: Tensors) -> Tensors:
        tensors["base_model.model.model.layers.1.mlp.up_proj.lora_A.weight"][3, 5] = number
        return tensors

    changed(copy, spoil)
    refused(copy, EngineError, r"not finite \(NaN or infinity, in base_model\.model\.model\.layers\.1\.mlp\.up_proj\.lora_A")


def test_an_adapter_in_which_nothing_was_trained_is_refused(copy: Store) -> None:
    changed(copy, lambda tensors: {name: tensor * 0 if ".lora_B." in name else tensor for name, tensor in tensors.items()})
    refused(copy, EngineError, "nothing was trained, every update in it is zero")


def test_an_adapter_that_peft_cannot_load_is_a_sentence(copy: Store) -> None:
    changed(copy, smaller)
    with pytest.raises(EngineError, match="does not fit the model"):
        TransformersModel(copy.path("models/base/tiny"), adapter=copy.path(ADAPTER), device="cpu")
