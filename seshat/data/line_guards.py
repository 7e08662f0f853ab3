"""Reasons not to believe a line that an engine read: what it makes of letters that it does not know looks like text."""

from __future__ import annotations

import regex
from pydantic import Field

from seshat.config import Section
from seshat.language import Language

_WORD = regex.compile(r"[\p{L}\p{M}\d]+")
_ODD = regex.compile(r"\p{L}\d|\d\p{L}|\p{Ll}\p{Lu}|^(?!\p{L}*\d)(\p{L})\1\1")
"""Letters and digits in one word, a capital inside it, or a letter three times at its beginning."""
NOISE = "noise"
"""The reason of what is so surely no text that nobody has to look at it."""


class LineGuards(Section):
    """From which doubt on a line is withheld from the data, and shown to people."""

    min_confidence: float = Field(0.6, ge=0, le=1)
    max_foreign: float = Field(0.5, ge=0, le=1)
    """Which share of the letters of a line in the taught language may be none of its alphabet."""
    max_odd: float = Field(0.34, ge=0, le=1)
    """Which share of its words may be no words to look at: ``c4sa``, ``kENe``."""

    def doubt(self, text: str, confidence: float, language: Language, *, taught: bool) -> str:
        """Why a line is not to be believed, beginning with one word; empty if it is."""
        found = _WORD.findall(text)
        if confidence < self.min_confidence and (not found or len(text.strip()) < 2):
            return f"{NOISE}: nothing that could be a word, and confidence {confidence:.2f}"
        if confidence < self.min_confidence:
            return f"confidence: {confidence:.2f} is below {self.min_confidence:g}"
        if taught and (foreign := language.foreign_share(text)) > self.max_foreign:
            shown = " ".join(sorted(language.foreign_letters(text)))
            return f"alphabet: {foreign:.0%} of its letters are not in the alphabet of {language.name} ({shown})"
        odd = [word for word in found if _ODD.search(word)]
        if len(found) > 1 and len(odd) > self.max_odd * len(found):
            named = ", ".join(odd[:3])
            return f"words: {named} looks like no word" if len(odd) == 1 else f"words: {named} look like no words"
        return ""
