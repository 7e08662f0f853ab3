"""What anybody could do without a model: the scores below which ours would be worth nothing.

``copy`` repeats the source. ``nearest`` gives the translation of the nearest training sentence (a translation memory).
``gloss`` translates word by word with a lexicon that was estimated from the training pairs. chrF++ rewards a good word
list: it reaches published scores in some directions, so no score is shown without it. ``phrases`` is the phrase-based
translation that a minute of statistics gives (``seshat.phrases``).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

import regex

from seshat.lexicon import Lexicon
from seshat.neighbours import Neighbours
from seshat.phrases.translator import PhraseTranslator

System = Literal["ours", "copy", "nearest", "gloss", "phrases", "base"]
SYSTEMS: tuple[System, ...] = ("ours", "copy", "nearest", "gloss", "phrases", "base")
FLOORS: tuple[System, ...] = ("copy", "nearest", "gloss", "phrases")
"""Those that need no model."""

# A token of running text: punctuation before, the word, punctuation behind.
_TOKEN = regex.compile(r"([^\p{L}\p{N}]*)(.*?)([^\p{L}\p{M}\p{N}\u02bc\ua78c]*)")

_LETTER = regex.compile(r"\p{L}")


class Floors:
    """The floors of one direction."""

    def __init__(
        self,
        memory: Iterable[tuple[str, str]],
        lexicon: Lexicon,
        *,
        gloss_minimum: float,
        phrases: bool = False,
        entries: Iterable[tuple[str, str]] = (),
    ) -> None:
        """``memory`` holds the training pairs of (source, translation); ``lexicon`` goes the same way.

        ``phrases`` adds the floor of that name, which knows the dictionary's ``entries`` too.
        """
        self.memory = list(dict.fromkeys(memory))
        self.lexicon = lexicon
        self.gloss_minimum = gloss_minimum
        self._neighbours = Neighbours([source for source, _ in self.memory])
        self._phrases = PhraseTranslator.train(self.memory, entries=entries) if phrases and self.memory else None

    def translate(self, sources: Sequence[str]) -> dict[System, list[str]]:
        """What each floor makes of the sources; without training pairs, the copy alone."""
        if not self.memory:
            return {"copy": list(sources)}
        nearest, _ = self._neighbours.nearest(sources)
        said: dict[System, list[str]] = {
            "copy": list(sources),
            "nearest": [self.memory[place][1] for place in nearest[:, 0]],
            "gloss": [gloss(source, self.lexicon, self.gloss_minimum) for source in sources],
        }
        return said | {"phrases": self._phrases.translate(sources)} if self._phrases else said


def gloss(text: str, lexicon: Lexicon, minimum: float) -> str:
    """Word by word: the strongest translation of each word, in the order of the source, with its punctuation and first capital.

    Unknown words are copied. Words whose best translation is weaker than ``minimum`` are dropped; their punctuation moves
    to the word before, if there is one.
    """
    glossed: list[str] = []
    for token in text.split():
        match = _TOKEN.fullmatch(token)
        assert match is not None  # every part of the pattern may be empty
        before, word, behind = match.groups()
        said = _translated(word, lexicon, minimum)
        if said or not word:
            glossed.append(before + said + behind)
        elif glossed:
            glossed[-1] += behind
    joined = " ".join(glossed)
    first = _LETTER.search(text)
    return _LETTER.sub(lambda letter: letter.group().upper(), joined, count=1) if first and first.group().isupper() else joined


def _translated(word: str, lexicon: Lexicon, minimum: float) -> str:
    best = lexicon.translations(word.lower(), limit=1)
    if not best:
        return word
    translation, strength = best[0]
    return translation if strength >= minimum else ""
