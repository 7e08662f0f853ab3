"""An adapter added into its base: one plain model that needs no peft.

The base is loaded as it was published, in 16 or 32 bits, never in 4: adding a small update to 4-bit weights would round
most of it away. If the adapter was trained on NF4 weights, it learnt beside slightly different numbers than it is merged
into; where it is cheap that drift is measured and printed, and scores are best taken from the merged model.
"""

from __future__ import annotations

import gc
import logging
import os
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from seshat.engines.model import Completion
from seshat.engines.transformers_model import TransformersModel
from seshat.errors import EngineError
from seshat.export.gate import PLACES, Drift, Parity, compare, drift
from seshat.export.settings import Export
from seshat.hints import KNOWLEDGE
from seshat.prompts import CARD, Card, ChatTokenizer

if TYPE_CHECKING:
    import torch

log = logging.getLogger(__name__)
LARGEST = {"float16": 65504.0, "bfloat16": 3.3e38}


@dataclass(frozen=True)
class Merged:
    """What the gates found: the merged model, as it was stored, beside base plus adapter."""

    logits: Drift
    answers: Parity


@dataclass(frozen=True)
class _Said:
    """What a model says to the prompts of the gates."""

    logits: list[torch.Tensor]
    answers: list[Completion]

    @classmethod
    def by(cls, model: TransformersModel, asked: Sequence[Sequence[int]], stop: int, limit: int) -> _Said:
        """Ask a model: in batches where it answers, one by one where its logits are taken."""
        logits = [model.logits(prompt, last=PLACES) for prompt in asked]
        return cls(logits, model.generate(asked, max_new_tokens=limit, stop=(stop,)))


def merge(base: str, adapter: str, folder: str, card: Card, export: Export, asked: Sequence[Sequence[int]]) -> Merged:
    """Write the merged model, its tokenizer and its card into ``folder``; how it compares with base plus adapter.

    Both are asked in ``export.compute``, the merged one as it was stored. A logit beyond the tolerance is an error, and so is
    another greedy answer, but where the best two tokens are as close as rounding moves them: twice what it moved a logit.
    """
    started, tokenizer = time.perf_counter(), ChatTokenizer.load(adapter)
    log.info(
        "merge: base plus adapter and the merged model are compared: logits at the last %d places of %d prompts, and greedy answers of up "
        "to %d tokens to them (export.num_prompts, export.answer_tokens)",
        PLACES,
        len(asked),
        export.answer_tokens,
    )
    source = TransformersModel(base, adapter=adapter, device="cpu", dtype=export.compute)
    before = _Said.by(source, asked, tokenizer.end, export.answer_tokens)
    _store(untie(_plain(source.model)), folder, export.stored)
    del source
    gc.collect()  # two copies of a large model would not fit
    tokenizer.tokenizer.save_pretrained(folder)
    with open(os.path.join(folder, CARD), "w", encoding="utf-8") as stream:
        stream.write(card.model_dump_json(indent=1))
    if card.hints:
        shutil.copyfile(os.path.join(adapter, KNOWLEDGE), os.path.join(folder, KNOWLEDGE))
    model = TransformersModel(folder, device="cpu", dtype=export.compute)
    after = _Said.by(model, asked, tokenizer.end, export.answer_tokens)
    logits = drift(before.logits, after.logits)
    near_tie = max(export.near_tie, 2 * logits.largest)
    answers = compare(model, asked, after.answers, before.answers, stop=tokenizer.end, near_tie=near_tie)
    log.info("merge: %s; %s (%.0f s)", logits, answers, time.perf_counter() - started)
    _judge(folder, logits, answers, export)
    return Merged(logits, answers)


def nf4_drift(base: str, adapter: str, folder: str, asked: Sequence[Sequence[int]]) -> Drift:
    """How far the merged model is from what was trained: the base in NF4 with the adapter on top."""
    import torch
    from peft import PeftModel

    from seshat.training.model import load_base
    from seshat.training.settings import Training

    quantised = load_base(base, Training(precision="nf4", bf16=False), torch.device("cpu"))
    trained = PeftModel.from_pretrained(quantised, adapter).eval()
    with torch.inference_mode():
        before = [trained(input_ids=torch.tensor([list(prompt)]), logits_to_keep=PLACES).logits[0].float() for prompt in asked]
    model = TransformersModel(folder, device="cpu", dtype="float32")
    return drift(before, [model.logits(prompt, last=PLACES) for prompt in asked])


def untie(model: Any) -> Any:
    """Give the head weights of its own if training made it differ from the embedding that it shared."""
    embedding, head = model.get_input_embeddings().weight, model.get_output_embeddings().weight
    if model.config.tie_word_embeddings and not bool((embedding == head).all()):
        model.config.tie_word_embeddings = False
        log.info("merge: embedding and head were trained apart, so they are stored apart")
    return model


def _plain(model: Any) -> Any:
    """The model without peft, its updates added in; a whole model is plain as it is."""
    return model.merge_and_unload(safe_merge=True) if hasattr(model, "peft_config") else model


def _judge(folder: str, logits: Drift, answers: Parity, export: Export) -> None:
    cure = "so nothing was exported. If export.stored is bfloat16, try float16"
    if not logits.largest <= export.tolerance:
        raise EngineError(
            f"{folder}: the merged model is not base plus adapter ({logits}); more than export.tolerance={export.tolerance:g}, {cure}"
        )
    if not answers.holds:
        raise EngineError(f"{folder}: the merged model does not answer as base plus adapter does ({answers}), {cure}")


def _store(model: Any, folder: str, stored: str) -> None:
    import torch

    largest = max(float(weight.detach().abs().max()) for weight in model.parameters())
    if not largest <= LARGEST[stored]:
        raise EngineError(f"a weight of {largest:g} does not fit {stored}: set export.stored=bfloat16")
    model.to(getattr(torch, stored)).save_pretrained(folder)
