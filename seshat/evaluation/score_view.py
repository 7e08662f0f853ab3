"""What the report shows of the scores: a card for each direction, a table beside the floors, buckets, and the words for them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from seshat.evaluation.charts import intervals
from seshat.evaluation.floors import SYSTEMS, System
from seshat.evaluation.metrics import METRICS, NAMES, Metric
from seshat.evaluation.results import Against, Bucket, Details, PartDetails, PublishedRow, ScoreRow
from seshat.evaluation.scoring import MAIN, best_floor
from seshat.evaluation.significance import FEWEST, p_value
from seshat.language import Language

LABELS: Mapping[System, str] = {
    "ours": "ours",
    "copy": "copy",
    "nearest": "nearest",
    "gloss": "gloss",
    "phrases": "phrases",
    "base": "base, untrained",
}
USUAL_LENGTH = (0.8, 1.2)
"""Ratios of answer to reference outside which chrF++ misleads."""
BANDS = (
    (10, "10–20", "getting the gist, many errors"),
    (20, "20–30", "understandable translations, noticeable errors"),
    (30, "30–40", "good translations, minor errors"),
    (40, "40+", "very good to excellent"),
)
"""How the training guide reads BLEU: the lowest score, the band, what to expect. For well-resourced languages."""
Scores = Mapping[tuple[System, Metric], ScoreRow]
View = dict[str, Any]
"""What the template is given; it goes no further."""


def called(language: Language, direction: str) -> str:
    """A direction in words."""
    names = {language.code: language.name, language.bridge.code: language.bridge.name}
    return " → ".join(names.get(code, code) for code in direction.split("-"))


def band(bleu: float) -> str:
    """What the guide says about a BLEU score."""
    reached = [f"{name}, {words}" for lowest, name, words in BANDS if bleu >= lowest]
    return f"in the guide’s band {reached[-1]}" if reached else "below the guide’s lowest band, which begins at 10"


def headline(language: Language, direction: str, scores: Scores, details: Details | None) -> View:
    """The card of a direction: the score, and whether it is better than the best floor."""
    ours, bleu = scores["ours", "chrf++"], scores["ours", "bleu"]
    against = _against(direction, details)
    floor = best_floor((system, row.score) for (system, metric), row in scores.items() if metric == MAIN[0])
    found = against.get((floor, "chrf++")) if floor else None
    beside = against.get((floor, "bleu")) if floor else None
    return {
        "title": called(language, direction),
        "ours": ours,
        "bleu": bleu,
        "band": band(bleu.score),
        "ahead": found is not None and found.verdict == "better",
        "verdict": _verdict(floor, scores, found),
        "beside": f"By BLEU against the same floor: {beside}." if beside else "",
        "skills": [f"{_published(row)}: {row}." for row in _figures(direction, details)],
    }


def _verdict(floor: System | None, scores: Scores, found: Against | None) -> str:
    if floor is None:
        return "There is no floor to compare with."
    named = f"{floor} ({scores[floor, 'chrf++'].score:.1f})"
    if found is None:
        return f"Not compared with the best floor, {named}, yet: run make eval again."
    if found.verdict == "better":
        return f"{found.difference:.1f} above the best floor, {named}: better, {p_value(found.p)}."
    if found.verdict == "worse":
        return f"Worse than the floor {named}, which needs no model at all, {p_value(found.p)}."
    few = f"; {found.n} sentences are too few to tell" if found.n < FEWEST else ""
    return f"Not told apart from the floor {named}, {p_value(found.p)}{few}."


def group(language: Language, direction: str, scores: Scores, details: Details | None) -> View:
    """One direction of translation: charts, table, buckets, and what has to be said about it."""
    systems = [system for system in SYSTEMS if (system, MAIN[0]) in scores]
    against = _against(direction, details)
    figures = {row.metric: row for row in _figures(direction, details)}
    charts = [{"metric": NAMES[metric], "svg": intervals([scores[one, metric] for one in systems], LABELS)} for metric in MAIN]
    table = [
        {
            "system": one,
            "label": LABELS[one],
            "n": scores[one, MAIN[0]].n,
            "rows": {metric: scores.get((one, metric)) for metric in METRICS},
            "against": {metric: against.get((one, metric)) for metric in MAIN},
        }
        for one in systems
    ]
    notes = (
        [note for part in details.parts if (part.direction, part.task) == (direction, "translation") for note in _notes(part)]
        if details
        else []
    )
    base = scores.get(("base", "chrf++"))
    if base and base.n < scores["ours", "chrf++"].n:
        notes.append(f"The base model was asked for {base.n} of the sentences only, so its interval is wider.")
    notes += [f"Published: {source}. Only figures on the same test set compare." for source in {row.source for row in figures.values()}]
    return {
        "title": f"{called(language, direction)} ({direction})",
        "charts": charts,
        "systems": table,
        "figures": {metric: figures.get(metric) for metric in MAIN} if figures else None,
        "buckets": [_bucket(one) for one in details.buckets if one.direction == direction] if details else [],
        "notes": notes,
    }


def _bucket(bucket: Bucket) -> View:
    return {**dict(bucket), "scores": {score.metric: score for score in bucket.scores}}


def _against(direction: str, details: Details | None) -> dict[tuple[System, Metric], Against]:
    found = details.comparisons if details else ()
    return {(one.system, one.metric): one for one in found if (one.direction, one.task) == (direction, "translation")}


def _figures(direction: str, details: Details | None) -> Sequence[PublishedRow]:
    return [row for row in details.published if row.direction == direction] if details else []


def _published(row: PublishedRow) -> str:
    return f"{NAMES[row.metric]} {row.published:.1f} is published"


def _notes(part: PartDetails) -> Iterator[str]:
    if part.num_scored < part.num_available:
        yield f"A sample of {part.num_scored:,} of {part.num_available:,} test sentences, chosen by content."
    low, high = USUAL_LENGTH
    if not low <= part.length_ratio <= high:
        yield f"Our translations are {part.length_ratio:.2f} times as long as the references; outside {low} to {high} chrF++ misleads."
    if part.num_leaked:
        yield f"{part.num_leaked:,} test sentences also stand in the training data, so the score is better than it should be."
    if part.unfinished:
        yield f"{part.unfinished:.1%} of our translations were cut at their limit."


def by_part(scores: Iterable[ScoreRow]) -> dict[tuple[str, str], dict[tuple[System, Metric], ScoreRow]]:
    """Scores by direction and task, then by system and metric."""
    found: dict[tuple[str, str], dict[tuple[System, Metric], ScoreRow]] = {}
    for row in scores:
        found.setdefault((row.direction, row.task), {})[row.system, row.metric] = row
    return found
