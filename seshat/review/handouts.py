"""A review sheet as a page that a reviewer opens from disk, on a phone too, and as a CSV file."""

from __future__ import annotations

import csv
import io
import json
from importlib import resources
from typing import Any

from seshat.language import Language
from seshat.review.form import ASKED, COLUMNS, FORMULA, GUARD, HELP, LEVELS, NO, QUESTIONS, TASK_WORDS, YES, Words, columns
from seshat.review.sheet import Row, Sheet


def table(sheet: Sheet, delimiter: str = ",") -> bytes:
    """The CSV file: UTF-8 with the mark that lets Excel see it."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, lineterminator="\r\n")
    headers = columns(reference=sheet.shows_reference)
    writer.writerow(headers.values())
    for row in sheet.rows:
        shown = sheet.shown(row)
        writer.writerow([guarded(shown.get(key, "")) for key in headers])
    return text.getvalue().encode("utf-8-sig")


def guarded(text: str) -> str:
    """A text that no spreadsheet runs."""
    return GUARD + text if text.startswith(FORMULA) else text


def page(sheet: Sheet) -> bytes:
    """The page, with its style and its program in it; it asks no host for anything and keeps answers in the browser."""
    headers = columns(reference=sheet.shows_reference)
    data = {
        "sheet": sheet.id,
        "columns": list(headers.values()),
        "keys": list(headers),
        "rows": [sheet.shown(row) for row in sheet.rows],
        "guard": GUARD,
        "formula": FORMULA,
        "yes": YES,
        "no": NO,
    }
    html = render(
        "review.html.jinja",
        sheet=sheet,
        script=own("review.js"),
        data=markup(json.dumps(data, ensure_ascii=False).replace("<", "\\u003c")),
        rows=[_view(sheet, row) for row in sheet.rows],
        questions=QUESTIONS,
        levels=LEVELS,
        columns=COLUMNS,
        help=HELP,
        letters=rare_letters(sheet.language),
    )
    return html.encode()


def render(template: str, **view: Any) -> str:
    """A template of this room, in the style of the report."""
    from jinja2 import Environment, StrictUndefined

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    style = (resources.files("seshat.evaluation") / "page" / "report.css").read_text(encoding="utf-8")
    text = (resources.files("seshat.review") / "page" / template).read_text(encoding="utf-8")
    return environment.from_string(text).render(style=markup(style) + own("review.css"), **view)


def markup(text: str) -> Any:
    """Our own markup, not to be escaped."""
    from markupsafe import Markup

    return Markup(text)


def rare_letters(language: Language) -> list[str]:
    """The letters of the alphabet that a Spanish or English keyboard lacks."""
    return [letter for letter in language.order if not letter.isascii() and letter not in "áéíóúüñ"]


def own(name: str) -> Any:
    return markup((resources.files("seshat.review") / "page" / name).read_text(encoding="utf-8"))


def _view(sheet: Sheet, row: Row) -> dict[str, Any]:
    """What the template needs of a row: its texts, the languages that they are in, and what is asked."""
    source, _, target = row.direction.partition("-")
    return {
        **sheet.shown(row),
        "source_language": source,
        "answer_language": target or source,
        "asked": ASKED.get(row.task, tuple(QUESTIONS)),
        "task_words": TASK_WORDS.get(row.task, Words(row.task, row.task)),
        "own_letters": (target or source) == sheet.language.code,
    }
