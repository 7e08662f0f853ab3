"""An encoder and a decoder (Vaswani et al., 2017) that share their embeddings, and a pointer to what was read.

A piece of the translation comes out of the vocabulary or is copied from the source, whose words stand there with their hints (See, Liu
and Manning, 2017, "Get To The Point"; Gu et al., 2016, "Incorporating Copying Mechanism in Sequence-to-Sequence Learning"). A network so
small learns to copy in minutes this way, and not at all from attention alone.
"""

# B sentences, S pieces of a source, T pieces of a translation, D width, V vocabulary

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchmarks.pointer.pieces import PAD

WIDTH, HEADS, INNER = 192, 4, 576
ENCODERS, DECODERS = 3, 2
LONGEST = 512
"""Pieces of a source or a translation that have a place."""
NEVER = -1e9


class Network(nn.Module):
    """About three million weights."""

    def __init__(self, vocabulary: int, dropout: float) -> None:
        super().__init__()
        shape = {"dim_feedforward": INNER, "dropout": dropout, "batch_first": True, "norm_first": True, "bias": False}
        self.embedding = nn.Embedding(vocabulary, WIDTH, padding_idx=PAD)
        self.is_hint = nn.Embedding(2, WIDTH)
        self.dropout = nn.Dropout(dropout)
        self.encoders = nn.ModuleList(nn.TransformerEncoderLayer(WIDTH, HEADS, **shape) for _ in range(ENCODERS))
        self.decoders = nn.ModuleList(nn.TransformerDecoderLayer(WIDTH, HEADS, **shape) for _ in range(DECODERS))
        self.read_norm, self.write_norm = nn.RMSNorm(WIDTH), nn.RMSNorm(WIDTH)
        self.asks, self.offers = nn.Linear(WIDTH, WIDTH, bias=False), nn.Linear(WIDTH, WIDTH, bias=False)
        self.copies = nn.Linear(WIDTH, 1)
        self.register_buffer("places", _places(), persistent=False)
        self._initialise()

    def encode(self, source_BS: Tensor, hint_BS: Tensor) -> Tensor:
        """What is read: [B, S, D]. ``hint_BS`` is 1 for pieces of hints, 0 for those of the sentence."""
        x_BSD = self._embed(source_BS) + self.is_hint(hint_BS)
        for layer in self.encoders:
            x_BSD = layer(x_BSD, src_key_padding_mask=source_BS == PAD)
        out: Tensor = self.read_norm(x_BSD)
        return out

    def decode(self, before_BT: Tensor, read_BSD: Tensor, source_BS: Tensor) -> Tensor:
        """The state behind each piece of a translation: [B, T, D]."""
        x_BTD = self._embed(before_BT)
        ahead_TT = nn.Transformer.generate_square_subsequent_mask(before_BT.shape[1])
        for layer in self.decoders:
            x_BTD = layer(x_BTD, read_BSD, tgt_mask=ahead_TT, tgt_is_causal=True, memory_key_padding_mask=source_BS == PAD)
        out: Tensor = self.write_norm(x_BTD)
        return out

    def log_likelihood(self, states_BTD: Tensor, read_BSD: Tensor, source_BS: Tensor, pieces_BT: Tensor) -> tuple[Tensor, Tensor]:
        """log p of each piece given, and the mean log p of all pieces of the vocabulary there: both [B, T]."""
        logits_BTV = self._logits(states_BTD)
        total_BT = logits_BTV.logsumexp(-1)
        written_BT = logits_BTV.gather(2, pieces_BT[..., None])[..., 0] - total_BT
        pointed_BTS, copy_BT1 = self._pointed(states_BTD, read_BSD, source_BS)
        elsewhere_BTS = source_BS[:, None, :] != pieces_BT[:, :, None]
        copied_BT = pointed_BTS.masked_fill(elsewhere_BTS, NEVER).logsumexp(-1)
        copy_BT = copy_BT1[..., 0]
        return torch.logaddexp(F.logsigmoid(-copy_BT) + written_BT, F.logsigmoid(copy_BT) + copied_BT), logits_BTV.mean(-1) - total_BT

    def probabilities(self, states_BTD: Tensor, read_BSD: Tensor, source_BS: Tensor) -> Tensor:
        """p of every piece behind each state: [B, T, V]."""
        pointed_BTS, copy_BT1 = self._pointed(states_BTD, read_BSD, source_BS)
        written_BTV = torch.sigmoid(-copy_BT1) * self._logits(states_BTD).softmax(-1)
        return written_BTV.scatter_add(2, source_BS[:, None, :].expand_as(pointed_BTS), torch.sigmoid(copy_BT1) * pointed_BTS.exp())

    def _embed(self, pieces_BT: Tensor) -> Tensor:
        out: Tensor = self.dropout(self.embedding(pieces_BT) * math.sqrt(WIDTH) + self.places[: pieces_BT.shape[1]])
        return out

    def _logits(self, states_BTD: Tensor) -> Tensor:
        return F.linear(states_BTD, self.embedding.weight).float()

    def _pointed(self, states_BTD: Tensor, read_BSD: Tensor, source_BS: Tensor) -> tuple[Tensor, Tensor]:
        """log p of each piece of the source, if one is copied: [B, T, S]; the logit that one is: [B, T, 1]."""
        scores_BTS = (self.asks(states_BTD) @ self.offers(read_BSD).transpose(1, 2)).float() / math.sqrt(WIDTH)
        return scores_BTS.masked_fill((source_BS == PAD)[:, None, :], NEVER).log_softmax(-1), self.copies(states_BTD).float()

    @torch.no_grad()
    def _initialise(self) -> None:
        """Layers begin as the identity; the pointer is used little at first."""
        for weight in self.parameters():
            if weight.dim() == 2:
                nn.init.normal_(weight, std=weight.shape[1] ** -0.5)
        self.embedding.weight[PAD] = 0
        for layer in (*self.encoders, *self.decoders):
            for name, weight in layer.named_parameters():
                if name.endswith(("out_proj.weight", "linear2.weight")):
                    weight.zero_()
        self.copies.bias.fill_(-1.0)


def _places() -> Tensor:
    """Sines and cosines: [LONGEST, D]."""
    angles = torch.arange(LONGEST)[:, None] * 10_000 ** (-torch.arange(0, WIDTH, 2) / WIDTH)
    return torch.cat([angles.sin(), angles.cos()], dim=1)
