"""What a language model is to Seshat: token ids in, token ids out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from seshat.engines.decoding import Decoding


@dataclass(frozen=True, slots=True)
class Request:
    """A prompt to be completed."""

    ids: tuple[int, ...]
    limit: int
    """The most tokens of the answer, its end among them."""


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


@runtime_checkable
class CandidateModel(Protocol):
    """A language model that can search for answers, and tells each prompt's as soon as they are known."""

    def candidates(
        self, prompts: Sequence[Sequence[int]], *, max_new_tokens: int, stop: Sequence[int], decoding: Decoding
    ) -> Iterator[tuple[int, list[Completion]]]:
        """Yield the place of each prompt with its completions, in the order in which they end.

        That is one for ``greedy``, the best one for ``beam``, and for ``mbr`` all that it has to choose from. They do not depend
        on the other prompts, up to rounding; the log-probabilities are the model's own, whatever the temperature.
        """
        ...


@runtime_checkable
class RequestModel(Protocol):
    """Stands in for a language model where many prompts come at once, each with its own limit."""

    def complete(self, requests: Sequence[Request], *, stop: Sequence[int]) -> list[Completion]:
        """One completion for each request, in order."""
        ...
