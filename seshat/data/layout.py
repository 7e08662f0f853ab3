"""The order in which people read the lines of a page, and the paragraphs they make (XY-cut; Nagy and Seth, 1984)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from statistics import median

from seshat.engines.ocr import Line

GUTTER = 0.012
"""White space between columns, as a share of the page's width."""
_COLUMN_LINES = 3
"""A column has at least so many lines; fewer are something beside a heading."""
_WIDE = 0.6
"""A line that covers more of its region's width lies across the columns, if there are any."""
_WIDER = 1.25
"""So much more than the usual distance between lines begins a paragraph."""
_UNSURE, _DIRT, _TALL = 0.6, 2, 2.0
"""What an engine makes of dirt and edges, and is not sure of: a letter or two, or something far taller than a line."""
SENTENCE_END = (".", "?", "!", "…", ":", ";", '"', "”", "»")
_LEFT, _TOP, _RIGHT, _BOTTOM = range(4)


def reading_order(lines: Sequence[Line]) -> list[list[Line]]:
    """The blocks of a page in reading order: columns from left to right between bands of full width, lines downwards.

    Columns are found where white space runs from the top of a region to its bottom. Pieces of one printed line are put
    together from left to right. What is likely dirt hides no gutter, and comes last.
    """
    tall = _TALL * median(line.height for line in lines) if lines else 0.0
    dirt = [line for line in lines if line.confidence < _UNSURE and (len(line.text) <= _DIRT or line.height > tall)]
    printed = [line for line in lines if line not in dirt]
    return [_rows(block) for block in (*_cut(printed), dirt) if block]


def paragraphs(blocks: Iterable[Sequence[Line]]) -> list[list[Line]]:
    """The paragraphs of blocks in reading order: a wider gap, or an indented line, begins a new one.

    A paragraph goes on in the next block (another column, or the next page) if its last line leaves no room for the word
    that begins there. No line is lost or moved.
    """
    found: list[list[Line]] = []
    last: Sequence[Line] = ()
    for block in blocks:
        pitches = [_middle(after) - _middle(before) for before, after in pairwise(block)]
        widest = _WIDER * median(pitches) if pitches else 0.0
        left = min((line.box[_LEFT] for line in block), default=0.0)
        for before, line in zip((None, *block), block, strict=False):
            if before is None:
                begins = not last or not _goes_on(last, line)
            else:
                begins = _middle(line) - _middle(before) > widest or _is_indented(line, before, left)
            if begins:
                found.append([])
            found[-1].append(line)
        last = block or last
    return found


def _is_indented(line: Line, before: Line, left: float) -> bool:
    return line.box[_LEFT] - left > 1.2 * line.height and before.box[_LEFT] - left < 0.5 * line.height


def _goes_on(block: Sequence[Line], following: Line) -> bool:
    """True if the word that begins the following line would not have fitted behind the last line of a block."""
    last = block[-1]
    if following.text[:1].islower() and not last.text.endswith(SENTENCE_END):
        return True
    if len(block) < _COLUMN_LINES:
        return False
    room = max(line.box[_RIGHT] for line in block) - last.box[_RIGHT]
    first_word = following.text.split()[0]
    return room < (following.box[_RIGHT] - following.box[_LEFT]) * len(first_word) / len(following.text)


def join_lines(lines: Iterable[str]) -> str:
    """The lines of a paragraph as one; a word that was cut at a line's end is whole again."""
    pieces: list[str] = []
    for line in lines:
        last = pieces[-1] if pieces else ""
        if last.endswith(("-", "\u00ad", "\u2010")) and last[-2:-1].isalpha() and line[:1].islower():
            pieces[-1:] = [last[:-1], line]
        else:
            pieces.append(f" {line}" if pieces else line)
    return "".join(pieces)


def _cut(lines: list[Line]) -> list[list[Line]]:
    """Cut a region at its gutters; if wide lines hide them, cut between those lines."""
    if len(lines) < 2 * _COLUMN_LINES:
        return [lines] if lines else []
    columns = _columns(lines)
    if len(columns) > 1:
        return [block for column in columns for block in _cut(column)]
    left, right = _span(lines, _LEFT)
    wide = [line for line in lines if line.box[_RIGHT] - line.box[_LEFT] > _WIDE * (right - left)]
    if not wide or len(wide) == len(lines):
        return [lines]
    bands = _bands(lines, wide)
    cut = [[band] if band[0] in wide else _cut(band) for band in bands]
    return [block for blocks in cut for block in blocks] if any(len(blocks) > 1 for blocks in cut) else [lines]


def _bands(lines: list[Line], wide: list[Line]) -> list[list[Line]]:
    """The lines from top to bottom, in runs of wide ones and runs of others."""
    bands: list[list[Line]] = []
    for line in sorted(lines, key=_middle):
        if bands and (bands[-1][0] in wide) == (line in wide):
            bands[-1].append(line)
        else:
            bands.append([line])
    return bands


def _columns(lines: list[Line]) -> list[list[Line]]:
    """The columns of a region from left to right; one if it has none that stand side by side."""
    columns: list[list[Line]] = []
    reach = 0.0
    for line in sorted(lines, key=lambda line: line.box[_LEFT]):
        if columns and line.box[_LEFT] - reach < GUTTER:
            columns[-1].append(line)
        else:
            columns.append([line])
        reach = max(reach, line.box[_RIGHT])
    full = all(len(column) >= _COLUMN_LINES for column in columns)
    return columns if full and all(_side_by_side(left, right) for left, right in pairwise(columns)) else [lines]


def _side_by_side(left: list[Line], right: list[Line]) -> bool:
    """True if two columns share a good part of their height."""
    (top, bottom), (other_top, other_bottom) = _span(left, _TOP), _span(right, _TOP)
    shared = min(bottom, other_bottom) - max(top, other_top)
    return shared > 0.3 * min(bottom - top, other_bottom - other_top)


def _rows(block: list[Line]) -> list[Line]:
    """Lines from top to bottom; pieces on one height become one line."""
    rows: list[list[Line]] = []
    for line in sorted(block, key=_middle):
        if rows and abs(_middle(line) - _middle(rows[-1][-1])) < 0.5 * min(line.height, rows[-1][-1].height):
            rows[-1].append(line)
        else:
            rows.append([line])
    return [_one(sorted(row, key=lambda line: line.box[_LEFT])) for row in rows]


def _one(pieces: list[Line]) -> Line:
    """One line from its pieces; a piece that touches the one before goes on with its word."""
    if len(pieces) == 1:
        return pieces[0]
    text = pieces[0].text
    for before, after in pairwise(pieces):
        touching = after.box[_LEFT] - before.box[_RIGHT] < 0.1 * after.height
        text += after.text if touching else f" {after.text}"
    length = sum(len(piece.text) for piece in pieces)
    confidence = sum(piece.confidence * len(piece.text) for piece in pieces) / length
    (left, right), (top, bottom) = _span(pieces, _LEFT), _span(pieces, _TOP)
    return Line(text, confidence, (left, top, right, bottom))


def _middle(line: Line) -> float:
    return (line.box[_TOP] + line.box[_BOTTOM]) / 2


def _span(lines: list[Line], start: int) -> tuple[float, float]:
    """From where to where lines reach, across (``_LEFT``) or down (``_TOP``)."""
    return min(line.box[start] for line in lines), max(line.box[start + 2] for line in lines)
