"""Scores while training goes on, in this process; with Ray they are in test_train.py."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from seshat.cluster.evaluator import Evaluator, habits, sample
from seshat.cluster.train import train
from seshat.examples import read_examples
from seshat.store import Store
from seshat.training import candidates, run
from seshat.training.loop import Listener
from seshat.training.settings import Training
from seshat.training.strategy import Place
from seshat.translate import Translation
from tests.make import Told
from tests.training.tiny import LANGUAGE, PROMPTS, make_workspace, settings

pytestmark = pytest.mark.heavy


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return make_workspace(tmp_path_factory.mktemp("scores"))


def scored(name: str, **changes: object) -> Training:
    return settings(**{"name": name, "evaluator": {"sample": 8}, **changes})


def test_every_checkpoint_is_scored_and_the_best_one_becomes_the_adapter(
    store: Store, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    monkeypatch.setattr("seshat.cluster.board.Progress", lambda: Told(told.append))
    given = iter([(12.0, 0.5), (30.0, 0.5), (20.0, 0.5)])
    real = Evaluator._score

    def score(self: Evaluator, weights: str) -> tuple[dict[str, float], tuple[float, ...], list[tuple[str, str, str]]]:
        numbers, sentences, samples = real(self, weights)
        assert all(0 <= value <= 100 for value in (numbers["chrf++"], *sentences))
        assert len(sentences) == 8
        chrf, ended = next(given)
        return numbers | {"chrf++": chrf, "ended": ended}, tuple(chrf + number for number in range(8)), samples

    monkeypatch.setattr(Evaluator, "_score", score)
    with caplog.at_level(logging.WARNING):
        train(scored("best"), LANGUAGE, PROMPTS, store, execution="local")
    root = store.path("models/adapters/best/checkpoints")
    assert [(one.step, one.numbers["chrf++"]) for one in candidates.read(root)] == [(2, 12.0), (4, 30.0), (6, 20.0)]
    assert {"bleu", "length_ratio", "ended", "repeated", "copied"} <= candidates.read(root)[0].numbers.keys()
    assert [line for line in told if line.startswith("train: step 4 of 6  chrf++ 30 ")]
    assert [text for text in caplog.messages if "step 4: garbage output: only 50% of the translations end" in text]
    manifest = store.manifest("models/adapters/best")
    assert manifest is not None
    assert (manifest.notes["step"], manifest.notes["steps"], manifest.notes["chrf++"]) == ("4", "6", "30")
    kept, best = (
        load_file(store.path(f"models/adapters/best/{name}"))
        for name in ("adapter_model.safetensors", "checkpoints/candidates/step-000004.safetensors")
    )
    assert all(
        torch.equal(weight, kept[name.replace(".modules_to_save.default", "").replace(".default", "")]) for name, weight in best.items()
    )


def test_training_stops_early_when_patience_is_exhausted(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    given = iter([30.0, 20.0, 10.0, 40.0])
    monkeypatch.setattr(Evaluator, "_score", lambda self, weights: (GOOD | {"chrf++": (now := next(given))}, (now,) * 8, []))
    train(scored("early", max_steps=12, evaluator={"sample": 4, "patience": 2}), LANGUAGE, PROMPTS, store, execution="local")
    manifest = store.manifest("models/adapters/early")
    assert manifest is not None
    assert (manifest.notes["step"], manifest.notes["steps"]) == ("2", "6")


GOOD = {"bleu": 1.0, "length_ratio": 1.0, "ended": 1.0, "repeated": 0.0, "copied": 0.0}


def test_a_run_that_was_killed_before_its_last_score_is_scored_when_it_is_started_again(store: Store) -> None:
    job = run.prepare(scored("unscored"), LANGUAGE, PROMPTS, store)
    run.start(job)
    run.work(job, Place(), Listener())  # nobody listens to what is saved
    assert candidates.waiting(job.checkpoints) == [2, 4, 6]
    train(scored("unscored"), LANGUAGE, PROMPTS, store, execution="local")
    assert [one.step for one in candidates.read(job.checkpoints)] == [2, 4, 6]
    manifest = store.manifest(job.folder)
    assert manifest is not None
    assert "eval_loss" in manifest.notes


def test_scores_are_those_of_the_weights_of_the_checkpoint(store: Store) -> None:
    """The score of a checkpoint is the same when it is asked for again, and after another one's."""
    train(scored("twice", save_steps=3), LANGUAGE, PROMPTS, store, execution="local")
    job = run.prepare(scored("twice", save_steps=3), LANGUAGE, PROMPTS, store)
    evaluator = Evaluator(job, torch.device("cpu"))
    files = [str(Path(job.checkpoints) / f"step-{step:06d}" / "weights.safetensors") for step in (3, 6)]
    first, last, again = evaluator._score(files[0]), evaluator._score(files[1]), evaluator._score(files[0])
    assert first == again
    assert first != last


def test_the_sample_is_the_same_every_time_and_has_both_directions(store: Store) -> None:
    job = run.prepare(scored("sample"), LANGUAGE, PROMPTS, store)
    assert [example.id for example in sample(job)] == [example.id for example in sample(job)]
    assert {example.direction for example in sample(job)} == {"spa-qtm", "qtm-spa"}
    assert len(sample(job)) == 8
    assert not sample(replace(job, validation=None))


def test_habits_show_garbage(store: Store) -> None:
    examples = [example for example in read_examples(store.path("data/training/val.jsonl")) if example.direction == "spa-qtm"][:2]
    said = [Translation(text=examples[0].source, confidence=1, finished=True), Translation(text="a a a a", confidence=1, finished=False)]
    found = habits(list(zip(examples, said, strict=True)))
    assert (found["ended"], found["repeated"], found["copied"]) == (0.5, 0.5, 0.5)
