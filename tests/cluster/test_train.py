"""The same loop under Ray Train."""

from __future__ import annotations

import logging

import pytest
from safetensors.torch import load_file

from seshat.cluster.train import Board, _told, train
from seshat.errors import SeshatError
from seshat.store import Store
from seshat.training.settings import Training
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
    train(short("here", per_device_train_batch_size=2), LANGUAGE, PROMPTS, store, execution="local")
    assert told.pop().startswith("train: step 3 of 3  loss ")
    train(short("one", per_device_train_batch_size=2, logging_steps=1), LANGUAGE, PROMPTS, store)
    assert told[-1].startswith("train: step ")
    train(short("two", per_device_train_batch_size=1, num_workers=2), LANGUAGE, PROMPTS, store)
    adapters = [load_file(store.path(f"models/adapters/{name}/adapter_model.safetensors")) for name in ("here", "one", "two")]
    for name, weight in adapters[0].items():
        assert weight.equal(adapters[1][name])
        assert weight.allclose(adapters[2][name], atol=1e-4)
    assert train(short("one", per_device_train_batch_size=2), LANGUAGE, PROMPTS, store).done_before


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
