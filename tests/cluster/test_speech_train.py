"""A Whisper taught under Ray Train, and by the command, as users do it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from seshat.cluster.speech_train import SpeechCard, speech_train
from seshat.data.spoken import from_table
from seshat.data.withdraw import plan
from seshat.language import Language
from seshat.store import Store
from seshat.training.speech_settings import SpeechTraining
from seshat.withdrawals import SPEECH_CARD
from tests.training.tiny_whisper import make_base, make_recordings

PROJECT = Path(__file__).resolve().parents[2]
TAMURI = Language(code="qtm", name="tamuri", apostrophe="\u02bc")
QUICK = {"max_steps": 2, "per_device_train_batch_size": 2, "gradient_accumulation_steps": 1, "beam_size": 1, "use_gpu": False}


def merged(root: Path, name: str) -> dict[str, torch.Tensor]:
    return load_file(root / "models" / "speech" / name / "merged" / "model.safetensors")


@pytest.mark.slow
@pytest.mark.ray
@pytest.mark.usefixtures("ray_session")
def test_a_worker_of_ray_gives_the_weights_of_this_process(tmp_path: Path) -> None:
    base, material = make_base(tmp_path / "base"), from_table(str(make_recordings(tmp_path / "recordings")), TAMURI)
    cards = []
    for name, execution in (("here", "local"), ("there", "ray")):
        speech = SpeechTraining.model_validate(QUICK | {"name": name, "model": str(base), "resamples": 100, "cpus_per_worker": 0.5})
        cards.append(speech_train(speech, TAMURI, material, Store(str(tmp_path)), execution=execution)[1])  # type: ignore[arg-type]
    here, there = (merged(tmp_path, name) for name in ("here", "there"))
    close = 0.02 * SpeechTraining(model="").learning_rate  # of a step of Adam: a processor may add in another order in another process
    assert all(torch.allclose(weight, there[name], atol=close) for name, weight in here.items())
    assert cards[0].model_copy(update={"name": "there"}) == cards[1]


@pytest.mark.heavy
def test_the_command_teaches_and_refuses(tmp_path: Path) -> None:
    base, raw = make_base(tmp_path / "base"), tmp_path / "data" / "raw"
    make_recordings(raw / "audio")
    settings = [f"{name}={str(value).lower()}" for name, value in QUICK.items()]
    workspace = [f"root={tmp_path}", "language=configs/languages/sample.yaml", "execution=local"]

    def command(*more: str) -> subprocess.CompletedProcess[str]:
        asked = [sys.executable, "-m", "jobs.speech_train", *workspace, f"model={base}", "speech.language=''", *settings, *more]
        return subprocess.run(asked, cwd=PROJECT, capture_output=True, text=True, check=False, env=os.environ | {"OMP_NUM_THREADS": "1"})

    few = command("least_recordings=40")
    assert (few.returncode, "at least 20 in 40 are needed" in few.stderr) == (1, True), few.stderr
    done = command()
    assert done.returncode == 0, done.stderr
    assert "transcribe.model=models/speech/whisper/faster-whisper" in done.stdout
    assert "errors on 3 utterances in 3 recordings that were not trained on" in done.stdout
    card = SpeechCard.model_validate_json((tmp_path / "models" / "speech" / "whisper" / SPEECH_CARD).read_text(encoding="utf-8"))
    assert card.texts == ("audio/transcripts.csv",)
    for source, saw in (("audio/r03.wav", True), ("audio/transcripts.csv", True), ("audio", True)):
        learners = plan(Store(str(tmp_path)), str(raw), source).learners
        assert any(one.path == "models/speech/whisper" for one in learners) == saw
