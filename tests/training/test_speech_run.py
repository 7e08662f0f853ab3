"""A Whisper taught in this process: what it learns, what it leaves, and what becomes of a run that is killed."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from seshat.cluster.speech_train import SpeechCard, prepare, speech_train
from seshat.data.ingest import Ingest
from seshat.data.readers import raw_file
from seshat.data.spoken import Material, from_table, from_workspace
from seshat.data.transcribe import Transcribe, stage_of, weights_of
from seshat.engines.speech import Listening, model_folder
from seshat.engines.speech_faster import FasterWhisper
from seshat.errors import ConfigError, DivergedError, EngineError, StoppedError, StoreError
from seshat.language import Language
from seshat.rights import Consent, Rights, Source
from seshat.stage import guarded
from seshat.step import Outcome
from seshat.store import Store
from seshat.training import speech_run
from seshat.training.loop import Listener, Stop
from seshat.training.model import IGNORED
from seshat.training.speech_run import MERGED, Run, SpeechJob
from seshat.training.speech_settings import SpeechTraining
from seshat.training.strategy import Place
from seshat.training.whisper import Base, Targets, add_lora, collate, load_base, save_merged
from seshat.withdrawals import SPEECH_CARD
from tests.training.tiny_whisper import make_base, make_multilingual, make_recordings, said

pytestmark = pytest.mark.heavy
REAL = Path(__file__).resolve().parents[3] / "shared" / "data" / "languages" / "quy" / "raw"
TAMURI = Language(code="qtm", name="tamuri", apostrophe="\u02bc")


class Killed(BaseException):
    """What the operating system would do."""


class Witness(Listener):
    """Remembers the losses, and ends the run before some step."""

    def __init__(self, *, die: int = 0, ask: int = 0) -> None:
        self.losses: dict[int, float] = {}
        self._die, self._ask = die, ask

    def report(self, step: int, numbers: dict[str, float], remarks: Sequence[str]) -> None:
        self.losses[step] = numbers["loss"]
        if step == self._die:
            raise Killed

    def stop(self) -> Stop:
        return "asked" if self._ask and len(self.losses) == self._ask else ""


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A base and a table of recordings."""
    folder = tmp_path_factory.mktemp("speech")
    make_base(folder / "base")
    make_recordings(folder / "recordings")
    return folder


@pytest.fixture(scope="module")
def material(root: Path) -> Material:
    return from_table(str(root / "recordings" / "transcripts.csv"), TAMURI)


@pytest.fixture
def job(root: Path, material: Material) -> Callable[..., SpeechJob]:
    def make(name: str, **changes: object) -> SpeechJob:
        return prepare(settings(root, name=name, **changes), TAMURI, material, Store(str(root)))[0]

    return make


def settings(root: Path, **changes: object) -> SpeechTraining:
    """A run of seconds."""
    defaults: dict[str, object] = {
        "model": str(root / "base"),
        "lora": {"r": 8, "alpha": 16, "dropout": 0.1},
        "max_steps": 4,
        "per_device_train_batch_size": 2,
        "gradient_accumulation_steps": 1,
        "learning_rate": 5e-3,
        "logging_steps": 1,
        "save_steps": 2,
        "resamples": 100,
        "beam_size": 1,
        "use_gpu": False,
    }
    return SpeechTraining.model_validate(defaults | changes)


def fitted(job: SpeechJob, listener: Listener | None = None) -> Run:
    speech_run.start(job)
    run = speech_run.setup(job, Place())
    speech_run.fit(run, listener or Witness())
    return run


# What goes in


def test_what_is_after_the_prompt_is_trained_and_the_times_are_those_of_the_sound(root: Path) -> None:
    base = Base.read(str(root / "base"))
    targets = Targets(base, "")
    timed, untimed = (targets.ids("Taki waru.", 0.1, 0.7, timed=timed) for timed in (True, False))
    features_BMF, ids_BT, labels_BT = collate([np.zeros(9_600, np.float32)] * 2, [timed, untimed], base, targets.end)
    names = json.loads((root / "base" / "tokenizer.json").read_text())
    by_id = {token["id"]: token["content"] for token in names["added_tokens"]}
    assert features_BMF.shape == (2, 80, 3000)
    assert [by_id[token] for token in timed[0] if token in by_id] == ["<|startoftranscript|>", "<|0.10|>", "<|0.70|>", "<|endoftext|>"]
    assert [by_id[token] for token in untimed[0] if token in by_id] == ["<|startoftranscript|>", "<|notimestamps|>", "<|endoftext|>"]
    for row, (ids, prompt) in enumerate((timed, untimed)):
        trained = [token for token in labels_BT[row].tolist() if token != IGNORED]
        assert trained == ids[prompt:]
        assert ids_BT[row, : len(ids) - 1].tolist() == ids[:-1]


def test_a_text_that_looks_like_a_control_token_is_a_text(root: Path) -> None:
    targets = Targets(Base.read(str(root / "base")), "")
    assert targets.ids("<|endoftext|>", 0, 1, timed=False)[0].count(targets.end) == 1


# What is learnt


def test_the_loss_falls_and_only_the_adapter_is_trained(job: Callable[..., SpeechJob]) -> None:
    witness, this = Witness(), job("falls", max_steps=16, learning_rate=2e-2)
    run = fitted(this, witness)
    first, last = (sum(list(witness.losses.values())[part]) for part in (slice(4), slice(-4, None)))
    assert last < 0.8 * first
    before = load_base(this.base.folder, torch.device("cpu")).state_dict()
    model = run.strategy.objective.model
    after = {name.replace(".base_layer", ""): weight for name, weight in model.get_base_model().state_dict().items() if "lora" not in name}
    assert after.keys() == before.keys()
    assert all(torch.equal(weight, before[name]) for name, weight in after.items())
    layers = {part for name in run.strategy.weights for part in name.split(".") if part.endswith(("_proj", "fc1", "fc2"))}
    assert layers == {"q_proj", "k_proj", "v_proj", "out_proj"}
    assert all("lora_" in name for name in run.strategy.weights)


def test_the_merged_model_says_what_base_and_adapter_say(job: Callable[..., SpeechJob], tmp_path: Path) -> None:
    this = job("merged")
    run = fitted(this)
    model = run.strategy.objective.model.eval()
    batch = speech_run._batch(run, [0, 1, 2])
    features_BMF, ids_BT, _ = batch
    with torch.no_grad():
        adapted = model(input_features=features_BMF, decoder_input_ids=ids_BT).logits
        with model.disable_adapter():
            base = model(input_features=features_BMF, decoder_input_ids=ids_BT).logits
        save_merged(model, this.base.folder, str(tmp_path / "merged"))
        merged = (
            load_base(str(tmp_path / "merged"), torch.device("cpu")).eval()(input_features=features_BMF, decoder_input_ids=ids_BT).logits
        )
    assert torch.allclose(merged, adapted, atol=1e-4)
    assert not torch.allclose(base, adapted, atol=1e-2)


def test_accumulated_batches_are_one_large_batch(job: Callable[..., SpeechJob]) -> None:
    losses = []
    for size in (4, 2):
        sizes = {"per_device_train_batch_size": size, "gradient_accumulation_steps": 4 // size}
        fitted(job(f"batch{size}", max_steps=2, lora={"r": 8, "dropout": 0}, **sizes), witness := Witness())
        losses.append(list(witness.losses.values()))
    assert losses[0] == pytest.approx(losses[1], abs=1e-3)


# Broken off


@pytest.mark.parametrize("die", [1, 2, 3])
def test_a_killed_run_ends_with_the_weights_of_an_undisturbed_one(job: Callable[..., SpeechJob], die: int) -> None:
    whole = fitted(job("whole")).strategy.state()
    this = job(f"killed{die}")
    with pytest.raises(Killed):
        fitted(this, Witness(die=die))
    rest = Witness()
    again = fitted(this, rest).strategy.state()
    assert min(rest.losses) == (3 if die > 1 else 1)
    for mine, its in ((again.weights, whole.weights), (again.moments, whole.moments)):
        assert mine.keys() == its.keys()
        assert all(torch.equal(value, its[name]) for name, value in mine.items())


def test_a_run_that_is_asked_to_stop_keeps_what_it_did(job: Callable[..., SpeechJob]) -> None:
    whole = fitted(job("whole")).strategy.state().weights
    this = job("stopped")
    with pytest.raises(StoppedError, match="stopped after step 3 of 4"):
        fitted(this, Witness(ask=3))
    rest = Witness()
    assert all(torch.equal(weight, whole[name]) for name, weight in fitted(this, rest).strategy.state().weights.items())
    assert list(rest.losses) == [4]


def test_a_checkpoint_of_other_settings_is_refused(job: Callable[..., SpeechJob]) -> None:
    with pytest.raises(Killed):
        fitted(job("other"), Witness(die=3))
    with pytest.raises(ConfigError, match=r"learning_rate was 0.005 and is 0.001.*another speech.name"):
        speech_run.start(job("other", learning_rate=1e-3))


def test_a_loss_that_is_not_finite_ends_the_run(job: Callable[..., SpeechJob]) -> None:
    run = speech_run.setup(job("diverged"), Place())
    with torch.no_grad():
        next(iter(run.strategy.weights.values())).fill_(float("nan"))
    with pytest.raises(DivergedError, match=r"lower speech\.learning_rate"):
        speech_run.fit(run, Witness())


# What is left


@pytest.fixture(scope="module")
def finished(root: Path, material: Material) -> tuple[Outcome, SpeechCard, Store]:
    store = Store(str(root))
    rights = Rights(sources={"recordings": Source(title="Voices", consent=Consent(publish_model=True))})
    outcome, card = speech_train(settings(root, name="finished"), TAMURI, material, store, rights=rights, execution="local")
    return outcome, card, store


def test_the_result_is_transcribed_with(finished: tuple[Outcome, SpeechCard, Store], material: Material) -> None:
    outcome, _, store = finished
    folder = outcome.note.partition("transcribe.model=")[2].split()[0]
    engine = FasterWhisper(model_folder("faster-whisper", folder, store.root), Listening(vad=False, beam_size=1))
    held = [json.loads(line) for line in store.read("models/speech/finished/held_out.jsonl").decode().splitlines()]
    by_origin = {one.origin: one for one in material.spoken}
    again = [" ".join(piece.text for piece in engine.transcribe(by_origin[row["origin"]].samples())).strip() for row in held]
    assert [row["after"] for row in held] == again
    assert [row["said"] for row in held] == [by_origin[row["origin"]].text for row in held]


def test_the_verb_transcribes_with_it(finished: tuple[Outcome, SpeechCard, Store], root: Path) -> None:
    _, _, store = finished
    asked = Transcribe(model="models/speech/finished/faster-whisper", vad=False)
    stage = stage_of(asked, TAMURI, *weights_of(asked, store.root), store.root)
    records = list(guarded(stage, [raw_file(str(root / "recordings" / "r03.wav"))]))
    assert records
    assert all(record.origin.startswith("r03.wav") for record in records)


def test_the_result_is_the_base_of_the_next_round(finished: tuple[Outcome, SpeechCard, Store]) -> None:
    _, _, store = finished
    assert Base.read(store.path(f"models/speech/finished/{MERGED}")).num_mels == 80


def test_the_card_says_what_it_is_made_of_and_how_well_it_hears(finished: tuple[Outcome, SpeechCard, Store]) -> None:
    outcome, card, store = finished
    assert SpeechCard.model_validate_json(store.read(f"models/speech/finished/{SPEECH_CARD}")) == card
    assert (card.base, card.language, card.heard_as) == ("base", "qtm", "")
    assert card.rights.sources["recordings"].title == "Voices"
    assert len(card.data) == 24 + 1
    assert card.texts == ("transcripts.csv",)
    assert card.num_recordings + len(card.held_out) == 24
    assert [one.measure for one in (*card.before, *card.after, *card.changes)] == ["wer", "cer"] * 3
    assert all(one.verdict == "not told apart" for one in card.changes)
    assert "were held out: intervals from fewer than 10 are too narrow" in str(card)
    assert (outcome.rows_in, outcome.kept, outcome.done_before) == (24, 24, False)


def test_nothing_is_done_twice(finished: tuple[Outcome, SpeechCard, Store], material: Material, root: Path) -> None:
    _, card, store = finished
    wanted, rights = settings(root, name="finished"), card.rights
    again, known = speech_train(wanted, TAMURI, material, store, rights=rights, execution="local")
    assert again.done_before
    assert known == card
    manifest = store.manifest("models/speech/finished")
    assert manifest is not None
    assert {Path(file.path).parent.name for file in manifest.files} == {"finished", "merged", "faster-whisper"}
    weights = load_file(store.path(f"models/speech/finished/{MERGED}/model.safetensors"))
    assert not any("lora" in name for name in weights)


def test_a_multilingual_whisper_hears_it_as_the_language_it_was_told(root: Path, material: Material, tmp_path: Path) -> None:
    wanted = settings(root, model=str(make_multilingual(tmp_path / "base")), language="es", max_steps=2)
    targets = Targets(Base.read(wanted.model), "es")
    assert len(targets.prompt) == 3
    outcome, card = speech_train(wanted, TAMURI, material, Store(str(tmp_path)), execution="local")
    assert card.heard_as == "es"
    assert outcome.note.endswith("transcribe.language=es")
    assert FasterWhisper(str(tmp_path / "models/speech/whisper/faster-whisper"), Listening())._model.model.is_multilingual


@pytest.mark.skipif(not REAL.is_dir(), reason="needs the real recordings beside the project")
def test_real_recordings_are_learnt_from(root: Path, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "raw").symlink_to(REAL)
    quechua, store = Language(code="quy", name="quechua ayacuchano", short="qu"), Store(str(tmp_path))
    recordings = from_workspace(store, str(REAL), quechua, Ingest())
    outcome, card = speech_train(settings(root, least_utterances=12, max_steps=2), quechua, recordings, store, execution="local")
    assert (outcome.kept, card.num_recordings + len(card.held_out), card.num_repeated) == (12, 12, 0)
    assert card.texts == ("audio/transcripts.csv",)


# Refused


@pytest.mark.parametrize(
    ("changes", "error", "match"),
    [
        ({"model": "nobody/nothing"}, EngineError, r"neither a folder .*hf download nobody/nothing"),
        ({"lora": {"target_modules": ["q_prj"]}}, ConfigError, "no linear layer 'q_prj'"),
        ({"least_recordings": 40}, StoreError, "24 utterances with trusted words in 24 recordings, and at least 20 in 40"),
    ],
)
def test_what_cannot_be_is_refused_with_the_cure(
    root: Path, material: Material, changes: dict[str, object], error: type[Exception], match: str
) -> None:
    with pytest.raises(error, match=match):
        speech_train(settings(root, name="refused", **changes), TAMURI, material, Store(str(root)), execution="local")


def test_a_source_that_forbids_training_is_obeyed(root: Path, material: Material) -> None:
    rights = Rights(sources={"recordings": Source(consent=Consent(train=False))})
    with pytest.raises(ConfigError, match=r"SOURCE\.yaml of recordings forbids training"):
        prepare(settings(root), TAMURI, material, Store(str(root)), rights=rights)


def test_a_text_that_is_longer_than_whisper_can_write_is_left_out(root: Path, material: Material) -> None:
    long = replace(material.spoken[0], text=f"{said(1)} " * 300)
    _, card, rejected = prepare(settings(root), TAMURI, replace(material, spoken=(*material.spoken, long)), Store(str(root)))
    assert card.rejected == {"tokens": 1}
    assert rejected == (f"tokens: the text is longer than Whisper can write; {long.origin}",)


def test_a_folder_that_holds_no_whisper_is_refused(root: Path, tmp_path: Path) -> None:
    folder = make_base(tmp_path / "base")
    config = json.loads((folder / "config.json").read_text())
    for changes, match in (({"model_type": "qwen3"}, "of type 'qwen3'"), ({"encoder_attention_heads": 2}, "64 wide")):
        (folder / "config.json").write_text(json.dumps(config | changes))
        with pytest.raises(EngineError, match=match):
            Base.read(str(folder))
    (folder / "tokenizer.json").unlink()
    with pytest.raises(EngineError, match=r"no tokenizer.json"):
        Base.read(str(folder))


def test_a_multilingual_whisper_must_be_told_a_language(root: Path) -> None:
    base = replace(Base.read(str(root / "base")), multilingual=True)
    with pytest.raises(ConfigError, match=r"speech.language is empty.*speech.language=es"):
        Targets(base, "")
    with pytest.raises(ConfigError, match="Whisper has no language 'qtm'"):
        Targets(base, "qtm")


def test_add_lora_draws_the_same_for_a_seed(root: Path) -> None:
    one, two = (
        dict(add_lora(load_base(str(root / "base"), torch.device("cpu")), settings(root).lora, seed=3).named_parameters()) for _ in range(2)
    )
    assert all(torch.equal(weight, two[name]) for name, weight in one.items())
    shutil.rmtree(root / "models" / "speech" / "none", ignore_errors=True)
