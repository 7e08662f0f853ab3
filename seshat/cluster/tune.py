"""A search over training settings with Ray Tune: every trial is a whole run with an adapter of its own, judged on the validation set.

The Ray Tune experiment is new with every start. What is remembered is the study (``search.py``) and the trials' adapters and
checkpoints, so the same command goes on where it was killed.
"""

from __future__ import annotations

import csv
import fcntl
import io
import json
import logging
import os
import shutil
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch

from seshat.cluster.board import Here
from seshat.cluster.data import do_step
from seshat.cluster.evaluator import Evaluator, sample
from seshat.cluster.events import Event
from seshat.cluster.placement import require
from seshat.cluster.search import END, NUMBER, REASON, STEP, VALUE, Judge, Ledger, Overrides, Search, Trial, num_trials
from seshat.config import to_yaml
from seshat.engines.download import BASES
from seshat.errors import ConfigError, SeshatError, StoreError
from seshat.language import Language
from seshat.preview import about_to_make
from seshat.prompts import Prompts
from seshat.records import digest
from seshat.rights import Rights
from seshat.stage import PATIENCE, Resources
from seshat.step import Outcome, outcome
from seshat.store import Manifest, Store
from seshat.training import candidates, run
from seshat.training.phases import num_steps
from seshat.training.settings import TUNING, Tuning, with_overrides
from seshat.training.strategy import Place
from seshat.working_copy import address_of, discard, fetch, publish

log = logging.getLogger(__name__)
VERSION = 2


@dataclass(frozen=True)
class Plan:
    """All that the workers need to know; it travels by pickle."""

    tuning: Tuning
    language: Language
    prompts: Prompts
    root: str
    rights: Rights | None
    gpus: float

    @property
    def folder(self) -> str:
        """Where results go, in the workspace."""
        return f"{TUNING}/{self.tuning.name}"

    def prepare(self, number: int, overrides: Overrides) -> run.Job:
        """The run of a trial: one worker, in the trial's own process, with as many rows in a step as the whole training has."""
        training = with_overrides(self.tuning.training, overrides)
        own: dict[str, Any] = {
            "name": f"{self.tuning.name}-trial-{number}",
            "num_workers": 1,
            "gradient_accumulation_steps": training.rows_per_step // training.per_device_train_batch_size,
        }
        if self.tuning.metric != candidates.METRIC:
            own["evaluator"] = training.evaluator.model_copy(update={"sample": 0})
        return run.prepare(training.model_copy(update=own), self.language, self.prompts, Store(self.root), self.rights)


def tune(
    tuning: Tuning, language: Language, prompts: Prompts, store: Store, rights: Rights | None = None, patience: float = PATIENCE
) -> Outcome:
    """Run the trials, and write ``trials.csv`` and ``best.yaml`` (a file that ``train`` takes) to ``models/tuning/<name>``.

    There must be a Ray session.
    """
    started = time.monotonic()
    plan = Plan(tuning, language, prompts, store.root, rights, _gpus(tuning, patience))
    make = partial(do_step, store=store, execution="ray", patience=patience)
    job = run.prepare(tuning.training, language, prompts, store, rights, make)
    if job.validation is None:
        raise StoreError(
            "data/training/val.jsonl is empty, and tune compares its trials on it: set format.val higher and run 'make format'"
        )
    settings = tuning.model_dump_json(exclude={"training", "num_trials", "cpus_per_trial", "gpus_per_trial"})
    study = digest("tune", VERSION, settings, job.fingerprint)
    fingerprint = digest(study, num_trials(tuning))
    done = store.done(plan.folder, fingerprint)
    if done:
        return outcome(done, done_before=True, note=f"{plan.folder}/best.yaml")
    about_to_make("tune", plan.folder, store)
    _warn_if_too_late(tuning, num_steps(tuning.training, job.rows.spans))
    with _alone(store.path(plan.folder)):
        ledger = Ledger(tuning, f"{store.path(plan.folder)}/study.db", study)
        if not ledger.over:
            _run(plan, ledger, store)
        manifest = _finish(plan, ledger, fingerprint, store)
    note = f"{plan.folder}/best.yaml  {tuning.metric} {manifest.notes[tuning.metric]}"
    return outcome(manifest, seconds=time.monotonic() - started, note=note)


def _gpus(tuning: Tuning, patience: float) -> float:
    """The GPUs of a trial; an error if no node of the cluster has what a trial asks for, nor comes."""
    import ray

    wants = ray.cluster_resources().get("GPU", 0) >= 1 if tuning.training.use_gpu == "auto" else tuning.training.use_gpu
    gpus = float(wants) if tuning.gpus_per_trial == "auto" else tuning.gpus_per_trial
    asked = Resources(cpus=tuning.cpus_per_trial, gpus=gpus)
    require("tune", asked, patience, {"CPU": "tuning.cpus_per_trial", "GPU": "tuning.gpus_per_trial"})
    return gpus


def _warn_if_too_late(tuning: Tuning, total: int) -> None:
    first = tuning.grace * tuning.training.eval_steps
    if tuning.early_stopping and first >= total:
        log.warning(
            f"tune: early_stopping stops nothing: a run has {total} steps and the first decision is after {first}: "
            "lower training.eval_steps or tuning.grace"
        )


@contextmanager
def _alone(folder: str) -> Iterator[None]:
    """Refuse to work on a search that another process works on; the lock goes when the process does."""
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "lock"), "w", encoding="utf-8") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StoreError(f"{folder} is being worked on by another tune: wait for it, or set another tuning.name") from None
        yield


def _run(plan: Plan, ledger: Ledger, store: Store) -> None:
    """Let Ray Tune train what the ledger asks for, until it asks for no more."""
    from ray import tune as ray_tune

    tuning, path = plan.tuning, store.path(plan.folder)
    log.info("tune: %d trials over %s by %s", num_trials(tuning), ", ".join(tuning.search), tuning.metric)
    os.environ.setdefault("TUNE_PRINT_ALL_TRIAL_ERRORS", "0")  # the line with the reason is enough
    os.environ.setdefault("TUNE_DISABLE_SIGINT_HANDLER", "1")  # Ctrl-C may end the driver at any moment
    shutil.rmtree(f"{path}/ray", ignore_errors=True)  # what a driver left that died
    there = Store(address_of(path))
    for file in there.names("ray"):
        there.remove(file)
    trainable = ray_tune.with_resources(_attempt, {"cpu": tuning.cpus_per_trial, "gpu": plan.gpus})
    ray_tune.Tuner(
        ray_tune.with_parameters(trainable, plan=plan),
        tune_config=ray_tune.TuneConfig(
            search_alg=Search(ledger, plan.prepare), scheduler=Judge(ledger), num_samples=num_trials(tuning), reuse_actors=False
        ),
        run_config=ray_tune.RunConfig(
            name="ray",
            storage_path=there.root,
            verbose=0,
            failure_config=ray_tune.FailureConfig(max_failures=tuning.training.max_failures),
        ),
    ).fit()
    if not ledger.over:
        raise KeyboardInterrupt  # Ray Tune ends quietly when it is asked to by a signal


def _attempt(config: dict[str, Any], plan: Plan) -> None:
    """What Ray runs for a trial, and again if its worker is lost. An error that is meant for the user is not tried again."""
    from ray import tune as ray_tune

    try:
        last = _train(config[NUMBER], config["overrides"], plan)
    except SeshatError as error:
        last = {REASON: str(error)}
    ray_tune.report({NUMBER: config[NUMBER], **last})


def _train(number: int, overrides: Overrides, plan: Plan) -> dict[str, Any]:
    """Train a trial's adapter, or go on with it, or find that it is there; what is to be reported at the end."""
    from ray import tune as ray_tune

    metric, store = plan.tuning.metric, Store(plan.root)
    fetch(*(store.path(name) for name in (*run.READ, BASES)))
    job = plan.prepare(number, overrides)
    total = num_steps(job.training, job.rows.spans)

    def tell(event: Event) -> None:
        found = event.numbers | event.scores
        if metric in found and event.step < total:
            ray_tune.report({NUMBER: number, STEP: event.step, VALUE: found[metric]})

    numbers: dict[str, float] = {}
    fetch(store.path(job.folder))
    manifest = store.done(job.folder, job.fingerprint)
    if manifest is None:
        torch.set_num_threads(max(1, int(plan.tuning.cpus_per_trial)))
        _clear(job)
        device = torch.device("cuda" if plan.gpus else "cpu")
        evaluator = Evaluator(job, device) if sample(job) else None
        numbers = run.work(job, Place(device=device), Here(tell, evaluator, threading.Event()))
        manifest = run.finish(job, numbers)
        publish(store.path(job.folder))
    value = manifest.notes.get(metric, numbers.get(metric))  # rounded as in the manifest, whichever way it was come by
    return {END: True, STEP: total, **({} if value is None else {VALUE: float(value)})}


def _clear(job: run.Job) -> None:
    """Clear away what another search of the same name left under this number."""
    try:
        run.start(job)
    except ConfigError as error:
        log.info("tune: %s", error)
        discard(job.checkpoints)
        run.start(job)


def _finish(plan: Plan, ledger: Ledger, fingerprint: str, store: Store) -> Manifest:
    """Write the table and the best settings; an error if there are none."""
    tuning, trials = plan.tuning, ledger.trials
    complete = [(trial.value, trial) for trial in trials if trial.state == "complete" and trial.value is not None]
    sign = -1 if tuning.metric == "chrf++" else 1
    best = min(complete, key=lambda pair: (sign * pair[0], pair[1].number))[1] if complete else None
    table = store.write(f"{plan.folder}/trials.csv", _table(tuning, trials, best).encode())
    if best is None:
        ledger.forget()
        reason = next(trial.reason for trial in reversed(trials) if trial.reason)
        raise SeshatError(f"tune: all {len(trials)} trials failed, the last because: {reason}. All reasons are in {store.path(table.path)}")
    settings = with_overrides(tuning.training, best.overrides)
    files = (table, store.write(f"{plan.folder}/best.yaml", to_yaml(settings).encode()))
    others = {state: sum(trial.state == state for trial in trials) for state in ("pruned", "failed")}
    manifest = Manifest(
        stage="tune",
        fingerprint=fingerprint,
        files=files,
        settings=to_yaml(tuning),
        rows_in=len(trials),
        kept=len(complete),
        rejected={state: count for state, count in others.items() if count},
        notes={tuning.metric: f"{best.value:.4f}", "best": json.dumps(best.overrides)},
    )
    store.finish(plan.folder, manifest)
    return manifest


def _table(tuning: Tuning, trials: Sequence[Trial], best: Trial | None) -> str:
    """A row for each trial."""
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(["trial", *tuning.search, tuning.metric, "step", "state", "reason", "best"])
    for trial in trials:
        value = "" if trial.value is None else f"{trial.value:.4f}"
        overrides = [trial.overrides[key] for key in tuning.search]
        writer.writerow([trial.number, *overrides, value, trial.step, trial.state, trial.reason, "*" if trial is best else ""])
    return table.getvalue()
