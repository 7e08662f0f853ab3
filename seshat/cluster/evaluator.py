"""Scores while training goes on: the weights of every checkpoint translate the same few sentences of the validation set.

It has a copy of the base model of its own and reads files, so the workers never wait for it.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Sequence
from statistics import fmean
from typing import Any

import torch
from safetensors.torch import load_file

from seshat.cluster.events import Event
from seshat.engines.transformers_model import TransformersModel
from seshat.evaluation.metrics import Metric, sentence_scores, statistics
from seshat.evaluation.rates import is_copy, loops
from seshat.examples import TRAINING, read_examples
from seshat.hints import Knowledge
from seshat.prompts import ChatTokenizer
from seshat.records import Example, digest
from seshat.store import Store
from seshat.training import candidates
from seshat.training.extend import new_rows
from seshat.training.model import build, trainable
from seshat.training.run import Job
from seshat.training.watch import GarbageWatch
from seshat.translate import Translation, Translator
from seshat.working_copy import fetch, publish

log = logging.getLogger(__name__)
NUM_SAMPLES = 8
"""Translations that are kept to be read."""


class Evaluator:
    """Scores the candidates of a run, in the order of their steps."""

    def __init__(self, job: Job, device: torch.device) -> None:
        self._job, self._device = job, device
        fetch(*(Store(job.root).path(name) for name in (TRAINING, job.base)), *self._shared)
        self._examples = sample(job)
        self._sample = digest("sample", *(example.id for example in self._examples))
        candidates.forget(job.checkpoints, self._sample)
        self._watch = GarbageWatch()
        trained = read_examples(Store(job.root).path(f"{TRAINING}/train.jsonl")) if job.card.hints else ()
        self._knowledge = Knowledge(job.card.hints, trained) if job.card.hints else None
        self._model: Any = None

    @property
    def _shared(self) -> list[str]:
        """What the workers and this one both read and write, perhaps on different machines."""
        return [os.path.join(self._job.checkpoints, name) for name in (candidates.FOLDER, candidates.SCORES)]

    def score_waiting(self) -> Iterator[Event]:
        """Score what waits, until patience is exhausted."""
        root, patience = self._job.checkpoints, self._job.training.evaluator.patience
        fetch(*self._shared)
        while (waiting := candidates.waiting(root)) and not self.is_exhausted:
            step = waiting[0]
            numbers, sentences, samples = self._score(candidates.path_of(root, step))
            candidates.note(root, candidates.Scored(step, numbers, sentences, self._sample), patience)
            publish(*self._shared)
            yield Event(step, remarks=tuple(self._watch.after_scores(numbers)), scores=numbers, samples=samples)

    @property
    def is_exhausted(self) -> bool:
        """Whether further steps bring nothing."""
        patience = self._job.training.evaluator.patience
        return patience > 0 and candidates.is_exhausted(candidates.read(self._job.checkpoints), patience)

    def _score(self, weights: str) -> tuple[dict[str, float], tuple[float, ...], list[tuple[str, str, str]]]:
        """All numbers of these weights, the chrF++ of each sentence, and some translations."""
        translator = self._with(weights)
        found: list[tuple[Example, Translation]] = []
        by_direction: dict[str, list[Example]] = {}
        for example in self._examples:
            by_direction.setdefault(example.direction, []).append(example)
        scores: dict[Metric, list[float]] = {"chrf++": [], "bleu": []}
        for direction, examples in by_direction.items():
            source, _, target = direction.partition("-")
            said = translator.translate([example.source for example in examples], source, target)
            found += zip(examples, said, strict=True)
            for metric, values in scores.items():
                hypotheses, references = [one.text for one in said], [example.answer for example in examples]
                values.append(statistics(metric, hypotheses, references).corpus())
        numbers: dict[str, float] = {metric: fmean(values) for metric, values in scores.items()}
        sentences = sentence_scores("chrf++", [one.text for _, one in found], [example.answer for example, _ in found])
        samples = [(example.source, example.answer, one.text) for example, one in found[:: max(1, len(found) // NUM_SAMPLES)]]
        return numbers | habits(found), tuple(sentences), samples

    def _with(self, weights: str) -> Translator:
        """The model with the weights of a checkpoint."""
        job = self._job
        folder = Store(job.root).path(job.base)
        if self._model is None:
            self._model = build(folder, job.training, self._device, new_rows(folder)).eval()
        saved = load_file(weights)
        with torch.no_grad():
            for name, weight in trainable(self._model):
                weight.copy_(saved[name])
        return Translator(TransformersModel.around(self._model, str(self._device)), ChatTokenizer.load(folder), job.card, self._knowledge)


def sample(job: Job) -> list[Example]:
    """The sentences that are translated: those translations of the validation set whose digests are smallest, of each direction alike."""
    by_direction: dict[str, list[Example]] = {}
    if job.validation:
        for example in read_examples(Store(job.root).path(f"{TRAINING}/val.jsonl")):
            if example.task == "translation":
                by_direction.setdefault(example.direction, []).append(example)
    share = -(-job.training.evaluator.sample // max(1, len(by_direction)))
    return [example for found in by_direction.values() for example in sorted(found, key=lambda one: one.digest)[:share]]


def habits(found: Sequence[tuple[Example, Translation]]) -> dict[str, float]:
    """What shows garbage before any score does: length, and the shares that ended, that repeat themselves, that copy the source."""
    written = sum(len(one.text) for _, one in found)
    return {
        "length_ratio": written / max(1, sum(len(example.answer) for example, _ in found)),
        "ended": fmean(one.finished for _, one in found),
        "repeated": fmean(loops(one.text) for _, one in found),
        "copied": fmean(is_copy(one.text, example.source, example.answer) for example, one in found),
    }
