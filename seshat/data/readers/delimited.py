"""CSV and its kin: commas, semicolons, tabs or bars, sniffed; strict about quotes."""

from __future__ import annotations

import csv
import io
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator
from itertools import islice

import regex

from seshat.data.readers.content import Content, Options, Reader, RefusedError, Table, named_columns, table_row
from seshat.data.readers.encoding import decode

DELIMITERS = ",;\t|"
LONGEST_FIELD = 1 << 24
"""Characters; a longer field is a missing quote."""
_SAMPLE = 50
"""Lines that are looked at to find the delimiter."""
_WIDEST = 10_000
"""Characters of each that are looked at."""
_LINE = regex.compile(r"[^\r\n]+")
_LINE_END = regex.compile(r"\r\n|\r|\n")


def read_delimited(data: bytes, options: Options) -> Content:
    """One table; the place of a row is the line on which it begins."""
    text, encoding = decode(data, options.encoding)
    delimiter = options.delimiter or sniff(text)
    cells = _tab_separated(text) if delimiter == "\t" else _quoted(text, delimiter)
    rows = [(line, row) for line, row in cells if any(cell.strip() for cell in row)]
    if not rows:
        raise RefusedError("empty: the table holds no rows")
    columns = named_columns(rows[0][1], header=options.header, width=len(rows[0][1]))
    body = rows[1:] if options.header else rows
    made = (table_row(f"line={line}", columns, row) for line, row in body)
    remarks = () if encoding.startswith("utf-8") else (f"read as {encoding}",)
    return Content(tables=(Table(columns, tuple(row for row in made if row is not None)),), remarks=remarks)


def sniff(text: str) -> str:
    """The delimiter that cuts the most lines of a text into the same number of cells as its first; a comma if none does."""
    found = (match.group()[:_WIDEST] for match in _LINE.finditer(text))
    lines = list(islice((line for line in found if line.strip()), _SAMPLE))
    if not lines:
        return ","

    def fitness(delimiter: str) -> tuple[float, int]:
        counts = Counter(len(next(csv.reader([line], delimiter=delimiter))) for line in lines)
        width = len(next(csv.reader(lines[:1], delimiter=delimiter)))
        return (counts[width] / len(lines) if width > 1 else 0.0, width)

    return max(DELIMITERS, key=fitness)


def _quoted(text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    csv.field_size_limit(LONGEST_FIELD)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    while True:
        line = reader.line_num + 1
        try:
            yield line, next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise RefusedError(_why(text, line, delimiter, str(error))) from None


def _why(text: str, line: int, delimiter: str, said: str) -> str:
    """What is wrong with the row that begins on a line, and on which line."""
    opened = _opening_line(text, line, delimiter)
    if not opened:
        return f"length: the row that begins on line {line} is no row of a table ({said}); look whether it is one, or cut it"
    return (
        f'quotes: the quotation mark that opens a cell on line {opened} is not closed, or one inside that cell is not doubled (""): {said}'
    )


def _opening_line(text: str, line: int, delimiter: str) -> int:
    """The line of the first quoted cell that is not whole, from the row that begins on a line; 0 if all are."""
    ends = [0, *(match.end() for match in _LINE_END.finditer(text))]
    place = ends[line - 1]
    whole = regex.compile(rf'"[^"]*+(?:""[^"]*+)*+"(?=[{regex.escape(delimiter)}\r\n]|$)|(?!")[^{regex.escape(delimiter)}\r\n]*+')
    while place < len(text):
        found = whole.match(text, place)
        if found is None:
            return bisect_right(ends, place)
        place = found.end() + 1
    return 0


def _tab_separated(text: str) -> Iterator[tuple[int, list[str]]]:
    """Tabs need no quotes, so quotation marks are text, except in a cell that a spreadsheet quoted for its inner ones."""
    for line, row in enumerate(text.split("\n"), 1):
        yield line, [_unquoted(cell) for cell in row.rstrip("\r").split("\t")]


def _unquoted(cell: str) -> str:
    inner = cell[1:-1]
    spreadsheet = len(cell) > 1 and cell[0] == cell[-1] == '"' and '""' in inner and '"' not in inner.replace('""', "")
    return inner.replace('""', '"') if spreadsheet else cell


READERS = (Reader(extensions=(".csv", ".tsv", ".tab"), read=read_delimited),)
