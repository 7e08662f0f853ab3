"""What stands at a place of a raw file, as the file has it: the way back to it ends here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from seshat.data.readers import read
from seshat.data.readers.content import Options, Row
from seshat.data.readers.encoding import decode
from seshat.data.readers.raw import open_raw
from seshat.records import RawFile

TO = ".."
"""Between the first and the last of several places: ``line=4..6``."""


def excerpt(file: RawFile, place: str, options: Options) -> list[str]:
    """The lines at a place ``line=4..6``; elsewhere the rows or paragraphs there, as their reader found them; empty if there are none.

    Nothing is normalised or respelled. Errors are those of opening and of reading the file.
    """
    name, _, numbers = place.partition("=")
    first, _, last = numbers.partition(TO)
    if name == "line" and first.isdigit():
        text, _ = decode(open_raw(file), options.encoding)
        return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")[int(first) - 1 : int(last or first)]
    content = read(file, options)
    units = [unit for table in content.tables for row in table.rows for unit in _rows(row)]
    units += [(paragraph.place, paragraph.text) for paragraph in content.paragraphs if not paragraph.in_table]
    return at(place, units)


def at(place: str, units: Iterable[tuple[str, str]]) -> list[str]:
    """The texts at a place, or from the first to the last of ``verse=GEN 1:3..GEN 1:5``, in order."""
    units = list(units)
    exact = [text for where, text in units if where == place]
    if exact:
        return exact
    first, _, last = place.partition(TO)
    begin = _index([where for where, _ in units], first)
    end = _index([where.rpartition("=")[2] for where, _ in units[begin:]], last)
    return [text for _, text in units[begin : begin + end + 1]] if begin >= 0 and end >= 0 else []


def _index(values: Sequence[str], value: str) -> int:
    return values.index(value) if value in values else -1


def _rows(row: Row) -> Iterator[tuple[str, str]]:
    yield row.place, " | ".join(f"{name}: {value}" for name, value in row.values.items())
    for rows in row.nested.values():
        for nested in rows:
            yield from _rows(nested)
