"""Documents as what is to be translated in them, and what stays as it is: TXT, CSV and its kin, DOCX."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import regex

from seshat.data.readers.archive import check_package
from seshat.data.readers.content import DAMAGED, RefusedError
from seshat.data.readers.delimited import sniff
from seshat.data.readers.encoding import decode

ENDINGS = (".txt", ".md", ".csv", ".tsv", ".docx")
_LETTER = regex.compile(r"\p{L}")
_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_PIECE, _BREAKS = f"{_W}t", (f"{_W}tab", f"{_W}br", f"{_W}cr")
_LINE = regex.compile(r"[^\r\n]*(?:\r\n|\r|\n|\Z)")


@dataclass(frozen=True)
class Structure:
    """A document that was read."""

    texts: tuple[str, ...]
    """The paragraphs, lines or cells that hold letters, in the order of the page."""
    rebuilt: Callable[[Sequence[str]], bytes]
    """The same document with other texts in their places, one for each."""


def read_structure(name: str, data: bytes) -> Structure:
    """What is to be translated in a file; its ending says how it is read.

    Raises:
        RefusedError: If it cannot be read, with what to do.
    """
    ending = os.path.splitext(name)[1].lower()
    if ending not in ENDINGS:
        raise RefusedError(f"format: {', '.join(ENDINGS)} can be translated; save the document as one of them")
    found = {".docx": _word, ".csv": _table, ".tsv": _table}.get(ending, _plain)(data)
    if not found.texts:
        raise RefusedError("empty: the document holds no text")
    return found


def _plain(data: bytes) -> Structure:
    text, _ = decode(data)
    lines = [match.group() for match in _LINE.finditer(text) if match.group()]
    return _structure([(line, line.rstrip("\r\n")) for line in lines], "".join)


def _structure(parts: Sequence[tuple[str, str]], join: Callable[[list[str]], str]) -> Structure:
    """Parts, each with the text in it, that are put together again."""
    places = [place for place, (_, text) in enumerate(parts) if _LETTER.search(text)]

    def rebuilt(translations: Sequence[str]) -> bytes:
        whole = [part for part, _ in parts]
        for place, translation in zip(places, translations, strict=True):
            part, text = parts[place]
            whole[place] = part.replace(text, translation, 1)
        return join(whole).encode()

    return Structure(tuple(parts[place][1] for place in places), rebuilt)


def _table(data: bytes) -> Structure:
    """All cells but those of the first row, which names the columns, if there are others."""
    text, _ = decode(data)
    delimiter = sniff(text)
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
    except csv.Error as error:
        raise RefusedError(f"quotes: not a table that can be read ({error}); save it as CSV again") from None
    body = rows[1:] if len(rows) > 1 else rows
    places = [(number, column) for number, row in enumerate(body) for column, cell in enumerate(row) if _LETTER.search(cell)]

    def rebuilt(translations: Sequence[str]) -> bytes:
        made = [list(row) for row in body]
        for (number, column), translation in zip(places, translations, strict=True):
            made[number][column] = translation
        stream = io.StringIO(newline="")
        end = "\r\n" if "\r\n" in text else "\n"
        csv.writer(stream, delimiter=delimiter, lineterminator=end).writerows([*rows[: len(rows) - len(body)], *made])
        return stream.getvalue().encode()

    return Structure(tuple(body[number][column] for number, column in places), rebuilt)


def _word(data: bytes) -> Structure:
    """All paragraphs, those of tables, headers, footers and links too; a translation has the form of the first letters of its paragraph."""
    import docx  # slow to import
    from docx.opc.exceptions import PackageNotFoundError

    check_package(data)
    try:
        texts = [text for one in _paragraphs(docx.Document(io.BytesIO(data))) if _LETTER.search(text := _text(one))]
    except (PackageNotFoundError, *DAMAGED):
        raise RefusedError("unreadable: not a Word document; open it in a word processor and save it as .docx again") from None

    def rebuilt(translations: Sequence[str]) -> bytes:
        fresh = docx.Document(io.BytesIO(data))
        spoken = [one for one in _paragraphs(fresh) if _LETTER.search(_text(one))]
        for paragraph, translation in zip(spoken, translations, strict=True):
            _say(paragraph, translation)
        stream = io.BytesIO()
        fresh.save(stream)
        return stream.getvalue()

    return Structure(tuple(texts), rebuilt)


def _paragraphs(document: Any) -> Iterator[Any]:
    """The XML of each paragraph of a document once; footnotes are not among them."""
    roots = [document.element.body]
    for section in document.sections:
        for kind in ("header", "footer", "first_page_header", "first_page_footer", "even_page_header", "even_page_footer"):
            part = getattr(section, kind)
            roots += [] if part.is_linked_to_previous else [part._element]
    for root in roots:
        yield from root.iter(f"{_W}p")


def _pieces(paragraph: Any, *breaks: str) -> list[Any]:
    """The pieces of text of a paragraph, those of links among them; not those of a paragraph inside it, such as in a box."""
    pieces = paragraph.iter(_PIECE, *breaks)
    return [piece for piece in pieces if piece.getparent().tag == f"{_W}r" and next(piece.iterancestors(f"{_W}p")) is paragraph]


def _text(paragraph: Any) -> str:
    """With a space for a tab or a new line between two words."""
    return "".join(piece.text or "" if piece.tag == _PIECE else " " for piece in _pieces(paragraph, *_BREAKS))


def _say(paragraph: Any, text: str) -> None:
    """Put a text where the first letters are; pictures, fields and notes stay where they were."""
    pieces = _pieces(paragraph)
    first = next(piece for piece in pieces if _LETTER.search(piece.text or ""))
    for piece in pieces:
        piece.text = text if piece is first else ""
    first.set("{http://www.w3.org/XML/1998/namespace}space", "preserve")
