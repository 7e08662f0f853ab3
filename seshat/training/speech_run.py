"""A fine-tuning of Whisper from utterances to folders: hear the held-out recordings, fit, merge, convert, and hear them again.

The held-out recordings are heard by the engine that transcribes. They choose nothing (no step, no setting), so their error is that of
recordings nobody has looked at. The utterances of a step, their noise and their dropout are functions of seed and step; so a
run that was killed goes on from its checkpoint to the weights that it would have had.
"""

from __future__ import annotations

import json
import logging
import math
import os
import random
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Protocol, cast

import numpy as np
import torch

from seshat.engines.speech import SAMPLE_RATE, Listening, Samples
from seshat.engines.speech_faster import FasterWhisper
from seshat.errors import DivergedError, StoppedError
from seshat.records import digest
from seshat.training import checkpoint
from seshat.training.loop import Listener, Schedule
from seshat.training.model import IGNORED, Objective, has_fast_bf16
from seshat.training.speech_settings import WINDOW, SpeechTraining
from seshat.training.strategy import Place, Replicated
from seshat.training.whisper import Base, Batch, SpeechObjective, Targets, add_lora, collate, convert, load_base, save_merged
from seshat.working_copy import fetch, publish

log = logging.getLogger(__name__)
MERGED, CONVERTED = "merged", "faster-whisper"
"""The folders of the result: for transformers (and as the base of the next round), and for transcribing."""
BEFORE = "before.json"
_LEAD = 0.4
"""Seconds of silence that are at most put before an utterance, so that not all begin at once and the time codes mean something."""


class Said(Protocol):
    """An utterance with its transcript."""

    @property
    def text(self) -> str: ...

    @property
    def origin(self) -> str: ...

    @property
    def recording(self) -> str:
        """The name of the recording that it is a part of."""
        ...

    @property
    def id(self) -> str:
        """The name of the sound and the text."""
        ...

    def samples(self) -> Samples:
        """Mono at 16 kHz, not longer than a window."""
        ...


@dataclass(frozen=True)
class SpeechJob:
    """All that a worker needs to know; it travels by pickle."""

    speech: SpeechTraining
    base: Base
    base_sha256: str
    folder: str
    """Where the result goes; a path."""
    trained: tuple[Said, ...]
    held_out: tuple[Said, ...]

    @property
    def checkpoints(self) -> str:
        return os.path.join(self.folder, "checkpoints")

    @property
    def steps(self) -> int:
        """Of the optimizer."""
        speech = self.speech
        return speech.max_steps or math.ceil(speech.num_train_epochs * len(self.trained) / speech.utterances_per_step)

    @property
    def identity(self) -> dict[str, object]:
        """What a run must share with a checkpoint to go on from it."""
        decided = ("learning_rate", "warmup_ratio", "weight_decay", "max_grad_norm", "timestamps", "language", "seed")
        return {
            "base": self.base_sha256,
            "data": digest(*(one.id for one in self.trained)),
            "utterances per step": self.speech.utterances_per_step,
            "lora": self.speech.lora.model_dump(mode="json"),
            "steps": self.steps,
            **{name: getattr(self.speech, name) for name in decided},
        }


@dataclass(frozen=True)
class Result:
    """What a worker brings back."""

    before: list[str]
    """What the base hears, for each held-out utterance."""
    after: list[str]
    loss: float
    """Of the last steps that were reported; NaN where nothing was left to train."""
    seconds: float


@dataclass
class Run:
    """Everything that a run holds while it goes on."""

    job: SpeechJob
    place: Place
    strategy: Replicated
    targets: Targets
    schedule: Schedule
    step: int = 0
    """Steps that are done."""
    losses: list[float] = field(default_factory=list)


def start(job: SpeechJob) -> None:
    """Refuse what a broken-off run of other settings or data left under the same name."""
    found = checkpoint.newest(job.checkpoints)
    if found:
        checkpoint.check_identity(found, job.identity, name="speech.name")
    publish(job.folder, job.base.folder)


def work(job: SpeechJob, place: Place, listener: Listener) -> Result:
    """What the worker does, from beginning to end; what was done before it was killed is not done again."""
    started = time.monotonic()
    fetch(job.folder, job.base.folder)
    os.makedirs(job.folder, exist_ok=True)
    before = heard_before(job, place)
    run = setup(job, place)
    loss = fit(run, listener)
    save_merged(run.strategy.objective.model, job.base.folder, os.path.join(job.folder, MERGED))
    converted = os.path.join(job.folder, CONVERTED)
    convert(os.path.join(job.folder, MERGED), converted)
    after = hear(converted, job.held_out, job.speech, place)
    publish(job.folder)
    return Result(before, after, loss, time.monotonic() - started)


def setup(job: SpeechJob, place: Place) -> Run:
    """The model with its adapter and optimizer, at step 0 or where the newest checkpoint was left."""
    speech, found = job.speech, checkpoint.newest(job.checkpoints)
    if found:
        checkpoint.check_identity(found, job.identity, name="speech.name")
    model = add_lora(load_base(job.base.folder, place.device), speech.lora, seed=speech.seed)
    bf16 = speech.bf16 if speech.bf16 != "auto" else place.device.type == "cuda" and has_fast_bf16(place.device)
    strategy = Replicated(cast(Objective, SpeechObjective(model, bf16=bf16)), speech.run, place)
    strategy.begin(checkpoint.read(found) if found else None)
    schedule = Schedule(speech.learning_rate, max(1, round(speech.warmup_ratio * job.steps)), job.steps)
    if found:
        log.info("speech-train: goes on from step %d of %d (%s)", found.step, job.steps, found.folder)
    return Run(job, place, strategy, Targets(job.base, speech.language), schedule, found.step if found else 0)


def fit(run: Run, listener: Listener) -> float:
    """Train to the last step with checkpoints on the way; the mean loss of the steps since the last report but one."""
    job, speech, last, saved = run.job, run.job.speech, math.nan, run.step
    while run.step < job.steps:
        if listener.stop() == "asked":
            if saved < run.step:
                _save(run)
            raise StoppedError(f"speech-train: stopped after step {run.step} of {job.steps}; the same command goes on from there")
        run.losses.append(train_step(run))
        run.step += 1
        if run.step % speech.save_steps == 0 or run.step == job.steps:
            saved = _save(run)
        if run.step % speech.logging_steps == 0 or run.step == job.steps:
            last = sum(run.losses) / len(run.losses)
            run.losses.clear()
            listener.report(run.step, {"loss": last, "learning_rate": run.schedule(run.step - 1)}, [])
    return last


def train_step(run: Run) -> float:
    """One step of the optimizer; the mean loss of its target tokens."""
    speech, device = run.job.speech, run.place.device
    torch.manual_seed(speech.seed * 1_000_003 + run.step)  # dropout
    batches = [_batch(run, places) for places in _batches(run)]
    num_targets = sum(int((labels_BT != IGNORED).sum()) for *_, labels_BT in batches)
    loss = torch.zeros((), device=device)
    for batch in batches:
        part = run.strategy.module(*(tensor.to(device) for tensor in batch)) / num_targets
        run.strategy.backward(part)
        loss += part.detach()
    norm = run.strategy.update(run.schedule(run.step)) if math.isfinite(float(loss)) else math.nan
    if not math.isfinite(norm):
        raise DivergedError(
            f"speech-train stopped at step {run.step + 1} of {run.job.steps}: the loss or its gradient is not finite ({float(loss)}); "
            "lower speech.learning_rate, or raise speech.warmup_ratio"
        )
    return float(loss)


def _batches(run: Run) -> list[list[int]]:
    """The positions of a step's utterances, counted through all epochs, in the batches that are computed at once."""
    speech = run.job.speech
    first, size = run.step * speech.utterances_per_step, speech.per_device_train_batch_size
    return [list(range(place, place + size)) for place in range(first, first + speech.utterances_per_step, size)]


def _batch(run: Run, positions: Sequence[int]) -> Batch:
    """Utterances at some positions, each with some silence before it, with times or without."""
    job, number = run.job, len(run.job.trained)
    sounds, targets = [], []
    for position in positions:
        epoch, place = divmod(position, number)
        one = job.trained[_order(number, job.speech.seed, epoch)[place]]
        rng, samples = random.Random(f"{job.speech.seed} {position}"), one.samples()
        room = WINDOW - len(samples) / SAMPLE_RATE
        lead = round(rng.uniform(0, max(0.0, min(_LEAD, room))) * SAMPLE_RATE)
        ends = (lead + len(samples)) / SAMPLE_RATE
        sounds.append(np.pad(samples, (lead, 0)))
        targets.append(run.targets.ids(one.text, lead / SAMPLE_RATE, ends, timed=rng.random() < job.speech.timestamps))
    return collate(sounds, targets, job.base, run.targets.end)


@lru_cache(maxsize=2)
def _order(number: int, seed: int, epoch: int) -> list[int]:
    """The order of the utterances in an epoch."""
    order = list(range(number))
    random.Random(f"order {seed} {epoch}").shuffle(order)
    return order


def _save(run: Run) -> int:
    job = run.job
    checkpoint.save(job.checkpoints, run.step, job.identity, run.strategy.state(), keep=job.speech.save_total_limit)
    publish(job.folder)
    return run.step


def heard_before(job: SpeechJob, place: Place) -> list[str]:
    """What the base hears of the held-out recordings; kept, so that a run that goes on need not listen again."""
    path, converted = os.path.join(job.folder, BEFORE), os.path.join(job.folder, "base")
    key = digest(job.base_sha256, job.speech.language, job.speech.beam_size, *(one.id for one in job.held_out))
    if os.path.isfile(path):
        with open(path, encoding="utf-8") as stream:
            known: dict[str, Any] = json.load(stream)
        if known["key"] == key:
            return list(known["heard"])
    convert(job.base.folder, converted)
    heard = hear(converted, job.held_out, job.speech, place)
    shutil.rmtree(converted)
    with open(f"{path}.tmp", "w", encoding="utf-8") as stream:
        json.dump({"key": key, "heard": heard}, stream, ensure_ascii=False, indent=1)
    os.replace(f"{path}.tmp", path)
    return heard


def hear(folder: str, utterances: Sequence[Said], speech: SpeechTraining, place: Place) -> list[str]:
    """What the engine that transcribes makes of utterances; it is told where they are, and looks for no speech itself."""
    listening = Listening(vad=False, beam_size=speech.beam_size)
    engine = FasterWhisper(folder, listening, device="cuda" if place.device.type == "cuda" else "cpu", threads=torch.get_num_threads())
    return [" ".join(piece.text for piece in engine.transcribe(one.samples(), language=speech.language)).strip() for one in utterances]
