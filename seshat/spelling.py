"""How a text was spelt and how it is spelt now: apostrophes, the rules of an orthography, and the way back.

Nothing here knows a language; ``seshat.language`` holds the rules of one.
"""

from __future__ import annotations

import difflib
import itertools
from collections.abc import Collection, Iterator, Sequence
from functools import lru_cache
from typing import Any

import regex
from pydantic import field_validator

from seshat.config import Section

TYPED_APOSTROPHES = (
    "'`\u00b4\u2018\u2019\u201b\u2032\u2035\uff07"  # typewriter, accents, quotation marks, primes, full width
    "\u02b9\u02bb\u02bc\u02bd\u02be\u02bf\u02c8\u02ca\u02cb"  # modifier letters: prime, commas, half rings, stress, accents
    "\ua78b\ua78c\u055a\u05f3"  # saltillo in both cases, Armenian apostrophe, geresh
)
"""What people type for one."""


class SpellingRule(Section):
    """One replacement of an old or foreign spelling by today's."""

    pattern: str
    """A regular expression (the ``regex`` package), matched on normalised text in small letters, word by word."""
    replacement: str
    note: str = ""
    """Why, for people."""

    @field_validator("pattern")
    @classmethod
    def _compiles(cls, value: str) -> str:
        try:
            regex.compile(value)
        except regex.error as error:
            raise ValueError(f"not a regular expression: {error}") from None
        return value


CompiledRule = tuple[Any, str]
"""A compiled pattern and its replacement."""


def compiled(rules: Sequence[SpellingRule]) -> tuple[CompiledRule, ...]:
    """Rules that are ready to be applied, in their order."""
    return tuple((regex.compile(rule.pattern), rule.replacement) for rule in rules)


def respell(text: str, rules: Sequence[CompiledRule]) -> str:
    """Apply the rules to each word in small letters, in their order; a capital first letter stays one."""

    known = tuple(rules)

    def change(match: Any) -> str:
        word = match.group()
        new = _respelt(word.lower(), known)
        return new[:1].upper() + new[1:] if word[:1].isupper() else new

    return str(_RESPELLED.sub(change, text)) if known else text


@lru_cache(maxsize=1 << 16)
def _respelt(word: str, rules: tuple[CompiledRule, ...]) -> str:
    """A word in small letters; a text says most of its words more than once."""
    for pattern, replacement in rules:
        word = pattern.sub(replacement, word)
    return word


def rules_used(text: str, rules: Sequence[CompiledRule]) -> tuple[int, ...]:
    """How often each rule fires on a text as ``respell`` reads it."""
    counts = [0] * len(rules)
    for match in _RESPELLED.finditer(text):
        word = match.group().lower()
        for number, (pattern, replacement) in enumerate(rules):
            word, fired = pattern.subn(replacement, word)
            counts[number] += fired
    return tuple(counts)


def typed_apostrophes(letters: Collection[str]) -> Any:
    """A pattern of what people type for an apostrophe, but for those that are letters of their own (``ʻ`` beside ``ʼ``)."""
    typed = regex.escape("".join(one for one in TYPED_APOSTROPHES if one not in letters))
    return regex.compile(rf"(?P<after>(?<=\p{{L}}\p{{M}}*))?[{typed}]+(?P<before>(?=\p{{L}}))?")


def spell_apostrophes(text: str, letter: str, typed: Any) -> str:
    """One letter for all apostrophes between or after letters; what opens a quotation before a word, and closes it, stays.

    ``typed`` is a pattern of ``typed_apostrophes``.
    """
    opened = False

    def spell(match: Any) -> str:
        nonlocal opened
        mark, begins_word = str(match.group()), match["before"] is not None
        if match["after"] is not None and (begins_word or not opened):
            return letter
        opened = begins_word and mark != letter
        return mark

    return str(typed.sub(spell, text))


def cut_alike(pieces: Sequence[str], written: str) -> list[str]:
    """Cut what a source wrote where its respelt text was cut: one piece for each, of the same words.

    Words are paired one by one if there are as many on both sides, else between the words that are the same (``difflib``). No
    word is lost: the results joined by spaces are ``written``.
    """
    now, then = [word for piece in pieces for word in piece.split()], written.split()
    places = range(len(now) + 1) if len(now) == len(then) else _places(now, then)
    cut, begin, found = 0, 0, []
    for piece in pieces[:-1]:
        cut += len(piece.split())
        found.append(" ".join(then[begin : places[cut]]))
        begin = places[cut]
    return [*found, " ".join(then[begin:])] if pieces else []


def _places(now: Sequence[str], then: Sequence[str]) -> list[int]:
    """Where in ``then`` each word of ``now`` begins, and the end."""
    runs = difflib.SequenceMatcher(None, now, then, autojunk=False).get_opcodes()
    return [place for _, start, stop, begin, end in runs for place in _paired(now[start:stop], then[begin:end], begin)] + [len(then)]


def _paired(now: Sequence[str], then: Sequence[str], begin: int) -> Iterator[int]:
    """Where each word of ``now`` begins if both sides say the same: word by word, or as far as their letters have come."""
    if len(now) == len(then):
        yield from range(begin, begin + len(then))
        return
    reached = [0, *itertools.accumulate(map(len, then))]
    scale = reached[-1] / max(1, sum(map(len, now)))
    for letters in itertools.accumulate(map(len, now[:-1]), initial=0) if now else ():
        yield begin + min(range(len(reached)), key=lambda place: abs(reached[place] - letters * scale))


_RESPELLED = regex.compile(r"[\p{L}\p{M}'\u02bc]+")
