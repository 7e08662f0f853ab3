"""What came of a review, for people: lines for the terminal, and ``reports/review-results/index.html``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from seshat.review.agreement import RELIABLE, TENTATIVE
from seshat.review.form import LEVELS, QUESTIONS, TASK_WORDS
from seshat.review.handouts import render
from seshat.review.results import Agreement, Part, Question, Results, Total
from seshat.review.returned import Returned
from seshat.review.sheet import Sheet

SHOWN = 10
"""Invented words and rejected rows that are listed in the terminal; the page has all."""


def describe(results: Results, returned: Returned, sheets: Mapping[str, Sheet]) -> str:
    """The numbers as text."""
    lines = [_headline(results)]
    for part, totals in _parts(results):
        lines += ["", _title(part, sheets), f"{'':<32}{'mean':>7}{'95 % interval':>18}{'rows':>6}  agreement"]
        for row in _rows(results, part, totals):
            label = f"  {row['question']}, {row['author']}"
            lines.append(f"{label:<32}{row['mean']:>7}{row['interval']:>18}{row['num_rows']:>6}  {row['agreement']}".rstrip())
    if results.invented:
        lines += ["", "Invented words: " + ", ".join(f"{word} ({count})" for word, count in list(results.invented.items())[:SHOWN])]
    if returned.rejected:
        lines += ["", "Rejected:", *(f"  {one}" for one in returned.rejected[:SHOWN])]
    return "\n".join(lines)


def results_page(results: Results, returned: Returned, sheets: Mapping[str, Sheet]) -> bytes:
    """The page: numbers, words, and what reviewers wrote, the worst answers first."""
    html = render(
        "results.html.jinja",
        headline=_headline(results),
        parts=[(_title(part, sheets), list(_rows(results, part, totals))) for part, totals in _parts(results)],
        invented=results.invented,
        remarks=sorted(_remarks(returned, sheets), key=lambda one: (one["lowest"], one["row"].id)),
        rejected=returned.rejected,
        reliable=RELIABLE,
        tentative=TENTATIVE,
    )
    return html.encode()


def _headline(results: Results) -> str:
    reasons = ", ".join(f"{reason} {count}" for reason, count in results.num_rejected.items())
    said = [
        f"{results.num_files} files, {len(results.reviewers)} reviewers",
        f"{results.num_marked} rows marked, {results.num_empty} empty",
        f"{sum(results.num_rejected.values())} rejected ({reasons})" if reasons else "none rejected",
        f"{results.num_pairs} corrections may be used",
    ]
    return "; ".join(said)


def _parts(results: Results) -> Iterator[tuple[Part, list[Total]]]:
    for _, totals in groupby(results.totals, _key):
        found = list(totals)
        yield found[0], found


def _key(part: Part) -> tuple[str, str, str]:
    return part.sheet, part.task, part.direction


def _title(part: Part, sheets: Mapping[str, Sheet]) -> str:
    sheet = sheets[part.sheet]
    about = f", adapter {sheet.name}" if sheet.name else ""
    task = TASK_WORDS[part.task].en if part.task in TASK_WORDS else part.task
    return f"{sheet.called(part.direction)}, {task} (sheet {sheet.id}{about})"


def _rows(results: Results, part: Part, totals: Sequence[Total]) -> Iterator[dict[str, Any]]:
    """The rows of a table; agreement stands in the first one of a question, because it is about all of them."""
    agreed = {one.question: one for one in results.agreement if _key(one) == _key(part)}
    for question, found in groupby(totals, lambda one: one.question):
        for number, one in enumerate(found):
            yield {
                "question": _called(question),
                "author": one.author,
                "mean": _number(one, one.mean),
                "interval": f"{_number(one, one.low)} to {_number(one, one.high)}",
                "num_rows": one.num_rows,
                "counts": one.counts,
                "agreement": "" if number else _agreed(agreed.get(question)),
            }


def _called(question: Question) -> str:
    return "Invented words" if question == "invented" else QUESTIONS[question].title.en


def _number(one: Total, value: float) -> str:
    return f"{value:.0%}" if one.question == "invented" else f"{value:.2f}"


def _agreed(one: Agreement | None) -> str:
    if one is None:
        return "one reviewer"
    return f"{one.alpha:.2f} on {one.num_rows} rows" if one.alpha is not None else f"all the same on {one.num_rows} rows"


def _remarks(returned: Returned, sheets: Mapping[str, Sheet]) -> Iterator[dict[str, Any]]:
    """The rows to which somebody wrote something."""
    rows = {row.id: (sheet, row) for sheet in sheets.values() for row in sheet.rows}
    for one in returned.marked:
        if one.correction or one.comment or one.invented:
            sheet, row = rows[one.row]
            yield {"row": row, "said": one, "direction": sheet.called(row.direction), "lowest": min(one.marks.values(), default=LEVELS[-1])}
