"""A search with Ray Tune: real trials, real failures, and a driver that is killed."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from seshat.cluster.tune import Plan, _clear, tune
from seshat.config import load
from seshat.errors import EngineError, SeshatError, StoreError
from seshat.store import Store
from seshat.training import run
from seshat.training.loop import Listener
from seshat.training.settings import Training, Tuning
from seshat.training.strategy import Place
from tests.training.tiny import LANGUAGE, PROMPTS, make_workspace, settings

pytestmark = pytest.mark.ray
ROOT = Path(__file__).resolve().parents[2]
HOT = 1e30
"""A learning rate at which no run survives its second step."""


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Packed already, so that no test pays for that on Ray."""
    made = make_workspace(tmp_path_factory.mktemp("tune"))
    run.prepare(tuning("packed", {"learning_rate": [1e-3]}).training, LANGUAGE, PROMPTS, made)
    return made


def tuning(name: str, search: dict[str, list[object]], **changes: object) -> Tuning:
    training = settings(name="base", max_steps=6, save_steps=2, eval_steps=2, warmup_ratio=0, max_grad_norm=1e30)
    made = {"name": name, "training": training, "search": search, "num_trials": 9, "cpus_per_trial": 0.5}
    return Tuning.model_validate(made | changes)


def rows(store: Store, name: str) -> list[dict[str, str]]:
    """The table of a search."""
    return list(csv.DictReader(io.StringIO(store.read(f"models/tuning/{name}/trials.csv").decode())))


@pytest.mark.slow
@pytest.mark.usefixtures("ray_session")
def test_a_failed_trial_does_not_stop_the_others_and_the_best_is_written(store: Store) -> None:
    wanted = tuning("search", {"learning_rate": [1e-5, HOT, 5e-3]})
    outcome = tune(wanted, LANGUAGE, PROMPTS, store)
    assert (outcome.rows_in, outcome.kept, outcome.rejected) == (3, 2, {"failed": 1})
    found = {float(row["learning_rate"]): row for row in rows(store, "search")}
    assert {rate: (row["state"], row["step"], row["best"]) for rate, row in found.items()} == {
        1e-5: ("complete", "6", ""),
        5e-3: ("complete", "6", "*"),
        HOT: ("failed", "0", ""),
    }
    assert "Lower learning_rate" in found[HOT]["reason"]
    best = load(Training, Path(store.path("models/tuning/search/best.yaml")))
    assert best == wanted.training.model_copy(update={"learning_rate": 5e-3})
    assert tune(wanted, LANGUAGE, PROMPTS, store).done_before


@pytest.mark.slow
@pytest.mark.usefixtures("ray_session")
def test_a_hopeless_trial_is_stopped_early(store: Store) -> None:
    """Trials come one after the other here, the good one first."""
    wanted = tuning("early", {"learning_rate": [1e-9, 5e-3]}, early_stopping=True, reduction_factor=2, cpus_per_trial=1.5)
    outcome = tune(wanted, LANGUAGE, PROMPTS, store)
    assert [(row["learning_rate"], row["state"], row["step"], row["best"]) for row in rows(store, "early")] == [
        ("0.005", "complete", "6", "*"),
        ("1e-09", "pruned", "2", ""),
    ]
    assert outcome.rejected == {"pruned": 1}
    assert store.manifest("models/adapters/early-trial-1") is None


@pytest.mark.slow
@pytest.mark.usefixtures("ray_session")
def test_when_all_trials_fail_the_last_reason_is_said_and_the_next_start_is_a_first_one(store: Store) -> None:
    wanted = tuning("hopeless", {"learning_rate": [HOT]})
    for _ in range(2):
        with pytest.raises(SeshatError, match=r"all 1 trials failed, the last because: training stopped at step \d of 6.*trials.csv"):
            tune(wanted, LANGUAGE, PROMPTS, store)
    assert [row["state"] for row in rows(store, "hopeless")] == ["failed"]


@pytest.mark.usefixtures("ray_session")
@pytest.mark.parametrize(
    ("key", "message"),
    [("cpus_per_trial", r"tune: .* 64 CPU, .* tuning.cpus_per_trial,"), ("gpus_per_trial", r" 64 GPU, .* tuning.gpus_per_trial,")],
)
def test_what_no_node_has_is_refused_before_anything_is_prepared(tmp_path: Path, key: str, message: str) -> None:
    started = time.monotonic()
    with pytest.raises(EngineError, match=message):
        tune(tuning("huge", {"learning_rate": [1e-3]}, **{key: 64}), LANGUAGE, PROMPTS, Store(str(tmp_path)), patience=0.1)
    assert time.monotonic() - started < 60
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("ray_session")
def test_a_search_that_is_being_worked_on_is_refused(store: Store) -> None:
    import fcntl

    folder = Path(store.path("models/tuning/busy"))
    folder.mkdir(parents=True)
    with open(folder / "lock", "w") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        with pytest.raises(StoreError, match="busy is being worked on by another tune"):
            tune(tuning("busy", {"learning_rate": [1e-3]}), LANGUAGE, PROMPTS, store)


def test_a_trial_has_one_worker_and_the_rows_per_step_of_the_whole_training(store: Store) -> None:
    wanted = tuning("rows", {"learning_rate": [1e-3]})
    whole = wanted.training.model_copy(update={"num_workers": 4, "gradient_accumulation_steps": 2})
    plan = Plan(wanted.model_copy(update={"training": whole}), LANGUAGE, PROMPTS, store.root, None, 0)
    trial = plan.prepare(7, {"learning_rate": 1e-3}).training
    assert (trial.name, trial.num_workers, trial.rows_per_step) == ("rows-trial-7", 1, whole.rows_per_step)


@pytest.mark.heavy
def test_what_another_search_left_under_the_same_number_is_cleared_away(store: Store) -> None:
    wanted = tuning("leftover", {"learning_rate": [1e-3]})
    plan = Plan(wanted, LANGUAGE, PROMPTS, store.root, None, 0)
    old, new = plan.prepare(0, {"learning_rate": 1e-3}), plan.prepare(0, {"learning_rate": 2e-3})
    run.work(old, Place(), Listener())
    _clear(old)
    assert os.listdir(old.checkpoints), "its own it goes on from"
    _clear(new)
    assert not os.path.exists(new.checkpoints)


@pytest.mark.heavy
def test_a_run_that_was_killed_after_its_last_checkpoint_still_says_its_loss(store: Store) -> None:
    job = run.prepare(settings(name="last-moment"), LANGUAGE, PROMPTS, store)
    reported: list[dict[str, float]] = []

    class Witness(Listener):
        def report(self, step: int, numbers: dict[str, float], remarks: Sequence[str]) -> None:
            reported.append(numbers)

    first = run.work(job, Place(), Listener())
    again = run.work(job, Place(), Witness())
    assert again["eval_loss"] == first["eval_loss"]
    assert reported == [{"eval_loss": first["eval_loss"]}]


def write_configuration(root: Path, steps: int) -> Path:
    """A pipeline's YAML with a search of two trials in it, one after the other."""
    training = settings(name="base", max_steps=steps, save_steps=5, eval_steps=10, save_total_limit=9)
    tuning = {"name": "search", "training": training.model_dump(mode="json"), "search": {"learning_rate": [1e-3, 5e-3]}}
    data = {"root": str(root), "language": LANGUAGE.model_dump(mode="json"), "prompts": PROMPTS.model_dump(mode="json"), "tuning": tuning}
    file = root / "tune.yaml"
    file.write_text(json.dumps(data | {"cluster": {"cpus": 1, "dashboard": False}}), encoding="utf-8")
    return file


def start(configuration: Path) -> subprocess.Popen[str]:
    """``python -m jobs.tune``; what it says goes to a file, because what it started may hold a pipe open when it is killed."""
    command = [sys.executable, "-m", "jobs.tune", "--config", str(configuration)]
    environment = {**os.environ, "RAY_ADDRESS": "local"}
    with open(configuration.with_suffix(".log"), "a", encoding="utf-8") as stream:
        return subprocess.Popen(command, cwd=ROOT, env=environment, text=True, stdout=stream, stderr=subprocess.STDOUT)


def finish(configuration: Path) -> str:
    """Start the search and let it come to its end; what all starts have said."""
    code = start(configuration).wait(timeout=900)
    said = configuration.with_suffix(".log").read_text(encoding="utf-8")
    assert code == 0, said
    return said


def kill(configuration: Path, when: Callable[[], object]) -> None:
    """Start the search and kill its driver as soon as something is so."""
    driver, deadline = start(configuration), time.monotonic() + 600
    while not when() and driver.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    driver.send_signal(signal.SIGKILL)
    assert driver.wait() == -signal.SIGKILL, configuration.with_suffix(".log").read_text(encoding="utf-8")


@pytest.mark.slow
@pytest.mark.timeout(2400)
def test_a_search_that_is_killed_again_and_again_ends_as_if_nothing_had_happened(tmp_path: Path) -> None:
    unbroken, broken = tmp_path / "unbroken", tmp_path / "broken"
    make_workspace(unbroken)
    shutil.copytree(unbroken, broken)
    adapters, results = broken / "models" / "adapters", broken / "models" / "tuning" / "search"

    def trained() -> dict[str, int]:
        """The adapters that are committed, each with what changes if it is written again."""
        return {path.parent.name: path.stat().st_mtime_ns for path in adapters.glob("*/manifest.json")}

    finish(write_configuration(unbroken, 20))
    configuration, seen = write_configuration(broken, 20), []
    moments: list[tuple[Path, list[str]]] = [  # what is there when the driver is killed, and which adapters are committed then
        (results / "study.db", []),
        (adapters / "search-trial-0" / "checkpoints" / "step-000010", []),
        (adapters / "search-trial-0" / "manifest.json", ["search-trial-0"]),
        (results / "trials.csv", ["search-trial-0", "search-trial-1"]),
    ]
    for moment, committed in moments:
        kill(configuration, moment.exists)
        seen.append(trained())
        assert sorted(seen[-1]) == committed
    said = finish(configuration)

    for before in seen:
        assert {name: trained()[name] for name in before} == before, "an adapter that was committed was trained again"
    ended = re.findall(r"tune: trial (\d) complete", said)
    assert len(ended) == len(set(ended)), "a trial ended twice"
    for name in ("trials.csv", "best.yaml"):
        assert (broken / "models/tuning/search" / name).read_text() == (unbroken / "models/tuning/search" / name).read_text()
    table = rows(Store(str(broken)), "search")
    assert [row["trial"] for row in table] == ["0", "1"]
