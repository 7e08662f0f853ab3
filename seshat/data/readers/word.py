"""Word documents: paragraphs and tables in the order of the page."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

from seshat.data.readers.archive import check_package
from seshat.data.readers.content import (
    DAMAGED,
    Content,
    Options,
    Paragraph,
    Reader,
    RefusedError,
    Table,
    named_columns,
    table_row,
)


def read_document(data: bytes, options: Options) -> Content:
    """Every table with its first row as header, and all text; the text of cells is marked as such."""
    import docx  # slow to import
    from docx.opc.exceptions import PackageNotFoundError

    check_package(data)
    paragraphs: list[Paragraph] = []
    tables: list[Table] = []
    num_paragraphs = num_tables = 0
    try:
        for block in docx.Document(io.BytesIO(data)).iter_inner_content():
            if hasattr(block, "rows"):
                num_tables += 1
                cells = [[cell.text.strip() for cell in row.cells] for row in block.rows]
                tables += _table(cells, num_tables, options)
                paragraphs += _cell_paragraphs(cells, num_tables)
            else:
                num_paragraphs += 1
                paragraphs += _paragraph(block, num_paragraphs)
    except (PackageNotFoundError, *DAMAGED) as error:
        raise RefusedError(f"unreadable: not a Word document ({error}); open it in a word processor and save it as .docx again") from None
    if not paragraphs:
        raise RefusedError("empty: the document holds no text; if it holds pictures of pages, put them into scans/")
    lines = tuple(one for one in paragraphs if not one.in_table)
    return Content(tables=tuple(tables), paragraphs=tuple(paragraphs), lines=lines)


def _paragraph(block: Any, number: int) -> Iterator[Paragraph]:
    """A paragraph; forced line breaks inside it make lines of their own, as people write lists with them."""
    for line in block.text.split("\n"):
        if line.strip():
            yield Paragraph(line.strip(), f"paragraph={number}")


def _cell_paragraphs(cells: list[list[str]], number: int) -> Iterator[Paragraph]:
    for index, row in enumerate(cells, 1):
        for text in dict.fromkeys(row):  # a merged cell is given once for each column it spans
            if text:
                yield Paragraph(text, f"table={number}&row={index}", in_table=True)


def _table(cells: list[list[str]], number: int, options: Options) -> Iterator[Table]:
    filled = [(index, row) for index, row in enumerate(cells, 1) if any(row)]
    if not filled:
        return
    header = options.header and len(set(filled[0][1])) == len(filled[0][1])  # else it is no table of data
    columns = named_columns(filled[0][1], header=header, width=len(filled[0][1]))
    body = filled[1:] if header else filled
    rows = (table_row(f"table={number}&row={index}", columns, row) for index, row in body)
    yield Table(columns, tuple(row for row in rows if row is not None))


READERS = (Reader(extensions=(".docx",), read=read_document),)
