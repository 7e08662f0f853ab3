r"""Standard Format dictionaries and interlinear texts, as Toolbox, Shoebox and Lexique Pro write them.

The markers are those of MDF (Coward and Grimes, *Making Dictionaries: A guide to lexicography and the Multi-Dictionary
Formatter*, SIL 2000) and of Toolbox's own interlinear texts. The last letter of an MDF marker is a language: ``e`` is
English, ``n`` the national language, which is taken for the bridge, ``r`` a regional one, ``v`` the language itself.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import regex

from seshat.data.readers.content import Content, Options, Reader, RefusedError, Row, Table
from seshat.data.readers.encoding import decode

Markers = dict[str, tuple[str, ...]]
"""By column: the markers that fill it."""

LEXEME: Markers = {
    "variants": ("va", "lc"),
    "homonym": ("hm",),
    "phonetic": ("ph",),
    "variant comment": ("vn", "ve"),
}
"""What holds for all senses of a headword (``\\lx``) or subentry (``\\se``), wherever it stands."""
MEANING: Markers = {
    "translation": ("dn", "gn"),
    "translation en": ("de", "ge"),
    "translation regional": ("dr", "gr"),
}
"""The definition or, where there is none, the gloss: the first marker that says something fills the column."""
PART_OF_SPEECH: Markers = {"part of speech": ("pn", "ps")}
"""The first marker that says something, here too."""
SENSE: Markers = {
    "note": ("nt", "ng", "nd", "na", "np", "ns", "un", "on"),
    "provenance": ("so",),
}
EXAMPLE: Markers = {
    "text": ("xv",),
    "translation": ("xn",),
    "translation en": ("xe",),
    "translation regional": ("xr",),
}
INTERLINEAR: Markers = {
    "text": ("tx", "t"),
    "morphemes": ("mb", "mr", "m"),
    "gloss": ("gn",),
    "interlinear": ("ge", "gl", "g"),  # what find_columns takes for the gloss if there is no better one
    "parts of speech": ("ps", "p"),
    "translation": ("ftn", "fn"),
    "free translation": ("ft", "f", "fte"),  # what it takes for the translation if there is no better one
    "reference": ("ref",),
}
"""Lines of one unit; repeated ones go on where the first was broken."""


def _all(*tables: Markers) -> frozenset[str]:
    return frozenset(marker for table in tables for markers in table.values() for marker in markers)


_OF_LEXEME = _all(LEXEME)
_OF_EXAMPLE = _all(EXAMPLE)
_DICTIONARY = _all(LEXEME, MEANING, PART_OF_SPEECH, SENSE, EXAMPLE) | {"sn", "mn"}
_TEXT = _all(INTERLINEAR) | {"id"}

_HEAD = regex.compile(r"lx|se\d*")
"""Some write ``\\se2`` for the subentries of subentries."""
_MARKER = regex.compile(r"\s*\\([^\s\\]+)(?:\s+(.*))?")
_STYLED = regex.compile(r"\|[a-z]{1,3}\{([^{}]*)\}|\bf[beinrsv]:(?=\S)")
"""MDF's marks for fonts inside a field: ``|fv{xobo}``, ``fv:xobo``."""
_SHOWN = 60
"""Characters of a field that a problem quotes."""


@dataclass(frozen=True, slots=True)
class _Field:
    marker: str
    text: str
    line: int


@dataclass(slots=True)
class _Sense:
    line: int
    said: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    """By marker."""
    examples: list[list[_Field]] = field(default_factory=list)

    @property
    def says_something(self) -> bool:
        told = any(self.said.get(marker) for markers in MEANING.values() for marker in markers)
        return told or any(one.text for example in self.examples for one in example)


def read_toolbox(data: bytes, options: Options) -> Content:
    r"""A dictionary if there is a ``\lx``, else an interlinear text."""
    text, encoding = decode(data, options.encoding)
    found = list(_fields(text))
    markers = {one.marker for one in found}
    if "lx" in markers:
        rows = tuple(row for lexeme in _lexemes(found) for row in _rows(lexeme))
        unread = {marker for marker in markers - _DICTIONARY if not _HEAD.fullmatch(marker)}
    elif markers & {*INTERLINEAR["text"], *INTERLINEAR["morphemes"]}:
        rows = tuple(_units(found))
        unread = markers - _TEXT
    else:
        raise RefusedError(
            r"markers: no line begins with \lx (a dictionary) or with \tx (an interlinear text); export it with the markers of MDF"
        )
    if all(row.problem for row in rows):
        raise RefusedError(r"empty: no \lx has a meaning (\gn, \dn, \ge, \de) or an example (\xv); export it with the markers of MDF")
    remarks = [] if encoding.startswith("utf-8") else [f"read as {encoding}"]
    remarks += [f"markers not used: {', '.join(sorted(unread))}"] if unread else []
    table = Table.of(rows)
    if {"translation", "translation en"} <= set(table.columns):
        remarks.append(r"\gn, \dn and \xn are taken for the bridge language, \ge, \de and \xe for English")
    return Content(tables=(table,), remarks=tuple(remarks))


def _fields(text: str) -> Iterator[_Field]:
    """Every field with the lines that go on with it; the program's own fields (``\\_sh``) are left out."""
    begun: list[tuple[str, int, list[str]]] = []
    for number, line in enumerate(text.replace("\r\n", "\n").replace("\r", "\n").split("\n"), 1):
        match = _MARKER.match(line)
        if match:
            begun.append((match[1], number, [match[2] or ""]))
        elif begun:
            begun[-1][2].append(line)
    for marker, number, lines in begun:
        if not marker.startswith("_"):
            yield _Field(marker, " ".join(" ".join(lines).split()), number)


# Dictionaries


def _lexemes(found: Iterable[_Field]) -> Iterator[list[_Field]]:
    """The fields of each headword and of each subentry; what stands before the first is left out."""
    lexeme: list[_Field] = []
    for one in found:
        if _HEAD.fullmatch(one.marker):
            if lexeme:
                yield lexeme
            lexeme = [one]
        elif lexeme:
            lexeme.append(one)
    if lexeme:
        yield lexeme


def _rows(lexeme: list[_Field]) -> Iterator[Row]:
    """A row for each sense; one row with the problem if there is none."""
    head, *rest = lexeme
    shared: dict[str, list[str]] = defaultdict(list)
    for one in rest:
        if one.text and one.marker in _OF_LEXEME:
            shared[one.marker].append(one.text)
    values = {"headword": _clean(head.text)} | _joined(LEXEME, shared)
    senses = [sense for sense in _senses(head, rest) if sense.says_something]
    missing = "" if _clean(head.text) else f"empty: the \\{head.marker} names no word"
    if not senses:
        leads_to = next((one.text for one in rest if one.marker == "mn" and one.text), "")
        problem = f"reference: only leads to {leads_to[:_SHOWN]!r}" if leads_to else "empty: no meaning and no example"
        yield Row(f"line={head.line}", values, problem=missing or problem)
    for sense in senses:
        place = f"line={sense.line if len(senses) > 1 else head.line}"
        examples = tuple(example for example in map(_example, sense.examples) if example.values)
        told = values | _first(MEANING | PART_OF_SPEECH, sense.said) | _joined(SENSE, sense.said)
        yield Row(place, told, {"examples": examples} if examples else {}, missing)


def _senses(head: _Field, rest: Iterable[_Field]) -> list[_Sense]:
    r"""Senses begin at ``\sn``, and at a ``\ps`` behind a meaning; a sense has the part of speech of the one before it."""
    senses = [_Sense(head.line)]
    for one in rest:
        current = senses[-1]
        if one.marker in ("sn", "ps") and current.says_something:
            senses.append(_Sense(one.line))
            senses[-1].said |= {marker: list(current.said[marker]) for marker in ("ps", "pn")}
            current = senses[-1]
        if one.marker == "ps":
            current.said["ps"], current.said["pn"] = [], []
        if one.marker == "xv" or (one.marker in _OF_EXAMPLE and not current.examples):
            current.examples.append([])
        if one.marker in _OF_EXAMPLE:
            current.examples[-1].append(one)
        elif _clean(one.text):
            current.said[one.marker].append(one.text)
    return senses


def _example(fields: list[_Field]) -> Row:
    said: dict[str, list[str]] = defaultdict(list)
    for one in fields:
        said[one.marker].append(one.text)
    return Row(f"line={fields[0].line}", _joined(EXAMPLE, said))


def _first(columns: Markers, said: dict[str, list[str]]) -> dict[str, str]:
    """Every column by the first of its markers that says something; glosses write spaces as underscores."""
    found: dict[str, str] = {}
    for column, markers in columns.items():
        for marker in markers:
            texts = [text.replace("_", " ") if marker.startswith("g") else text for text in said.get(marker, ())]
            text = "; ".join(dict.fromkeys(filter(None, map(_clean, texts))))
            if text:
                found.setdefault(column, text)
    return found


def _joined(columns: Markers, said: dict[str, list[str]]) -> dict[str, str]:
    """Every column by all of its markers."""
    joined = {
        column: "; ".join(dict.fromkeys(filter(None, (_clean(text) for marker in markers for text in said.get(marker, ())))))
        for column, markers in columns.items()
    }
    return {column: text for column, text in joined.items() if text}


def _clean(text: str) -> str:
    """Without marks for fonts; nothing if no letter or digit is left, as in the ``*`` and ``***`` of what is not to be printed."""
    text = " ".join(_STYLED.sub(r"\1", text).split())
    return text if any(letter.isalnum() for letter in text) else ""


# Interlinear texts


def _units(found: list[_Field]) -> Iterator[Row]:
    r"""A row for each ``\ref``; without any, a line of text behind a free translation begins a unit."""
    free = {*INTERLINEAR["translation"], *INTERLINEAR["free translation"]}
    has_references = any(one.marker == "ref" for one in found)
    unit: list[_Field] = []
    is_translated = False
    for one in found:
        begins = one.marker == "ref" if has_references else one.marker in INTERLINEAR["text"] and is_translated
        if begins or one.marker == "id":
            yield from _unit(unit)
            unit, is_translated = [], False
        unit.append(one)
        is_translated |= one.marker in free
    yield from _unit(unit)


def _unit(unit: list[_Field]) -> Iterator[Row]:
    said: dict[str, list[str]] = defaultdict(list)
    for one in unit:
        said[one.marker].append(one.text)
    joined = {column: [text for marker in markers for text in said.get(marker, ())] for column, markers in INTERLINEAR.items()}
    values = {column: text for column, texts in joined.items() if (text := " ".join(" ".join(texts).split()))}
    place = f"line={unit[0].line}" if unit else ""
    if "text" in values:
        yield Row(place, values)
    elif values:
        yield Row(place, values, problem=r"empty: the unit has no \tx")


READERS = (Reader(extensions=(".mdf", ".db", ".lex", ".dic"), read=read_toolbox),)
