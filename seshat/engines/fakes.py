"""Engines that are real code, deterministic, and need no weights: for tests, and to try the program's plumbing."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence

from seshat.engines.decoding import Decoding
from seshat.engines.model import Completion

Prompt = tuple[int, ...]


class TableModel:
    """A language model that knows some prompts by heart and repeats the others.

    Each known prompt has its answer, as ids with or without their end. An unknown prompt is answered with its own ids
    (those that ``echo`` picks from it), so that what comes out depends on what went in.
    """

    def __init__(
        self,
        answers: Mapping[Prompt, Sequence[int]] | None = None,
        *,
        echo: Callable[[Prompt], Sequence[int]] = tuple,
        probability: float = 0.5,
    ) -> None:
        """Every id is given the same ``probability``, so that confidences are known in advance."""
        self.answers = dict(answers or {})
        self.echo = echo
        self.probability = probability
        self.asked: list[Prompt] = []
        """All prompts so far, in the order in which they came."""

    def generate(self, prompts: Sequence[Sequence[int]], *, max_new_tokens: int, stop: Sequence[int]) -> list[Completion]:
        """The answers, cut at the first stop id or at the limit."""
        self.asked += [tuple(prompt) for prompt in prompts]
        return [self._complete(tuple(prompt), max_new_tokens, frozenset(stop)) for prompt in prompts]

    def candidates(
        self, prompts: Sequence[Sequence[int]], *, max_new_tokens: int, stop: Sequence[int], decoding: Decoding
    ) -> Iterator[tuple[int, list[Completion]]]:
        """A table is sure of itself: its candidates are all alike."""
        number = max(1, decoding.num_samples, decoding.num_beams if decoding.method == "mbr" else 1)
        for place, prompt in enumerate(prompts):
            yield place, self.generate([prompt], max_new_tokens=max_new_tokens, stop=stop) * number

    def _complete(self, prompt: Prompt, limit: int, stop: frozenset[int]) -> Completion:
        known = self.answers.get(prompt)
        ids = tuple(self.echo(prompt) if known is None else known)
        end = next((place for place, token in enumerate(ids) if token in stop), len(ids))
        said = min(end, limit)
        finished = end < limit  # the end needs a place, too
        logprob = math.log(self.probability) if said or finished else 0.0
        return Completion(ids=ids[:said], finished=finished, logprob=logprob)
