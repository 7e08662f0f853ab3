"""Spanish nouns, adjectives and articles: number, gender, contractions."""

from __future__ import annotations

from typing import Final, Literal

Gender = Literal["f", "m"]

_ACUTE: Final = str.maketrans("áéíóú", "aeiou")
_IRREGULAR: Final = {"joven": "jóvenes"}
_HIATUS: Final = frozenset({"maíz", "raíz"})
"""Their accent marks a hiatus, so that it stays in the plural."""


def plural(word: str) -> str:
    """The regular plural of a noun or an adjective: casas, luces, canciones, árboles."""
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    if word[-1] in "aeiouéáó":
        return word + "s"
    stem = word[:-1] + "c" if word.endswith("z") else word
    if len(word) > 1 and word[-2] in "áéíóú" and word not in _HIATUS:
        stem = stem[:-2] + stem[-2].translate(_ACUTE) + stem[-1]
    return stem + "es"


def feminine(adjective: str) -> str:
    """The feminine singular: buena, trabajadora; grande, azul and the like do not change."""
    if adjective.endswith("o"):
        return adjective[:-1] + "a"
    return adjective + "a" if adjective.endswith("dor") else adjective


def agree(adjective: str, gender: Gender, *, many: bool) -> str:
    """The form of an adjective, a numeral-like determiner or a possessive beside its noun."""
    form = feminine(adjective) if gender == "f" else adjective
    return plural(form) if many else form


def article(gender: Gender, *, many: bool, stressed_a: bool) -> str:
    """The definite article; ``stressed_a`` marks agua, hacha, águila, which take el in the singular."""
    if many:
        return "las" if gender == "f" else "los"
    return "la" if gender == "f" and not stressed_a else "el"


def one(gender: Gender, *, stressed_a: bool) -> str:
    """The indefinite article: un, una; un hacha."""
    return "una" if gender == "f" and not stressed_a else "un"


def contract(preposition: str, phrase: str) -> str:
    """A preposition and its phrase, with del and al."""
    if preposition in ("a", "de") and phrase.startswith("el "):
        return preposition + "l" + phrase[2:] if preposition == "a" else "del" + phrase[2:]
    return f"{preposition} {phrase}"


def conjunction(phrase: str) -> str:
    """``y``, or ``e`` before the sound i: e hijos, but y hierba."""
    return "e" if phrase.startswith("i") or (phrase.startswith("hi") and not phrase.startswith("hie")) else "y"


def sentence(words: str, *, question: bool) -> str:
    """A written sentence: a capital, and the marks at its ends."""
    head = words[0].upper() + words[1:]
    return f"¿{head}?" if question else f"{head}."
