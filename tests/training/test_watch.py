"""The guide's table of common issues, seen in the curves."""

from __future__ import annotations

import math
import random

import pytest

from seshat.training.settings import Training
from seshat.training.watch import SLOW, GarbageWatch, Watch, too_slow

TRAINING = Training(learning_rate=2e-4, warmup_ratio=0.05, num_train_epochs=4)
TOTAL = 400


def falling(step: int, noise: float = 0.0) -> float:
    """A loss as it should be."""
    return 1.0 + 3.0 * math.exp(-step / 80) + noise


def said(losses: list[float], total: int = TOTAL) -> list[tuple[int, str]]:
    watch = Watch(TRAINING, total)
    return [(step, text) for step, loss in enumerate(losses, 1) for text in watch.after_step(step, loss)]


def test_a_loss_that_falls_says_nothing_however_noisy() -> None:
    noise = random.Random(1)
    assert said([falling(step, noise.gauss(0, 0.3)) for step in range(TOTAL)]) == []


@pytest.mark.parametrize("slope", [0.0, 0.001])
def test_a_loss_that_does_not_fall_is_said_once_with_the_rate_to_try(slope: float) -> None:
    noise = random.Random(1)
    [(step, text)] = said([4.0 + slope * step + noise.gauss(0, 0.02) for step in range(TOTAL)])
    assert step == 60
    assert "not fallen in 60 steps" in text
    assert "raise learning_rate from 0.0002 to 0.0004" in text


def test_a_long_run_is_given_its_warm_up_first() -> None:
    assert [step for step, _ in said([4.0] * 4_000, total=4_000)] == [600]


def test_spikes_are_said_when_there_are_three_with_their_steps() -> None:
    losses = [falling(step) for step in range(TOTAL)]
    for step in (100, 150, 200, 250):
        losses[step - 1] *= 3
    [(step, text)] = said(losses)
    assert step == 200
    assert "steps 100, 150, 200" in text
    assert "lower learning_rate from 0.0002 to 0.0001, or raise warmup_ratio from 0.05 to 0.1" in text


def test_one_spike_is_no_trouble() -> None:
    losses = [falling(step) for step in range(TOTAL)]
    losses[200] *= 5
    assert said(losses) == []


def validated(evals: list[float], losses: list[float]) -> list[tuple[int, str]]:
    """A validation every 20 steps."""
    watch, found = Watch(TRAINING, TOTAL), []
    for step, loss in enumerate(losses, 1):
        list(watch.after_step(step, loss))
        if step % 20 == 0:
            found += [(step, text) for text in watch.after_validation(step, evals[step // 20 - 1])]
    return found


def test_overfitting_is_a_rising_validation_loss_while_the_other_falls() -> None:
    losses = [falling(step) for step in range(TOTAL)]
    evals = [3.0, 2.5, 2.0, 2.01, 2.1, 2.2, 2.3, *[2.4] * 13]
    [(step, text)] = validated(evals, losses)
    assert step == 140
    assert "eval_loss was 2.000 at step 60, and 2.300 at step 140" in text
    assert "lower num_train_epochs from 4 to 0.6" in text


@pytest.mark.parametrize(
    "evals", [[3.0 - 0.1 * number for number in range(20)], [2.0, *[2.02] * 19], [2.0, 2.3, 1.9, 2.3, 1.8, *[1.8] * 15]]
)
def test_a_validation_loss_that_falls_or_wavers_is_no_overfitting(evals: list[float]) -> None:
    assert validated(evals, [falling(step) for step in range(TOTAL)]) == []


def test_where_both_losses_rise_it_is_something_else() -> None:
    assert not [text for _, text in validated([2.0 + 0.1 * number for number in range(20)], [2.0 + 0.01 * step for step in range(TOTAL)])]


def test_a_large_model_on_a_processor_is_slow() -> None:
    (text,) = too_slow("cpu", 14_800_000_000)
    assert "no GPU is in use for a model of 14.8 billion weights" in text
    assert not [*too_slow("cpu", SLOW - 1), *too_slow("cuda", 14_800_000_000)]


def test_another_phase_is_not_compared_with_the_one_before() -> None:
    """Its loss is another kind of loss: higher by far, and rightly so."""
    losses = [0.2 * falling(step) for step in range(100)] + [falling(step) for step in range(TOTAL - 100)]
    assert next(text for _, text in said(losses)).startswith("the loss has spikes (steps 101, 102, 103")
    watch = Watch(TRAINING, TOTAL, frozenset({100}))
    assert [text for step, loss in enumerate(losses, 1) for text in watch.after_step(step, loss)] == []


def test_garbage_is_named_once_and_not_of_the_first_checkpoint() -> None:
    good = {"ended": 1.0, "repeated": 0.0, "copied": 0.1}
    watch = GarbageWatch()
    assert not [*watch.after_scores(good | {"ended": 0.0})]
    (text,) = watch.after_scores(good | {"ended": 0.25})
    assert text.startswith("garbage output: only 25% of the translations end by themselves")
    assert not [*watch.after_scores(good | {"ended": 0.25})]
    said = [*watch.after_scores({"ended": 1.0, "repeated": 0.5, "copied": 0.9})]
    assert ["repeat themselves" in said[0], "copies of their source" in said[1]] == [True, True]
