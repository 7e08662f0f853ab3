"""Filled sheets that came back: every row is read against the key of its sheet, and what is wrong with one is said and kept.

Any number of files, from one reviewer or several: workbooks, or tables in whatever delimiter and encoding a spreadsheet writes.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import regex

from seshat.config import Section
from seshat.data.columns import plain
from seshat.data.readers import Options, Table, files_of, read
from seshat.errors import DataError, StoreError
from seshat.language import clean_spaces
from seshat.records import RawFile
from seshat.review.form import ANSWERS, COLUMNS, GUARD, LEVELS, QUESTIONS, Mark
from seshat.review.sheet import Row, Sheet

REQUIRED = ("id", "source", "answer")
_NAMES = {plain(name): key for key, words in COLUMNS.items() for name in (key, str(words), words.es, words.en)}
_YES = frozenset({"sí", "si", "s", "yes", "y", "x", "1", "true", "verdadero", "✓"})
_NO = frozenset({"", "no", "n", "0", "false", "falso"})
_NONE = frozenset({"", "-", "–", "—", "0", "no", "none", "ninguna", "ninguno", "nada", "n/a"})
_MARK = regex.compile(r"(\d+)(?:[.,]0+)?")
_BETWEEN = regex.compile(r"[,;\n]")
_ERROR = regex.compile(r"#[\p{Lu}/¿?!0-9]+[?!]")
"""What a spreadsheet shows for a formula that it does not understand, such as a text that begins with a hyphen."""


class Marked(Section):
    """What one reviewer said about one row."""

    sheet: str
    row: str
    """The id of the row."""
    reviewer: str
    """The name that they gave, else the file."""
    file: str
    place: str
    marks: dict[Mark, int] = {}
    invented: tuple[str, ...] = ()
    correction: str = ""
    comment: str = ""
    consent: bool = False
    """The correction may be used."""


class Rejected(Section):
    """A file, a row or a part of a row that cannot be used."""

    file: str
    place: str = ""
    reason: str
    """It begins with one word for the count."""
    cells: dict[str, str] = {}
    """The row as it came back."""

    def __str__(self) -> str:
        return f"{self.file}{'#' if self.place else ''}{self.place}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Returned:
    """All that came back."""

    marked: tuple[Marked, ...]
    rejected: tuple[Rejected, ...]
    files: tuple[str, ...]
    num_empty: int
    """Rows that nobody filled in."""


Known = Mapping[str, tuple[Sheet, Row]]
"""All rows of all sheets, by id."""


def read_returned(path: str, sheets: Mapping[str, Sheet]) -> Returned:
    """The filled sheets in a folder, or in one file; the first of several answers of one reviewer to a row counts.

    Raises:
        StoreError: If there is no file.
    """
    files = files_of(path)
    if not files:
        raise StoreError(f"{path} holds no filled sheets: put them there, or set review.returned to their folder")
    known = {row.id: (sheet, row) for sheet in sheets.values() for row in sheet.rows}
    marked: dict[tuple[str, str], Marked] = {}
    rejected: list[Rejected] = []
    num_empty = 0
    for file in files:
        for one in _of_file(file, known):
            if isinstance(one, Rejected):
                rejected.append(one)
            elif one is None:
                num_empty += 1
            elif (first := marked.setdefault((one.reviewer.casefold(), one.row), one)) is not one:
                rejected.append(_repeated(one, first))
    return Returned(tuple(marked.values()), tuple(rejected), tuple(file.origin for file in files), num_empty)


def _repeated(one: Marked, first: Marked) -> Rejected:
    marks = {mark: str(value) for mark, value in one.marks.items()}
    texts = {"invented": ", ".join(one.invented), "correction": one.correction, "comment": one.comment}
    return Rejected(
        file=one.file,
        place=one.place,
        reason=f"repeated: {first.reviewer} marked this row in {first.file}#{first.place} already",
        cells={"id": one.row, **marks, **texts, "reviewer": one.reviewer},
    )


def _of_file(file: RawFile, known: Known) -> Iterator[Marked | Rejected | None]:
    """What stands in each row of a file; None for a row that nobody filled in."""
    try:
        content = read(file, Options())
    except DataError as error:
        yield Rejected(file=file.origin, reason=str(error))
        return
    tables = [(table, columns) for table in content.tables if "id" in (columns := _columns(table))]
    if not tables:
        yield Rejected(file=file.origin, reason=f"columns: no table with the column {str(COLUMNS['id'])!r}: is this a review sheet?")
    for table, columns in tables:
        if missing := [str(COLUMNS[key]) for key in REQUIRED if key not in columns]:
            yield Rejected(file=file.origin, reason=f"columns: {', '.join(map(repr, missing))} is not there; put it back")
            continue
        for row in table.rows:
            cells = {key: row.values.get(column, "").strip().removeprefix(GUARD) for key, column in columns.items()}
            place = {"file": file.origin, "place": row.place}
            if row.problem:
                yield Rejected(**place, reason=row.problem, cells=cells)
            elif any(cells.get(key) for key in ANSWERS):
                yield from _of_row(cells, known, **place)
            elif cells["id"]:
                yield None


def _columns(table: Table) -> dict[str, str]:
    """The columns of a table that are ours, by key."""
    return {_NAMES[plain(column)]: column for column in table.columns if plain(column) in _NAMES}


def _of_row(cells: Mapping[str, str], known: Known, *, file: str, place: str) -> Iterator[Marked | Rejected]:
    def rejected(reason: str) -> Rejected:
        return Rejected(file=file, place=place, reason=reason, cells=dict(cells))

    if cells["id"] not in known:
        yield rejected(f"id: {cells['id']!r} is on no sheet that was written here")
        return
    sheet, row = known[cells["id"]]
    marks, problem = _marks(cells)
    if problem := _changed(cells, row) or problem or _broken(cells):
        yield rejected(problem)
        return
    consent = cells.get("consent", "").lower()
    if consent not in _YES | _NO:
        yield rejected(f"consent: {consent!r} is neither sí nor no, so the marks count and the correction is not used")
    yield Marked(
        sheet=sheet.id,
        row=row.id,
        reviewer=clean_spaces(cells.get("reviewer", "")) or file,
        file=file,
        place=place,
        marks=marks,
        invented=_listed(cells.get("invented", "")),
        correction=_text(cells.get("correction", "")),
        comment=cells.get("comment", ""),
        consent=consent in _YES,
    )


def _changed(cells: Mapping[str, str], row: Row) -> str:
    """Why the row is not the one that was written; empty if it is."""
    for key, text in (("source", row.source), ("answer", row.answer)):
        if _text(cells[key]) != _text(text):
            return (
                f"edited: {str(COLUMNS[key])!r} is {cells[key]!r} and was {text!r}; what would be better goes under "
                f"{str(COLUMNS['correction'])!r}, and a program that turns letters into '?' must save as XLSX or CSV UTF-8"
            )
    return ""


def _marks(cells: Mapping[str, str]) -> tuple[dict[Mark, int], str]:
    """The marks of a row, and why one of them is none."""
    marks: dict[Mark, int] = {}
    for mark in QUESTIONS:
        text = cells.get(mark, "")
        number = _MARK.fullmatch(text)
        if number and int(number[1]) in LEVELS:
            marks[mark] = int(number[1])
        elif text.lower() not in _NONE - {"0"}:
            return {}, f"mark: {str(COLUMNS[mark])!r} is {text!r}; write a whole number from {LEVELS[0]} to {LEVELS[-1]}, or nothing"
    return marks, ""


def _broken(cells: Mapping[str, str]) -> str:
    wrong = next((cells[key] for key in ("invented", "correction", "comment") if _ERROR.fullmatch(cells.get(key, ""))), "")
    return f"formula: the spreadsheet took a text for a formula and shows {wrong!r}; write it again without its first sign" if wrong else ""


def _listed(text: str) -> tuple[str, ...]:
    """The words of a list; none if it says that there are none."""
    if text.lower() in _NONE:
        return ()
    words = (clean_spaces(word).strip(" .?!¿¡\"'«»“”") for word in _BETWEEN.split(_normal(text)))
    return tuple(dict.fromkeys(word for word in words if word))


def _text(text: str) -> str:
    return clean_spaces(_normal(text))


def _normal(text: str) -> str:
    return unicodedata.normalize("NFC", text)
