"""A sentence and its translation on each line, as aligners take it (``text ||| translation``) or with a tab, without a header.

No reader of its own: only who knows that a text is no list of words (which has tabs too) may ask for this.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from seshat.data.readers.content import Paragraph, Row, Table

Names = Callable[[Sequence[str]], bool]
"""Whether cells name the columns of a text and its translation."""
NAMELESS = ("text", "translation")
"""What columns are called that have no names, in this order."""
_SEPARATORS = ("|||", "\t")
_SHARE = 0.9
"""So many of the lines must have one separator; with fewer it is text in which the sign happens to stand."""
_END_MARKS = tuple(".?!…”»")


def separated_table(lines: Sequence[Paragraph], are_names: Names) -> Table | None:
    """The table of lines that nearly all have one separator, two at least; None for any other text.

    A line without separator, or with several, is a row with its problem.
    """
    for separator in _SEPARATORS:
        cells = [[cell.strip() for cell in line.text.split(separator)] for line in lines]
        if sum(len(pair) == 2 and all(pair) for pair in cells) >= max(2, _SHARE * len(cells)):
            header = len(cells[0]) == 2 and not _is_sentence(cells[0]) and are_names(cells[0])
            columns = (cells[0][0], cells[0][1]) if header else NAMELESS
            rows = [_row(line, pair, columns) for line, pair in zip(lines, cells, strict=True)]
            return Table(columns, tuple(rows[header:]))
    return None


def with_first_row(table: Table, are_names: Names) -> Table:
    """A table of two columns whose header is a sentence and its translation, with these as its first row; any other as it is.

    Names that are only misspelt stay, so that they are refused with what they should be.
    """
    if len(table.columns) != 2 or not _is_sentence(table.columns) or are_names(table.columns):
        return table
    named = dict(zip(table.columns, NAMELESS, strict=True))
    rows = (Row(row.place, {named[name]: said for name, said in row.values.items()}, problem=row.problem) for row in table.rows)
    return Table(NAMELESS, (Row("line=1", {new: old for old, new in named.items()}), *rows))


def _is_sentence(cells: Sequence[str]) -> bool:
    return any(cell.endswith(_END_MARKS) or len(cell.split()) > 4 for cell in cells)


def _row(line: Paragraph, cells: list[str], columns: tuple[str, str]) -> Row:
    values = {name: cell for name, cell in zip(columns, cells, strict=False) if cell}
    problem = "" if len(cells) == 2 else f"separator: {len(cells)} parts where the other lines have a text and its translation"
    return Row(line.place, values, problem=problem)
