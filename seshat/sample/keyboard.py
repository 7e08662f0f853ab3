"""How people type: the glottal stop as whatever apostrophe the keyboard gives, letters sometimes taken apart."""

from __future__ import annotations

import random
import unicodedata

from seshat.sample.phonology import GLOTTAL

TYPEWRITER, RIGHT_QUOTE, LEFT_QUOTE = "'", "\u2019", "\u2018"
APOSTROPHES = (GLOTTAL, TYPEWRITER, RIGHT_QUOTE, LEFT_QUOTE)


def typed(text: str, apostrophe: str, *, decomposed: bool = False) -> str:
    """The text with another apostrophe, and with letters and accents apart (NFD) if so."""
    text = text.replace(GLOTTAL, apostrophe)
    return unicodedata.normalize("NFD", text) if decomposed else text


def carelessly(text: str, rng: random.Random) -> str:
    """The text with one of the four apostrophes, whichever the typist found that day."""
    return typed(text, rng.choice(APOSTROPHES))
