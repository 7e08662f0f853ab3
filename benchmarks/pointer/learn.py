"""Learn from sentences in pieces, for as many tokens as are asked for."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from benchmarks.pointer.network import Network
from benchmarks.pointer.pieces import BEGIN, END, PAD
from seshat.training.model import has_fast_bf16

RATE, WARM_UP, DECAY = 2e-3, 0.05, 0.01
"""The learning rate at its highest, the share of the tokens until there, and the weight decay."""
SMOOTHING = 0.1
"""Label smoothing (Szegedy et al., 2016)."""
BATCH = 1536
"""Tokens of a step, with padding."""
SPREAD = 4
"""Lengths that differ by less are put side by side."""
RECENT = 50
"""Steps whose mean loss is told."""


@dataclass(frozen=True, slots=True)
class Item:
    """A sentence to read and its translation, in pieces."""

    source: tuple[int, ...]
    hint: tuple[int, ...]
    """1 for each piece of the source that belongs to a hint."""
    target: tuple[int, ...] = ()

    @property
    def size(self) -> int:
        """Tokens that it costs."""
        return len(self.source) + len(self.target) + 1


@dataclass(frozen=True, slots=True)
class Batch:
    """Items side by side: pieces of sources and their hints [B, S], what stands before each piece of a translation, and it [B, T]."""

    source: Tensor
    hint: Tensor
    before: Tensor
    pieces: Tensor

    @classmethod
    def of(cls, items: Sequence[Item]) -> Batch:
        """Padded to the longest."""
        return cls(
            _padded([item.source for item in items]),
            _padded([item.hint for item in items]),
            _padded([(BEGIN, *item.target) for item in items]),
            _padded([(*item.target, END) for item in items]),
        )


def learn(network: Network, items: Sequence[Item], tokens: int, seed: int) -> float:
    """Train on ``items`` again and again until so many ``tokens`` were read and written; the mean loss of the last steps, 0 without any."""
    random_order, bf16 = random.Random(seed), has_fast_bf16(torch.device("cpu"))
    torch.manual_seed(seed)
    optimizer = torch.optim.AdamW(network.parameters(), lr=RATE, betas=(0.9, 0.98), eps=1e-9, weight_decay=DECAY, fused=True)
    done, losses = 0, list[float]()
    network.train()
    while items and done < tokens:
        for batch in _batches(items, random_order):
            share = done / tokens
            for group in optimizer.param_groups:
                group["lr"] = RATE * min(share / WARM_UP + 1e-3, (1 - share) / (1 - WARM_UP))
            losses.append(_step(network, Batch.of(batch), optimizer, bf16=bf16))
            done += sum(item.size for item in batch)
            if done >= tokens:
                break
    network.eval()
    return sum(losses[-RECENT:]) / max(1, len(losses[-RECENT:]))


def _step(network: Network, batch: Batch, optimizer: torch.optim.Optimizer, *, bf16: bool) -> float:
    with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
        read_BSD = network.encode(batch.source, batch.hint)
        states_BTD = network.decode(batch.before, read_BSD, batch.source)
        said_BT, any_BT = network.log_likelihood(states_BTD, read_BSD, batch.source, batch.pieces)
    counts_BT = batch.pieces != PAD
    loss = -((1 - SMOOTHING) * said_BT + SMOOTHING * any_BT)[counts_BT].mean()
    optimizer.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    nn.utils.clip_grad_norm_(network.parameters(), 1.0)
    optimizer.step()
    return float(loss.detach())


def _batches(items: Sequence[Item], order: random.Random) -> Iterator[list[Item]]:
    """All items once, those of like length together, the batches in random order."""
    ranked = sorted(items, key=lambda item: (len(item.target) // SPREAD, len(item.source) // SPREAD, order.random()))
    found: list[list[Item]] = [[]]
    longest_source = longest_target = 0
    for item in ranked:
        longest_source, longest_target = max(longest_source, len(item.source)), max(longest_target, len(item.target) + 1)
        if found[-1] and (len(found[-1]) + 1) * (longest_source + longest_target) > BATCH:
            found.append([])
            longest_source, longest_target = len(item.source), len(item.target) + 1
        found[-1].append(item)
    order.shuffle(found)
    yield from filter(None, found)


def _padded(rows: Sequence[Sequence[int]]) -> Tensor:
    width = max(map(len, rows))
    return torch.tensor([[*row, *[PAD] * (width - len(row))] for row in rows])
