"""What an evaluation leaves on disk, under ``reports/``: scores, samples, and what else a reader should know.

``statistics.parquet`` (see ``measured``) is what all scores here derive from. Every run has its own folder under ``reports/runs``;
what lies in ``reports/`` itself is that of the run that was evaluated last.
"""

from __future__ import annotations

import json
import posixpath
from collections.abc import Iterable, Sequence
from typing import Literal

from pydantic import TypeAdapter

from seshat.config import Section
from seshat.evaluation.floors import System
from seshat.evaluation.forgetting import Forgetting
from seshat.evaluation.metrics import Metric, Score
from seshat.evaluation.significance import Comparison, Skill
from seshat.store import Store, StoredFile

FOLDER = "reports"
SCORES = f"{FOLDER}/scores.json"
SAMPLES = f"{FOLDER}/samples.jsonl"
DETAILS = f"{FOLDER}/evaluation.json"
STATISTICS = f"{FOLDER}/statistics.parquet"
RUNS = f"{FOLDER}/runs"


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
    expected: float | None = None
    """The sentence chrF++ that our model expected of its answer; None if it was not calibrated."""
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


class Against(Comparison):
    """Ours against another system in one direction and task, on the sentences that both were asked for."""

    direction: str
    task: str
    system: System


class PublishedRow(Skill):
    """A published figure in one direction, and our skill by it."""

    direction: str
    source: str
    """Whose figure it is, as the settings say."""


class BucketScore(Section):
    """Ours and the best floor by one metric, on the sentences of a bucket."""

    metric: Metric
    ours: float
    low: float
    high: float
    """The 95 % interval of ours."""
    floor: float | None
    comparison: Comparison | None
    """Ours against that floor; None if there is none."""


class Bucket(Section):
    """The translations of one direction that have something in common."""

    direction: str
    by: Literal["collection", "length", "unseen words"]
    """What they have in common: where they come from, words of the source, or how many of these training has never seen."""
    name: str
    n: int
    floor: System | None = None
    """The best floor here by chrF++; None if there is none, or if the bucket is too small."""
    scores: tuple[BucketScore, ...] = ()
    """None if there are too few sentences to score."""


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
    decoding: str = "greedy"
    """How the models searched for their answers, in words."""
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
    comparisons: tuple[Against, ...] = ()
    published: tuple[PublishedRow, ...] = ()
    buckets: tuple[Bucket, ...] = ()


def of_run(name: str) -> str:
    """The folder of the run that is called by the name of its adapter."""
    return f"{RUNS}/{name}"


def beside(folder: str, file: str) -> str:
    """One of the files above, in the folder of a run."""
    return f"{folder}/{posixpath.basename(file)}"


def write_scores(store: Store, rows: Sequence[ScoreRow], folder: str = FOLDER) -> StoredFile:
    """Write ``scores.json``."""
    return store.write(beside(folder, SCORES), json.dumps([row.model_dump() for row in rows], indent=1, ensure_ascii=False).encode())


def write_samples(store: Store, samples: Iterable[Sample], folder: str = FOLDER) -> StoredFile:
    """Write ``samples.jsonl``."""
    return store.write(beside(folder, SAMPLES), "".join(f"{sample.model_dump_json()}\n" for sample in samples).encode())


def write_details(store: Store, details: Details, folder: str = FOLDER) -> StoredFile:
    """Write ``evaluation.json``."""
    return store.write(beside(folder, DETAILS), details.model_dump_json(indent=1).encode())


def read_scores(store: Store, folder: str = FOLDER) -> list[ScoreRow]:
    """The rows of ``scores.json``; none if there has been no evaluation."""
    name = beside(folder, SCORES)
    return TypeAdapter(list[ScoreRow]).validate_json(store.read(name)) if store.size(name) >= 0 else []


def read_samples(store: Store, folder: str = FOLDER) -> list[Sample]:
    """The lines of ``samples.jsonl``; none if there has been no evaluation."""
    name = beside(folder, SAMPLES)
    return [Sample.model_validate_json(line) for line in store.read(name).splitlines() if line] if store.size(name) >= 0 else []


def read_details(store: Store, folder: str = FOLDER) -> Details | None:
    """The details of an evaluation, None if there has been none."""
    name = beside(folder, DETAILS)
    return Details.model_validate_json(store.read(name)) if store.size(name) >= 0 else None
