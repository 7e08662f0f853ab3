"""What training cost: how well the model still knows the bridge language, against its base, in bits per character.

Learning one thing can undo another (McCloskey and Cohen, 1989, "Catastrophic Interference in Connectionist Networks"). Both models read
the same texts, so the difference is taken text by text and its interval is small.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import log
from typing import TYPE_CHECKING

import numpy as np

from seshat.config import Section
from seshat.prompts import ChatTokenizer
from seshat.translate import Translator

if TYPE_CHECKING:
    from seshat.evaluation.perplexity import Logits

RESAMPLES = 2_000


class Surprises(Section):
    """What each of some texts cost a model."""

    bits: tuple[float, ...]
    characters: tuple[int, ...]


class Forgetting(Section):
    """Bits per character of texts in the bridge language, before and after training."""

    num_texts: int
    before: float
    after: float
    low: float
    high: float
    """The 95 % bootstrap interval of the difference, after less before."""

    @property
    def change(self) -> float:
        """The change as a share of what it was: 0.1 is a tenth more bits."""
        return self.after / self.before - 1 if self.before else 0.0

    def sentence(self, name: str) -> str:
        """What a reader should know; ``name`` is the bridge language's."""
        figures = f"{self.before:.2f} bits a character before training, {self.after:.2f} after"
        if self.low > 0:
            return (
                f"The model has forgotten some {name}: {figures}, {self.change:.0%} more. If translations into {name} read badly, train "
                "for fewer epochs (`training.num_train_epochs`), more slowly (`training.learning_rate`) or with a smaller adapter "
                "(`training.lora.r`)."
            )
        verdict = f"The model knows {name} better than before" if self.high < 0 else f"No sign that the model has forgotten {name}"
        return f"{verdict}: {figures}."


def read_by(translator: Translator, asked: Sequence[tuple[str, str]]) -> Surprises | None:
    """What a model finds of some texts; None without texts, or if it tells no logits."""
    logits = getattr(translator.model, "logits", None)
    return surprises(logits, translator.tokenizer, asked) if asked and logits is not None else None


def surprises(logits: Logits, tokenizer: ChatTokenizer, asked: Sequence[tuple[str, str]]) -> Surprises:
    """What a model finds of each text, given the message before it (``cases.continuations``)."""
    from seshat.evaluation.perplexity import perplexity  # torch

    found = [perplexity(logits, tokenizer, [one]) for one in asked]
    return Surprises(bits=tuple(one.nats / log(2) for one in found), characters=tuple(one.num_characters for one in found))


def forgetting(before: Surprises | None, after: Surprises | None, *, seed: int = 12345) -> Forgetting | None:
    """The change from the base to the trained model on the same texts; None if not both read some."""
    if before is None or after is None:
        return None
    if before.characters != after.characters:
        raise ValueError(f"{len(before.characters)} and {len(after.characters)} texts: both models must have read the same ones")
    if not any(before.characters):
        return None
    table = np.array([before.bits, after.bits, before.characters], dtype=np.float64)
    draws = np.random.default_rng(seed).integers(0, table.shape[1], size=(RESAMPLES, table.shape[1]))
    sums = table[:, draws].sum(axis=2)
    low, high = np.percentile((sums[1] - sums[0]) / sums[2], [2.5, 97.5])
    total = table.sum(axis=1)
    return Forgetting(
        num_texts=table.shape[1], before=float(total[0] / total[2]), after=float(total[1] / total[2]), low=float(low), high=float(high)
    )
