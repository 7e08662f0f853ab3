"""Entries of a dictionary page by its layout: each begins at the margin of its column, and its other lines are indented."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

_COLUMN = 0.12
"""Two margins that are so far apart, as a share of the page's width, are those of two columns."""
_INDENT = 0.8
"""So many letters from the margin a line is indented."""
_FEW, _MANY = 0.15, 0.9
"""Which share of the lines is indented if indents mean something."""
_LINES = 6


@dataclass(frozen=True, slots=True)
class Placed:
    """A line with the place where it begins."""

    text: str
    left: float
    right: float
    """Shares of the page's width."""


def begins(lines: Sequence[Placed]) -> list[bool] | None:
    """Which lines of a page begin an entry; None if its layout does not say it."""
    columns = _columns(lines)
    indented = [False] * len(lines)
    letter = median((line.right - line.left) / len(line.text) for line in lines) if lines else 0.0
    for column in columns:
        lefts = sorted(lines[place].left for place in column)
        margin = lefts[len(lefts) // 20]
        for place in column:
            indented[place] = lines[place].left - margin > _INDENT * letter
    share = sum(indented) / max(1, len(lines))
    if len(lines) < _LINES or not _FEW <= share <= _MANY:
        return None
    return [not one for one in indented]


def _columns(lines: Sequence[Placed]) -> list[list[int]]:
    """The lines of each column, by where they begin."""
    columns: list[list[int]] = []
    for place in sorted(range(len(lines)), key=lambda place: lines[place].left):
        if columns and lines[place].left - lines[columns[-1][-1]].left < _COLUMN:
            columns[-1].append(place)
        else:
            columns.append([place])
    return columns
