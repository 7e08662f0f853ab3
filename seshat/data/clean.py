"""Filters over sentence pairs: each is a stage with one reason, and nothing is dropped, only marked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, ClassVar

from pydantic import Field

from seshat.config import Section
from seshat.identify import Identifier
from seshat.language import Language, words
from seshat.mislabelled import wrong_sides
from seshat.records import SentencePair
from seshat.stage import Resources, Stage


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

    version: ClassVar[int] = 2

    language: Language
    maximum: float = Field(0.15, ge=0, le=1)
    """The largest share of foreign letters; names and loans have some."""

    def __call__(self, records: Iterable[SentencePair]) -> Iterator[SentencePair]:
        for pair in records:
            share = self.language.foreign_share(pair.text)
            if share > self.maximum:
                foreign = " ".join(sorted(self.language.foreign_letters(pair.text)))
                yield pair.reject(f"alphabet: {share:.0%} foreign letters ({foreign})")
            else:
                yield pair


class FilterLanguage(Stage[SentencePair, SentencePair]):
    """Reject pairs of which a side is surely not in its language, or whose sides are exchanged."""

    resources: Resources = Resources(batch=4_000)
    identifier: Identifier = Field(exclude=True)
    """Learnt from all pairs of the corpus."""

    model_config = {"arbitrary_types_allowed": True}

    @property
    def depends_on(self) -> str:
        """What the identifier has learnt."""
        return self.identifier.digest

    def __call__(self, records: Iterable[SentencePair]) -> Iterator[SentencePair]:
        pairs = list(records)
        for pair, reason in zip(pairs, wrong_sides(pairs, self.identifier), strict=True):
            yield pair.reject(reason) if reason else pair


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

    language: bool = True
    """Reject what is surely in the wrong language, by an identifier that learns from the corpus itself."""

    def stages(self, language: Language, identifier: Identifier | None = None) -> tuple[Stage[Any, Any], ...]:
        """The filters in the order in which they judge."""
        alphabet = FilterAlphabet(language=language, maximum=self.alphabet_maximum)
        identified = (FilterLanguage(identifier=identifier),) if identifier and self.language else ()
        return (self.length, FilterCopy(), *identified, self.ratio, alphabet, self.score)
