"""What every reader returns, whatever the format: tables of rows, paragraphs of text, and where in the file each one stands."""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from seshat.errors import DataError


class RefusedError(DataError):
    """A whole file is refused; the sentence begins with the word by which it is counted (``columns: ...``)."""


DAMAGED: tuple[type[Exception], ...] = (
    *(ArithmeticError, AttributeError, EOFError, LookupError, MemoryError, NotImplementedError, OSError, RecursionError, SyntaxError),
    *(TypeError, ValueError, struct.error, zipfile.BadZipFile, zlib.error),
)
"""What the libraries for office files and pictures raise, written for whole files, when one is not."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a table, one object of a list."""

    place: str
    """``row=12``, ``line=7``, ``entry=36``."""
    values: Mapping[str, str]
    """By column name as the file spells it; what is not there is not a key."""
    nested: Mapping[str, tuple[Row, ...]] = field(default_factory=dict)
    """Rows within the row, such as the examples of a dictionary entry."""
    problem: str = ""
    """Why the row cannot be used, beginning with one word for the count."""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows with the same columns."""

    columns: tuple[str, ...]
    rows: tuple[Row, ...]

    @classmethod
    def of(cls, rows: Iterable[Row]) -> Table:
        """A table of rows that name their own columns."""
        rows = tuple(rows)
        return cls(tuple(dict.fromkeys(name for row in rows for name in (*row.values, *row.nested))), rows)


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph of running text; in a list of words, a line."""

    text: str
    place: str
    """``line=12``, ``paragraph=3``, ``page=2``."""
    in_table: bool = False
    """It is the cell of a table, which ``Content.tables`` holds too."""


@dataclass(frozen=True, slots=True)
class Content:
    """All that a file says."""

    tables: tuple[Table, ...] = ()
    paragraphs: tuple[Paragraph, ...] = ()
    lines: tuple[Paragraph, ...] = ()
    """The text line by line, for lists of words; empty where a format has no lines of its own."""
    shared_places: bool = False
    """The place of every paragraph means the same in the file of either language (``verse=GEN 1:3``), so that both sides of a
    document go together by place."""
    remarks: tuple[str, ...] = ()
    """What a reader had to decide (``read as cp1252``), for the log."""


@dataclass(frozen=True, slots=True)
class Options:
    """What a reader is told about one file; empty means: find out."""

    header: bool = True
    """The first row names the columns; without it they are called 1, 2, 3."""
    delimiter: str = ""
    encoding: str = ""
    extension: str = ""
    """What the file is read as, if its name ends in something else."""
    line_by_line: bool = False
    """Every line of a text is a paragraph, as in the file that it goes with: nothing is joined, and no other format looked for."""


@dataclass(frozen=True, slots=True)
class Reader:
    """A format: every module of this package names its readers in ``READERS``."""

    extensions: tuple[str, ...]
    """In small letters, with the dot."""
    read: Callable[[bytes, Options], Content]
    """Raises DataError (or RefusedError) with a whole sentence if the bytes are not of the format."""


def named_columns(cells: list[str], *, header: bool, width: int) -> tuple[str, ...]:
    """The names of a table's columns; a nameless one is called by its number, a repeated one is refused."""
    names = [cell.strip() for cell in cells] if header else []
    names += [""] * (width - len(names))
    names = [name or str(number) for number, name in enumerate(names, 1)]
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise RefusedError(f"columns: the header names {', '.join(map(repr, repeated))} more than once; rename one of them")
    return tuple(names)


def table_row(place: str, columns: tuple[str, ...], cells: list[str]) -> Row | None:
    """One row by column name; None if all its cells are empty, a problem if it has more cells than there are columns."""
    if not any(cell.strip() for cell in cells):
        return None
    surplus = [cell for cell in cells[len(columns) :] if cell.strip()]
    problem = f"ragged: {len(columns) + len(surplus)} cells where the header names {len(columns)} columns" if surplus else ""
    return Row(
        place,
        {name: cell for name, cell in zip(columns, cells, strict=False) if cell.strip()},
        problem=problem,
    )
