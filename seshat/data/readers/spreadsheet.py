"""Excel workbooks: every sheet with rows is a table whose first row names the columns."""

from __future__ import annotations

import io
from typing import Any

from seshat.data.readers.archive import check_package
from seshat.data.readers.content import (
    DAMAGED,
    Content,
    Options,
    Reader,
    RefusedError,
    Row,
    Table,
    named_columns,
    table_row,
)


def read_workbook(data: bytes, options: Options) -> Content:
    """Values as they are shown last, without formulas; ``row=12`` counts as the spreadsheet does."""
    import openpyxl  # slow to import

    check_package(data)
    try:
        book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)
        sheets = [sheet for sheet in book.worksheets if hasattr(sheet, "iter_rows")]
        tables = [_table(sheet, f"sheet={sheet.title}&" if len(sheets) > 1 else "", options) for sheet in sheets]
    except DAMAGED as error:
        raise RefusedError(
            f"unreadable: not an Excel workbook ({error}); open it in a spreadsheet program and save it as .xlsx again"
        ) from None
    found = tuple(table for table in tables if table is not None)
    if not found:
        raise RefusedError("empty: no sheet of the workbook holds rows")
    return Content(tables=found)


def _table(sheet: Any, prefix: str, options: Options) -> Table | None:
    sheet.reset_dimensions()  # what the file claims about its size is often wrong
    cells = [(number, [_text(value) for value in row]) for number, row in enumerate(sheet.iter_rows(values_only=True), 1)]
    filled = [(number, row) for number, row in cells if any(row)]
    if not filled:
        return None
    width = max(len(row) for _, row in filled) if not options.header else _last(filled[0][1])
    columns = named_columns(filled[0][1][:width], header=options.header, width=width)
    body = filled[1:] if options.header else filled
    rows = (table_row(f"{prefix}row={number}", columns, row) for number, row in body)
    made: tuple[Row, ...] = tuple(row for row in rows if row is not None)
    return Table(columns, made)


def _last(cells: list[str]) -> int:
    """One past the last cell that is not empty."""
    return max(index for index, cell in enumerate(cells, 1) if cell)


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()


READERS = (Reader(extensions=(".xlsx", ".xlsm"), read=read_workbook),)
