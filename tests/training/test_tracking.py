"""The diary of a run: what it carries, that a restart goes on in it, and that plain ``mlflow ui`` shows it."""

from __future__ import annotations

import json
import logging
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from seshat.cluster.train import train
from seshat.config import load_text
from seshat.errors import SeshatError
from seshat.prompts import Card
from seshat.store import Manifest, Store
from seshat.training.provenance import facts, revision
from seshat.training.tracking import ARTIFACTS, CONFIGURATION, DATABASE, Effective, Tracker
from tests.training.tiny import LANGUAGE, PROMPTS, settings

pytestmark = pytest.mark.heavy
PROJECT = Path(__file__).resolve().parents[2]
CARD = Card(name="t", language=LANGUAGE, prompts=PROMPTS, base="models/base/small", base_sha256="ab" * 32)
ROWS = [("La mujer canta.", "Waru taki.", 'Waru |taki, "ʼ"\n.'), ("Hoy.", "Kunan.", "")]


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace whose database is made: that takes seconds."""
    root = tmp_path_factory.mktemp("template")
    Tracker(str(root), "first", "first").close()
    return root


@pytest.fixture
def root(template: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(template, tmp_path / "workspace"))


def client(root: Path) -> Any:
    from mlflow.tracking import MlflowClient

    return MlflowClient(f"sqlite:///{root / DATABASE}")


def points(root: Path, run: str, name: str = "loss") -> list[tuple[int, float]]:
    return [(point.step, point.value) for point in client(root).get_metric_history(run, name)]


def test_a_run_carries_configuration_data_code_and_machine(root: Path) -> None:
    store = Store(str(root))
    train = store.write("data/training/train.jsonl", b"x\n")
    store.finish("data/training", Manifest(stage="training-data", fingerprint="f", files=(train,)))
    training = settings(name="carries", learning_rate=3e-4)
    card = CARD.model_copy(update={"data": {"train.jsonl": train.sha256}})
    tracker = Tracker(str(root), training.name, "carries")
    tracker.describe(training, card, facts(torch.device("cpu"), 2))
    tracker.close()
    run = client(root).get_run(tracker.run_id)
    assert run.info.run_name == "carries"
    assert {run.data.params[key] for key in ("lora.r", "learning_rate", "strategy")} == {"8", "0.0003", "auto"}
    assert run.data.tags["sha256.train.jsonl"] == train.sha256
    assert run.data.tags["sha256.data/training/manifest.json"] == store.vouch("data/training/manifest.json").sha256
    assert run.data.tags["sha256.base"] == "ab" * 32
    assert run.data.tags["world_size"] == "2"
    assert run.data.tags["package.torch"] in run.data.tags["hardware.torch"]
    assert int(run.data.tags["hardware.cores"]) == os.cpu_count()
    assert run.data.tags["hardware.memory"].endswith(" GiB")
    written = (root / ARTIFACTS / tracker.run_id / "artifacts" / CONFIGURATION).read_text(encoding="utf-8")
    assert load_text(Effective, written, CONFIGURATION) == Effective(training=training, language=LANGUAGE, prompts=PROMPTS)


def test_a_manifest_of_other_data_is_not_named(root: Path) -> None:
    store = Store(str(root))
    store.finish("data/training", Manifest(stage="x", fingerprint="f", files=(store.write("data/training/train.jsonl", b"x\n"),)))
    tracker = Tracker(str(root), "other", "other")
    tracker.describe(settings(), CARD.model_copy(update={"data": {"train.jsonl": "0" * 64}}), {})
    tags = client(root).get_run(tracker.run_id).data.tags
    assert [key for key in sorted(tags) if key.startswith("sha256.")] == ["sha256.base", "sha256.train.jsonl"]


def test_samples_are_a_table_of_text(root: Path) -> None:
    tracker = Tracker(str(root), "samples", "samples")
    tracker.samples(200, ROWS)
    tracker.samples(200, ROWS[:1])
    tracker.samples(200, ROWS)
    tracker.samples(400, ROWS)
    folder = root / ARTIFACTS / tracker.run_id / "artifacts" / "samples"
    assert sorted(path.name for path in folder.iterdir()) == ["step-000200.json", "step-000400.json"]
    table = json.loads((folder / "step-000200.json").read_text(encoding="utf-8"))
    assert [dict(zip(table["columns"], row, strict=True)) for row in table["data"]] == [
        {"source": source, "reference": reference, "hypothesis": hypothesis} for source, reference, hypothesis in ROWS
    ]
    assert [file.path for file in client(root).list_artifacts(tracker.run_id, "samples")] == [
        "samples/step-000200.json",
        "samples/step-000400.json",
    ]


def test_a_killed_run_goes_on_in_the_same_run_and_the_later_numbers_count(root: Path) -> None:
    killed = Tracker(str(root), "killed", "killed")
    killed.describe(settings(), CARD, {"hardware.device": "one"})
    for step in range(1, 8):
        killed.log(step, {"loss": 100.0 + step, "speed": 1.0} | ({"eval_loss": 50.0 + step} if step % 3 == 0 else {}))
    assert client(root).get_run(killed.run_id).info.status == "RUNNING"
    del killed  # and nobody closes it
    again = Tracker(str(root), "killed", "killed")
    again.describe(settings(logging_steps=7), CARD, {"hardware.device": "two"})
    again.log(5, {})
    again.log(5, {"loss": 5.0})
    between = client(root).get_run(again.run_id)
    assert between.info.status == "RUNNING"
    assert between.data.metrics == {"loss": 5.0, "speed": 1.0, "eval_loss": 53.0}
    again.log(6, {"loss": 6.0, "eval_loss": 0.5})
    again.close()
    found = client(root).search_runs([client(root).get_experiment_by_name("seshat").experiment_id], "tags.fingerprint = 'killed'")
    assert [(run.info.run_id, run.info.status) for run in found] == [(again.run_id, "FINISHED")]
    assert points(root, again.run_id) == [(1, 101.0), (2, 102.0), (3, 103.0), (4, 104.0), (5, 5.0), (6, 6.0)]
    assert points(root, again.run_id, "eval_loss") == [(3, 53.0), (6, 0.5)]
    assert found[0].data.tags["hardware.device"] == "two"
    assert found[0].data.params["logging_steps"] == "1", "MLflow keeps the parameters of the first start"
    assert "logging_steps: 7" in (root / ARTIFACTS / again.run_id / "artifacts" / CONFIGURATION).read_text()


def test_another_run_keeps_its_numbers(root: Path) -> None:
    first = Tracker(str(root), "a", "a")
    first.log(3, {"loss": 3.0})
    for _ in range(2):
        Tracker(str(root), "b", "b").log(2, {"loss": 2.0})
    assert points(root, first.run_id) == [(3, 3.0)]


@pytest.mark.parametrize(("failed", "status"), [(False, "FINISHED"), (True, "FAILED")])
def test_a_failed_run_says_so_until_it_is_started_again(root: Path, failed: bool, status: str) -> None:
    tracker = Tracker(str(root), "ends", "ends")
    tracker.close(failed=failed)
    assert client(root).get_run(tracker.run_id).info.status == status
    assert Tracker(str(root), "ends", "ends").run_id == tracker.run_id
    assert client(root).get_run(tracker.run_id).info.status == "RUNNING"


def test_two_remarks_on_a_step_are_both_kept(root: Path) -> None:
    tracker = Tracker(str(root), "remarks", "remarks")
    tracker.remark(4, "slow")
    tracker.remark(4, "flat")
    assert client(root).get_run(tracker.run_id).data.tags["remark.4"] == "slow | flat"


def test_a_workspace_that_was_moved_keeps_its_texts(root: Path, tmp_path: Path) -> None:
    before = Tracker(str(root), "moved", "moved")
    before.samples(1, ROWS)
    moved = tmp_path / "elsewhere"
    root.rename(moved)
    after = Tracker(str(moved), "moved", "moved")
    after.samples(2, ROWS)
    assert after.run_id == before.run_id
    assert len(client(moved).list_artifacts(after.run_id, "samples")) == 2
    assert not root.exists(), "something was written to where the workspace was"


def test_an_experiment_that_was_deleted_on_the_page_is_taken_back(root: Path) -> None:
    client(root).delete_experiment(client(root).get_experiment_by_name("seshat").experiment_id)
    tracker = Tracker(str(root), "back", "back")
    assert client(root).get_run(tracker.run_id).info.status == "RUNNING"


def test_a_locked_or_broken_diary_does_not_stop_the_run(
    root: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("seshat.training.tracking.PATIENCE", 0.1)
    Tracker(str(root), "locked", "locked").log(1, {"loss": 1.0})
    tracker = Tracker(str(root), "locked", "locked")
    with sqlite3.connect(root / DATABASE) as other:
        other.execute("BEGIN EXCLUSIVE")
        tracker.log(1, {"loss": 2.0})
        assert "the numbers of step 1 could not be written" in caplog.text
    tracker.log(2, {"loss": 2.0})
    assert points(root, tracker.run_id)[-1] == (2, 2.0)


def test_a_database_that_is_none_is_an_error_before_the_run(tmp_path: Path) -> None:
    (tmp_path / DATABASE).write_text("my notes")
    with pytest.raises(SeshatError, match=r"mlflow\.db cannot be written .*training\.tracking=false"):
        Tracker(str(tmp_path), "x", "x")
    assert (tmp_path / DATABASE).read_text() == "my notes"


def test_older_runs_in_files_are_warned_about(root: Path, caplog: pytest.LogCaptureFixture) -> None:
    """MLflow would show them and pass over the database."""
    with caplog.at_level(logging.WARNING):
        Tracker(str(root), "files", "files").samples(1, ROWS)
        assert "mlruns" not in caplog.text
        (root / "mlruns" / "0").mkdir(parents=True)
        (root / "mlruns" / "0" / "meta.yaml").write_text("name: Default\n")
        Tracker(str(root), "files", "files")
    assert "move that folder away" in caplog.text


KILLED = """
import os, signal, sys
from seshat.cluster import board
from seshat.cluster.train import train
from seshat.store import Store
from tests.make import Told
from tests.training.tiny import LANGUAGE, PROMPTS, settings

def die(line):
    if line.startswith("train: step 5 of"):
        os.kill(os.getpid(), signal.SIGKILL)

board.Progress = lambda: Told(die)
train(settings(name="murdered", tracking=True), LANGUAGE, PROMPTS, Store(sys.argv[1]), execution="local")
"""


@pytest.mark.slow
def test_a_training_that_was_killed_goes_on_in_the_same_run(store: Store, tmp_path: Path) -> None:
    root = Path(shutil.copytree(store.root, tmp_path / "workspace"))
    done = subprocess.run([sys.executable, "-c", KILLED, str(root)], cwd=PROJECT, capture_output=True, text=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr
    number = client(root).get_experiment_by_name("seshat").experiment_id
    (before,) = client(root).search_runs([number])
    assert before.info.status == "RUNNING"
    assert [step for step, _ in points(root, before.info.run_id)] == [1, 2, 3, 4, 5]
    train(settings(name="murdered", tracking=True), LANGUAGE, PROMPTS, Store(str(root)), execution="local")  # from the checkpoint of step 4
    (after,) = client(root).search_runs([number])
    assert (after.info.run_id, after.info.status) == (before.info.run_id, "FINISHED")
    assert [step for step, _ in points(root, after.info.run_id)] == [1, 2, 3, 4, 5, 6]


def git(folder: Path, *arguments: str) -> str:
    who = ("-c", "user.name=a", "-c", "user.email=a@example.org")
    return subprocess.run(["git", "-C", folder, *who, *arguments], check=True, capture_output=True, text=True).stdout.strip()


def test_the_revision_is_that_of_a_checkout_that_holds_the_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code = tmp_path / "project" / "code"
    code.mkdir(parents=True)
    (code / "__init__.py").write_text("")
    assert revision(code) == {}, "no checkout"
    git(tmp_path, "init", "project")
    assert revision(code) == {}, "a checkout of something else"
    git(tmp_path / "project", "add", ".")
    git(tmp_path / "project", "commit", "-m", "x")
    commit = git(code, "rev-parse", "HEAD")
    assert revision(code) == {"mlflow.source.git.commit": commit, "git.revision": commit, "git.dirty": "false"}
    (code / "notes.txt").write_text("not of the code")
    assert revision(code)["git.dirty"] == "false"
    (code / "__init__.py").write_text("changed = True\n")
    assert revision(code) == {"mlflow.source.git.commit": commit, "git.revision": f"{commit} dirty", "git.dirty": "true"}
    monkeypatch.setenv("PATH", str(tmp_path))
    assert revision(code) == {}, "no git"


@pytest.fixture
def served(root: Path) -> Iterator[Callable[[str, dict[str, Any] | None], bytes]]:
    """Plain ``mlflow ui`` in the workspace, on a free port; asked by path."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    command = [Path(sys.executable).with_name("mlflow"), "ui", "--port", address.partition(":")[2]]
    environment = {key: value for key, value in os.environ.items() if not key.startswith("MLFLOW_")} | {"MLFLOW_DISABLE_TELEMETRY": "true"}
    with open(root / "ui.log", "wb") as output:
        server = subprocess.Popen(command, cwd=root, env=environment, stdout=output, stderr=output, start_new_session=True)

    def ask(path: str, body: dict[str, Any] | None = None) -> bytes:
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(f"http://{address}/{path}", data, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            return bytes(answer.read())

    try:
        for _ in range(240):
            assert server.poll() is None, (root / "ui.log").read_text()
            try:
                ask("health")
                break
            except OSError:
                time.sleep(1)
        yield ask
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        try:
            server.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(server.pid, signal.SIGKILL)
            server.wait()


@pytest.mark.slow
def test_plain_mlflow_ui_in_the_workspace_shows_the_run(root: Path, served: Callable[..., bytes]) -> None:
    tracker = Tracker(str(root), "shown", "shown")  # while the page is open
    tracker.describe(settings(), CARD, facts(torch.device("cpu"), 1))
    tracker.log(1, {"loss": 2.5})
    tracker.log(2, {"loss": 1.5})
    tracker.samples(2, ROWS)
    tracker.close()
    number = json.loads(served("api/2.0/mlflow/experiments/get-by-name?experiment_name=seshat"))["experiment"]["experiment_id"]
    wanted = {"experiment_ids": [number], "filter": "tags.fingerprint = 'shown'"}
    (run,) = json.loads(served("api/2.0/mlflow/runs/search", wanted))["runs"]
    assert (run["info"]["run_name"], run["info"]["status"]) == ("shown", "FINISHED")
    assert {"key": "lora.r", "value": "8"} in run["data"]["params"]
    assert any(tag["key"] == "hardware.torch" for tag in run["data"]["tags"])
    history = json.loads(served(f"api/2.0/mlflow/metrics/get-history?run_id={tracker.run_id}&metric_key=loss"))["metrics"]
    assert [(point["step"], point["value"]) for point in history] == [(1, 2.5), (2, 1.5)]
    sample = urllib.parse.quote("samples/step-000002.json")
    assert json.loads(served(f"get-artifact?run_id={tracker.run_id}&path={sample}"))["data"] == [list(row) for row in ROWS]
    assert b"precision" in served(f"get-artifact?run_id={tracker.run_id}&path={CONFIGURATION}")
    assert not (root / "mlruns").exists()
