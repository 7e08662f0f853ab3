"""What reviewers said, in numbers: a mean with its interval for each direction and question, invented words, and agreement.

A row counts once, however many reviewers marked it: their mean. Intervals are Student's for means and Wilson's (1927, "Probable
Inference, the Law of Succession, and Statistical Inference") for the share of rows with invented words. Both are about other rows of
the same kind, not about other reviewers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from statistics import fmean
from typing import Literal, get_args

from seshat.config import Section
from seshat.evaluation.results import FOLDER
from seshat.review.agreement import alpha
from seshat.review.form import LEVELS, QUESTIONS, Mark
from seshat.review.returned import Marked, Returned
from seshat.review.sheet import Author, Row, Sheet
from seshat.store import Store

RESULTS = f"{FOLDER}/review-results"
Question = Mark | Literal["invented"]
ASKED_OF_ALL: tuple[Question, ...] = (*QUESTIONS, "invented")
Judged = Sequence[tuple[Row, Sequence[Marked]]]
"""Rows with what each reviewer said about them."""


class Part(Section):
    """What a number is about."""

    sheet: str
    task: str
    direction: str


class Total(Part):
    """What reviewers think of one side of a direction."""

    author: Author
    """Whose answers these are."""
    question: Question
    mean: float
    """Of the marks, from 1 to 5; for ``invented`` the share of rows in which at least half of the reviewers found such a word."""
    low: float
    high: float
    """The 95 % interval."""
    num_rows: int
    counts: tuple[int, ...] = ()
    """How often each mark from 1 to 5 was given."""


class Agreement(Part):
    """How far reviewers agree on one question, whoever wrote the answers."""

    question: Question
    alpha: float | None
    """Krippendorff's, ordinal for marks and nominal for ``invented``; None where it is not defined."""
    num_rows: int
    """Rows that two reviewers or more marked."""


class Results(Section):
    """All of it: ``results.json``."""

    adapters: dict[str, str]
    """What each sheet is about."""
    reviewers: tuple[str, ...]
    num_files: int
    num_marked: int
    """Rows that came back with something in them, once for each reviewer."""
    num_empty: int
    num_rejected: dict[str, int]
    """By reason."""
    num_pairs: int
    """Corrections that became pairs for the next round."""
    totals: tuple[Total, ...]
    agreement: tuple[Agreement, ...]
    invented: dict[str, int]
    """The words that reviewers do not know, the most frequent first."""


def results(returned: Returned, sheets: Mapping[str, Sheet], num_pairs: int) -> Results:
    """The numbers behind what came back."""
    said: dict[str, list[Marked]] = {}
    names: dict[str, str] = {}
    for one in returned.marked:
        said.setdefault(one.row, []).append(one)
        names.setdefault(one.reviewer.casefold(), one.reviewer)
    parts: dict[tuple[str, str, str], list[tuple[Row, list[Marked]]]] = {}
    for sheet in sheets.values():
        for row in sheet.rows:
            if row.id in said:
                parts.setdefault((sheet.id, row.task, row.direction), []).append((row, said[row.id]))
    named = [(Part(sheet=sheet, task=task, direction=direction), judged) for (sheet, task, direction), judged in parts.items()]
    return Results(
        adapters={part.sheet: sheets[part.sheet].name for part, _ in named},
        reviewers=tuple(names.values()),
        num_files=len(returned.files),
        num_marked=len(returned.marked),
        num_empty=returned.num_empty,
        num_rejected=dict(Counter(one.reason.partition(":")[0] for one in returned.rejected).most_common()),
        num_pairs=num_pairs,
        totals=tuple(total for part, judged in named for total in _totals(part, judged)),
        agreement=tuple(one for part, judged in named for one in _agreement(part, judged)),
        invented=dict(Counter(word.lower() for one in returned.marked for word in one.invented).most_common()),
    )


def _totals(part: Part, judged: Judged) -> Iterator[Total]:
    for question in ASKED_OF_ALL:
        for author in get_args(Author):
            theirs = [marked for row, marked in judged if author in row.authors]
            values = [marks for marked in theirs if (marks := _values(question, marked))]
            if values:
                mean, low, high = _share(values) if question == "invented" else _mean(values)
                given = Counter(mark for marks in values for mark in marks)
                yield Total(
                    **part.model_dump(),
                    author=author,
                    question=question,
                    mean=mean,
                    low=low,
                    high=high,
                    num_rows=len(values),
                    counts=() if question == "invented" else tuple(given[level] for level in LEVELS),
                )


def _agreement(part: Part, judged: Judged) -> Iterator[Agreement]:
    for question in ASKED_OF_ALL:
        shared = [marks for _, marked in judged if len(marks := _values(question, marked)) > 1]
        if shared:
            found = alpha(shared, "nominal" if question == "invented" else "ordinal")
            yield Agreement(**part.model_dump(), question=question, alpha=found, num_rows=len(shared))


def _values(question: Question, marked: Sequence[Marked]) -> list[int]:
    """What reviewers answered to a question about a row; a row with marks and without invented words has none."""
    if question == "invented":
        return [int(bool(one.invented)) for one in marked if one.marks or one.invented]
    return [one.marks[question] for one in marked if question in one.marks]


def _mean(values: Sequence[Sequence[int]]) -> tuple[float, float, float]:
    """The mean of rows with its interval; that of a single row is the whole scale."""
    import numpy as np
    from scipy import stats

    rows = [fmean(marks) for marks in values]
    mean, lowest, highest = fmean(rows), LEVELS[0], LEVELS[-1]
    if len(rows) == 1:
        return mean, lowest, highest
    reach = float(stats.t.ppf(0.975, len(rows) - 1) * np.std(rows, ddof=1) / np.sqrt(len(rows)))
    return mean, max(lowest, mean - reach), min(highest, mean + reach)


def _share(values: Sequence[Sequence[int]]) -> tuple[float, float, float]:
    from scipy import stats

    with_words = sum(fmean(marks) >= 0.5 for marks in values)
    low, high = stats.binomtest(with_words, len(values)).proportion_ci(0.95, method="wilson")
    return with_words / len(values), float(low), float(high)


def read_results(store: Store) -> Results | None:
    """The last results of a workspace; None if no sheet has come back."""
    name = f"{RESULTS}/results.json"
    return Results.model_validate_json(store.read(name)) if store.size(name) >= 0 else None
