"""Scores, intervals, comparisons, buckets and skill: all that derives from the stored statistics and no model is needed for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypedDict

from seshat.evaluation.floors import FLOORS, System
from seshat.evaluation.measured import Case, Measured
from seshat.evaluation.metrics import METRICS, Metric
from seshat.evaluation.results import Against, Bucket, BucketScore, PublishedRow, ScoreRow
from seshat.evaluation.settings import Evaluation
from seshat.evaluation.significance import FEWEST, Skill, compare, skill

MAIN: tuple[Metric, ...] = ("chrf++", "bleu")
"""What buckets are scored by; the first decides which floor is the best one."""
LENGTHS = {"1-5": 5, "6-10": 10, "11-20": 20, "21+": None}
"""The most words of a source, by the name of its bucket."""
UNSEEN = {"0": 0, "1": 1, "2+": None}
"""The most words of a source that training has never seen, by the name of its bucket."""
By = Literal["collection", "length", "unseen words"]


class Draws(TypedDict):
    """How resamples are drawn, by the names of ``bootstrap``."""

    resamples: int
    seed: int


@dataclass(frozen=True, slots=True)
class Derived:
    """What the statistics say under some settings."""

    rows: tuple[ScoreRow, ...]
    comparisons: tuple[Against, ...]
    published: tuple[PublishedRow, ...]
    buckets: tuple[Bucket, ...]


def derive(parts: Sequence[Measured], evaluation: Evaluation) -> Derived:
    """Everything, part by part."""
    draws = draws_of(evaluation)
    return Derived(
        tuple(row for part in parts for row in score_rows(part, draws)),
        tuple(row for part in parts for row in comparisons(part, draws)),
        tuple(row for part in parts for row in published(part, evaluation, draws)),
        tuple(row for part in parts for row in buckets(part, draws)),
    )


def draws_of(evaluation: Evaluation) -> Draws:
    """The draws of some settings."""
    return {"resamples": evaluation.bootstrap, "seed": evaluation.seed}


def score_rows(part: Measured, draws: Draws) -> Iterator[ScoreRow]:
    """Every system by every metric."""
    for system, spoken in part.systems.items():
        for metric in METRICS:
            yield ScoreRow.of(part.direction, part.task, system, spoken.statistics[metric].score(**draws))


def comparisons(part: Measured, draws: Draws) -> Iterator[Against]:
    """Ours against every other system by every metric."""
    for system in part.systems:
        if system != "ours":
            for metric in METRICS:
                found = compare(*part.pair("ours", system, metric), **draws)
                yield Against(direction=part.direction, task=part.task, system=system, **dict(found))


def published(part: Measured, evaluation: Evaluation, draws: Draws) -> Iterator[PublishedRow]:
    """The figures that the user gave for a direction of translation, with our skill."""
    if part.task != "translation" or part.direction not in evaluation.published:
        return
    figures = evaluation.published[part.direction]
    for metric in MAIN:
        if metric in figures.scores:
            found = _skill(part, metric, figures.scores[metric], draws)
            yield PublishedRow(direction=part.direction, source=figures.source, **dict(found))


def _skill(part: Measured, metric: Metric, figure: float, draws: Draws) -> Skill:
    if "gloss" not in part.systems:
        ours = part.systems["ours"].statistics[metric].corpus()
        return Skill(metric=metric, ours=ours, gloss=None, published=figure, skill=None)
    return skill(*part.pair("ours", "gloss", metric), figure, **draws)


def buckets(part: Measured, draws: Draws) -> Iterator[Bucket]:
    """The translations of a direction apart: by collection, by length of the source, by source words that training never saw."""
    if part.task != "translation":
        return
    names = sorted({case.collection for case in part.cases})
    kinds: list[tuple[By, Sequence[str], Callable[[Case], str]]] = [
        ("collection", names, lambda case: case.collection),
        ("length", list(LENGTHS), lambda case: _within(LENGTHS, case.num_words)),
        ("unseen words", list(UNSEEN), lambda case: _within(UNSEEN, case.num_unseen)),
    ]
    for by, wanted, name_of in kinds:
        places: dict[str, list[int]] = {name: [] for name in wanted}
        for place, case in enumerate(part.cases):
            places[name_of(case)].append(place)
        for name, found in places.items():
            yield _bucket(part.at(found), by, name, draws)


def _within(most: Mapping[str, int | None], number: int) -> str:
    return next(name for name, limit in most.items() if limit is None or number <= limit)


def _bucket(part: Measured, by: By, name: str, draws: Draws) -> Bucket:
    known = Bucket(direction=part.direction, by=by, name=name, n=len(part.cases))
    if known.n < FEWEST:
        return known
    floor = best_floor((system, spoken.statistics[MAIN[0]].corpus()) for system, spoken in part.systems.items())
    return known.model_copy(update={"floor": floor, "scores": tuple(_in_bucket(part, metric, floor, draws) for metric in MAIN)})


def _in_bucket(part: Measured, metric: Metric, floor: System | None, draws: Draws) -> BucketScore:
    ours = part.systems["ours"].statistics[metric].score(**draws)
    return BucketScore(
        metric=metric,
        ours=ours.score,
        low=ours.low,
        high=ours.high,
        floor=part.systems[floor].statistics[metric].corpus() if floor else None,
        comparison=compare(*part.pair("ours", floor, metric), **draws) if floor else None,
    )


def best_floor(scores: Iterable[tuple[System, float]]) -> System | None:
    """The floor with the highest score; None if there is no floor."""
    floors = {system: score for system, score in scores if system in FLOORS}
    return max(floors, key=lambda system: floors[system], default=None)
