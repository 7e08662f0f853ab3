"""Vocabulary gaps: words that people use and that neither the dictionary explains nor training shows often enough to learn."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping

from seshat.config import Section
from seshat.hints import Forms
from seshat.language import names, words

SELDOM = 3
"""A word whose forms stand fewer times in training is hardly learnt."""
NUM_GAPS = 40
SHORTEST = 3
"""Letters; shorter words are numerals, initials and endings, not vocabulary."""


class Gap(Section):
    """A word that is lacking."""

    word: str
    count: int
    """In the texts that were looked at."""
    trained: int
    """How often its forms stand in training."""
    example: str
    """The first text with it."""


class Gaps(Section):
    """What is lacking in the vocabulary of one language."""

    language: str
    words: tuple[Gap, ...]
    """The most frequent ones."""
    num_words: int
    """All that are lacking, different ones."""
    share: float
    """Of the running words of the texts: those that are lacking."""
    covered: float
    """What of ``share`` the listed words would fill."""


def gaps(language: str, texts: Iterable[str], trained: Mapping[str, int], entries: Collection[str], *, most: int = NUM_GAPS) -> Gaps:
    """The words of some texts that no entry explains, in any of their forms, and that stand less than ``SELDOM`` times in training.

    ``trained`` counts the words of the training texts in that language, ``entries`` are the words of the dictionary. Names are copied,
    not learnt. Forms are found as hints find them
    (``seshat.hints.Forms``), generously: what is listed is really lacking.
    """
    read = list(texts)
    counts = Counter(word for text in read for word in words(text))
    total = counts.total()
    explained, seen, named = Forms(entries), Forms(trained), names(read)
    lacking: dict[str, int] = {}
    for word in sorted(counts, key=lambda one: (-counts[one], one)):
        if _is_vocabulary(word) and word not in named and trained.get(word, 0) < SELDOM and not explained.find(word):
            form = seen.find(word)
            times = max(trained.get(word, 0), trained.get(form, 0) if form else 0)
            if times < SELDOM:
                lacking[word] = times
    chosen = [*lacking][:most]
    examples = _first_with(chosen, read)
    return Gaps(
        language=language,
        words=tuple(Gap(word=word, count=counts[word], trained=lacking[word], example=examples[word]) for word in chosen),
        num_words=len(lacking),
        share=sum(counts[word] for word in lacking) / max(1, total),
        covered=sum(counts[word] for word in chosen) / max(1, total),
    )


def _is_vocabulary(word: str) -> bool:
    """Letters, and not the same one over and over (``mmm``)."""
    return len(word) >= SHORTEST and word.isalpha() and len(set(word)) > 1


def _first_with(chosen: Collection[str], texts: Iterable[str]) -> dict[str, str]:
    """The first text with each of some words."""
    found: dict[str, str] = {}
    wanted = set(chosen)
    for text in texts:
        for word in wanted.intersection(words(text)):
            found.setdefault(word, text)
    return found
