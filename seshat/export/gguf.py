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

ARCHITECTURES = {"qwen3": "QWEN3"}
"""What can be written, by ``model_type``, with the gguf package's name for it. Llama needs its rotary rows permuted first."""
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
    for name, tensor in _tensors(folder):
        writer.add_tensor_info(_renamed(names, name, folder), tensor.shape, tensor.dtype, tensor.nbytes)
    writer.write_header_to_file(path)
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    for _, tensor in _tensors(folder):
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


def _tensors(folder: str) -> Iterator[tuple[str, np.ndarray[Any, Any]]]:
    """The weights by file and name, in the types of an F16 file; a head that is the embedding itself is stored once."""
    import torch
    from safetensors import safe_open

    for file in weight_files(folder):
        with safe_open(file, framework="pt") as weights:
            for name in sorted(weights.keys()):
                tensor = weights.get_tensor(name)
                yield name, tensor.to(torch.float32 if tensor.dim() == 1 else torch.float16).numpy()


def _renamed(names: Any, name: str, folder: str) -> str:
    known: str | None = names.get_name(name, try_suffixes=(".weight", ".bias"))
    if known is None:
        raise EngineError(f"{folder}: GGUF has no name for the weights {name!r}")
    return known


def _add_shape(writer: Any, config: dict[str, Any]) -> None:
    rope = config.get("rope_parameters") or {
        "rope_theta": config.get("rope_theta"),
        **(config.get("rope_scaling") or {}),
    }
    if rope.get("rope_type", rope.get("type", "default")) != "default":
        raise EngineError(f"rotary positions of type {rope!r} cannot be written as GGUF yet; only the default can")
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(config["num_attention_heads"])
    writer.add_head_count_kv(config["num_key_value_heads"])
    writer.add_key_length(config["head_dim"])
    writer.add_value_length(config["head_dim"])
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
