"""What a person would see in the curves of a run, said while it goes on: each trouble once, with the setting to change.

The rules are those of the guide's table of common issues; every one compares the run with itself, so no loss is too high as such.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from statistics import fmean, median

from seshat.training.settings import Training

WINDOW = 20
"""Steps that a step is compared with."""
SPIKE = 2.0
"""A loss of so many times the median of the steps before is a spike ..."""
SPIKES = 3
"""... and so many of them are a trouble."""
FALLEN = 0.97
"""The loss has fallen if it is below this share of what it was in the beginning."""
PATIENCE = 0.1
"""The share of a run's steps, after the warm-up, in which it should have."""
FEWEST = 3 * WINDOW
"""Steps before which that is not asked."""
WORSE = 1.02
"""A validation loss of so many times the best one is worse ..."""
RISES = 3
"""... and so many of them in a row, while the training loss falls, are overfitting."""
SLOW = 500_000_000
"""Weights that are too many to train on a processor."""
CHANCES = 2
"""The checkpoint from which on garbage is a trouble."""
GARBAGE: tuple[tuple[str, Callable[[float], bool], str], ...] = (
    (
        "ended",
        lambda share: share < 0.7,
        "only {:.0%} of the translations end by themselves: compare a line of train.jsonl with the model's chat template, "
        "whose end of turn must follow every answer; or raise max_seq_length if many examples were left out",
    ),
    (
        "repeated",
        lambda share: share > 0.2,
        "{:.0%} of the translations repeat themselves: lower learning_rate or lora.r, or bring more varied data (make data-stats)",
    ),
    (
        "copied",
        lambda share: share > 0.3,
        "{:.0%} of the translations are copies of their source: look for pairs that are copies (make data-stats), raise num_train_epochs "
        "or lora.r, or take a larger model",
    ),
)
"""What translations show, when it is too much of it, and what to do."""


@dataclass
class Watch:
    """Sees every loss of a run, in order, from its first step or from where it went on."""

    training: Training
    total: int
    """Steps of the whole run."""
    starts: frozenset[int] = frozenset()
    """Steps that are done when another phase begins: its losses are not to be compared with those before."""
    _losses: list[float] = field(default_factory=list)
    _spikes: list[int] = field(default_factory=list)
    _validations: list[tuple[int, float, float]] = field(default_factory=list)
    """Step, validation loss, and training loss around it."""
    _said: set[str] = field(default_factory=set)

    def after_step(self, step: int, loss: float) -> Iterator[str]:
        """What is to be said after a step, counted from 1, with the mean loss of its target tokens."""
        if step - 1 in self.starts:
            self._losses.clear()
        before = self._losses[-WINDOW:]
        self._losses.append(loss)
        if len(before) == WINDOW and loss > SPIKE * median(before):
            self._spikes.append(step)
            if len(self._spikes) == SPIKES:
                yield from self._say("spikes", self._about_spikes())
        due = max(FEWEST, round((self.training.warmup_ratio + PATIENCE) * self.total))
        if len(self._losses) == due:
            first, last = fmean(self._losses[:WINDOW]), fmean(self._losses[-WINDOW:])
            if last > FALLEN * first:
                yield from self._say("flat", self._about_no_fall(first, last, due))

    def after_validation(self, step: int, loss: float) -> Iterator[str]:
        """What is to be said after a validation with this mean loss."""
        self._validations.append((step, loss, fmean(self._losses[-WINDOW:]) if self._losses else loss))
        best_step, best, trained = min(self._validations, key=lambda one: one[1])
        since = [one for one in self._validations if one[0] > best_step]
        if len(since) >= RISES and all(one[1] > WORSE * best for one in since[-RISES:]) and since[-1][2] < trained:
            yield from self._say("overfitting", self._about_overfitting(best_step, best, step, loss))

    def _say(self, trouble: str, text: str) -> Iterator[str]:
        if trouble not in self._said:
            self._said.add(trouble)
            yield text

    def _about_spikes(self) -> str:
        rate, warmup = self.training.learning_rate, self.training.warmup_ratio
        return (
            f"the loss has spikes (steps {', '.join(map(str, self._spikes))}, more than {SPIKE:g} times what it was): lower "
            f"learning_rate from {rate:g} to {rate / 2:g}, or raise warmup_ratio from {warmup:g} to {min(1.0, max(0.05, 2 * warmup)):g}"
        )

    def _about_no_fall(self, first: float, last: float, steps: int) -> str:
        rate = self.training.learning_rate
        return (
            f"the loss has not fallen in {steps:,} steps ({first:.3f}, then {last:.3f}): raise learning_rate from {rate:g} to {2 * rate:g} "
            "or look at the data (make data-stats): answers that do not follow from their prompts cannot be learnt"
        )

    def _about_overfitting(self, best_step: int, best: float, step: int, loss: float) -> str:
        planned = self.training.num_train_epochs
        fewer = f"num_train_epochs from {planned:g} to {planned * best_step / self.total:.2g}"
        return (
            f"overfitting: eval_loss was {best:.3f} at step {best_step:,}, and {loss:.3f} at step {step:,} while the training loss falls: "
            f"lower {'the epochs in phases' if self.training.phases else fewer} or lora.r below {self.training.lora.r}, or bring more data"
        )


class GarbageWatch:
    """Sees what the translations of every checkpoint look like."""

    def __init__(self) -> None:
        self._seen = 0
        self._said: set[str] = set()

    def after_scores(self, numbers: Mapping[str, float]) -> Iterator[str]:
        """What is to be said of translations with these shares; nothing of the first checkpoint, which may know too little."""
        self._seen += 1
        for name, is_bad, text in GARBAGE:
            if self._seen >= CHANCES and is_bad(numbers[name]) and name not in self._said:
                self._said.add(name)
                yield f"garbage output: {text.format(numbers[name])}"


def too_slow(device: str, num_weights: int) -> Iterator[str]:
    """What is to be said of a model of this size on this kind of device."""
    if device == "cpu" and num_weights >= SLOW:
        yield f"no GPU is in use for a model of {num_weights / 1e9:.1f} billion weights: look at make check-gpu, or take a smaller model"
