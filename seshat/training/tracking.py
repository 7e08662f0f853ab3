"""The diary of a run in MLflow: plain ``mlflow ui --port 5000`` in the workspace shows it.

The store is ``mlflow.db``; texts (the configuration, samples of translations) lie in ``mlartifacts/`` beside it. They are not in
``mlruns/``, because MLflow passes over the database where that folder holds runs of its own. Nothing here is a model, or a pickle.
A page that cannot be written is warned about, and the run goes on.
"""

from __future__ import annotations

import glob
import json
import logging
import os
import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from typing import Any

from seshat.config import Section, to_yaml
from seshat.errors import SeshatError, StoreError
from seshat.examples import TRAINING
from seshat.language import Language
from seshat.prompts import Card, Prompts
from seshat.store import Store
from seshat.training.settings import Training

log = logging.getLogger(__name__)
DATABASE, ARTIFACTS, EXPERIMENT = "mlflow.db", "mlartifacts", "seshat"
CONFIGURATION = "configuration.yaml"
SCORES = "score/"
"""Before the names of scores, which MLflow's page then shows together."""
LONGEST, LONGEST_TAG = 500, 5000
"""Longer values of parameters and tags are cut; the configuration's file has them whole."""
PATIENCE = 30.0
"""Seconds to wait for somebody else who writes into the database."""


class Effective(Section):
    """The settings that a run depends on; written as YAML, it is a configuration that ``make train`` takes."""

    training: Training
    language: Language
    prompts: Prompts


class Tracker:
    """One run in the workspace's ``mlflow.db``; a run that is started again goes on in the same one."""

    def __init__(self, root: str, name: str, fingerprint: str) -> None:
        """``fingerprint`` is what makes two starts the same run."""
        os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
        from mlflow.exceptions import MlflowException  # heavy
        from mlflow.tracking import MlflowClient
        from sqlalchemy.exc import SQLAlchemyError

        for noisy in ("alembic", "mlflow.store.db.utils"):
            logging.getLogger(noisy).setLevel(logging.WARNING)
        self._root, self._database = root, os.path.join(root, DATABASE)
        self._faults = (MlflowException, SQLAlchemyError, StoreError, sqlite3.Error, OSError)
        self._remarks: dict[int, list[str]] = {}
        try:
            self._client: Any = MlflowClient(tracking_uri=f"sqlite:///{self._database}")
            number = _experiment(self._client, os.path.join(root, ARTIFACTS))
            self._adopt(number)
            found = self._client.search_runs([number], f"tags.fingerprint = '{fingerprint}'", max_results=1)
            run = found[0] if found else self._client.create_run(number, run_name=name, tags={"fingerprint": fingerprint})
            self._client.update_run(run.info.run_id, status="RUNNING")
        except self._faults as error:
            raise SeshatError(
                f"{self._database} cannot be written ({_first_line(error)}): move it away, or set training.tracking=false"
            ) from None
        self._run: str = run.info.run_id
        self._texts = Store(run.info.artifact_uri)
        self._known: dict[str, str] = dict(run.data.params)
        self._stale = bool(found)
        """Points of an earlier start are still to be compared with where this one begins."""
        if glob.glob(os.path.join(glob.escape(root), "mlruns", "[0-9]*", "meta.yaml")):
            log.warning(
                "tracking: plain 'mlflow ui' in %s shows older runs from mlruns/ instead of this one: move that folder away, "
                "or add --backend-store-uri sqlite:///%s",
                root,
                DATABASE,
            )

    @property
    def run_id(self) -> str:
        """MLflow's name of the run."""
        return self._run

    def describe(self, training: Training, card: Card, facts: Mapping[str, str]) -> None:
        """The effective configuration, the SHA-256 of data and base, and ``facts`` of this start (see ``provenance``)."""
        from mlflow.entities import Param, RunTag  # heavy

        settings = {key: str(value)[:LONGEST] for key, value in _flat(training.model_dump())}
        new = [Param(key, value) for key, value in settings.items() if key not in self._known]  # MLflow changes none that it has
        tags = {**_digests(card, Store(self._root)), **facts}
        with self._going_on("the configuration"):
            self._client.log_batch(self._run, params=new, tags=[RunTag(key, value[:LONGEST_TAG]) for key, value in tags.items()])
            effective = Effective(training=training, language=card.language, prompts=card.prompts)
            self._texts.write(CONFIGURATION, to_yaml(effective).encode())

    def log(self, step: int, numbers: Mapping[str, float]) -> None:
        """Points of the curves. Those that an earlier start left at this step and after it are replaced."""
        from mlflow.entities import Metric  # heavy

        now = int(time.time() * 1000)
        with self._going_on(f"the numbers of step {step}"):
            if self._stale and numbers:
                self._forget(step)
                self._stale = False
            self._client.log_batch(self._run, metrics=[Metric(name, value, now, step) for name, value in numbers.items()])

    def scores(self, step: int, numbers: Mapping[str, float]) -> None:
        """Scores of the weights of a step: given once, so they stay when the steps after a checkpoint are done again."""
        from mlflow.entities import Metric  # heavy

        now = int(time.time() * 1000)
        named = {f"{SCORES}{name.replace('+', 'p')}": value for name, value in numbers.items()}  # MLflow knows no plus sign
        with self._going_on(f"the scores of step {step}"):
            self._client.log_batch(self._run, metrics=[Metric(name, value, now, step) for name, value in named.items()])

    def samples(self, step: int, rows: Sequence[tuple[str, str, str]]) -> None:
        """What the model says at a step: rows of source, reference and hypothesis, as a JSON table."""
        table = {"columns": ["source", "reference", "hypothesis"], "data": [list(row) for row in rows]}
        with self._going_on(f"the samples of step {step}"):
            self._texts.write(f"samples/step-{step:06d}.json", json.dumps(table, ensure_ascii=False, indent=1).encode())

    def remark(self, step: int, text: str) -> None:
        """Something that a person should know of the run."""
        said = self._remarks.setdefault(step, [])
        said.append(text)
        with self._going_on(f"a remark on step {step}"):
            self._client.set_tag(self._run, f"remark.{step}", " | ".join(said)[:LONGEST_TAG])

    def close(self, *, failed: bool = False) -> None:
        """The run has ended."""
        with self._going_on("the end of the run"):
            self._client.set_terminated(self._run, "FAILED" if failed else "FINISHED")

    def _adopt(self, number: str) -> None:
        """Say where the artifacts are now if the workspace was moved or copied; MLflow keeps full paths."""
        old = self._client.get_experiment(number).artifact_location
        if os.path.dirname(old) == self._root:
            return
        new = os.path.join(self._root, os.path.basename(old))
        with closing(sqlite3.connect(self._database, timeout=PATIENCE)) as connection, connection:
            connection.execute("UPDATE experiments SET artifact_location = ? WHERE experiment_id = ?", (new, int(number)))
            connection.execute(
                "UPDATE runs SET artifact_uri = ? || substr(artifact_uri, ?) WHERE experiment_id = ? AND substr(artifact_uri, 1, ?) = ?",
                (new, len(old) + 1, int(number), len(old) + 1, f"{old}/"),
            )
        log.info("tracking: %s was moved from %s: its texts are looked for here", self._database, old)

    def _forget(self, step: int) -> None:
        """Delete the run's points from a step on, which MLflow itself cannot: they are of steps that are done once more."""
        run = {"run": self._run, "step": step, "scores": f"{SCORES}%"}
        with closing(sqlite3.connect(self._database, timeout=PATIENCE)) as connection, connection:
            connection.execute("DELETE FROM metrics WHERE run_uuid = :run AND step >= :step AND key NOT LIKE :scores", run)
            connection.execute("DELETE FROM latest_metrics WHERE run_uuid = :run", run)
            connection.execute(
                "INSERT INTO latest_metrics (key, value, timestamp, step, is_nan, run_uuid) "
                "SELECT key, value, timestamp, MAX(step), is_nan, run_uuid FROM metrics WHERE run_uuid = :run GROUP BY key",
                run,
            )

    @contextmanager
    def _going_on(self, what: str) -> Iterator[None]:
        """A diary that is locked, or a full disk, is no reason to lose hours of training."""
        try:
            yield
        except self._faults as error:
            log.warning("tracking: %s could not be written into %s (%s); the run goes on", what, self._database, _first_line(error))


def _experiment(client: Any, artifacts: str) -> str:
    """The number of our experiment; one that a person has deleted on the page is taken back."""
    from mlflow.exceptions import MlflowException  # heavy

    experiment = client.get_experiment_by_name(EXPERIMENT)
    if experiment is None:
        try:
            return str(client.create_experiment(EXPERIMENT, artifacts))
        except MlflowException:  # another run has just made it
            experiment = client.get_experiment_by_name(EXPERIMENT)
            if experiment is None:
                raise
    if experiment.lifecycle_stage == "deleted":
        client.restore_experiment(experiment.experiment_id)
    return str(experiment.experiment_id)


def _digests(card: Card, store: Store) -> dict[str, str]:
    """SHA-256 of the data and the base, and of the manifest of the data if it vouches for them."""
    found = {f"sha256.{name}": sha for name, sha in card.data.items()}
    if card.base_sha256:
        found["sha256.base"] = card.base_sha256
    manifest = store.manifest(TRAINING)
    if manifest:
        vouched = {os.path.basename(file.path): file.sha256 for file in manifest.files}
        if card.data and card.data.items() <= vouched.items():
            found[f"sha256.{TRAINING}/manifest.json"] = store.vouch(f"{TRAINING}/manifest.json").sha256
    return found


def _flat(settings: Mapping[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    pairs: list[tuple[str, Any]] = []
    for key, value in settings.items():
        pairs += _flat(value, f"{prefix}{key}.") if isinstance(value, Mapping) else [(f"{prefix}{key}", value)]
    return pairs


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).split("\n")[0]
