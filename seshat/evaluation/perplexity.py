"""How surprised a model is by text of the language: perplexity per token, and bits per character.

Perplexity depends on the vocabulary, so it compares only models with the same tokenizer; bits per character compare all.
"""

# T tokens, V vocabulary

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch

from seshat.config import Section
from seshat.prompts import ChatTokenizer

Logits = Callable[[Sequence[int]], torch.Tensor]
"""A model, as far as scoring needs it: ids to the logits [T, V] after each of them."""


class Perplexity(Section):
    """The surprise over some texts; the sums are kept, so that samples can be added up."""

    num_texts: int
    num_tokens: int
    num_characters: int
    nats: float
    """The sum of the negative natural log-probabilities of all tokens."""

    @property
    def per_token(self) -> float:
        """Between how many tokens the model hesitates, on average."""
        return math.exp(self.nats / max(1, self.num_tokens))

    @property
    def bits_per_character(self) -> float:
        """What a character of the text costs, whatever the vocabulary."""
        return self.nats / math.log(2) / max(1, self.num_characters)


def perplexity(logits: Logits, tokenizer: ChatTokenizer, asked: Sequence[tuple[str, str]]) -> Perplexity:
    """The surprise over texts, each given the message before it; the end of the turn is not counted, as no text has one."""
    nats, num_tokens = 0.0, 0
    for message, answer in asked:
        prompt, ids = tokenizer.prompt(message), tokenizer.text(answer)
        logits_TV = logits([*prompt, *ids[:-1]])[len(prompt) - 1 :]
        chosen_T = logits_TV.float().log_softmax(dim=-1).gather(1, torch.tensor(ids)[:, None])
        nats -= float(chosen_T.double().sum())
        num_tokens += len(ids)
    return Perplexity(
        num_texts=len(asked),
        num_tokens=num_tokens,
        num_characters=sum(len(answer) for _, answer in asked),
        nats=nats,
    )
