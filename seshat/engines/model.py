"""What a language model is to Seshat: token ids in, token ids out, greedily."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Completion:
    """What a model said."""

    ids: tuple[int, ...]
    """Without the token that ended it."""
    finished: bool
    """It ended by itself, not at the limit."""
    logprob: float
    """The mean natural log-probability of the ids and the end; 0.0 for an empty answer that did not end."""


class LanguageModel(Protocol):
    """A causal language model with its weights loaded."""

    def generate(self, prompts: Sequence[Sequence[int]], *, max_new_tokens: int, stop: Sequence[int]) -> list[Completion]:
        """One completion for each prompt, in order; greedy, equal for any batching up to rounding."""
        ...
