"""The sound system of Tamuri: its alphabet, its syllables, its one sandhi rule, and new roots from a seed."""

from __future__ import annotations

import random
import unicodedata
from collections.abc import Iterable, Iterator

GLOTTAL = "\u02bc"
"""The glottal stop: modifier letter apostrophe, a letter like any other."""

VOWELS = ("a", "e", "i", "o", "u", "ü")
CONSONANTS = ("p", "t", "k", "m", "n", "ñ", "s", "sh", "ch", "l", "r", "w", "y", "h", GLOTTAL)
CODAS = ("n", "s", "l", "r", GLOTTAL)

_VOWEL_WEIGHTS = (26, 14, 20, 14, 16, 10)
_ONSET_WEIGHTS = (8, 9, 10, 8, 7, 4, 8, 6, 6, 6, 5, 6, 5, 6, 4)
_CODA_WEIGHTS = (8, 5, 4, 4, 3)
_SHAPES = ((2, 90), (3, 10))
"""Numbers of syllables of a root, and how often."""


def join(morphemes: Iterable[str]) -> str:
    """One word from its morphemes. The sandhi rule: ``n`` is written ``m`` before ``p`` and ``m`` (kotin-pa, kotimpa)."""
    word = ""
    for morpheme in morphemes:
        if word.endswith("n") and morpheme[0] in "pm":
            word = word[:-1] + "m"
        word += morpheme
    return word


def roots(taken: Iterable[str], lemmas: Iterable[str], rng: random.Random) -> Iterator[str]:
    """One new root for each Spanish lemma.

    No root begins another root or one of the ``taken`` forms, so that a word has one analysis, and none looks like
    the lemma that it translates: copying the Spanish must not be worth anything.
    """
    known = list(taken)
    for lemma in lemmas:
        root = _root(rng)
        while any(_clash(root, other) for other in known) or _alike(root, lemma):
            root = _root(rng)
        known.append(root)
        yield root


def _root(rng: random.Random) -> str:
    num_syllables = rng.choices([n for n, _ in _SHAPES], [weight for _, weight in _SHAPES])[0]
    root = "".join(_syllable(rng) for _ in range(num_syllables))
    coda = rng.choices(CODAS, _CODA_WEIGHTS)[0] if rng.random() < 0.25 else ""
    return root + coda


def _syllable(rng: random.Random) -> str:
    return rng.choices(CONSONANTS, _ONSET_WEIGHTS)[0] + rng.choices(VOWELS, _VOWEL_WEIGHTS)[0]


def _clash(root: str, other: str) -> bool:
    return root.startswith((GLOTTAL, other)) or other.startswith(root)


def _alike(root: str, lemma: str) -> bool:
    """Whether root and lemma share three letters in a row, accents aside."""
    plain, bare = _plain(root), _plain(lemma)
    return any(plain[i : i + 3] in bare for i in range(len(plain) - 2))


def _plain(word: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFD", word.lower()) if not unicodedata.combining(c))
