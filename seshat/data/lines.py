"""The lines of scans that nobody can believe, as a sheet for people, and what they say about them.

The sheet is a table with a row for each line: ``page`` and ``read`` say which one it is, ``corrected`` is for the person: what stands
there, ``ok`` if it was read rightly, ``-`` if it is no text. Rows without it were not looked at.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from seshat.data.line_guards import NOISE
from seshat.data.names import split_name
from seshat.data.readers import Table
from seshat.data.running_heads import running_heads
from seshat.language import Language
from seshat.records import LineCorrection, Page, RawFile

SHEET = ("page", "read", "corrected")
"""The columns that make a table such a sheet."""
RIGHT, NOTHING = "ok", "-"
_DASHES = (NOTHING, "–", "—")
"""What a spreadsheet makes of one."""
GUARD = "\u200b"
"""Stands in a sheet before a text that a spreadsheet would run as a formula."""


@dataclass(frozen=True, slots=True)
class Doubtful:
    """A line of a page that is withheld."""

    page: Page
    number: int
    """From 0, in reading order."""
    text: str
    doubt: str

    @property
    def box(self) -> tuple[float, ...]:
        """Left, top, right, bottom, as shares of the turned page."""
        return self.page.boxes[4 * self.number : 4 * self.number + 4]


def doubtful(pages: Iterable[Page], answered: Iterable[LineCorrection] = ()) -> Iterator[Doubtful]:
    """The lines that nobody has said anything about yet; running heads are none of anybody's business."""
    answers = Answers(answered)
    for group in by_scan(pages):
        heads = running_heads(group)
        for place, page in enumerate(group):
            for number, (text, doubt) in enumerate(zip(page.lines, page.doubts)):
                asked = doubt and not doubt.startswith(NOISE) and (place, number) not in heads
                if asked and answers.to(page, number) is None:
                    yield Doubtful(page, number, text, doubt)


class Answers:
    """What people say about lines: of a line that was read anew since, as long as no other line of its page reads the same.

    What rules say counts where no person says anything.
    """

    def __init__(self, corrections: Iterable[LineCorrection]) -> None:
        self._said: dict[tuple[str, str], dict[int, LineCorrection]] = {}
        self._mended: dict[tuple[str, int, str], LineCorrection] = {}
        for one in corrections:
            if one.rules:
                self._mended[one.page, one.line, one.read] = one
                continue
            self._said.setdefault((one.page, _alike(one.read)), {})[one.line] = one

    def mended(self, page: Page, number: int) -> str:
        """A line (from 0) of a page that no person says anything about, with what rules put right."""
        text = page.lines[number]
        one = self._mended.get((page.origin, number + 1, text))
        return one.text if one else text

    def to(self, page: Page, number: int) -> LineCorrection | None:
        """What a person says about a line (from 0) of a page."""
        said = self._said.get((page.origin, _alike(page.lines[number])), {})
        if number + 1 in said:
            return said[number + 1]
        texts = {one.text for one in said.values()}
        alone = sum(_alike(line) == _alike(page.lines[number]) for line in page.lines) == 1
        return next(iter(said.values())) if len(texts) == 1 or (said and alone and 0 in said) else None


def by_scan(pages: Iterable[Page]) -> Iterator[list[Page]]:
    """The pages of each scan, in their order."""
    ordered = sorted(pages, key=lambda page: (page.name, page.language, page.number))
    for _, group in itertools.groupby(ordered, key=lambda page: (page.name, page.language)):
        yield list(group)


def _alike(text: str) -> str:
    """A line as tables and forms may bring it back: without spaces at its edges, and characters of no width."""
    return " ".join(text.replace(GUARD, "").split())


def line_corrections(table: Table, file: RawFile, language: Language) -> Iterator[LineCorrection]:
    """What the rows of a filled sheet say."""
    for row in table.rows:
        page, read, corrected = (row.values.get(name, "").removeprefix(GUARD).strip() for name in SHEET)
        if not corrected:
            continue
        name, code = split_name(page.rpartition("#")[0], language)
        text = read if corrected.casefold() == RIGHT else "" if corrected in _DASHES else corrected
        line = row.values.get("line", "").strip()
        found = LineCorrection(
            origin=f"{file.origin}#{row.place}",
            collection=file.collection,
            name=name,
            language=code or language.code,
            page=page,
            line=int(line) if line.isdecimal() else 0,
            read=read,
            text=text,
        )
        yield found if page and read else found.reject("line: the row does not say which line of which page it is about")
