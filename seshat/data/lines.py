"""The lines of scans that nobody can believe, as a sheet for people, and what they say about them.

The sheet is a table with a row for each line: ``page`` and ``read`` say which one it is, ``corrected`` is for the person: what stands
there, ``ok`` if it was read rightly, ``-`` if it is no text. Rows without it were not looked at.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from seshat.data.line_guards import NOISE
from seshat.data.names import split_name
from seshat.data.readers import Table
from seshat.language import Language
from seshat.records import LineCorrection, Page, RawFile

SHEET = ("page", "read", "corrected")
"""The columns that make a table such a sheet."""
RIGHT, NOTHING = "ok", "-"
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
    """The lines that nobody has said anything about yet."""
    known = {(one.page, one.read) for one in answered}
    for page in pages:
        texts = [line for line in page.text.split("\n") if line]
        for number, (text, doubt) in enumerate(zip(texts, page.doubts)):
            if doubt and not doubt.startswith(NOISE) and (page.origin, text) not in known:
                yield Doubtful(page, number, text, doubt)


def line_corrections(table: Table, file: RawFile, language: Language) -> Iterator[LineCorrection]:
    """What the rows of a filled sheet say."""
    for row in table.rows:
        page, read, corrected = (row.values.get(name, "").replace(GUARD, "").strip() for name in SHEET)
        if not corrected:
            continue
        name, code = split_name(page.partition("#")[0], language)
        text = {RIGHT: read, NOTHING: ""}.get(corrected, corrected)
        found = LineCorrection(
            origin=f"{file.origin}#{row.place}",
            collection=file.collection,
            name=name,
            language=code or language.code,
            page=page,
            read=read,
            text=text,
        )
        yield found if page and read else found.reject("line: the row does not say which line of which page it is about")
