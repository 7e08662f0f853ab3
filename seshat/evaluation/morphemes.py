"""Endings and beginnings of words that people use and the model seldom does: what it has not learnt of the language's morphology.

Nothing is known of the language's morphemes, so words are cut everywhere: a *piece* is two to six letters at the end or the beginning of
a word that is a word without them, too. Pieces whose frequencies differ by more than chance are found by the log-likelihood ratio
(Dunning, 1993, "Accurate Methods for the Statistics of Surprise and Coincidence").
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Set
from math import log
from typing import Literal

from seshat.config import Section
from seshat.language import words

SHORTEST, LONGEST = 2, 6
"""Letters of a piece: one alone is too often chance."""
STEM = 4
"""The fewest letters that a word has beside the piece."""
FEWEST = 10
"""How often a piece stands in the references at least ..."""
FEWEST_WORDS = 5
"""... and in how many different words: one of a few words says which words are lacking, not which form."""
RARER = 0.5
"""A piece is lacking if the answers have it less than this times as often as the references."""
SURE = 15.1
"""The log-likelihood ratio from which a difference is more than chance, at one in ten thousand: many pieces are looked at."""
SAME = 0.5
"""A shorter or longer piece says nothing new if so large a share of the words is the same."""
NUM_PIECES = 12
NUM_EXAMPLES = 3
Place = Literal["end", "beginning"]
Pieces = dict[tuple[Place, str], Counter[str]]
"""The words that have each piece, with their counts."""


class Lacking(Section):
    """A piece of words that the answers lack."""

    piece: str
    """With a hyphen where the word goes on: ``-bo``, ``ma-``."""
    in_references: int
    in_answers: int
    """As many as there would be if the answers had as many words as the references."""
    trained: int
    """Words of the training texts, running, that have it."""
    examples: tuple[str, ...]
    """The most frequent words of the references with it."""


def lacking(
    references: Iterable[str], answers: Iterable[str], trained: Mapping[str, int], *, most: int = NUM_PIECES
) -> tuple[Lacking, ...]:
    """The pieces of the references' words that the answers lack most, by the log-likelihood ratio; ``trained`` counts words in training."""
    wanted = Counter(word for text in references for word in words(text))
    said = Counter(word for text in answers for word in words(text))
    scale = wanted.total() / max(1, said.total())
    stems = {word for word in (*wanted, *trained) if len(word) >= STEM}
    there, here = _pieces(wanted, stems), {key: found.total() for key, found in _pieces(said, stems).items()}
    surprising: list[tuple[float, tuple[Place, str]]] = []
    for key, found in there.items():
        count, ours = found.total(), here.get(key, 0)
        if count >= FEWEST and len(found) >= FEWEST_WORDS and ours * scale < RARER * count:
            surprise = _log_likelihood_ratio(count, wanted.total(), ours, said.total())
            if surprise >= SURE:
                surprising.append((surprise, key))
    chosen = _different([key for _, key in sorted(surprising, key=lambda one: (-one[0], one[1]))], there)[:most]
    return tuple(
        Lacking(
            piece=f"-{text}" if place == "end" else f"{text}-",
            in_references=there[place, text].total(),
            in_answers=round(here.get((place, text), 0) * scale),
            trained=sum(count for word, count in trained.items() if _has(word, place, text, stems)),
            examples=tuple(word for word, _ in sorted(there[place, text].items(), key=lambda one: (-one[1], one[0]))[:NUM_EXAMPLES]),
        )
        for place, text in chosen
    )


def _pieces(counts: Counter[str], stems: Set[str]) -> Pieces:
    found: Pieces = {}
    for word, count in counts.items():
        for length in range(SHORTEST, min(LONGEST, len(word) - STEM) + 1):
            if word[:-length] in stems:
                found.setdefault(("end", word[-length:]), Counter())[word] = count
            if word[length:] in stems:
                found.setdefault(("beginning", word[:length]), Counter())[word] = count
    return found


def _has(word: str, place: Place, piece: str, stems: Set[str]) -> bool:
    """Whether a word has a piece, and is a word without it, too."""
    has = word.endswith(piece) if place == "end" else word.startswith(piece)
    return has and (word[: -len(piece)] if place == "end" else word[len(piece) :]) in stems


def _log_likelihood_ratio(count: int, total: int, other: int, other_total: int) -> float:
    """How surprising it is that two counts of so many words differ as they do, if they are of one kind: chi-squared with one degree."""
    share = (count + other) / (total + other_total)
    rest = (total - count, other_total - other)
    cells = ((count, total * share), (other, other_total * share), (rest[0], total * (1 - share)), (rest[1], other_total * (1 - share)))
    return 2 * sum(seen * log(seen / expected) for seen, expected in cells if seen)


def _different(keys: Iterable[tuple[Place, str]], there: Pieces) -> list[tuple[Place, str]]:
    """Those keys that do not stand in mostly the same words as one before them."""
    kept: list[tuple[Place, str]] = []
    for key in keys:
        if not any(_shared(there[key], there[other]) >= SAME for other in kept):
            kept.append(key)
    return kept


def _shared(one: Counter[str], other: Counter[str]) -> float:
    """Which share of the rarer of two pieces' words has the other piece as well."""
    return (one & other).total() / max(1, min(one.total(), other.total()))
