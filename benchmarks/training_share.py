"""How much of the arithmetic that a device can do a training run does: the second part of ``benchmarks.training``.

What counts is 4 FLOP for each weight of the body's linear layers and each token (forward, and backward to what came in), and 4 for each
weight of the head and each target token. Padding, attention and the adapter itself count nothing, though they take time. What
the device can do is measured beside it: products of the shapes of the same layers, with as many rows as a batch has tokens.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import torch

from benchmarks.training_peers import Meter, Work, clock
from seshat.training.model import keep_four_bits

TRIES = 5
SECONDS = 0.3
"""Each try of a product takes at least so long."""
SMALL = {"hidden_size": 1024, "intermediate_size": 3072, "num_attention_heads": 16, "num_hidden_layers": 4}
"""Four of the layers of Qwen3-0.6B: 63 million weights beside embeddings and head."""
LARGE = {"hidden_size": 5120, "intermediate_size": 17408, "num_attention_heads": 40, "num_hidden_layers": 40}
"""Qwen3-14B."""
NOMINAL = {"H100": 989e12, "H200": 989e12, "B200": 2250e12, "A100": 312e12, "L40S": 362e12, "4090": 165e12, "3090": 71e12}
"""FLOP/s in bfloat16 without sparsity, by what the card's name holds; as published."""


@dataclass(frozen=True)
class Linears:
    """The linear layers of a model: how often each shape (in, out) occurs, and the size of the head."""

    shapes: Counter[tuple[int, int]]
    head: int

    @classmethod
    def of(cls, model: Any) -> Linears:
        """Those of a causal model as it is before it gets an adapter."""
        layers = [module for module in model.model.layers.modules() if isinstance(module, torch.nn.Linear)]
        return cls(Counter((layer.in_features, layer.out_features) for layer in layers), model.lm_head.weight.numel())

    @property
    def weights(self) -> int:
        """Of the body."""
        return sum(size[0] * size[1] * number for size, number in self.shapes.items())

    def flop(self, meter: Meter) -> float:
        """What the counted steps of a run had to compute."""
        targets, tokens, _ = meter.held
        return 4.0 * (self.weights * tokens + self.head * targets)

    def rate(self, tokens: int, dtype: torch.dtype, device: torch.device) -> float:
        """FLOP/s of products of these shapes with so many rows: the best of several tries of each shape."""
        seconds = sum(number * _best(tokens, *size, dtype, device) for size, number in self.shapes.items())
        return 2.0 * tokens * self.weights / seconds


def _best(rows: int, size: int, out: int, dtype: torch.dtype, device: torch.device) -> float:
    """Seconds of one product."""
    values = torch.randn(rows, size, device=device).to(dtype)
    weight = torch.randn(out, size, device=device).to(dtype)
    found, number = [], 1
    while len(found) < TRIES:
        begin = clock(device)
        for _ in range(number):
            torch.nn.functional.linear(values, weight)
        spent = clock(device) - begin
        if spent < SECONDS:
            number *= 2
        else:
            found.append(spent / number)
    return min(found)


def random_base(sizes: dict[str, int], vocabulary: int, dtype: torch.dtype, device: torch.device, *, four_bits: bool) -> Any:
    """A frozen model of Qwen3's architecture with random weights, made on the device."""
    from transformers import Qwen3Config, Qwen3ForCausalLM

    config = Qwen3Config(vocab_size=vocabulary, num_key_value_heads=8, head_dim=128, tie_word_embeddings=False, **sizes)
    torch.manual_seed(1)
    with torch.device(device):
        model = Qwen3ForCausalLM._from_config(config, dtype=dtype, attn_implementation="sdpa")
    for weight in model.parameters():
        weight.requires_grad_(False)
    if four_bits:
        _quantise(model, dtype, device)
    return model.train()


def _quantise(model: Any, dtype: torch.dtype, device: torch.device) -> None:
    """Put the body's linear layers into 4 bits, as loading does."""
    import bitsandbytes as bnb

    for layer in model.model.layers:
        for parent in (layer.self_attn, layer.mlp):
            for name, linear in list(parent.named_children()):
                if isinstance(linear, torch.nn.Linear):
                    new = bnb.nn.Linear4bit(
                        linear.in_features, linear.out_features, bias=False, compute_dtype=dtype, quant_type="nf4", device="meta"
                    )
                    new.weight = bnb.nn.Params4bit(linear.weight.data, requires_grad=False, quant_type="nf4", compress_statistics=True)
                    setattr(parent, name, new.to(device))
    model.is_loaded_in_4bit = True
    keep_four_bits(model)


def report(name: str, linears: Linears, meter: Meter, work: Work, rate: float) -> float:
    """Print what a party did of what the device can do; the share."""
    _, tokens, _ = meter.held
    achieved = linears.flop(meter) / meter.seconds
    share = achieved / rate
    print(f"{name:<24}{tokens / meter.seconds:>12,.0f} tokens/s{achieved / 1e9:>12,.1f} GFLOP/s{share:>8.1%} of the measured rate")
    return share


def nominal(device: torch.device) -> float:
    """What the card's maker says; 0 where that is not known."""
    name = torch.cuda.get_device_name(device)
    return next((rate for card, rate in NOMINAL.items() if card in name), 0.0)
