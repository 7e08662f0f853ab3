"""Is the copy the same model? Two checks that run before an export counts: on logits, and on greedy answers."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from seshat.engines.model import Completion, LanguageModel
from seshat.examples import TRAINING, read_examples
from seshat.prompts import TASKS, Card, ChatTokenizer
from seshat.store import Store

if TYPE_CHECKING:
    import torch

    from seshat.engines.transformers_model import TransformersModel

PLAIN = (
    "Buenos días.",
    "¿Cómo te llamas?",
    "La casa es grande.",
    "El agua del río está fría.",
    "Mañana iremos al mercado.",
    "La abuela cuenta una historia.",
    "Tengo tres hermanos y una hermana.",
    "¿Dónde está el camino?",
    "El sol sale temprano.",
    "No sé qué hora es.",
    "Los niños juegan cerca del puente.",
    "Gracias por la comida.",
    "Hoy ha llovido mucho.",
)
"""What is asked, for every task, where there are not enough examples."""
PLACES = 8
"""At how many of a prompt's last places logits are compared: there a model has seen all of it, and a vocabulary is large."""


@dataclass(frozen=True)
class Drift:
    """How far the logits of two models are apart on the same tokens."""

    largest: float
    """The largest difference of a single logit."""
    agreement: float
    """The share of places with the same best token."""

    def __str__(self) -> str:
        return f"largest difference of a logit {self.largest:.4f}, same best token at {self.agreement:.1%} of places"


@dataclass(frozen=True)
class Parity:
    """How greedy answers of two engines to the same prompts compare."""

    total: int
    equal: int
    tied: int
    """Answers that part where the best two tokens are closer than a tie's width."""
    worst: float
    """The widest gap between best and chosen token where two answers part."""

    @property
    def holds(self) -> bool:
        """No answer differs other than by a tie."""
        return self.equal + self.tied == self.total

    def __str__(self) -> str:
        parted = self.total - self.equal
        ties = f", {self.tied} of the other {parted} at a tie (widest gap {self.worst:.4f})" if parted else ""
        return f"{self.equal} of {self.total} greedy answers equal{ties}"


def prompts(store: Store, card: Card, tokenizer: ChatTokenizer, count: int, room: int = 0) -> list[list[int]]:
    """Prompts for the checks, each once: translations spread evenly over the validation set, then whatever else there is.

    ``room`` is the most tokens that a prompt from an example may have; 0: any number.
    """
    chosen: dict[tuple[int, ...], None] = {}
    for messages in _messages(store, card):
        ids = (tuple(tokenizer.prompt(message)) for message in messages[:: max(1, len(messages) // (count - len(chosen)))])
        chosen.update(dict.fromkeys(itertools.islice((one for one in ids if not room or len(one) <= room), count - len(chosen))))
        if len(chosen) >= count:
            break
    return [list(ids) for ids in chosen]


def _messages(store: Store, card: Card) -> Iterator[list[str]]:
    """What may be asked, the best first."""
    for split in ("val", "train"):
        path = store.path(f"{TRAINING}/{split}.jsonl")
        examples = list(read_examples(path)) if os.path.isfile(path) else []
        yield [example.prompt for example in examples if example.task == "translation"]
        yield [example.prompt for example in examples if example.task != "translation"]
    source, target = card.language.bridge.code, card.language.code
    for task in TASKS:
        yield [card.prompts.instruction(task, text, language=card.language, source=source, target=target) for text in PLAIN]


def drift(before: Sequence[torch.Tensor], after: Sequence[torch.Tensor]) -> Drift:
    """Compare logits [T, V] of the same prompts; the second vocabulary may be padded."""
    import torch

    pairs = [(one, two[:, : one.shape[1]]) for one, two in zip(before, after, strict=True)]
    same = [(one.argmax(dim=1) == two.argmax(dim=1)).float() for one, two in pairs]
    apart = [(one - two).abs().max() for one, two in pairs]
    return Drift(
        largest=float(torch.stack(apart).max()),  # which is NaN if one is
        agreement=sum(float(places.sum()) for places in same) / sum(len(places) for places in same),
    )


def parity(
    model: TransformersModel,
    other: LanguageModel,
    asked: Sequence[Sequence[int]],
    *,
    stop: int,
    limit: int,
    near_tie: float,
) -> Parity:
    """Compare the greedy answers of ``other`` with those of ``model``; where two part, look how close the choice was."""
    ours = model.generate(asked, max_new_tokens=limit, stop=(stop,))
    theirs = other.generate(asked, max_new_tokens=limit, stop=(stop,))
    return compare(model, asked, ours, theirs, stop=stop, near_tie=near_tie)


def compare(
    model: TransformersModel,
    asked: Sequence[Sequence[int]],
    ours: Sequence[Completion],
    theirs: Sequence[Completion],
    *,
    stop: int,
    near_tie: float,
) -> Parity:
    """Compare the answers of ``model``, ours, with those of another; ``model`` is asked how close a choice was."""
    gaps = [
        _gap(model, prompt, _said(one, stop), _said(two, stop))
        for prompt, one, two in zip(asked, ours, theirs, strict=True)
        if _said(one, stop) != _said(two, stop)
    ]
    tied = sum(gap <= near_tie for gap in gaps)
    return Parity(total=len(asked), equal=len(asked) - len(gaps), tied=tied, worst=max(gaps, default=0.0))


def _said(completion: Completion, stop: int) -> tuple[int, ...]:
    return (*completion.ids, stop) if completion.finished else completion.ids


def _gap(model: TransformersModel, prompt: Sequence[int], one: tuple[int, ...], two: tuple[int, ...]) -> float:
    """How much better the model finds its own token than the other's, where the answers part."""
    same = sum(1 for _ in itertools.takewhile(lambda pair: pair[0] == pair[1], zip(one, two, strict=False)))
    if same >= min(len(one), len(two)):
        return float("inf")  # one goes on where the other was cut off: not a matter of rounding
    logits_V = model.logits([*prompt, *one[:same]], last=1)[-1]
    return float(logits_V[one[same]] - logits_V[two[same]])
