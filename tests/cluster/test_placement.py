"""What no node can hold is said, not waited for."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from seshat.cluster.data import run_step
from seshat.cluster.generate import on_actors
from seshat.cluster.placement import even_share, require
from seshat.cluster.train import shares
from seshat.errors import EngineError
from seshat.generation import Batch, Speaker
from seshat.records import RawFile
from seshat.settings import Settings
from seshat.stage import Resources
from seshat.step import Part, Step
from tests.make import LANGUAGE, raw
from tests.stages import ReadWords


@pytest.mark.ray
@pytest.mark.parametrize(
    ("resources", "said"),
    [
        (
            Resources(cpus=1, gpus=1),
            r"^ocr: a worker asks for 1 CPU and 1 GPU, and no node has that .*: lower ocr\.resources\.gpus, or start",
        ),
        (Resources(cpus=64), r"asks for 64 CPU, and no node has that \(nodes: 2 CPU and 0 GPU\): lower ocr\.resources\.cpus"),
    ],
)
def test_an_infeasible_request_fails_with_what_is_missing(tmp_path: Path, ray_session: None, resources: Resources, said: str) -> None:
    step = Step("ocr", (ReadWords(resources=resources),), (Part((raw("a b"),)),))
    settings = Settings(language=LANGUAGE, root=str(tmp_path))
    settings = settings.model_copy(update={"cluster": settings.cluster.model_copy(update={"patience": 1.0})})
    start = time.monotonic()
    with pytest.raises(EngineError, match=said):
        run_step(step, settings)
    assert time.monotonic() - start < 30
    assert isinstance(step.parts[0].inputs[0], RawFile)


@pytest.mark.ray
def test_more_workers_than_there_is_room_for_wait_for_each_other(tmp_path: Path, ray_session: None) -> None:
    parts = tuple(Part((raw(f"word{number}"),)) for number in range(6))
    step = Step("ingest", (ReadWords(resources=Resources(cpus=2, workers=4)),), parts)
    assert run_step(step, Settings(language=LANGUAGE, root=str(tmp_path))).kept == 6


@pytest.mark.ray
def test_an_autoscaler_is_asked_again_and_again_and_at_last_for_nothing(ray_session: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ray Data overwrites what others ask for, and what nobody takes back keeps a node for ever."""
    asked: list[list[dict[str, float]]] = []
    monkeypatch.setattr("ray.autoscaler.sdk.request_resources", lambda bundles: asked.append(bundles))
    with pytest.raises(EngineError, match="a worker asks for 1 CPU and 1 GPU"):
        require("train", Resources(cpus=1, gpus=1), patience=2.5)
    assert asked[:2] == [[{"CPU": 1, "GPU": 1}]] * 2
    assert asked[-1] == []


@pytest.mark.parametrize(
    ("nodes", "workers", "share"),
    [
        ([2], 1, 2),
        ([2, 1, 1], 1, 2),
        ([2, 1, 1], 3, 1),
        ([8, 8], 3, 4),
        ([2], 3, 2 / 3),
        ([96, 4], 5, 19),
        ([1], 7, 1 / 7),
    ],
)
def test_workers_share_what_nodes_have_not_what_their_sum_has(nodes: list[float], workers: int, share: float) -> None:
    assert even_share(nodes, workers) == share


@pytest.mark.ray
def test_a_model_that_speaks_and_one_that_learns_say_what_they_want_of_a_node(
    tmp_path: Path, ray_session: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(language=LANGUAGE, root=str(tmp_path))
    cluster = settings.cluster.model_copy(update={"patience": 0.1})
    where = settings.evaluation.generation.model_copy(update={"cpus": 64})
    asked = {"cluster": cluster, "evaluation": settings.evaluation.model_copy(update={"generation": where})}
    speaker = Speaker(engine="transformers", base="", tokenizer="", weights="")
    with pytest.raises(EngineError, match=r"eval: a worker asks for 64 CPU, .*: lower evaluation\.generation\.cpus"):
        list(on_actors(settings.model_copy(update=asked), speaker, [Batch(4, {})], str(tmp_path)))
    monkeypatch.setattr("seshat.cluster.train.is_ours", lambda: False)  # of a session of our own it would take a share
    with pytest.raises(EngineError, match=r"train: a worker asks for 64 CPU, .*: lower training\.cpus_per_worker"):
        shares(settings.training.model_copy(update={"cpus_per_worker": 64}), 1, False, patience=0.1)
