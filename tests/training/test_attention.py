"""Attention within the examples of packed rows."""

from __future__ import annotations

import torch
from torch import nn

from seshat.training.attention import _attend


def test_in_bfloat16_it_attends_within_each_example_in_float32() -> None:
    seeded = torch.Generator().manual_seed(1)
    query, key, value = rounded = [torch.randn(1, 2, 9, 8, generator=seeded).bfloat16() for _ in range(3)]
    with torch.autocast("cpu", torch.bfloat16):
        found, _ = _attend(nn.Module(), query, key, value, None, lengths=[4, 5])
    parts = zip(*(tensor.float().split([4, 5], dim=2) for tensor in rounded), strict=True)
    expected = torch.cat([nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True) for q, k, v in parts], dim=2)
    assert torch.equal(found, expected.transpose(1, 2).bfloat16()), "only the result is rounded"
