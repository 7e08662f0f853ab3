"""What the name of a raw file says: which document it is a side of, and which language it is in."""

from __future__ import annotations

import posixpath

import regex

from seshat.data.readers import formats
from seshat.language import Language

_LAST = regex.compile(r"[._-](\w+)$")
_DIRECTION = regex.compile(r"(?:^|[./_-])(\w{2,3})-(\w{2,3})$")
_SIDES = {"src": 0, "tgt": 1, "trg": 1}


def split_name(origin: str, language: Language) -> tuple[str, str]:
    """The name that both sides of a document share, and the language: ``translations/udhr.shp.docx`` -> (``translations/udhr``, ``shp``).

    A folder may name the language instead (``translations/shp/udhr.docx``), or the extension (``udhr.shp``, see ``side_of``). The
    code is empty if nothing names one, or the name both (``udhr.es-shp.tsv``).
    """
    stem = posixpath.splitext(origin)[0]
    if code := side_of(origin, language):
        return stem, code
    if _direction(stem, language):
        return stem, ""
    base, _, last = _LAST.sub(r"\n\1", stem).partition("\n")
    if code := language.called(last.lower()):
        return base, code
    folders = stem.split("/")
    for index, folder in enumerate(folders[1:-1], 1):
        code = language.called(folder)
        if code:
            return "/".join(folders[:index] + folders[index + 1 :]), code
    return stem, ""


def side_of(origin: str, language: Language) -> str:
    """The language of a plain text that is called by its side and not by its format; empty for any other file.

    These are written line by line: ``laws.shp`` beside ``laws.es``, or ``laws.src`` beside ``laws.tgt``. Of the latter the source
    is the language that is taught, as in tables, unless the name says the direction: ``laws.es-shp.src``. The extension of a
    format is never a language (``.tab`` is a table also to the speakers of ``tab``).
    """
    stem, extension = posixpath.splitext(origin.lower())
    if extension in formats():
        return ""
    called = extension[1:]
    direction = _direction(stem, language) or (language.code, language.bridge.code)
    return language.called(called) or (direction[_SIDES[called]] if called in _SIDES else "")


def _direction(stem: str, language: Language) -> tuple[str, str] | None:
    """The two languages at the end of a name (``laws.es-shp``), in their order."""
    match = _DIRECTION.search(stem.lower())
    source, target = (language.called(code) for code in match.groups()) if match else ("", "")
    return (source, target) if source and target and source != target else None
