"""Attention within the examples of packed rows."""

from __future__ import annotations

import torch
from torch import nn

from seshat.training.attention import _attend


def test_in_bfloat16_it_attends_within_each_example_as_float32_does() -> None:
    torch.manual_seed(1)
    exact = [torch.randn(1, 2, 9, 8) for _ in range(3)]
    query, key, value = (tensor.bfloat16() for tensor in exact)
    with torch.autocast("cpu", torch.bfloat16):
        found, _ = _attend(nn.Module(), query, key, value, None, lengths=[4, 5])
    parts = zip(*(tensor.split([4, 5], dim=2) for tensor in exact), strict=True)
    expected = torch.cat([nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True) for q, k, v in parts], dim=2)
    assert found.dtype == torch.bfloat16
    assert torch.allclose(found.float(), expected.transpose(1, 2), atol=0.05)
