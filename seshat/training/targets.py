"""The last layer for the target tokens only: what it makes of the others, nothing reads.

Keys and values are computed for all tokens; the queries, the attention's output and the feed-forward part work token by token,
so they take the target tokens alone. Loss and gradients stay what they were. Of a model of three layers with as long prompts as
answers it saves a tenth of the arithmetic, of one of forty nothing that matters.

Legend of the shapes: B rows of the batch, T tokens, N target tokens, D and E sizes of the input and the output of a part.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

ATTENTION, FEED_FORWARD, BETWEEN = "self_attn", "mlp", "post_attention_layernorm"
"""The parts of a layer in which the one comes after the other, as in Llama and its kin (in others both read the same)."""
BY_TOKEN = (f"{ATTENTION}.q_proj", f"{ATTENTION}.o_proj", FEED_FORWARD)
"""The parts that work token by token, as far as a model has them under these names."""


def narrow_last_layer(body: nn.Module) -> bool:
    """Let the last layer take ``targets``, the numbers of the target tokens [N] in a batch whose rows follow each other; whether it can."""
    layers = getattr(body, "layers", None)
    if not isinstance(layers, nn.ModuleList) or not len(layers):
        return False
    parts, now = dict(layers[-1].named_modules()), _Now()
    if not {ATTENTION, FEED_FORWARD, BETWEEN} <= parts.keys():
        return False
    for name in BY_TOKEN:
        if name in parts:
            parts[name].forward = _for_targets(parts[name].forward, now)
    parts[ATTENTION].forward = _told(parts[ATTENTION].forward, now)
    return True


class _Now:
    """What the layer that is computed right now was given: its attention is told, with checkpointing a second time."""

    targets: torch.Tensor | None = None


def _told(forward: Callable[..., Any], now: _Now) -> Callable[..., Any]:
    def attend(*arguments: Any, targets: torch.Tensor | None = None, **others: Any) -> Any:
        now.targets = targets
        return forward(*arguments, **others)

    return attend


def _for_targets(forward: Callable[..., torch.Tensor], now: _Now) -> Callable[..., torch.Tensor]:
    def of_some(hidden_BTD: torch.Tensor, *arguments: Any, **others: Any) -> torch.Tensor:
        if now.targets is None:
            return forward(hidden_BTD, *arguments, **others)
        some_1NE = forward(hidden_BTD.flatten(0, 1)[None, now.targets], *arguments, **others)
        size = some_1NE.shape[-1]
        every_E = some_1NE.new_zeros(hidden_BTD.shape[:-1].numel(), size).index_copy(0, now.targets, some_1NE[0])
        return every_E.view(*hidden_BTD.shape[:-1], size)

    return of_some
