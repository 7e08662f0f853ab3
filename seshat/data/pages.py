"""What stands on recognised pages: running text as documents, and the entries of dictionaries."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from fnmatch import fnmatch

from seshat.data.columns import Columns
from seshat.data.layout import SENTENCE_END, join_lines
from seshat.data.material import Material
from seshat.data.readers import Paragraph
from seshat.data.readers.wordlines import word_lines
from seshat.language import Language
from seshat.records import Document, Entry, Page, RawFile, SentencePair


def is_dictionary(page: Page, patterns: Iterable[str]) -> bool:
    """True for a page that ``page_entries`` should read; all others are running text."""
    return any(fnmatch(page.name.lower(), pattern.lower()) for pattern in patterns)


def page_documents(pages: Iterable[Page], language: Language, *, max_chars: int = 4_000) -> list[Document]:
    """Running text from pages: one document for each scan, its paragraphs in the order of the pages."""
    found: list[Document] = []
    for (name, code), group in _by_scan(pages):
        text: list[Paragraph] = []
        for page in group:
            blocks = (join_lines(block.split("\n")) for block in page.text.split("\n\n") if block.strip())
            for index, block in enumerate(blocks):
                if text and index == 0 and block[:1].islower() and not text[-1].text.endswith(SENTENCE_END):
                    text[-1] = Paragraph(f"{text[-1].text} {block}", text[-1].place)  # it goes on from the page before
                else:
                    text.append(Paragraph(block, f"page={page.number}"))
        if text:
            found += _material(group, language, max_chars).documents(text, name, code, line_by_line=False)
    return found


def page_entries(pages: Iterable[Page], language: Language, *, max_chars: int = 4_000) -> list[Entry | SentencePair]:
    """Entries from dictionary pages, from lines such as ``word – meaning``; wrapped lines are joined.

    What cannot be an entry (a heading, a line that was misread) is among them, rejected with its reason.
    """
    found: list[Entry | SentencePair] = []
    for _, group in _by_scan(pages):
        lines = [Paragraph(line, f"page={page.number}") for page in group for line in page.text.split("\n") if line]
        found += _material(group, language, max_chars).word_entries(word_lines(lines, wrapped=True))
    return found


def _material(pages: list[Page], language: Language, max_chars: int) -> Material:
    file = RawFile(origin=pages[0].origin.rsplit("#", 1)[0], collection=pages[0].collection, path="", sha256="")
    return Material(file, language, Columns(), max_chars)


def _by_scan(pages: Iterable[Page]) -> Iterator[tuple[tuple[str, str], list[Page]]]:
    ordered = sorted(pages, key=lambda page: (page.name, page.language, page.number))
    for key, group in itertools.groupby(ordered, key=lambda page: (page.name, page.language)):
        yield key, list(group)
