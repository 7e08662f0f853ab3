"""Praat's annotations (.TextGrid), long or short: both say the same values in the same order, and words without quotes are for people.

The format is that of Praat's manual, "TextGrid file formats": a value is a text in quotes, a flag such as ``<exists>`` or a number that
stands alone; ``intervals [1]:`` and what follows an exclamation mark is not read.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import regex

from seshat.data.readers.content import Content, Options, Reader, RefusedError
from seshat.data.readers.eaf import Annotation, Tier
from seshat.data.readers.elan import tiers_content
from seshat.data.readers.encoding import decode

_VALUE = regex.compile(
    r'(?P<text>"(?:[^"]|"")*+")|(?P<flag><\w+>)|(?P<comment>![^\n]*)|(?<!\S)(?P<number>[-+]?\d+(?:\.\d*)?(?:[eE][-+]?\d+)?)%?(?!\S)'
)
_MOST = 5_000_000
"""Intervals of a tier; more are a damaged number."""


@dataclass(slots=True)
class _Values:
    """The values of a file, one after the other."""

    found: Iterator[tuple[str, str]]

    def text(self, what: str) -> str:
        return self._next("text", what)[1:-1].replace('""', '"')

    def number(self, what: str) -> float:
        return float(self._next("number", what))

    def count(self, what: str) -> int:
        number = self.number(what)
        if not (number.is_integer() and 0 <= number < _MOST):
            raise RefusedError(f"damaged: {number:g} cannot be the {what}; save the file again in Praat")
        return int(number)

    def _next(self, kind: str, what: str) -> str:
        found, value = next(self.found, ("end", ""))
        while found == "flag":
            found, value = next(self.found, ("end", ""))
        if found != kind:
            where = "the file ends" if found == "end" else f"it says {value[:40]}"
            raise RefusedError(f"damaged: {where} where the {what} should be; save the file again in Praat")
        return value


def read_textgrid(data: bytes, options: Options) -> Content:
    """A table with the transcriptions in the order of time, as from ELAN (see ``elan.read_elan``); tiers go together by time."""
    return tiers_content(read_praat(data, options), program="Praat")


def read_praat(data: bytes, options: Options) -> list[Tier]:
    """The tiers of a file; intervals without text are left out, and points last no time."""
    text, _ = decode(data, options.encoding)
    values = _Values((match.lastgroup or "", match[0]) for match in _VALUE.finditer(text) if match.lastgroup != "comment")
    if (values.text("file type"), values.text("class of the object")) != ("ooTextFile", "TextGrid"):
        raise RefusedError("format: not a TextGrid; save it in Praat with 'Save as text file'")
    values.number("beginning")
    values.number("end")
    tiers = [_tier(values) for _ in range(values.count("number of tiers"))]
    names = [tier.name for tier in tiers]
    for place, tier in enumerate(tiers):
        if tier.name in names[:place]:
            raise RefusedError(f"tiers: two tiers are called {tier.name!r}; rename one of them in Praat")
    return tiers


def _tier(values: _Values) -> Tier:
    points = values.text("class of a tier") == "TextTier"
    name = values.text("name of a tier").strip()
    values.number("beginning of a tier")
    values.number("end of a tier")
    annotations = []
    for number in range(1, values.count("number of intervals") + 1):
        start = values.number("beginning of an interval")
        end = start if points else values.number("end of an interval")
        said = " ".join(values.text("text of an interval").split())
        if said:
            annotations.append(Annotation(name=f"{name}.{number}", value=said, start=start, end=end))
    return Tier(name=name, type_name="", constraint="", language="", speaker="", annotations=annotations)


READERS = (Reader(extensions=(".textgrid",), read=read_textgrid),)
