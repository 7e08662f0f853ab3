r"""Scripture in USFM 3 (Unified Standard Format Markers, United Bible Societies), as Paratext and others write it.

A marker is of one of three kinds: it begins a paragraph (``\p``, ``\q1``), whose text is Scripture or not; it opens a note
that ends at the same marker with an asterisk (``\f ... \f*``); or it marks characters (``\nd Lord\nd*``). A marker that is
not known marks characters, so that no word is lost.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import regex

from seshat.data.readers.content import Content, Options, Paragraph, Reader, RefusedError
from seshat.data.readers.encoding import decode

_HEADINGS = frozenset(
    [
        *("id", "usfm", "ide", "sts", "rem", "h", "toc", "toca", "restore", "periph"),
        *("mt", "mte", "ms", "mr", "s", "sr", "r", "d", "sp", "sd", "cl", "cp", "cd", "qa", "qd", "lit", "esb"),
        *("imt", "imte", "is", "ip", "ipi", "im", "imi", "ipq", "imq", "ipr", "iq", "ib", "ili", "iot", "io", "iex", "ie"),
    ]
)
"""Paragraphs that are no verses: header, titles, headings and sidebars, introductions."""
_PARAGRAPHS = frozenset(
    [
        *("p", "m", "po", "pr", "cls", "pmo", "pm", "pmc", "pmr", "pi", "mi", "nb", "pc", "ph", "phi", "pb", "esbe"),
        *("q", "qr", "qc", "qm", "b", "lh", "li", "lf", "lim", "tr", "th", "thr", "thc", "tc", "tcr", "tcc"),
    ]
)
"""Prose, then poetry, lists and tables."""
_NOTES = frozenset(("f", "fe", "ef", "x", "ex", "fig", "rq", "ca", "va", "vp", "pro", "fm", "cat"))
"""Notes and their marks, pictures, and the numbers of another versification."""

_MILESTONE = regex.compile(r"\\(?:[a-z]+\d*-[se]\b[ \t]*(?:\|[^\\\n]*)?(?:\\\*)?|[a-z]+\d*[ \t]*(?:\|[^\\\n]*)?\\\*)")
"""``\\qt-s |who="Pilate"\\*``, ``\\ts\\*``; older files do not close them."""
_TOKEN = regex.compile(r"\\\+?([a-z]+)\d*(?:-\d+)?(?:(\*)|[ \t]?)|([^\\]+)|\\")
_CHAPTER = regex.compile(r"\s*\u200f?(\d+)")
_PART = r"(\d++)(?:\p{L}(?!\p{L}))?"
_VERSE = regex.compile(rf"\s*\u200f?{_PART}(?:\u200f?[-–,]\u200f?{_PART})*\s*")
"""``3``, ``3a``, ``3-4``."""
_BOOK = regex.compile(r"\s*([A-Za-z0-9]{3})\b")


@dataclass(slots=True)
class _Book:
    """What has been read so far."""

    code: str = ""
    chapter: str = "1"
    verse: str = ""
    """Empty before the first verse of a chapter."""
    verses: dict[str, list[str]] = field(default_factory=dict)
    """The pieces of each verse, by place."""
    num_others: int = 0
    """Paragraphs that are no verses."""
    num_notes: int = 0
    num_unnumbered: int = 0
    inside_heading: bool = True
    inside_sidebar: bool = False
    note: str = ""
    """The marker of the note that is open."""

    def say(self, text: str) -> None:
        """Text of the current verse, unless it is of something else."""
        if self.code and self.verse and not (self.note or self.inside_heading or self.inside_sidebar):
            self.verses.setdefault(f"verse={self.code} {self.chapter}:{self.verse}", []).append(text)

    def drop_attributes(self) -> None:
        """Reduce the text that was said last to what stands before its attributes (``word|lemma="word"``)."""
        pieces = self.verses.get(f"verse={self.code} {self.chapter}:{self.verse}")
        if pieces and not self.note:
            pieces[-1] = pieces[-1].partition("|")[0]


def read_usfm(data: bytes, options: Options) -> Content:
    r"""A paragraph for each verse, called ``verse=GEN 1:3``, or ``verse=GEN 1:3-4`` where a translation puts verses together.

    The parts of a verse (``\v 3a``, ``\v 3b``, lines of verse) are put together. Headings, introductions, sidebars, the titles
    of psalms, footnotes, cross references and pictures are left out, as another translation has others.
    """
    text, encoding = decode(data, options.encoding)
    book = _Book()
    pending = ""
    for marker, closes, words in _TOKEN.findall(_MILESTONE.sub("", text.replace("\r", "\n"))):
        if marker:
            pending = "" if closes else marker
            _apply(book, marker, closes=bool(closes))
        elif words:
            book.say(_numbered(book, pending, words))
            pending = ""
    if not book.code:
        raise RefusedError(r"book: no \id names the book, as in '\id GEN'; a book of Scripture in USFM begins with it")
    return _content(book, encoding)


def _content(book: _Book, encoding: str) -> Content:
    joined = {place: _plain("".join(pieces)) for place, pieces in book.verses.items()}
    paragraphs = tuple(Paragraph(text, place) for place, text in joined.items() if text)
    if not paragraphs:
        raise RefusedError(
            f"empty: {book.code} holds no verse with text (\\v); a preface or a glossary has none, so leave it out of the raw folder"
        )
    left_out = {"paragraphs that are no verses": book.num_others, "notes": book.num_notes}
    remarks = [] if encoding.startswith("utf-8") else [f"read as {encoding}"]
    if any(left_out.values()):
        remarks.append(f"left out: {', '.join(f'{number} {name}' for name, number in left_out.items() if number)}")
    if book.num_unnumbered:
        remarks.append(f"{book.num_unnumbered} \\v without a number; their text stays with the verse before")
    return Content(paragraphs=paragraphs, remarks=tuple(remarks), shared_places=True)


def _apply(book: _Book, marker: str, *, closes: bool) -> None:
    """What a marker changes for the text behind it."""
    if closes:
        book.drop_attributes()
        book.note = "" if marker == book.note else book.note
    elif marker in _NOTES:
        book.num_notes += not book.note
        book.note = book.note or marker
    elif marker in _HEADINGS:
        book.num_others += 1
        book.inside_heading, book.note = True, ""
        book.inside_sidebar |= marker == "esb"
    elif marker in _PARAGRAPHS or marker in ("c", "v"):
        book.inside_heading, book.note = False, ""
        book.inside_sidebar &= marker not in ("esbe", "c", "v")
        book.say(" ")


def _numbered(book: _Book, marker: str, words: str) -> str:
    """The text behind a marker without the number or name that belongs to the marker."""
    pattern = {"id": _BOOK, "c": _CHAPTER, "v": _VERSE}.get(marker)
    match = pattern.match(words) if pattern else None
    if match is None:
        book.num_unnumbered += marker == "v"
        return words
    if marker == "id":
        book.code, book.chapter, book.verse = match[1].upper(), "1", ""
    elif marker == "c":
        book.chapter, book.verse = match[1], ""
    else:
        book.verse = "-".join(dict.fromkeys([match[1], match[2] or match[1]]))
    return words[match.end() :]


def _plain(text: str) -> str:
    """Without the signs for spaces that do not break (``~``) and for places where a line may end (``//``)."""
    return " ".join(text.replace("~", " ").replace("//", " ").split())


READERS = (Reader(extensions=(".usfm",), read=read_usfm),)
