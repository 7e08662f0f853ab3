"""What is tried next, and the study that remembers it: without Ray, and with a driver that dies between any two lines."""

from __future__ import annotations

import itertools
import math
from pathlib import Path
from statistics import fmean
from types import SimpleNamespace

import pytest

from seshat.cluster.search import (
    NUMBER,
    STARTUP,
    STEP,
    VALUE,
    Judge,
    Ledger,
    Search,
    _distributions,
    combinations,
    num_trials,
    propose,
    worth,
)
from seshat.config import load
from seshat.errors import ConfigError, StoreError
from seshat.training.settings import Training, Tuning

LISTS = {"learning_rate": [1e-4, 2e-4, 4e-4], "lora.r": [8, 16]}
RANGES = {"learning_rate": {"low": 1e-5, "high": 1e-3, "log": True}, "lora.r": {"low": 4, "high": 64}}


def tuning(**changes: object) -> Tuning:
    return Tuning.model_validate({"search": LISTS, "num_trials": 4, "training": Training(eval_steps=10)} | changes)


def opened(path: Path, settings: Tuning) -> Ledger:
    """The study as a driver finds it that has just been started."""
    return Ledger(settings, str(path / "study.db"), "study")


def loss(overrides: dict[str, object]) -> float:
    """A loss that is lowest at a rate of 1e-4."""
    return abs(math.log10(float(str(overrides["learning_rate"]))) + 4)


def search(path: Path, settings: Tuning, *, restarts: bool = False) -> list[dict[str, object]]:
    """Begin and complete all trials, one after the other; a driver may be started anew before every step."""
    ledger, found = opened(path, settings), []
    while True:
        ledger = opened(path, settings) if restarts else ledger
        suggested = ledger.next()
        if suggested is None:
            return found
        number, overrides = suggested
        found.append(overrides)
        ledger = opened(path, settings) if restarts else ledger
        ledger.complete(number, 10, loss(overrides))


def proposals(settings: Tuning, count: int) -> list[tuple[dict[str, object], float]]:
    """What is proposed, and its loss, if each trial knows all before it."""
    import optuna

    found: list[tuple[dict[str, object], float]] = []
    before: list[optuna.trial.FrozenTrial] = []
    for number in range(count):
        overrides = propose(settings, number, before)
        found.append((overrides, loss(overrides)))
        before.append(optuna.trial.create_trial(params=overrides, distributions=_distributions(settings), value=found[-1][1]))
    return found


@pytest.mark.heavy
@pytest.mark.parametrize(("algorithm", "space"), [("grid", LISTS), ("random", LISTS), ("random", RANGES), ("tpe", LISTS), ("tpe", RANGES)])
def test_a_search_tries_the_same_settings_again_and_none_twice(tmp_path: Path, algorithm: str, space: dict[str, object]) -> None:
    settings = tuning(algorithm=algorithm, search=space, num_trials=8)
    folders = [tmp_path / name for name in ("once", "restarted")]
    for folder in folders:
        folder.mkdir()
    once = search(folders[0], settings)
    assert once == search(folders[1], settings, restarts=True)
    assert len(once) == len({str(overrides) for overrides in once}) == num_trials(settings) == (6 if space is LISTS else 8)
    other = settings.model_copy(update={"seed": 2})
    assert once != [overrides for overrides, _ in proposals(other, len(once))]


def test_a_range_gives_numbers_of_its_kind() -> None:
    found = [overrides for overrides, _ in proposals(tuning(algorithm="random", search=RANGES), 20)]
    rates, ranks = [overrides["learning_rate"] for overrides in found], [overrides["lora.r"] for overrides in found]
    assert all(type(rank) is int and 4 <= rank <= 64 for rank in ranks)
    assert all(type(rate) is float and 1e-5 <= rate <= 1e-3 for rate in rates)
    assert 5 <= sum(rate < 1e-4 for rate in rates) <= 15, "with log, half of the draws are in the lower decade"


@pytest.mark.heavy
def test_tpe_comes_nearer_to_the_best_than_chance_does() -> None:
    losses: dict[str, list[float]] = {"random": [], "tpe": []}
    for algorithm, seed in itertools.product(losses, range(4)):
        found = proposals(tuning(algorithm=algorithm, search=RANGES, seed=seed), 20)
        losses[algorithm] += [value for _, value in found[STARTUP:]]
    assert fmean(losses["tpe"]) < 0.8 * fmean(losses["random"])


def test_a_grid_holds_every_combination_and_more_trials_begin_with_the_same(tmp_path: Path) -> None:
    every = combinations(tuning())
    assert {(overrides["learning_rate"], overrides["lora.r"]) for overrides in every} == {
        (rate, rank) for rate in LISTS["learning_rate"] for rank in LISTS["lora.r"]
    }
    assert search(tmp_path, tuning(num_trials=2)) == every[:2]
    assert search(tmp_path, tuning(num_trials=50)) == every[2:], "raising num_trials goes on"


def test_a_trial_that_was_suggested_before_a_kill_is_suggested_again(tmp_path: Path) -> None:
    first = opened(tmp_path, tuning())
    suggested = [first.next(), first.next()]
    first.complete(0, 10, 1.0)
    second = opened(tmp_path, tuning())
    assert not second.over
    assert second.next() == suggested[1]
    following = second.next()
    assert following is not None
    assert following[0] == 2
    assert [trial.state for trial in second.trials] == ["complete", "running", "running"]


def test_a_trial_that_has_ended_is_not_told_again(tmp_path: Path) -> None:
    ledger = opened(tmp_path, tuning())
    ledger.next()
    ledger.complete(0, 10, 1.0)
    ledger.complete(0, 20, 7.0)
    ledger.fail(0, "too late")
    assert ledger.report(0, 30, 9.0), "whoever still trains it is to stop"
    assert [(trial.state, trial.value, trial.step, trial.reason) for trial in ledger.trials] == [("complete", 1.0, 10, "")]


def test_a_failed_trial_keeps_the_last_line_of_its_reason(tmp_path: Path) -> None:
    ledger = opened(tmp_path, tuning())
    ledger.next()
    ledger.report(0, 10, 3.0)
    ledger.fail(0, "Traceback:\n  somewhere\nValueError: no\n")
    [trial] = opened(tmp_path, tuning()).trials
    assert (trial.state, trial.value, trial.step, trial.reason) == ("failed", None, 10, "ValueError: no")


@pytest.mark.parametrize(("metric", "expected"), [("eval_loss", 2.0), ("chrf++", 3.0)])
def test_a_trial_is_worth_its_last_loss_and_its_best_chrf(tmp_path: Path, metric: str, expected: float) -> None:
    assert worth(metric, {}) is None
    assert worth(metric, {20: 3.0, 30: 2.0, 10: 1.0}) == expected
    ledger = opened(tmp_path, tuning(metric=metric))
    ledger.next()
    ledger.report(0, 10, 3.0)
    opened(tmp_path, tuning(metric=metric)).complete(0, 20, 2.0)
    assert ledger.trials[0].value == expected


def test_a_metric_that_no_run_reports_ends_the_search(tmp_path: Path) -> None:
    ledger = opened(tmp_path, tuning(metric="chrf++"))
    ledger.next()
    ledger.complete(0, 10, None)
    assert ledger.trials[0].reason.startswith("the run reported no chrf++: set tuning.metric to eval_loss")
    assert ledger.next() is None
    assert ledger.over


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_value_that_is_no_number_is_a_failure(tmp_path: Path, value: float) -> None:
    ledger = opened(tmp_path, tuning())
    ledger.next()
    ledger.complete(0, 10, value)
    assert (ledger.trials[0].state, ledger.trials[0].reason) == ("failed", f"eval_loss is {value}")


@pytest.mark.parametrize(("metric", "behind"), [("eval_loss", 9.0), ("chrf++", 0.5)])
def test_a_trial_that_is_behind_is_stopped_also_after_a_restart(tmp_path: Path, metric: str, behind: float) -> None:
    settings = tuning(metric=metric, early_stopping=True, grace=2, reduction_factor=2)
    ledger = opened(tmp_path, settings)
    for number, value in enumerate((1.0, 1.1)):
        ledger.next()
        ledger.report(number, 20, value)
        ledger.complete(number, 40, value)
    ledger = opened(tmp_path, settings)
    ledger.next()
    assert not ledger.report(2, 10, behind), "not before grace * eval_steps = 20 steps"
    assert ledger.report(2, 20, behind)
    assert [(trial.state, trial.step) for trial in ledger.trials][2] == ("pruned", 20)
    ledger.next()
    unhurried = opened(tmp_path, settings.model_copy(update={"early_stopping": False}))
    assert not unhurried.report(3, 20, behind)


def test_what_cannot_be_prepared_fails_alone(tmp_path: Path) -> None:
    def prepare(number: int, overrides: dict[str, object]) -> None:
        if number == 0:
            raise StoreError("the disk is full: make room")

    ledger = opened(tmp_path, tuning(num_trials=2))
    searcher = Search(ledger, prepare)
    assert searcher.suggest("a") == {NUMBER: 1, "overrides": combinations(tuning())[1]}
    assert ledger.trials[0].reason == "the disk is full: make room"
    assert searcher.suggest("b") == Search.FINISHED


def test_the_judge_fails_a_trial_only_when_ray_does_not_start_it_again(tmp_path: Path) -> None:
    ledger = opened(tmp_path, tuning())
    ledger.next()
    judge = Judge(ledger)
    assert judge.on_trial_result(None, None, {NUMBER: 0, STEP: 10, VALUE: 2.0}) == "CONTINUE"
    for again, state in ((True, "running"), (False, "failed")):
        judge.on_trial_error(
            None, SimpleNamespace(config={NUMBER: 0}, should_recover=lambda again=again: again, get_error=lambda: "out of memory")
        )
        assert ledger.trials[0].state == state


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["search={learning_rate: {low: 1e-5, high: 1e-3}}"], "learning_rate is a range of fractions, and a grid needs lists"),
        (["search={lora.r: {low: 64, high: 4}}"], r"search.lora.r.*low: 64 is not below high: 4"),
        (["search={lora.r: {low: 0, high: 4, log: true}}"], "log: true needs a low above 0"),
        (["search={lora.r: {low: 4, heigh: 8}}"], r"search.lora.r.*heigh: unknown key"),
        (["search={lora.r: {low: 0, high: 8}}"], "lora.r: input should be greater than or equal to 1"),
        (["search={lora.r: []}"], "has no values to try"),
        (["search={lora.r: [8, 8]}"], "names a value twice"),
        (["algorithm=bayes"], "input should be 'grid', 'random' or 'tpe'"),
        (["metric=bleu"], r"input should be 'eval_loss' or 'chrf\+\+'"),
    ],
)
def test_a_search_that_cannot_be_is_refused(overrides: list[str], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load(Tuning, None, overrides)


def test_a_range_of_whole_numbers_may_be_a_grid() -> None:
    settings = load(Tuning, None, ["search={lora.r: {low: 4, high: 6}, learning_rate: [1e-4, 2e-4]}", "num_trials=100"])
    assert num_trials(settings) == len(combinations(settings)) == 6
