"""Curves, settings and data digests of a run in MLflow: ``mlflow ui`` in the workspace shows them."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from typing import Any

log = logging.getLogger(__name__)
DATABASE = "mlflow.db"
LONGEST = 500
"""MLflow refuses longer values of parameters."""


class Tracker:
    """One run in the workspace's ``mlflow.db``; a run that is started again goes on in the same one."""

    def __init__(self, root: str, name: str, fingerprint: str) -> None:
        """``fingerprint`` is what makes two starts the same run."""
        os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
        from mlflow.tracking import MlflowClient  # heavy

        logging.getLogger("alembic").setLevel(logging.WARNING)
        self._client: Any = MlflowClient(tracking_uri=f"sqlite:///{os.path.join(root, DATABASE)}")
        experiment = self._client.get_experiment_by_name("seshat")
        number = experiment.experiment_id if experiment else self._client.create_experiment("seshat", os.path.join(root, "mlruns"))
        found = self._client.search_runs([number], f"tags.fingerprint = '{fingerprint}'", max_results=1)
        run = found[0] if found else self._client.create_run(number, run_name=name, tags={"fingerprint": fingerprint})
        self._run: str = run.info.run_id
        self._is_new = not found
        self._client.update_run(self._run, status="RUNNING")

    def describe(self, settings: Mapping[str, Any], digests: Mapping[str, str]) -> None:
        """The effective configuration and the SHA-256 of the data, once for each run."""
        if self._is_new:
            for key, value in _flat(settings):
                self._client.log_param(self._run, key, str(value)[:LONGEST])
            for name, sha in digests.items():
                self._client.set_tag(self._run, f"sha256.{name}", sha)

    def log(self, step: int, numbers: Mapping[str, float]) -> None:
        """Points of the curves."""
        for name, value in numbers.items():
            self._client.log_metric(self._run, name, value, step=step)

    def remark(self, step: int, text: str) -> None:
        """Something that a person should know of the run."""
        self._client.set_tag(self._run, f"remark.{step}", text)

    def close(self, *, failed: bool = False) -> None:
        """The run has ended."""
        self._client.set_terminated(self._run, "FAILED" if failed else "FINISHED")


def _flat(settings: Mapping[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    pairs: list[tuple[str, Any]] = []
    for key, value in settings.items():
        pairs += _flat(value, f"{prefix}{key}.") if isinstance(value, Mapping) else [(f"{prefix}{key}", value)]
    return pairs
