"""The same loop under Ray Train, and a search with Ray Tune."""

from __future__ import annotations

import csv
import io
import logging
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from safetensors.torch import load_file

from seshat.cluster.train import Board, _told, train
from seshat.cluster.tune import combinations, tune
from seshat.config import load
from seshat.errors import SeshatError
from seshat.store import Store
from seshat.training.settings import Training, Tuning
from tests.training.tiny import LANGUAGE, PROMPTS, make_workspace, settings

pytestmark = pytest.mark.ray


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return make_workspace(tmp_path_factory.mktemp("cluster"))


def short(name: str, **changes: object) -> Training:
    return settings(name=name, max_steps=3, save_steps=3, cpus_per_worker=0.5, **changes)


@pytest.mark.usefixtures("ray_session")
def test_one_worker_two_workers_and_none_give_the_same_adapter(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    monkeypatch.setattr("seshat.cluster.train.Progress", lambda: told.append)
    monkeypatch.setattr("seshat.cluster.train.LOOK", 0.05)
    sessions: list[int] = []

    @contextmanager
    def session() -> Iterator[None]:
        sessions.append(1)
        yield

    train(short("here", per_device_train_batch_size=2), LANGUAGE, PROMPTS, store, execution="local")
    assert told.pop().startswith("train: step 3 of 3  loss ")
    shutil.rmtree(store.path("data/processed/pack"))
    train(short("one", per_device_train_batch_size=2, logging_steps=1), LANGUAGE, PROMPTS, store, session=session)
    assert sessions == [1], "packing and training share a session"
    assert told[-1].startswith("train: step ")
    train(short("two", per_device_train_batch_size=1, num_workers=2), LANGUAGE, PROMPTS, store)
    adapters = [load_file(store.path(f"models/adapters/{name}/adapter_model.safetensors")) for name in ("here", "one", "two")]
    for name, weight in adapters[0].items():
        assert weight.equal(adapters[1][name])
        assert weight.allclose(adapters[2][name], atol=1e-4)
    assert train(short("one", per_device_train_batch_size=2), LANGUAGE, PROMPTS, store, session=session).done_before
    assert sessions == [1], "there was nothing to do"


@pytest.mark.usefixtures("ray_session")
def test_what_a_worker_says_to_the_user_arrives(store: Store) -> None:
    hot = short("hot", learning_rate=1e30, warmup_ratio=0, max_grad_norm=1e30, max_failures=0)
    with pytest.raises(SeshatError, match="Lower learning_rate"):
        train(hot, LANGUAGE, PROMPTS, store)


@pytest.mark.usefixtures("ray_session")
def test_what_a_worker_writes_on_the_board_is_told_once(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    import ray

    told: list[str] = []
    monkeypatch.setattr("seshat.cluster.train.Progress", lambda: told.append)
    board = ray.remote(num_cpus=0)(Board).remote()
    with caplog.at_level(logging.WARNING), _told(board):
        ray.get(board.write.remote("step 1", []))
        ray.get(board.write.remote("", ["the loss has spikes", "overfitting"]))
    assert told == ["step 1"]
    assert caplog.messages == ["the loss has spikes", "overfitting"]
    assert ray.get(board.read.remote()) == ("step 1", [])


@pytest.mark.slow
@pytest.mark.usefixtures("ray_session")
def test_tune_writes_a_table_and_the_best_settings(store: Store) -> None:
    tuning = Tuning(name="search", training=short("base"), search={"learning_rate": (1e-5, 5e-3)}, cpus_per_trial=0.5)
    assert not tune(tuning, LANGUAGE, PROMPTS, store).done_before
    rows = list(csv.DictReader(io.StringIO(store.read("models/tuning/search/trials.csv").decode())))
    assert [row["learning_rate"] for row in rows] == ["1e-05", "0.005"]
    assert [row["best"] for row in rows] == ["", "*"]
    best = load(Training, Path(store.path("models/tuning/search/best.yaml")))
    assert best.learning_rate == 5e-3
    assert tune(tuning, LANGUAGE, PROMPTS, store).done_before


def test_trials_are_drawn_with_the_seed() -> None:
    tuning = Tuning(search={"learning_rate": (1e-4, 2e-4, 3e-4), "lora.r": (8, 16)}, num_trials=4)
    assert combinations(tuning) == combinations(tuning)
    assert len(combinations(tuning)) == 4
    assert len(combinations(tuning.model_copy(update={"num_trials": 50}))) == 6
