"""Translation memories in TMX 1.4b (Translation Memory eXchange, LISA OSCAR 2005), as OmegaT, Trados and others export them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from seshat.data.readers.content import Content, Options, Reader, RefusedError, Row, Table
from seshat.data.readers.xml import elements, local_name, without_region

_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
_BREAKS = ("lb", "pb", "cb")
"""Types of inline elements that stand for white space: ends of line, page and column."""


def read_tmx(data: bytes, options: Options) -> Content:
    """A row for each unit, a column for each language; regions are dropped from its name (``es-PE`` is ``es``).

    A unit that has a language several times, in two regions or in two wordings, gives a row for each wording. Codes of the
    translator's program are taken out. Notes and properties of units, which are about the work, are left out.
    """
    rows: list[Row] = []
    known: set[str] = set()
    for number, unit in enumerate(elements(data, "tmx", "tu", options.encoding), 1):
        name = " ".join(unit.get("tuid", "").split())
        rows += _rows(unit, f"unit={number}" if not name or name in known else f"tuid={name}")
        known.add(name)
    if all(row.problem for row in rows):
        raise RefusedError("empty: the translation memory holds no unit with text; export it again with its segments")
    return Content(tables=(Table.of(rows),))


def _rows(unit: Any, place: str) -> Iterator[Row]:
    said: dict[str, list[str]] = {}
    for variant in unit.iterfind("{*}tuv"):
        language = without_region(variant.get(_LANG) or variant.get("lang") or "")
        text = " ".join(" ".join(_text(segment) for segment in variant.iterfind("{*}seg")).split())
        if text and text not in said.setdefault(language, []):
            said[language].append(text)
    unnamed = said.pop("", [])
    wordings = {language: texts for language, texts in said.items() if texts}
    if unnamed:
        yield Row(place, {}, problem=f"language: nothing says which language {unnamed[0][:40]!r} is (xml:lang)")
    elif not wordings:
        yield Row(place, {}, problem="empty: the unit has no text")
    for index in range(max(map(len, wordings.values()), default=0)):
        values = {language: texts[min(index, len(texts) - 1)] for language, texts in wordings.items()}
        yield Row(f"{place}&wording={index + 1}" if index else place, values)


def _text(element: Any) -> str:
    """The text of a segment: highlighted text stays, native codes (``bpt``, ``ept``, ``it``, ``ph``, ``ut``) go."""
    parts = [element.text or ""]
    for child in element:
        if local_name(child) == "hi":
            parts.append(_text(child))
        elif not local_name(child) or child.get("type") in _BREAKS or "<br" in (child.text or ""):
            parts.append(" ")
        parts.append(child.tail or "")
    return "".join(parts)


READERS = (Reader(extensions=(".tmx",), read=read_tmx),)
