"""What an evaluation leaves on disk, under ``reports/``: scores, samples, and what else a reader should know."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import TypeVar

from pydantic import TypeAdapter

from seshat.config import Section
from seshat.evaluation.floors import System
from seshat.evaluation.forgetting import Forgetting
from seshat.evaluation.metrics import Metric, Score
from seshat.store import Store, StoredFile

FOLDER = "reports"
SCORES = f"{FOLDER}/scores.json"
SAMPLES = f"{FOLDER}/samples.jsonl"
DETAILS = f"{FOLDER}/evaluation.json"
S = TypeVar("S", bound=Section)


class ScoreRow(Section):
    """One number: a row of ``scores.json``."""

    direction: str
    task: str
    system: System
    metric: Metric
    score: float
    low: float
    high: float
    """The 95 % interval."""
    n: int
    """How many sentences it rests on."""
    signature: str

    @classmethod
    def of(cls, direction: str, task: str, system: System, score: Score) -> ScoreRow:
        """The row of a score."""
        return cls(
            direction=direction,
            task=task,
            system=system,
            metric=score.metric,
            score=score.score,
            low=score.low,
            high=score.high,
            n=score.num_sentences,
            signature=score.signature,
        )


class Sample(Section):
    """One test example with what every system made of it: a line of ``samples.jsonl``."""

    direction: str
    task: str
    source: str
    reference: str
    hypotheses: dict[System, str]
    confidence: float | None = None
    """Our model's mean probability of a token; None where it was not measured."""
    origin: str = ""


class PartDetails(Section):
    """What else is known about one direction and task."""

    direction: str
    task: str
    num_available: int
    num_scored: int
    """Smaller if the test set was sampled."""
    num_leaked: int
    """Test cases of which a side also stands in the training data; they make the score better than it is."""
    exact: float
    """The share of our answers that are the reference, letter by letter but for case and spaces."""
    unfinished: float | None
    """The share of our answers that were cut at their limit; None where it was not measured."""
    length_ratio: float
    """Characters of our answers over characters of the references: chrF++ can be bought with length."""


class Surprise(Section):
    """Perplexity of one system on monolingual text."""

    system: System
    num_texts: int
    per_token: float
    bits_per_character: float


class Details(Section):
    """What the report says beside the scores; ``evaluation.json``."""

    name: str
    """Of the adapter."""
    test_set: str
    parts: tuple[PartDetails, ...]
    num_memory: int
    """Training pairs behind the floors."""
    num_links: int
    """Word pairs in the lexicon behind the gloss."""
    forgetting: Forgetting | None = None
    """Of the bridge language; None if base and model did not both read it."""
    surprise: tuple[Surprise, ...] = ()
    monolingual: str = ""
    """What the perplexity was measured on."""


def write_scores(store: Store, rows: Sequence[ScoreRow]) -> StoredFile:
    """Write ``scores.json``."""
    return store.write(SCORES, json.dumps([row.model_dump() for row in rows], indent=1, ensure_ascii=False).encode())


def write_samples(store: Store, samples: Iterable[Sample]) -> StoredFile:
    """Write ``samples.jsonl``."""
    return store.write(SAMPLES, "".join(f"{sample.model_dump_json()}\n" for sample in samples).encode())


def read_scores(store: Store) -> list[ScoreRow]:
    """The rows of ``scores.json``; none if there has been no evaluation."""
    if store.size(SCORES) < 0:
        return []
    return TypeAdapter(list[ScoreRow]).validate_json(store.read(SCORES))


def read_samples(store: Store) -> list[Sample]:
    """The lines of ``samples.jsonl``; none if there has been no evaluation."""
    if store.size(SAMPLES) < 0:
        return []
    return [Sample.model_validate_json(line) for line in store.read(SAMPLES).splitlines() if line]


def read_details(store: Store) -> Details | None:
    """The details of the last evaluation, None if there has been none."""
    return Details.model_validate_json(store.read(DETAILS)) if store.size(DETAILS) >= 0 else None
