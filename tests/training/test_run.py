"""Whole runs in this process: to the end, broken off and gone on with, refused."""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from seshat.cluster.train import train
from seshat.errors import ConfigError, DivergedError, StoreError
from seshat.examples import read_examples
from seshat.prompts import CARD, Card
from seshat.rights import Consent, Rights, Source, Use
from seshat.store import Store
from seshat.training import run, watch
from seshat.training.loop import Listener
from seshat.training.settings import Training
from seshat.training.strategy import Place
from seshat.withdrawals import NOTHING, Withdrawal, Withdrawals, write_withdrawals
from tests.training.tiny import LANGUAGE, PROMPTS, settings

pytestmark = pytest.mark.heavy


class Killed(BaseException):
    """What the operating system would do."""


def work(training: Training, store: Store, *, until: int = 0) -> dict[int, float]:
    """Run to the end, or to a step; the losses by step."""
    job, losses = run.prepare(training, LANGUAGE, PROMPTS, store), {}

    class Witness(Listener):
        def report(self, step: int, numbers: dict[str, float], remarks: Sequence[str]) -> None:
            losses[step] = numbers["loss"]
            if step == until:
                raise Killed

    run.start(job)
    numbers = run.work(job, Place(), Witness())
    run.finish(job, numbers)
    return losses


def adapter(store: Store, name: str) -> dict[str, torch.Tensor]:
    return load_file(store.path(f"models/adapters/{name}/adapter_model.safetensors"))


def test_a_run_leaves_an_adapter_that_says_what_it_is(store: Store) -> None:
    outcome = train(settings(name="whole"), LANGUAGE, PROMPTS, store, execution="local")
    manifest = store.manifest("models/adapters/whole")
    assert manifest is not None
    assert not outcome.done_before
    assert {Path(file.path).name for file in manifest.files} >= {"adapter_model.safetensors", "adapter_config.json", "tokenizer.json", CARD}
    card = Card.model_validate_json(store.read(f"models/adapters/whole/{CARD}"))
    assert (card.base, card.prompts, card.language.code) == ("models/base/small", PROMPTS, "qtm")
    assert card.base_sha256 == manifest.notes["base_sha256"]
    assert train(settings(name="whole"), LANGUAGE, PROMPTS, store, execution="local").done_before


def test_the_loss_falls(store: Store) -> None:
    losses = work(settings(name="falls", max_steps=30, save_steps=30), store)
    assert losses[30] < 0.7 * losses[1]


THREES: dict[str, object] = {
    "per_device_train_batch_size": 1,
    "gradient_accumulation_steps": 3,
    "lora": {"r": 4, "alpha": 8, "dropout": 0.1, "train_embeddings": True},
}
"""Three rows a step and a handful of rows, so that the second of the kills falls into a later epoch; dropout draws random numbers."""


@pytest.fixture(scope="module")
def unbroken(store: Store) -> dict[int, float]:
    """The losses of a run that nobody breaks off."""
    return work(settings(name="unbroken", **THREES), store)


@pytest.mark.parametrize("killed_at", [2, 3, 5])
def test_a_run_that_was_broken_off_ends_with_the_same_bytes(store: Store, unbroken: dict[int, float], killed_at: int) -> None:
    broken = settings(name=f"broken{killed_at}", **THREES)
    with pytest.raises(Killed):
        work(broken, store, until=killed_at)
    rest = work(broken, store)
    assert min(rest) == killed_at - killed_at % 2 + 1
    assert rest == {step: unbroken[step] for step in rest}
    expected, found = adapter(store, "unbroken"), adapter(store, broken.name)
    assert expected.keys() == found.keys()
    assert all(torch.equal(expected[name], found[name]) for name in expected)


BRIEF: dict[str, object] = {"max_steps": 3, "save_steps": 3, "eval_steps": 3}


@pytest.fixture(scope="module")
def whole(store: Store) -> list[dict[str, float]]:
    """The numbers of steps of eight rows at once."""
    return told(settings(name="at-once", per_device_train_batch_size=8, **BRIEF), store)


@pytest.mark.parametrize(("size", "steps"), [(1, 8), (2, 4), (4, 2)])
def test_accumulation_gives_losses_and_gradients_of_the_whole_batch(
    store: Store, whole: list[dict[str, float]], size: int, steps: int
) -> None:
    parts = told(settings(name=f"parts{size}", per_device_train_batch_size=size, gradient_accumulation_steps=steps, **BRIEF), store)
    for name in ("loss", "grad_norm"):
        assert [one[name] for one in parts] == pytest.approx([one[name] for one in whole], rel=1e-5)


def told(training: Training, store: Store) -> list[dict[str, float]]:
    """The numbers of every step."""
    job, found = run.prepare(training, LANGUAGE, PROMPTS, store), list[dict[str, float]]()

    class Witness(Listener):
        def report(self, step: int, numbers: dict[str, float], remarks: Sequence[str]) -> None:
            found.append(numbers)

    run.start(job)
    run.work(job, Place(), Witness())
    return found


def test_a_changed_batch_is_refused_before_the_model_loads(store: Store) -> None:
    with pytest.raises(Killed):
        work(settings(name="refused"), store, until=3)
    with pytest.raises(ConfigError, match="rows per step was 2 and is 4"):
        train(settings(name="refused", per_device_train_batch_size=4), LANGUAGE, PROMPTS, store, execution="local")


def test_changed_settings_make_a_finished_adapter_anew(store: Store) -> None:
    train(settings(name="anew"), LANGUAGE, PROMPTS, store, execution="local")
    again = train(settings(name="anew", per_device_train_batch_size=1), LANGUAGE, PROMPTS, store, execution="local")
    assert not again.done_before


def test_a_loss_that_is_not_finite_stops_the_run(store: Store) -> None:
    with pytest.raises(DivergedError, match=r"at step \d+ of 6.*not finite.*lines \d+"):
        work(settings(name="diverges", learning_rate=1e30, warmup_ratio=0, max_grad_norm=1e30), store)


def test_a_loss_that_does_not_fall_is_said_while_the_run_goes_on(
    store: Store, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for name, value in (("WINDOW", 2), ("FEWEST", 4)):
        monkeypatch.setattr(watch, name, value)
    with caplog.at_level(logging.WARNING):
        train(settings(name="flat", learning_rate=1e-12), LANGUAGE, PROMPTS, store, execution="local")
    [said] = [text for text in caplog.messages if "the loss has not fallen" in text]
    assert said.startswith("train: step 4: the loss has not fallen in 4 steps")
    assert "raise learning_rate from 1e-12 to 2e-12" in said


def test_a_source_that_forbids_training_stops_the_run(store: Store) -> None:
    rights = Rights(sources={"transcriptions": Source(consent=Consent(train=False))})
    with pytest.raises(ConfigError, match="transcriptions forbids training"):
        train(settings(name="forbidden"), LANGUAGE, PROMPTS, store, rights=rights, execution="local")


def test_the_strictest_of_the_sources_travels_into_the_adapter_s_card(store: Store) -> None:
    everything = Consent(publish_text=True, publish_model=True, serve_public=True, commercial=True)
    strict = everything.model_copy(update={"commercial": False})
    rights = Rights(sources={"transcriptions": Source(consent=strict), "scans": Source(consent=everything)})
    card = run.prepare(settings(name="strict"), LANGUAGE, PROMPTS, store, rights).card
    assert set(card.rights.sources) == {"transcriptions"}, "what was not trained on has no say"
    uses: tuple[Use, ...] = ("train", "publish_text", "publish_model", "serve_public", "commercial")
    assert [use for use in uses if card.rights.refusal(use)] == ["commercial"]
    assert run.prepare(settings(name="strict"), LANGUAGE, PROMPTS, store).card.rights.forbidding("publish_model") == ["transcriptions"]


def test_data_that_holds_what_was_withdrawn_is_not_trained_on(store: Store) -> None:
    example = next(read_examples(store.path("data/training/train.jsonl")))
    withdrawn = Withdrawals(sources=(Withdrawal(source=example.origin.partition("#")[0]), Withdrawal(source="scans")))
    write_withdrawals(store, Withdrawals(sources=withdrawn.sources[1:]))
    try:
        assert run.prepare(settings(name="without"), LANGUAGE, PROMPTS, store).card.without == ("scans",)
        write_withdrawals(store, withdrawn)
        with pytest.raises(StoreError, match=r"train\.jsonl holds what was withdrawn"):
            run.prepare(settings(name="without"), LANGUAGE, PROMPTS, store)
    finally:
        write_withdrawals(store, NOTHING)


def test_a_source_that_forbids_training_lends_no_tokens(store: Store) -> None:
    rights = Rights(sources={"transcriptions": Source(consent=Consent(train=False))})
    with pytest.raises(ConfigError, match="transcriptions forbids training"):
        run.ensure_trained_base(settings(extend={"tokens": 9}), LANGUAGE, PROMPTS, store, rights)
    assert not list(Path(store.path("models/base")).glob("*extended*"))


@pytest.mark.slow
def test_tracking_writes_curves_and_goes_on_in_the_same_run(store: Store, tmp_path: Path) -> None:
    from mlflow.tracking import MlflowClient

    root = tmp_path / "tracked"
    shutil.copytree(store.root, root, ignore=shutil.ignore_patterns("adapters"))
    training = settings(name="tracked", tracking=True)
    train(training, LANGUAGE, PROMPTS, Store(str(root)), execution="local")
    shutil.rmtree(root / "models/adapters/tracked")
    train(training, LANGUAGE, PROMPTS, Store(str(root)), execution="local")
    client = MlflowClient(f"sqlite:///{root}/mlflow.db")
    (found,) = client.search_runs([client.get_experiment_by_name("seshat").experiment_id])
    assert found.info.status == "FINISHED"
    assert found.data.params["lora.r"] == "8"
    assert "sha256.train.jsonl" in found.data.tags
    assert [point.step for point in client.get_metric_history(found.info.run_id, "loss")] == [1, 2, 3, 4, 5, 6]
    assert found.data.tags["world_size"] == "1"


def test_the_manifest_names_no_place_of_this_machine(store: Store) -> None:
    train(settings(name="whole"), LANGUAGE, PROMPTS, store, execution="local")
    folder = Path(store.path("models/adapters/whole"))
    for name in ("manifest.json", "adapter_config.json", CARD):
        assert store.root not in (folder / name).read_text()
    assert json.loads((folder / "adapter_config.json").read_text())["base_model_name_or_path"] == "models/base/small"
