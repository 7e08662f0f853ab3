"""An adapter added into its base: one plain model that needs no peft.

The base is loaded as it was published, in 16 or 32 bits, never in 4: adding a small update to 4-bit weights would round
most of it away. If the adapter was trained on NF4 weights, it learnt beside slightly different numbers than it is merged
into; where it is cheap that drift is measured and printed, and scores are best taken from the merged model.
"""

from __future__ import annotations

import gc
import logging
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from seshat.engines.transformers_model import TransformersModel
from seshat.errors import EngineError
from seshat.export.gate import Drift, drift
from seshat.export.settings import Export
from seshat.prompts import CARD, Card, ChatTokenizer

if TYPE_CHECKING:
    import torch

log = logging.getLogger(__name__)
LARGEST = {"float16": 65504.0, "bfloat16": 3.3e38}


def merge(base: str, adapter: str, folder: str, card: Card, export: Export, asked: Sequence[Sequence[int]]) -> Drift:
    """Write the merged model, its tokenizer and its card into ``folder``; how far its logits are from base plus adapter.

    Both are compared in ``export.compute``, the merged one as it was stored. A drift beyond the tolerance is an error.
    """
    source = TransformersModel(base, adapter=adapter, device="cpu", dtype=export.compute)
    before = [source.logits(prompt) for prompt in asked]
    merged = untie(source.model.merge_and_unload(safe_merge=True))
    _store(merged, folder, export.stored)
    del source, merged
    gc.collect()  # two copies of a large model would not fit
    tokenizer = ChatTokenizer.load(adapter)
    tokenizer.tokenizer.save_pretrained(folder)
    with open(os.path.join(folder, CARD), "w", encoding="utf-8") as stream:
        stream.write(card.model_dump_json(indent=1))
    found = drift(before, _logits(folder, export.compute, asked))
    log.info("merge: %s", found)
    if not found.largest <= export.tolerance:
        raise EngineError(
            f"{folder}: the merged model is not base plus adapter ({found}); more than export.tolerance={export.tolerance:g}, "
            "so nothing was exported. If export.stored is bfloat16, try float16"
        )
    return found


def nf4_drift(base: str, adapter: str, folder: str, asked: Sequence[Sequence[int]]) -> Drift:
    """How far the merged model is from what was trained: the base in NF4 with the adapter on top."""
    import torch
    from peft import PeftModel

    from seshat.training.model import load_base
    from seshat.training.settings import Training

    quantised = load_base(base, Training(precision="nf4", bf16=False), torch.device("cpu"))
    trained = PeftModel.from_pretrained(quantised, adapter).eval()
    with torch.inference_mode():
        before = [trained(input_ids=torch.tensor([list(prompt)])).logits[0].float() for prompt in asked]
    return drift(before, _logits(folder, "float32", asked))


def untie(model: Any) -> Any:
    """Give the head weights of its own if training made it differ from the embedding that it shared."""
    embedding, head = model.get_input_embeddings().weight, model.get_output_embeddings().weight
    if model.config.tie_word_embeddings and not bool((embedding == head).all()):
        model.config.tie_word_embeddings = False
        log.info("merge: embedding and head were trained apart, so they are stored apart")
    return model


def _store(model: Any, folder: str, stored: str) -> None:
    import torch

    largest = max(float(weight.abs().max()) for weight in model.parameters())
    if not largest <= LARGEST[stored]:
        raise EngineError(f"a weight of {largest:g} does not fit {stored}: set export.stored=bfloat16")
    model.to(getattr(torch, stored)).save_pretrained(folder)


def _logits(folder: str, dtype: str, asked: Sequence[Sequence[int]]) -> list[torch.Tensor]:
    model = TransformersModel(folder, device="cpu", dtype=dtype)
    return [model.logits(prompt) for prompt in asked]
