"""A review sheet as an Excel workbook: instructions on the first sheet, the rows on the second."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Mapping, Sequence
from typing import Any

from seshat.review.form import ANSWERS, ASKED, COLUMNS, HELP, LEVELS, NO, QUESTIONS, YES, Words, columns
from seshat.review.sheet import Sheet

READ_ME, ROWS = "Léame - Read me", "Revisión - Review"
ONCE = {"reviewer": "B5", "consent": "B6"}
"""Cells of the first sheet in which the reviewer writes once what holds for all rows."""
WIDTHS = {"direction": 18, "source": 42, "reference": 42, "answer": 42, "invented": 24, "correction": 42, "comment": 30}
USUAL_WIDTH = 13
DEEP, PAPER, INPUT, UNASKED, LINE = "0B6E5B", "FFFFFF", "FFF8E6", "E6EAE8", "C3CCC8"
_TIMESTAMP = re.compile(rb"(<dcterms:(?:created|modified)[^>]*>)[^<]*(</dcterms)")
_EPOCH = (1980, 1, 1, 0, 0, 0)


def workbook(sheet: Sheet) -> bytes:
    """The file; equal sheets give equal bytes."""
    import openpyxl

    book = openpyxl.Workbook()
    book.properties.creator, book.properties.title = "Seshat", sheet.id
    _read_me(book.active, sheet)
    _rows(book.create_sheet(ROWS), sheet)
    content = io.BytesIO()
    book.save(content)
    return _timeless(content.getvalue())


def _read_me(page: Any, sheet: Sheet) -> None:
    page.title = READ_ME
    page.sheet_view.showGridLines = False
    page.column_dimensions["A"].width = page.column_dimensions["B"].width = 58
    _write(page["A1"], f"{HELP['title']} · {sheet.language.name} · {sheet.id}", bold=True, size=16)
    page["A1"].alignment = page["A1"].alignment.copy(wrap_text=False)
    _both(page, 3, HELP["blind" if sheet.blind else "intro"])
    for key, place in ONCE.items():
        _write(page[f"A{place[1:]}"], f"{HELP[key].es}\n{HELP[key].en}", bold=True)
        _open(page[place])
    page.add_data_validation(_choice([YES, NO], COLUMNS["consent"], HELP["consent"], ONCE["consent"]))
    number = 8
    for question in QUESTIONS.values():
        _both(page, number, Words(f"{question.title.es}: {question.ask.es}", f"{question.title.en}: {question.ask.en}"), bold=True)
        for level, words in zip(LEVELS, question.levels, strict=True):
            _both(page, number + level, Words(f"{level}   {words.es}", f"{level}   {words.en}"))
        number += len(LEVELS) + 2
    for line, key in enumerate(ANSWERS[len(QUESTIONS) :], number):
        _both(page, line, Words(f"{COLUMNS[key].es}: {HELP[key].es}", f"{COLUMNS[key].en}: {HELP[key].en}"))
    _fit(page, landscape=False)


def _rows(page: Any, sheet: Sheet) -> None:
    """The header, and a line for each row with what is known and what is to be filled in."""
    from openpyxl.utils import get_column_letter

    headers = columns(reference=sheet.shows_reference)
    letters = {key: get_column_letter(number) for number, key in enumerate(headers, 1)}
    for key, title in headers.items():
        _write(page[f"{letters[key]}1"], title, bold=True, colour=PAPER, fill=DEEP)
        page.column_dimensions[letters[key]].width = WIDTHS.get(key, USUAL_WIDTH)
    for number, row in enumerate(sheet.rows, 2):
        shown = sheet.shown(row)
        for key, letter in letters.items():
            cell = page[f"{letter}{number}"]
            if key in ONCE:
                there = f"'{READ_ME}'!${ONCE[key][0]}${ONCE[key][1:]}"
                _open(cell)
                cell.value = f'=IF({there}="","",{there})'
            elif key in shown:
                _write(cell, shown[key])
            elif key in QUESTIONS and key not in ASKED.get(row.task, QUESTIONS):
                _write(cell, "", fill=UNASKED)
            else:
                _open(cell)
    _guide(page, sheet, letters)
    page.freeze_panes = "B2"
    page.auto_filter.ref = f"A1:{letters['consent']}{len(sheet.rows) + 1}"
    page.protection.sheet = True  # without a password: against slips, not against people
    page.protection.formatColumns = page.protection.formatRows = page.protection.autoFilter = False
    page.print_title_rows = "1:1"
    _fit(page, landscape=True)


def _guide(page: Any, sheet: Sheet, letters: Mapping[str, str]) -> None:
    """Lists to choose from in the cells that are asked for, and notes beside the headers of the others."""
    for mark, question in QUESTIONS.items():
        asked = [number for number, row in enumerate(sheet.rows, 2) if mark in ASKED.get(row.task, QUESTIONS)]
        if asked:
            places = " ".join(f"{letters[mark]}{number}" for number in asked)
            page.add_data_validation(_choice([str(level) for level in LEVELS], question.title, question.ask, places))
    consents = f"{letters['consent']}2:{letters['consent']}{len(sheet.rows) + 1}"
    page.add_data_validation(_choice([YES, NO], COLUMNS["consent"], HELP["consent"], consents))
    for key in ANSWERS[len(QUESTIONS) :]:
        _say(page[f"{letters[key]}1"], HELP[key])


# Cells


def _write(cell: Any, text: str, *, bold: bool = False, size: int = 11, colour: str = "1D2321", fill: str = "") -> None:
    """Text as it is: what begins with an equals sign is no formula."""
    from openpyxl.styles import Alignment, Border, Font, PatternFill, Side

    cell.value = text or None
    if text:
        cell.data_type = "s"
    cell.font = Font(bold=bold, size=size, color=colour)
    cell.alignment = Alignment(wrap_text=True, vertical="top")
    if fill:
        cell.fill = PatternFill("solid", fgColor=fill)
    if cell.parent.title == ROWS:
        cell.border = Border(bottom=Side("thin", LINE), right=Side("thin", LINE))


def _open(cell: Any) -> None:
    """A cell for the reviewer."""
    from openpyxl.styles import Border, Protection, Side

    _write(cell, "", fill=INPUT)
    cell.border = Border(*(Side("thin", LINE) for _ in range(4)))
    cell.protection = Protection(locked=False)


def _both(page: Any, number: int, words: Words, *, bold: bool = False) -> None:
    _write(page.cell(number, 1), words.es, bold=bold)
    _write(page.cell(number, 2), words.en, bold=bold)


def _say(cell: Any, words: Words) -> None:
    """A note that is shown beside a cell."""
    from openpyxl.comments import Comment

    cell.comment = Comment(f"{words.es}\n\n{words.en}", "Seshat", height=140, width=280)


def _choice(values: Sequence[str], title: Words, prompt: Words, places: str) -> Any:
    """A list to choose from in some cells; what is not on it is refused with the list."""
    from openpyxl.worksheet.datavalidation import DataValidation

    choice = DataValidation(type="list", formula1=f'"{",".join(values)}"', allow_blank=True, sqref=places)
    choice.promptTitle, choice.prompt = str(title)[:32], f"{prompt.es}\n{prompt.en}"[:255]
    choice.errorTitle, choice.error = str(title)[:32], " / ".join(values)
    choice.showInputMessage = choice.showErrorMessage = True
    return choice


def _fit(page: Any, *, landscape: bool) -> None:
    """On paper, as wide as a page."""
    page.page_setup.orientation = "landscape" if landscape else "portrait"
    page.page_setup.paperSize = page.PAPERSIZE_A4
    page.page_setup.fitToHeight = 0
    page.sheet_properties.pageSetUpPr.fitToPage = True


def _timeless(content: bytes) -> bytes:
    """An Office file (a zip) again, its dates set to one moment."""
    again = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(again, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            data = _TIMESTAMP.sub(rb"\g<1>2020-01-01T00:00:00Z\g<2>", old.read(name)) if name == "docProps/core.xml" else old.read(name)
            new.writestr(zipfile.ZipInfo(name, _EPOCH), data, zipfile.ZIP_DEFLATED)
    return again.getvalue()
