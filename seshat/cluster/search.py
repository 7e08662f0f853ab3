"""Which settings to try next, and the study on disk that remembers what was tried: a kill at any moment loses no trial.

A trial is in the study, with all its settings and in one transaction, before it is trained, and has an end there only after its
adapter is committed. What is proposed, and who is stopped early, depends on the study alone, so a new start goes on as if nothing
had happened. (Ray's own ASHAScheduler forgets its rungs when the driver dies.)
"""

from __future__ import annotations

import itertools
import logging
import math
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from textwrap import shorten
from typing import Any, Literal

from ray.tune.schedulers import FIFOScheduler, TrialScheduler
from ray.tune.search import Searcher

from seshat.errors import SeshatError
from seshat.records import digest
from seshat.training.settings import Range, Tuning, Value, choices
from seshat.working_copy import publish

log = logging.getLogger(__name__)
Overrides = dict[str, Value]
State = Literal["running", "complete", "pruned", "failed"]
NUMBER, STEP, VALUE, REASON, END = "number", "step", "value", "reason", "end"
"""What a trial reports: its number and, as it goes on, a step with the metric's value; at its end that it ended, or why it failed."""
STARTUP = 5
"""Trials that are random before TPE has something to learn from."""
LONGEST = 300
"""Characters of a reason: Ray says much when a worker dies."""
REDRAWS = 20
"""Draws that may repeat an earlier trial before the first combination is taken that was not tried."""


@dataclass(frozen=True)
class Trial:
    """What the study knows of a trial."""

    number: int
    overrides: Overrides
    state: State
    value: float | None
    step: int
    """Of the last validation that was reported."""
    reason: str


def num_trials(tuning: Tuning) -> int:
    """How many trials there will be: no more than there are combinations."""
    return min(tuning.num_trials, tuning.num_combinations or tuning.num_trials)


def combinations(tuning: Tuning) -> list[Overrides]:
    """All combinations of lists and of ranges of whole numbers, in an order drawn with the seed."""
    lists = [values for values in map(choices, tuning.search.values()) if values is not None]
    every = list(itertools.product(*lists))
    random.Random(tuning.seed).shuffle(every)
    return [dict(zip(tuning.search, values, strict=True)) for values in every]


def propose(tuning: Tuning, number: int, before: Sequence[Any]) -> Overrides:
    """The settings of a trial, given the study's trials before it: the same again whenever it is asked."""
    import optuna

    if tuning.algorithm == "grid":
        return combinations(tuning)[number]
    study = optuna.create_study(direction=_direction(tuning))  # in memory: a draw that is not taken leaves no trace
    study.add_trials(before)
    tried = [trial.params for trial in before]
    for draw in range(REDRAWS):
        seed = int(digest("draw", tuning.seed, number, draw)[:8], 16)
        guided = tuning.algorithm == "tpe"
        study.sampler = optuna.samplers.TPESampler(n_startup_trials=STARTUP, seed=seed) if guided else optuna.samplers.RandomSampler(seed)
        overrides = dict(study.ask(_distributions(tuning)).params)
        if overrides not in tried:
            return overrides
    rest = combinations(tuning) if tuning.num_combinations else []
    return next((one for one in rest if one not in tried), overrides)


def worth(metric: str, values: Mapping[int, float]) -> float | None:
    """What a trial counts, by its values at each step: the last loss, because that adapter is kept, or the best chrF++."""
    if not values:
        return None
    return max(values.values()) if metric == "chrf++" else values[max(values)]


class Ledger:
    """The study of one search. There must be only one driver that writes to it."""

    def __init__(self, tuning: Tuning, path: str, name: str) -> None:
        """``path`` is an SQLite file; ``name`` is of everything that the trials depend on, so that another search is another study."""
        import optuna

        optuna.logging.set_verbosity(optuna.logging.WARNING)
        logging.getLogger("alembic").setLevel(logging.WARNING)
        self._tuning, self._path = tuning, path
        self._storage: Any = optuna.storages.RDBStorage(f"sqlite:///{path}")
        self._study: Any = optuna.create_study(
            storage=self._storage,
            study_name=name,
            direction=_direction(tuning),
            load_if_exists=True,
            sampler=optuna.samplers.RandomSampler(),
        )
        self._pruner = optuna.pruners.SuccessiveHalvingPruner(tuning.grace * tuning.training.eval_steps, tuning.reduction_factor)
        self._id = self._storage.get_study_id_from_name(name)
        self._left = [trial.number for trial in self.trials if trial.state == "running"]

    @property
    def trials(self) -> list[Trial]:
        """All that were begun, in order."""
        return [_trial(found) for found in self._study.trials[: num_trials(self._tuning)]]

    @property
    def over(self) -> bool:
        """True if no trial is running and none is to come."""
        trials = self.trials
        return all(trial.state != "running" for trial in trials) and (len(trials) == num_trials(self._tuning) or self._useless())

    def next(self) -> tuple[int, Overrides] | None:
        """The next trial to train, those first that a driver left when it died; None if there are no more."""
        import optuna

        if self._left:
            number = self._left.pop(0)
            return number, _trial(self._found(number)).overrides
        before = self._study.trials
        if len(before) >= num_trials(self._tuning) or self._useless():
            return None
        overrides = propose(self._tuning, len(before), before)
        state = optuna.trial.TrialState.RUNNING
        self._study.add_trial(optuna.trial.create_trial(state=state, params=overrides, distributions=_distributions(self._tuning)))
        publish(self._path)
        return len(before), overrides

    def report(self, number: int, step: int, value: float) -> bool:
        """Write down what a trial is worth at a step; True if it is to be stopped, because it is behind or at its end."""
        import optuna

        if not self._runs(number):
            return True
        self._put(number, step, value)
        if not self._tuning.early_stopping or not self._pruner.prune(self._study, self._found(number)):
            return False
        self._study.tell(number, state=optuna.trial.TrialState.PRUNED)
        self._say(number)
        return True

    def complete(self, number: int, step: int, value: float | None) -> None:
        """A trial has come to its end; its adapter is committed."""
        if not self._runs(number):
            return
        metric = self._tuning.metric
        if value is not None:
            self._put(number, step, value)
        last = worth(metric, self._found(number).intermediate_values)
        if last is None:
            self._study.set_user_attr("useless", True)
            self.fail(number, f"the run reported no {metric}: set tuning.metric to eval_loss, or have the run report {metric}")
        elif not math.isfinite(last):
            self.fail(number, f"{metric} is {last}")
        else:
            self._study.tell(number, last)
            self._say(number)

    def fail(self, number: int, reason: str) -> None:
        """A trial has failed; that does not stop the others."""
        import optuna

        if not self._runs(number):
            return
        lines = reason.strip().splitlines() or ["no reason was given"]
        self._storage.set_trial_user_attr(self._key(number), REASON, shorten(lines[-1], LONGEST, placeholder=" …"))
        self._study.tell(number, state=optuna.trial.TrialState.FAIL)
        self._say(number)

    def forget(self) -> None:
        """Delete the study: the next start is a first one."""
        self._storage.delete_study(self._id)

    def _useless(self) -> bool:
        """A run came to its end without the metric; so would the others."""
        return bool(self._study.user_attrs.get("useless"))

    def _put(self, number: int, step: int, value: float) -> None:
        self._storage.set_trial_intermediate_value(self._key(number), step, value)
        publish(self._path)

    def _key(self, number: int) -> int:
        key: int = self._storage.get_trial_id_from_study_id_trial_number(self._id, number)
        return key

    def _found(self, number: int) -> Any:
        return self._storage.get_trial(self._key(number))

    def _runs(self, number: int) -> bool:
        return _trial(self._found(number)).state == "running"

    def _say(self, number: int) -> None:
        publish(self._path)
        trial, metric = _trial(self._found(number)), self._tuning.metric
        what = trial.reason or f"{metric} {trial.value:.4f} at step {trial.step}"
        log.log(logging.WARNING if trial.reason else logging.INFO, "tune: trial %d %s: %s", number, trial.state, what)


class Search(Searcher):
    """What Ray Tune asks for the next trial."""

    def __init__(self, ledger: Ledger, prepare: Callable[[int, Overrides], object]) -> None:
        """``prepare`` makes what a trial needs and others may share; a trial for which it fails has failed."""
        super().__init__()
        self._ledger, self._prepare = ledger, prepare

    def suggest(self, trial_id: str) -> dict[str, Any] | str:
        """The configuration of a trial, or that there are no more."""
        for number, overrides in iter(self._ledger.next, None):
            try:
                self._prepare(number, overrides)
            except SeshatError as error:
                self._ledger.fail(number, str(error))
            else:
                return {NUMBER: number, "overrides": overrides}
        return str(Searcher.FINISHED)

    def on_trial_complete(self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False) -> None:
        """Nothing: the judge has seen it."""

    def save(self, checkpoint_path: str) -> None:
        """Nothing: the study is on disk."""


class Judge(FIFOScheduler):
    """What Ray Tune tells about every trial, in the order of the reports."""

    def __init__(self, ledger: Ledger) -> None:
        super().__init__()
        self._ledger = ledger

    def on_trial_result(self, tune_controller: Any, trial: Any, result: dict[str, Any]) -> str:
        """Write down what was reported, and stop a trial that is behind."""
        number, stop = result[NUMBER], False
        if REASON in result:
            self._ledger.fail(number, result[REASON])
        elif END in result:
            self._ledger.complete(number, result[STEP], result.get(VALUE))
        else:
            stop = self._ledger.report(number, result[STEP], result[VALUE])
        return str(TrialScheduler.STOP if stop else TrialScheduler.CONTINUE)

    def on_trial_error(self, tune_controller: Any, trial: Any) -> None:
        """The worker has died or raised something unexpected; Ray may start it again."""
        if trial.should_recover():
            log.warning("tune: trial %d goes on from its newest checkpoint, on a new worker", trial.config[NUMBER])
        else:
            self._ledger.fail(trial.config[NUMBER], trial.get_error() or "the worker died")


def _direction(tuning: Tuning) -> str:
    return "maximize" if tuning.metric == "chrf++" else "minimize"


def _distributions(tuning: Tuning) -> dict[str, Any]:
    from optuna import distributions

    found: dict[str, Any] = {}
    for key, space in tuning.search.items():
        if not isinstance(space, Range):
            found[key] = distributions.CategoricalDistribution(space)
        elif isinstance(space.low, int) and isinstance(space.high, int):
            found[key] = distributions.IntDistribution(space.low, space.high, log=space.log)
        else:
            found[key] = distributions.FloatDistribution(space.low, space.high, log=space.log)
    return found


def _trial(found: Any) -> Trial:
    state: State = {"RUNNING": "running", "COMPLETE": "complete", "PRUNED": "pruned"}.get(found.state.name, "failed")  # type: ignore[assignment]
    return Trial(found.number, dict(found.params), state, found.value, found.last_step or 0, found.user_attrs.get(REASON, ""))
