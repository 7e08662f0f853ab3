"""Beam search in transformers.

Legend of the shapes: B prompts of the batch, N answers of each, T tokens.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from seshat.engines.decoding import Decoding
from seshat.engines.model import Completion

if TYPE_CHECKING:
    from seshat.engines.transformers_model import TransformersModel


def beam_search(
    engine: TransformersModel, prompts: Sequence[Sequence[int]], limit: int, stop: Sequence[int], decoding: Decoding
) -> list[list[Completion]]:
    """The best answers to each prompt of one batch, the best first: one for ``beam``, all beams for ``mbr``.

    What the model's own folder says about generation (penalties, temperatures) is left aside.
    """
    import torch
    from transformers import GenerationConfig  # heavy

    width = max(map(len, prompts))
    ids_BT = torch.tensor([[0] * (width - len(one)) + list(one) for one in prompts], device=engine.device)
    mask_BT = torch.tensor([[0] * (width - len(one)) + [1] * len(one) for one in prompts], device=engine.device)
    number = decoding.num_beams if decoding.method == "mbr" else 1
    asked = GenerationConfig(
        do_sample=False,
        num_beams=decoding.num_beams,
        num_return_sequences=number,
        length_penalty=decoding.length_penalty,
        max_new_tokens=limit,
        eos_token_id=list(stop),
        pad_token_id=stop[0],  # what follows an end is an end, so nothing has to be told apart
        return_dict_in_generate=True,
        output_scores=True,
    )
    model, own = engine.model, engine.model.generation_config
    model.generation_config = GenerationConfig()
    try:
        with torch.inference_mode():
            found = model.generate(input_ids=ids_BT, attention_mask=mask_BT, generation_config=asked)
    finally:
        model.generation_config = own
    answers, scores = found.sequences[:, width:].tolist(), found.sequences_scores.tolist()
    made = [_completion(ids, score, frozenset(stop), limit, decoding) for ids, score in zip(answers, scores, strict=True)]
    return [made[start : start + number] for start in range(0, len(made), number)]


def _completion(ids: Sequence[int], score: float, stop: frozenset[int], limit: int, decoding: Decoding) -> Completion:
    """An answer from its padded ids and its score, which is the log-probability over the length to the power of the penalty."""
    end = next((place for place, token in enumerate(ids) if token in stop), len(ids))
    finished = end < len(ids)
    count = min(limit, end + finished)
    return Completion(ids=tuple(ids[:end]), finished=finished, logprob=score * count**decoding.length_penalty / count)
