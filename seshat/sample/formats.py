"""Files of every format, written so that the same content gives the same bytes: fixed dates, fixed identifiers."""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from seshat.sample.fonts import font_path

_EPOCH = (2020, 1, 1, 0, 0, 0)
_TIMESTAMP = re.compile(rb"(<dcterms:(?:created|modified)[^>]*>)[^<]*(</dcterms)")
Rows = Sequence[Sequence[str]]


def write_text(path: Path, text: str, *, encoding: str = "utf-8") -> None:
    """A text file; a letter that the encoding lacks is an error."""
    path.write_bytes(text.encode(encoding))


def write_csv(path: Path, rows: Rows, *, delimiter: str = ",", encoding: str = "utf-8") -> None:
    """A table with a header row, quoted where needed."""
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, lineterminator="\r\n").writerows(rows)
    write_text(path, text.getvalue(), encoding=encoding)


def write_json(path: Path, items: Sequence[dict[str, Any]]) -> None:
    """A list of objects."""
    write_text(path, json.dumps(items, ensure_ascii=False, indent=1) + "\n")


def write_xlsx(path: Path, rows: Rows, *, sheet: str) -> None:
    """A workbook with one sheet, the first row as its header."""
    import openpyxl

    book = openpyxl.Workbook()
    page = book.active
    page.title = sheet
    for row in rows:
        page.append(list(row))
    page.freeze_panes = "A2"
    content = io.BytesIO()
    book.save(content)
    _write_package(path, content.getvalue())


def write_docx(path: Path, paragraphs: Sequence[str] = (), *, title: str = "", table: Rows = ()) -> None:
    """A Word document: a title, paragraphs, and a table with a header row."""
    import docx

    document = docx.Document()
    if title:
        document.add_heading(title, level=1)
    for paragraph in paragraphs:
        document.add_paragraph(paragraph)
    if table:
        _add_table(document, table)
    content = io.BytesIO()
    document.save(content)
    _write_package(path, content.getvalue())


def write_pdf(path: Path, paragraphs: Sequence[str], *, title: str) -> None:
    """A PDF with a text layer: paragraphs on A5 pages. The title stands in the file's properties only."""
    from reportlab.lib.pagesizes import A5
    from reportlab.lib.styles import ParagraphStyle
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.ttfonts import TTFont
    from reportlab.platypus import Paragraph, SimpleDocTemplate

    if "DejaVuSerif" not in pdfmetrics.getRegisteredFontNames():
        pdfmetrics.registerFont(TTFont("DejaVuSerif", str(font_path("DejaVuSerif"))))
    body = ParagraphStyle("body", fontName="DejaVuSerif", fontSize=10, leading=14, spaceAfter=8)
    content = io.BytesIO()
    document = SimpleDocTemplate(content, pagesize=A5, margins=48, title=title, author="tamuri", invariant=1)
    document.build([Paragraph(text, body) for text in paragraphs])
    path.write_bytes(content.getvalue())


def _add_table(document: Any, rows: Rows) -> None:
    table = document.add_table(rows=len(rows), cols=len(rows[0]))
    table.style = "Table Grid"
    cells = iter(table._cells)  # one pass; table.cell() walks the whole table each time
    for row in rows:
        for text in row:
            next(cells).text = text


def _write_package(path: Path, content: bytes) -> None:
    """An Office file (a zip) again, its dates set to one moment."""
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            data = old.read(name)
            if name == "docProps/core.xml":
                data = _TIMESTAMP.sub(rb"\g<1>2020-01-01T00:00:00Z\g<2>", data)
            new.writestr(zipfile.ZipInfo(name, _EPOCH), data, zipfile.ZIP_DEFLATED)
