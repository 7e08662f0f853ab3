"""The same loop under Ray Train."""

from __future__ import annotations

import errno
import os
import re
import shutil
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
import torch
from safetensors.torch import load_file

from seshat.cluster.board import Teller, told
from seshat.cluster.events import Board, Event
from seshat.cluster.train import train
from seshat.errors import DivergedError, StoppedError
from seshat.preview import WouldRun, preview
from seshat.store import Store
from seshat.training import candidates
from seshat.training.estimate import Estimate
from seshat.training.settings import Training
from tests.make import Told
from tests.training.tiny import LANGUAGE, PROMPTS, make_workspace, settings

pytestmark = pytest.mark.ray


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return make_workspace(tmp_path_factory.mktemp("cluster"))


def short(name: str, **changes: object) -> Training:
    return settings(name=name, max_steps=3, save_steps=3, cpus_per_worker=0.5, **changes)


def adapter(store: Store, name: str) -> dict[str, torch.Tensor]:
    return load_file(store.path(f"models/adapters/{name}/adapter_model.safetensors"))


@pytest.fixture
def told_lines(here: Training, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the user is told of a run on Ray, line by line."""
    lines: list[str] = []
    monkeypatch.setattr("seshat.cluster.board.Progress", lambda: Told(lines.append))
    monkeypatch.setattr("seshat.cluster.board.LOOK", 0.05)
    return lines


@pytest.fixture
def here(store: Store) -> Training:
    """A run in this process, with a score, and all its settings; what it has packed is gone."""
    wanted = short("here", per_device_train_batch_size=2, evaluator={"sample": 4})
    train(wanted, LANGUAGE, PROMPTS, store, execution="local")
    shutil.rmtree(store.path("data/processed/pack"))
    return wanted


@pytest.mark.usefixtures("ray_session")
def test_two_workers_and_none_give_the_same_adapter(
    store: Store, here: Training, told_lines: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """And what a worker takes of the memory is what was expected."""
    sessions: list[int] = []
    ends: list[tuple[dict[str, float], Estimate]] = []
    monkeypatch.setattr("seshat.cluster.train._compare", lambda *end: ends.append(end))

    @contextmanager
    def session() -> Iterator[None]:
        sessions.append(1)
        yield

    two = short("two", per_device_train_batch_size=1, num_workers=2)
    train(two, LANGUAGE, PROMPTS, store, session=session)
    assert sessions == [1], "packing and training share a session"
    [(numbers, expected)] = ends
    assert expected.memory / 2 < numbers["peak_gigabytes"] * 1e9 < 2 * expected.memory
    assert told_lines[-1].startswith("train: step 3 of 3  ")
    ours = adapter(store, "two")
    assert all(weight.allclose(ours[name], atol=1e-4) for name, weight in adapter(store, here.name).items())
    assert train(two, LANGUAGE, PROMPTS, store, session=session).done_before
    assert sessions == [1], "there was nothing to do"


def test_a_curve_that_cannot_be_kept_stops_no_run(store: Store, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("seshat.history.append", full)
    train(short("curveless", evaluator={"sample": 0}), LANGUAGE, PROMPTS, store, execution="local")
    assert "step 3 will be missing in the report's curve: it could not be kept ([Errno 28]" in caplog.text


@pytest.mark.slow
@pytest.mark.usefixtures("ray_session")
def test_a_run_that_diverges_ends_at_the_first_time_with_its_own_error(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    attempts: list[Event] = []

    class Counted(Teller):
        def __call__(self, event: Event) -> None:
            attempts.extend([event] if event.facts else [])
            super().__call__(event)

    monkeypatch.setattr("seshat.cluster.train.Teller", Counted)
    hot = {"learning_rate": 1e30, "warmup_ratio": 0, "max_grad_norm": 1e30, "per_device_train_batch_size": 1, "num_workers": 2}
    with pytest.raises(DivergedError, match="Lower learning_rate"):
        train(short("hot", max_failures=2, **hot), LANGUAGE, PROMPTS, store)
    assert len(attempts) == 1


@pytest.mark.slow
@pytest.mark.usefixtures("ray_session")
def test_one_worker_gives_the_bytes_and_the_scores_of_none(store: Store, here: Training, told_lines: list[str]) -> None:
    """The evaluator beside the worker finds what it finds in this process."""
    train(here.model_copy(update={"name": "one"}), LANGUAGE, PROMPTS, store)
    assert sum("chrf++" in line for line in told_lines) == 1
    ours = adapter(store, "one")
    assert all(weight.equal(ours[name]) for name, weight in adapter(store, here.name).items())
    alone, one = (candidates.read(store.path(f"models/adapters/{name}/checkpoints")) for name in (here.name, "one"))
    assert alone == one
    assert [scores.step for scores in alone] == [3]


@pytest.mark.usefixtures("ray_session")
def test_what_is_written_on_the_board_is_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    import ray

    monkeypatch.setattr("seshat.cluster.board.LOOK", 0.05)
    events: list[Event] = []
    board, stopping = ray.remote(num_cpus=0)(Board).remote(), threading.Event()
    with told(board, events.append, stopping):
        ray.get(board.write.remote(Event(1, {"loss": 2.0})))
        ray.get(board.write.remote(Event(2, remarks=("the loss has spikes",))))
        assert ray.get(board.stop.remote()) == ""
        stopping.set()  # the last look tells it
    assert events == [Event(1, {"loss": 2.0}), Event(2, remarks=("the loss has spikes",))]
    assert ray.get(board.read.remote()) == []
    ray.get(board.ask_to_stop.remote("early"))
    assert ray.get(board.stop.remote()) == "asked", "the first one who asks is heard"


@pytest.mark.slow
@pytest.mark.parametrize(("asked", "ends"), [(signal.SIGTERM, StoppedError), (signal.SIGINT, KeyboardInterrupt)])
@pytest.mark.usefixtures("ray_session")
def test_workers_that_are_asked_to_stop_keep_their_step_and_go_on_to_the_same_weights(
    store: Store, monkeypatch: pytest.MonkeyPatch, asked: signal.Signals, ends: type[BaseException]
) -> None:
    name, lines, before = f"stopped-{asked.name}", iter(range(1_000)), signal.getsignal(signal.SIGINT)
    common = {
        "max_steps": 40,
        "save_steps": 40,
        "eval_steps": 40,
        "per_device_train_batch_size": 1,
        "num_workers": 2,
        "cpus_per_worker": 0.5,
    }
    train(settings(name="unbroken", **common), LANGUAGE, PROMPTS, store)
    monkeypatch.setattr("seshat.cluster.board.LOOK", 0.05)
    monkeypatch.setattr("seshat.cluster.board.Progress", lambda: Told(lambda _: next(lines) or os.kill(os.getpid(), asked)))
    with pytest.raises(ends, match=r"stopped after step \d+ of 40" if ends is StoppedError else None):
        train(settings(name=name, **common), LANGUAGE, PROMPTS, store)
    assert signal.getsignal(signal.SIGINT) == before, "Ctrl-C is nobody's but Python's"
    kept = [folder.name for folder in Path(store.path(f"models/adapters/{name}/checkpoints")).glob("step-*")]
    assert kept
    assert "step-000040" not in kept
    monkeypatch.undo()
    assert not train(settings(name=name, **common), LANGUAGE, PROMPTS, store).done_before
    whole, rest = (load_file(store.path(f"models/adapters/{run}/adapter_model.safetensors")) for run in ("unbroken", name))
    assert all(weight.allclose(rest[key], atol=1e-6) for key, weight in whole.items())


@pytest.mark.slow
@pytest.mark.usefixtures("ray_session")
def test_a_worker_that_is_killed_is_replaced_and_the_adapter_is_the_same(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    common = {
        "max_steps": 30,
        "save_steps": 5,
        "eval_steps": 30,
        "per_device_train_batch_size": 1,
        "num_workers": 2,
        "cpus_per_worker": 0.5,
    }
    train(settings(name="whole", **common), LANGUAGE, PROMPTS, store)
    killed: list[int] = []

    def kill(line: str) -> None:
        step = int(re.search(r"step (\d+)", line)[1])  # type: ignore[index]
        if step >= 7 and not killed:
            ours = psutil.Process().children(recursive=True)
            workers = [one for one in ours if "RayTrainWorker" in " ".join(one.cmdline())]
            killed.append(workers[-1].pid)
            workers[-1].kill()

    monkeypatch.setattr("seshat.cluster.board.LOOK", 0.05)
    monkeypatch.setattr("seshat.cluster.board.Progress", lambda: Told(kill))
    train(settings(name="killed", **common), LANGUAGE, PROMPTS, store)
    assert killed
    whole, again = (load_file(store.path(f"models/adapters/{name}/adapter_model.safetensors")) for name in ("whole", "killed"))
    assert all(weight.allclose(again[name], atol=1e-6) for name, weight in whole.items())


def test_a_preview_says_how_many_steps_and_tokens_and_how_much_memory(tmp_path: Path) -> None:
    store = make_workspace(tmp_path)
    train(settings(name="here", max_steps=2), LANGUAGE, PROMPTS, store, execution="local")
    said = r"^train +would run  3 steps, [\d.]+ million tokens .* GB for each worker .*never done$"
    with preview(), pytest.raises(WouldRun, match=said):
        train(settings(name="other", max_steps=3), LANGUAGE, PROMPTS, store, execution="local")
