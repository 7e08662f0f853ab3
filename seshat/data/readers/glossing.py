"""Morphemes and their glosses, aligned by the Leipzig Glossing Rules (Comrie, Haspelmath and Bickel, 2015).

Rule 1: word by word. Rule 2: as many hyphens and equals signs in the gloss as in the example. Rule 4: a gloss of several
words has full stops between them. Rule 10: reduplication is marked by a tilde.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import regex

BOUNDARIES = "-=~\u2011"
"""Hyphen of an affix, equals sign of a clitic, tilde of a reduplication, and the hyphen that does not break."""
_NULL = regex.compile(rf"[{BOUNDARIES}]?[∅Ø](?![\p{{L}}\p{{M}}])")
_BETWEEN = regex.compile(rf"(?<=[\p{{L}}\p{{M}}\p{{P}}])[{BOUNDARIES}](?=[\p{{L}}\p{{M}}])|[<>]")
_CLOSING = ",.;:!?…)]}»”’%"
_OPENING = "([{«“‘¿¡„"


@dataclass(frozen=True, slots=True)
class Morph:
    """A morpheme as it is written, with the sign of its boundary, and what it means."""

    form: str
    gloss: str = ""
    boundary: str = "-"
    """The sign before or after it where neither it nor its neighbour is written with one."""


def interlinear(words: Iterable[Sequence[Morph]]) -> tuple[str, str]:
    """The line of morphemes and the line of glosses, with the same words and boundaries.

    The gloss is empty if the meaning of any morpheme is missing: half a line would teach that half is enough.
    """
    forms: list[str] = []
    glosses: list[str] = []
    for word in words:
        if word:
            signs = _signs(word)
            forms.append(_woven(signs, [_bare(morph.form, "_") for morph in word]))
            complete = all(morph.gloss.strip() for morph in word)
            glosses.append(_woven(signs, [_bare(morph.gloss, ".") for morph in word]) if complete else "")
    return " ".join(forms), " ".join(glosses) if all(glosses) else ""


def grouped(morphs: Iterable[Morph]) -> list[list[Morph]]:
    """Morphemes as words: one that is written with a sign belongs to its neighbour on that side."""
    words: list[list[Morph]] = []
    for morph in morphs:
        if words and (morph.form.startswith(tuple(BOUNDARIES)) or words[-1][-1].form.endswith(tuple(BOUNDARIES))):
            words[-1].append(morph)
        else:
            words.append([morph])
    return words


def counts_match(morphemes: str, gloss: str) -> bool:
    """True if both lines have the same number of words, and each word the same number of parts (rules 1 and 2)."""
    return _counts(morphemes) == _counts(gloss)


def is_segmented(line: str) -> bool:
    """True if some word of the line has several parts."""
    return any(count > 1 for count in _counts(line))


def unsegmented(morphemes: str) -> str:
    """A line of morphemes as text: without boundaries, null morphemes and the brackets of infixes."""
    return " ".join(_BETWEEN.sub("", _NULL.sub("", morphemes)).split())


def join_words(tokens: Iterable[str]) -> str:
    """Words and punctuation as running text; straight quotation marks open and close in turn."""
    text, glued, open_quotes = "", True, False
    for token in filter(None, map(str.strip, tokens)):
        closes = token[0] in _CLOSING or (token[0] == '"' and open_quotes)
        text += token if glued or closes else f" {token}"
        open_quotes ^= token.count('"') % 2 == 1
        glued = token[-1] in _OPENING or (token[-1] == '"' and open_quotes)
    return text


def _counts(line: str) -> list[int]:
    return [len([part for part in regex.split(f"[{BOUNDARIES}]", word) if part]) or 1 for word in line.split()]


def _signs(word: Sequence[Morph]) -> list[str]:
    """What stands before, between and behind the morphemes of a word."""
    between = [_edge(left.form, -1) or _edge(right.form, 0) or right.boundary for left, right in pairwise(word)]
    return [_edge(word[0].form, 0), *between, _edge(word[-1].form, -1)]


def _edge(form: str, index: int) -> str:
    """The sign with which a morpheme begins or ends; none if it is nothing but signs."""
    return form[index] if form.strip(BOUNDARIES) and form[index] in BOUNDARIES else ""


def _woven(signs: list[str], parts: list[str]) -> str:
    return signs[0] + "".join(part + sign for part, sign in zip(parts, signs[1:], strict=True))


def _bare(text: str, space: str) -> str:
    return space.join((text.strip().strip(BOUNDARIES) or text).split())
