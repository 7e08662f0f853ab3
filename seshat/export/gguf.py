"""One file that llama.cpp, Ollama and their relatives run: weights, vocabulary, chat template and card of a merged model."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from seshat.engines.weights import weight_files
from seshat.errors import EngineError
from seshat.export.vocabulary import add_vocabulary
from seshat.prompts import Card

if TYPE_CHECKING:
    import numpy as np

ARCHITECTURES = {"qwen3": "QWEN3", "llama": "LLAMA"}
"""What can be written, by ``model_type``, with the gguf package's name for it."""
ROTATED = {"q_proj": "num_attention_heads", "k_proj": "num_key_value_heads"}
"""The weights whose rows llama.cpp wants in another order for Llama, and the setting that says how many heads they have."""
QUANTIZATIONS = {"Q4_0": 2, "Q8_0": 7, "Q4_K_S": 14, "Q4_K_M": 15, "Q5_K_S": 16, "Q5_K_M": 17, "Q6_K": 18}
"""llama.cpp's numbers of the file types that can be made from F16."""


def write_gguf(folder: str, path: str, card: Card) -> None:
    """Write a merged model as F16: matrices in float16, vectors in float32, in one pass that holds one tensor at a time."""
    import gguf

    logging.getLogger("gguf").setLevel(logging.WARNING)
    with open(os.path.join(folder, "config.json"), encoding="utf-8") as stream:
        config: dict[str, Any] = json.load(stream)
    architecture = ARCHITECTURES.get(config["model_type"])
    if architecture is None:
        raise EngineError(f"{folder}: {config['model_type']!r} cannot be written as GGUF; this can: {', '.join(ARCHITECTURES)}")
    kind = gguf.MODEL_ARCH[architecture]
    writer = gguf.GGUFWriter(None, gguf.MODEL_ARCH_NAMES[kind])
    _add_card(writer, card)
    _add_shape(writer, config)
    add_vocabulary(writer, folder, int(config["vocab_size"]))
    names = gguf.get_tensor_name_map(kind, config["num_hidden_layers"])
    factors = _rope_factors(config)
    if factors is not None:
        writer.add_tensor_info("rope_freqs.weight", factors.shape, factors.dtype, factors.nbytes)
    for name, tensor in _tensors(folder, config):
        writer.add_tensor_info(_renamed(names, name, folder), tensor.shape, tensor.dtype, tensor.nbytes)
    writer.write_header_to_file(path)
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    if factors is not None:
        writer.write_tensor_data(factors)
    for _, tensor in _tensors(folder, config):
        writer.write_tensor_data(tensor)
    writer.close()


def quantize(source: str, path: str, kind: str, threads: int) -> None:
    """Make a smaller file from an F16 one; ``kind`` is one of ``QUANTIZATIONS``."""
    try:
        from cyllama.llama import llama_cpp  # heavy
    except ImportError as error:
        raise EngineError(f"cyllama, which quantises GGUF files, cannot be loaded ({error}): run 'make install'") from None
    llama_cpp.disable_logging()
    settings = llama_cpp.LlamaModelQuantizeParams()
    settings.ftype = QUANTIZATIONS[kind]
    settings.nthread = threads
    try:
        llama_cpp.model_quantize(source, path, settings)
    except RuntimeError as error:
        raise EngineError(f"{source} could not be quantised to {kind}: {error}") from None


def _tensors(folder: str, config: dict[str, Any]) -> Iterator[tuple[str, np.ndarray[Any, Any]]]:
    """The weights by file and name, in the types of an F16 file; a head that is the embedding itself is stored once."""
    import torch
    from safetensors import safe_open

    for file in weight_files(folder):
        with safe_open(file, framework="pt") as weights:
            for name in sorted(weights.keys()):
                tensor = weights.get_tensor(name)
                part = name.rpartition(".")[0].rpartition(".")[2]
                array = tensor.to(torch.float32 if tensor.dim() == 1 else torch.float16).numpy()
                rotated = config["model_type"] == "llama" and part in ROTATED
                yield name, _interleaved(array, config[ROTATED[part]]) if rotated else array


def _interleaved(weights: np.ndarray[Any, Any], heads: int) -> np.ndarray[Any, Any]:
    """The rows of each head with the two halves that are rotated together beside each other.

    transformers rotates the first half of a head against the second, llama.cpp even rows against odd ones for this architecture (Su et
    al., 2021, "RoFormer", has the latter; both are the same model).
    """
    rows = weights.shape[0] // heads
    halves = weights.reshape(heads, 2, rows // 2, *weights.shape[1:])
    return halves.swapaxes(1, 2).reshape(weights.shape)


def _renamed(names: Any, name: str, folder: str) -> str:
    known: str | None = names.get_name(name, try_suffixes=(".weight", ".bias"))
    if known is None:
        raise EngineError(f"{folder}: GGUF has no name for the weights {name!r}")
    return known


def _rope(config: dict[str, Any]) -> dict[str, Any]:
    """How positions are rotated, as transformers 5 or 4 wrote it."""
    return config.get("rope_parameters") or {"rope_theta": config.get("rope_theta"), **(config.get("rope_scaling") or {})}


def _head(config: dict[str, Any]) -> int:
    return int(config.get("head_dim") or config["hidden_size"] // config["num_attention_heads"])


def _rope_factors(config: dict[str, Any]) -> np.ndarray[Any, Any] | None:
    """By what each frequency is divided in models whose context was stretched (Grattafiori et al., 2024, "The Llama 3 Herd of Models").

    None for others; shape (head / 2,).
    """
    import numpy as np

    rope = _rope(config)
    if rope.get("rope_type", rope.get("type", "default")) != "llama3":
        return None
    head = _head(config)
    waves = 2 * np.pi * float(rope["rope_theta"]) ** (np.arange(0, head, 2) / head)
    low, high, factor = (float(rope[name]) for name in ("low_freq_factor", "high_freq_factor", "factor"))
    smooth = np.clip((float(rope["original_max_position_embeddings"]) / waves - low) / (high - low), 0, 1)
    return (1 / ((1 - smooth) / factor + smooth)).astype(np.float32)


def _add_shape(writer: Any, config: dict[str, Any]) -> None:
    rope = _rope(config)
    kind = rope.get("rope_type", rope.get("type", "default"))
    if kind not in ("default", "llama3"):
        raise EngineError(f"rotary positions of type {rope!r} cannot be written as GGUF yet; default and llama3 can")
    head = _head(config)
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(config["num_attention_heads"])
    writer.add_head_count_kv(config["num_key_value_heads"])
    writer.add_key_length(head)
    writer.add_value_length(head)
    writer.add_rope_dimension_count(head)
    writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
    writer.add_rope_freq_base(float(rope["rope_theta"]))
    writer.add_vocab_size(config["vocab_size"])


def _add_card(writer: Any, card: Card) -> None:
    """Name, languages, licence, base and data, as the file itself tells them."""
    import gguf

    language = card.language
    writer.add_type("model")
    writer.add_name(card.name)
    writer.add_description(f"Translates between {language.bridge.name} and {language.name}; fine-tuned with Seshat.")
    writer.add_languages([language.code, language.bridge.code])
    licences = sorted({source.licence for source in card.rights.sources.values()})
    if licences:
        writer.add_license(", ".join(licences))
    writer.add_base_model_count(1)
    writer.add_base_model_name(0, os.path.basename(card.base.rstrip("/")))
    titles = [source.title or name for name, source in sorted(card.rights.sources.items())]
    writer.add_dataset_count(len(titles))
    for number, title in enumerate(titles):
        writer.add_dataset_name(number, title)
    writer.add_string("seshat.card", card.model_dump_json())
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_F16)
    writer.add_quantization_version(gguf.GGML_QUANT_VERSION)
