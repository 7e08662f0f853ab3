"""Filters over sentence pairs: each is a stage with one reason, and nothing is dropped, only marked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from pydantic import Field

from seshat.config import Section
from seshat.language import Language, words
from seshat.records import SentencePair
from seshat.stage import Stage


class FilterLength(Stage[SentencePair, SentencePair]):
    """Reject pairs with an empty side or with a side of too many words."""

    minimum: int = Field(1, ge=1)
    maximum: int = 150

    def __call__(self, records: Iterable[SentencePair]) -> Iterator[SentencePair]:
        for pair in records:
            counts = len(words(pair.text)), len(words(pair.translation))
            if min(counts) == 0:
                yield pair.reject("empty: a side has no words")
            elif not (self.minimum <= min(counts) and max(counts) <= self.maximum):
                yield pair.reject(f"length: {counts[0]} and {counts[1]} words")
            else:
                yield pair


class FilterRatio(Stage[SentencePair, SentencePair]):
    """Reject pairs of which one side is much longer than the other, in characters.

    Short pairs are let pass: ``No.`` may well be a long word elsewhere.
    """

    maximum: float = Field(4.0, gt=1)
    free: int = 30
    """Pairs whose longer side has at most this many characters are not judged."""

    def __call__(self, records: Iterable[SentencePair]) -> Iterator[SentencePair]:
        for pair in records:
            short, long = sorted((len(pair.text), len(pair.translation)))
            if long > self.free and long > self.maximum * short:
                yield pair.reject(f"ratio: {len(pair.text)} to {len(pair.translation)} characters")
            else:
                yield pair


class FilterCopy(Stage[SentencePair, SentencePair]):
    """Reject pairs whose sides are the same text: names and numbers alone teach nothing, untranslated lines teach wrong."""

    def __call__(self, records: Iterable[SentencePair]) -> Iterator[SentencePair]:
        for pair in records:
            yield (pair.reject("copy: both sides are the same") if words(pair.text) == words(pair.translation) else pair)


class FilterAlphabet(Stage[SentencePair, SentencePair]):
    """Reject pairs whose text has too many letters that the language's alphabet does not have."""

    language: Language
    maximum: float = Field(0.15, ge=0, le=1)
    """The largest share of foreign letters; names and loans have some."""

    def __call__(self, records: Iterable[SentencePair]) -> Iterator[SentencePair]:
        for pair in records:
            letters = [letter for letter in pair.text.lower() if letter.isalpha()]
            foreign = self.language.foreign_letters(pair.text)
            share = sum(letter in foreign for letter in letters) / max(1, len(letters))
            if share > self.maximum:
                yield pair.reject(f"alphabet: {share:.0%} foreign letters ({' '.join(sorted(foreign))})")
            else:
                yield pair


class FilterScore(Stage[SentencePair, SentencePair]):
    """Reject pairs of which the aligner is not sure enough."""

    minimum: float = Field(0.02, ge=0, le=1)
    """Low on purpose: ``benchmarks.alignment`` prints how many of the pairs below a threshold are right."""

    def __call__(self, records: Iterable[SentencePair]) -> Iterator[SentencePair]:
        for pair in records:
            yield (pair.reject(f"score: {pair.score:.2f}") if pair.aligned and pair.score < self.minimum else pair)


class Clean(Section):
    """Which filters run after alignment, and how strict they are."""

    length: FilterLength = FilterLength()
    ratio: FilterRatio = FilterRatio()
    alphabet_maximum: float = Field(0.15, ge=0, le=1)
    """The largest share of letters outside the language's ``alphabet`` (the character whitelist)."""
    score: FilterScore = FilterScore()

    def stages(self, language: Language) -> tuple[Stage[Any, Any], ...]:
        """The filters in the order in which they judge."""
        alphabet = FilterAlphabet(language=language, maximum=self.alphabet_maximum)
        return (self.length, FilterCopy(), self.ratio, alphabet, self.score)
