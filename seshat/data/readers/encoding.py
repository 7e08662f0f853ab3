"""Bytes to text: the encodings that people's files really have, and a refusal instead of a wrong guess."""

from __future__ import annotations

import codecs

import regex

from seshat.data.readers.content import RefusedError

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CONTINUES = (
    r"\u0080-\u00bf\u0152\u0153\u0160\u0161\u0178\u017d\u017e\u0192\u02c6\u02dc\u2013\u2014\u2018-\u201e\u2020-\u2022\u2026"
    r"\u2030\u2039\u203a\u20ac\u2122"
)
"""What cp1252 and Latin-1 make of the bytes 80 to BF, which continue a character in UTF-8."""
_NEVER_THERE = (
    r"\u0080-\u009f\u00a2-\u00aa\u00ac\u00af\u00b1\u00b5\u00b6\u00b8\u00ba\u00bc-\u00be\u0192\u02c6\u02dc\u201a\u201e\u2020\u2021"
    r"\u2030\u2039\u203a\u20ac"
)
"""Those of them that no text has behind a letter, as it may have a closing quotation mark, a dash or a letter."""
_AFTER_A_TILDE = (
    r"\u0080-\u009f\u00a1-\u00aa\u00ac-\u00ba\u00bc-\u00bf\u0152\u0153\u0160\u0161\u0178\u017d\u0192\u02c6\u02dc\u2018\u201c\u201e"
    r"\u2020\u2021\u2030\u203a\u20ac\u2122"
)
"""The same behind ``Ã`` and ``Â``, with which the letters of Western Europe begin: all but what closes a word (``PYTÃ»``, ``PYTÃ’``)."""
_TWICE_DECODED = regex.compile(
    rf"[ÃÂ][{_AFTER_A_TILDE}]|[ÄÅ][¡Ÿ“‘]|[Ä-ß][{_NEVER_THERE}]"
    rf"|[à-ï](?:[{_NEVER_THERE}][{_CONTINUES}]|[{_CONTINUES}][{_NEVER_THERE}])|á»¹|êžŒ|â€.|Ê¼|\ufffd"
)
"""UTF-8 bytes that a program took for cp1252 or Latin-1 (``Ã±`` for ``ñ``, ``áº½`` for ``ẽ``), and the mark of bytes that were lost."""
_CONTROLS = regex.compile(r"[\x00-\x08\x0e-\x19\x1b-\x1f\x7f]")
_OUT_OF_PLACE = regex.compile(
    r"(?<=\p{Ll})[^\p{ASCII}\p{L}\p{M}\u00a0\u00ad\u00b4\u2018\u2019\u2013\u2014\u2026](?=\p{Ll})|[\u0080-\u009f]"
)
"""A sign inside a word where a letter should be (``Espa¤a``): an old code page that was taken for cp1252."""
_C1 = {code: bytes([code]).decode("cp1252", "replace").replace("\ufffd", "") for code in range(0x80, 0xA0)}


def decode(data: bytes, encoding: str = "") -> tuple[str, str]:
    """The text and the name of its encoding: the one that was named, a byte order mark's, UTF-8, or cp1252 if it reads well."""
    try:
        if encoding:
            return data.decode(encoding), encoding
        for mark, name in _MARKS:
            if data.startswith(mark):
                return data.decode(name), name
    except (UnicodeDecodeError, LookupError) as error:
        raise RefusedError(f"encoding: not {encoding or name} as it says ({error}); save it again as UTF-8") from None
    if b"\0" in data:
        raise RefusedError("encoding: holds zero bytes, so it is not text (or UTF-16 without its mark); save it again as UTF-8")
    try:
        return data.decode("utf-8"), "utf-8"
    except UnicodeDecodeError as error:
        return _western(data, error), "cp1252"


def is_mojibake(text: str) -> bool:
    """True if letters were lost or decoded twice on the way (``Ã±``, ``\ufffd``)."""
    return not text.isascii() and _TWICE_DECODED.search(text) is not None


def repair_controls(text: str) -> str:
    """Put the characters that cp1252 has there in place of C1 control codes, which no text means."""
    return text.translate(_C1)


def _western(data: bytes, error: UnicodeDecodeError) -> str:
    text = data.decode("cp1252", "replace") if any(byte in data for byte in b"\x81\x8d\x8f\x90\x9d") else data.decode("cp1252")
    line = data[: error.start].count(b"\n") + 1
    wrong = _TWICE_DECODED.search(text) or _OUT_OF_PLACE.search(text) or _CONTROLS.search(text)
    if wrong:
        around = text[max(0, wrong.start() - 12) : wrong.end() + 12].replace("\n", " ")
        raise RefusedError(
            f"encoding: line {line} is not UTF-8, and read as cp1252 it gives {around!r}; "
            "save the file again as UTF-8, or name its encoding under ingest.files"
        )
    return text
