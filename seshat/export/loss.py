"""What smaller files lose: their translations of the validation set beside those of F16, by chrF++."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from seshat.engines.llamacpp import LlamaCppModel
from seshat.evaluation.metrics import statistics
from seshat.hints import Knowledge
from seshat.prompts import Card, ChatTokenizer
from seshat.records import Example
from seshat.translate import Translator

log = logging.getLogger(__name__)
MOST = {"F16": 0.0, "Q8_0": 0.5}
"""How much chrF++ a kind may lose against F16."""
MOST_OF_OTHERS = 2.0


@dataclass(frozen=True, slots=True)
class Loss:
    """What a file loses."""

    score: float
    """chrF++ of its translations."""
    lost: float
    """By how much that is below F16; negative if it is above."""
    n: int
    most: float

    @property
    def holds(self) -> bool:
        """True if it loses no more than it may."""
        return self.lost <= self.most

    def __str__(self) -> str:
        return f"chrF++ {self.score:.1f} on {self.n} sentences of val, {-self.lost:+.1f} beside F16 (at least {-self.most:+.1f})"


def losses(files: Mapping[str, str], folder: str, card: Card, examples: Iterable[Example], *, most: int, threads: int) -> dict[str, Loss]:
    """What each of the files loses, F16 among them; ``folder`` has the tokenizer, and ``most`` sentences are translated.

    Empty if there is no translation among the examples.
    """
    asked = _evenly([one for one in examples if one.task == "translation" and not one.synthetic], most)
    if not asked:
        return {}
    tokenizer, knowledge = ChatTokenizer.load(folder), Knowledge.read(folder, card.hints)
    references = [one.answer for one in asked]
    scores = {}
    for kind, path in files.items():
        model = LlamaCppModel(path, threads=threads, context=2 * card.max_seq_length)
        said = _translated(Translator(model, tokenizer, card, knowledge), asked)
        scores[kind] = statistics("chrf++", said, references).corpus()
    return {kind: Loss(score, scores["F16"] - score, len(asked), MOST.get(kind, MOST_OF_OTHERS)) for kind, score in scores.items()}


def _translated(translator: Translator, asked: list[Example]) -> list[str]:
    said: dict[int, str] = {}
    for direction in dict.fromkeys(one.direction for one in asked):
        source, _, target = direction.partition("-")
        places = [place for place, one in enumerate(asked) if one.direction == direction]
        made = translator.translate([asked[place].source for place in places], source, target)
        said.update(zip(places, (one.text for one in made), strict=True))
    return [said[place] for place in range(len(asked))]


def _evenly(examples: list[Example], most: int) -> list[Example]:
    """At most so many, as many of each direction."""
    directions = list(dict.fromkeys(one.direction for one in examples))
    return [
        one
        for direction in directions
        for one in [example for example in examples if example.direction == direction][: max(1, most // len(directions))]
    ]
