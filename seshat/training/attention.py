"""Attention within the examples of packed rows, on a processor: what lies between them is not computed and masked, but left out.

Legend of the shapes: B rows of the batch, T tokens, H heads, K size of a head.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

BY_EXAMPLE = "seshat-by-example"
"""What transformers knows our attention by."""
SPECIAL = ("is_causal", "sliding_window", "softcap", "position_bias", "cache")
"""What some models ask of attention beside being causal; they get it from transformers."""


def attend_by_example(causal: Any) -> bool:
    """Let a model attend within the examples of packed rows only, instead of masking what is between them; whether it can.

    Not on a GPU: it is not made for so many small calls.
    """
    from transformers.masking_utils import ALL_MASK_ATTENTION_FUNCTIONS, sdpa_mask
    from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

    if causal.device.type != "cpu" or causal.config._attn_implementation not in ("sdpa", BY_EXAMPLE):
        return False
    ALL_ATTENTION_FUNCTIONS.register(BY_EXAMPLE, _attend)
    ALL_MASK_ATTENTION_FUNCTIONS.register(BY_EXAMPLE, sdpa_mask)
    causal.set_attn_implementation(BY_EXAMPLE)
    return True


def _attend(
    module: nn.Module,
    query_BHTK: torch.Tensor,
    key_BHTK: torch.Tensor,
    value_BHTK: torch.Tensor,
    mask: torch.Tensor | None,
    *,
    lengths: list[int] | None = None,
    scaling: float | None = None,
    dropout: float = 0.0,
    **others: Any,
) -> tuple[torch.Tensor, None]:
    """Causal attention in each of the examples, which have these ``lengths`` over all rows; with the mask if there are none.

    In float32, whatever the rest is computed in: for examples of 24 tokens torch takes 2.4 times as long in bfloat16, most of it in
    the backward pass; from 1,000 tokens on it makes no difference.
    """
    if lengths is None or not getattr(module, "is_causal", True) or any(others.get(name) is not None for name in SPECIAL):
        from transformers.integrations.sdpa_attention import sdpa_attention_forward

        attended: tuple[torch.Tensor, None] = sdpa_attention_forward(
            module, query_BHTK, key_BHTK, value_BHTK, mask, scaling=scaling, dropout=dropout, **others
        )
        return attended
    rows, heads, tokens, _ = query_BHTK.shape
    grouped = heads != key_BHTK.shape[1]
    flat = (x.float().transpose(1, 2).flatten(0, 1).transpose(0, 1)[None] for x in (query_BHTK, key_BHTK, value_BHTK))
    examples = (x_1HTK.split(lengths, dim=2) for x_1HTK in flat)
    with torch.autocast(query_BHTK.device.type, enabled=False):
        out = [
            nn.functional.scaled_dot_product_attention(q, k, v, dropout_p=dropout, is_causal=True, scale=scaling, enable_gqa=grouped)
            for q, k, v in zip(*examples, strict=True)
        ]
    return torch.cat(out, dim=2).transpose(1, 2).reshape(rows, tokens, heads, -1).to(query_BHTK.dtype), None


def lengths(positions_BT: torch.Tensor) -> list[int]:
    """Of the examples of all rows, in their order; what fills up a row counts as one."""
    starts = torch.nonzero(positions_BT.flatten() == 0).flatten()
    ends = torch.cat([starts[1:], starts.new_tensor([positions_BT.numel()])])
    found: list[int] = (ends - starts).tolist()
    return found
