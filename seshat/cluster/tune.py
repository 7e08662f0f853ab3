"""A search over training settings with Ray Tune: every trial is a whole run, judged by its loss on the validation set."""

from __future__ import annotations

import csv
import io
import itertools
import json
import logging
import random
import time
from typing import Any

import torch

from seshat.cluster.data import do_step
from seshat.config import to_yaml
from seshat.errors import SeshatError, StoreError
from seshat.language import Language
from seshat.prompts import Prompts
from seshat.records import digest
from seshat.rights import Rights
from seshat.step import Outcome, outcome
from seshat.store import Manifest, Store
from seshat.training import run
from seshat.training.loop import Listener
from seshat.training.pack import Make
from seshat.training.settings import TUNING, Training, Tuning, Value, with_overrides
from seshat.training.strategy import Place

log = logging.getLogger(__name__)
VERSION = 1
METRIC = "eval_loss"
Overrides = dict[str, Value]


def tune(tuning: Tuning, language: Language, prompts: Prompts, store: Store, rights: Rights | None = None) -> Outcome:
    """Run the trials, and write ``trials.csv`` and ``best.yaml`` (a file that ``train`` takes) to ``models/tuning/<name>``.

    There must be a Ray session.
    """
    started, folder = time.monotonic(), f"{TUNING}/{tuning.name}"
    job = run.prepare(tuning.training, language, prompts, store, rights, _packer(store))
    if job.validation is None:
        raise StoreError(
            "data/training/val.jsonl is empty, and tune compares its trials on it: set format.val higher and run 'make format'"
        )
    settings = tuning.model_dump_json(exclude={"cpus_per_trial", "gpus_per_trial"})
    fingerprint = digest("tune", VERSION, settings, job.fingerprint)
    done = store.done(folder, fingerprint)
    if done:
        return outcome(done, done_before=True, note=f"{folder}/best.yaml")
    trials = combinations(tuning)
    log.info("tune: %d trials over %s", len(trials), ", ".join(tuning.search))
    losses = _run(tuning, trials, language, prompts, store, rights)
    manifest = _finish(tuning, trials, losses, fingerprint, folder, store)
    return outcome(manifest, seconds=time.monotonic() - started, note=f"{folder}/best.yaml  {METRIC} {manifest.notes[METRIC]}")


def combinations(tuning: Tuning) -> list[Overrides]:
    """The trials: all combinations of the values, or as many of them as were asked for, drawn with the seed."""
    every = [dict(zip(tuning.search, values, strict=True)) for values in itertools.product(*tuning.search.values())]
    if len(every) <= tuning.num_trials:
        return every
    chosen = random.Random(tuning.seed).sample(range(len(every)), tuning.num_trials)
    return [every[index] for index in sorted(chosen)]


def _run(tuning: Tuning, trials: list[Overrides], language: Language, prompts: Prompts, store: Store,
         rights: Rights | None) -> list[float | None]:  # fmt: skip
    """The validation loss of each trial; None for one that failed, which does not stop the others."""
    from ray import tune as ray_tune

    trainings = [_trial(tuning, number, overrides) for number, overrides in enumerate(trials)]
    jobs = [run.prepare(training, language, prompts, store, rights, _packer(store)) for training in trainings]
    trainable = ray_tune.with_resources(_attempt, {"cpu": tuning.cpus_per_trial, "gpu": tuning.gpus_per_trial})
    results = ray_tune.Tuner(
        ray_tune.with_parameters(trainable, jobs=jobs, threads=max(1, int(tuning.cpus_per_trial))),
        param_space={"number": ray_tune.grid_search(list(range(len(trials))))},
        run_config=ray_tune.RunConfig(
            name="ray", storage_path=store.path(f"{TUNING}/{tuning.name}"), verbose=0, failure_config=ray_tune.FailureConfig(max_failures=0)
        ),
    ).fit()
    losses: list[float | None] = [None] * len(trials)
    for result in results:
        if result.error:
            log.warning("tune: a trial failed: %s", str(result.error).strip().splitlines()[-1])
        elif result.metrics:
            losses[result.metrics["config"]["number"]] = result.metrics[METRIC]
    if not any(loss is not None for loss in losses):
        raise SeshatError(f"tune: all {len(trials)} trials failed; the last error of each is in {store.path(TUNING)}/{tuning.name}/ray")
    return losses


def _packer(store: Store) -> Make:
    return lambda step: do_step(step, store, "ray")


def _trial(tuning: Tuning, number: int, overrides: Overrides) -> Training:
    """A trial's settings: one worker, in the trial's own process."""
    changed = with_overrides(tuning.training, overrides)
    return changed.model_copy(update={"name": f"{tuning.name}-trial-{number}", "num_workers": 1})


def _attempt(config: dict[str, Any], jobs: list[run.Job], threads: int) -> None:
    """What Ray runs for a trial."""
    from ray import tune as ray_tune

    job = jobs[config["number"]]
    torch.set_num_threads(threads)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    run.start(job)
    numbers = run.work(job, Place(device=device), Listener())
    run.finish(job, numbers)
    ray_tune.report({METRIC: numbers[METRIC]})


def _finish(tuning: Tuning, trials: list[Overrides], losses: list[float | None], fingerprint: str, folder: str, store: Store) -> Manifest:
    best, loss = min(((number, loss) for number, loss in enumerate(losses) if loss is not None), key=lambda pair: pair[1])
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(["trial", *tuning.search, METRIC, "best"])
    for number, (overrides, value) in enumerate(zip(trials, losses, strict=True)):
        writer.writerow([number, *overrides.values(), "failed" if value is None else f"{value:.4f}", "*" if number == best else ""])
    settings = with_overrides(tuning.training, trials[best])
    files = (
        store.write(f"{folder}/trials.csv", table.getvalue().encode()),
        store.write(f"{folder}/best.yaml", to_yaml(settings).encode()),
    )
    failed = sum(value is None for value in losses)
    manifest = Manifest(
        stage="tune",
        fingerprint=fingerprint,
        files=files,
        settings=to_yaml(tuning),
        rows_in=len(trials),
        kept=len(trials) - failed,
        rejected={"failed": failed} if failed else {},
        notes={METRIC: f"{loss:.4f}", "best": json.dumps(trials[best])},
    )
    store.finish(folder, manifest)
    return manifest
