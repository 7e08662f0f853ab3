"""Filters over sentence pairs: each is a stage with one reason, and nothing is dropped, only marked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import chain
from typing import Any, ClassVar

from pydantic import Field

from seshat.config import Section
from seshat.data.agreement import marks_of, numbers_of, shared
from seshat.data.align import ALIGNED
from seshat.data.review import review
from seshat.language import Language, words
from seshat.records import Document, Page, SentencePair, digest
from seshat.stage import Resources, Stage
from seshat.step import Part, Step
from seshat.store import Store, slices

PAIRS_PER_PART = 4_000


class Filter(Stage[SentencePair, SentencePair]):
    """Looks at pairs one by one, and at many in a row."""

    resources: Resources = Resources(batch=PAIRS_PER_PART)


class FilterLength(Filter):
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


class FilterRatio(Filter):
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


class FilterCopy(Filter):
    """Reject pairs whose sides are the same text: names and numbers alone teach nothing, untranslated lines teach wrong."""

    def __call__(self, records: Iterable[SentencePair]) -> Iterator[SentencePair]:
        for pair in records:
            yield (pair.reject("copy: both sides are the same") if words(pair.text) == words(pair.translation) else pair)


class FilterAlphabet(Filter):
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


class FilterReviewed(Filter):
    """Reject the pairs that a look at all pairs together found (``seshat.data.review``): wrong language, boilerplate."""

    found: dict[str, str] = Field({}, exclude=True)
    """The reasons, by id. Not in the fingerprint: every part is named after what was found in it."""

    def __call__(self, records: Iterable[SentencePair]) -> Iterator[SentencePair]:
        for pair in records:
            reason = self.found.get(pair.id) if self.found else ""
            yield pair.reject(reason) if reason else pair


class ScoreAgreement(Filter):
    """Say how well the numbers and the punctuation of both sides agree. Nothing is rejected: people write numbers out."""

    def __call__(self, records: Iterable[SentencePair]) -> Iterator[SentencePair]:
        for pair in records:
            numbers, marks = (shared(count(pair.text), count(pair.translation)) for count in (numbers_of, marks_of))
            yield replace(pair, numbers=numbers, punctuation=marks)


class FilterScore(Filter):
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
    boilerplate: int = Field(20, ge=0)
    """A line that stands in more pairs of documents than this, numbers apart, is a header, a footer or a refrain: the best of these
    pairs stays. 0: nothing is rejected."""

    def stages(self, language: Language, found: Mapping[str, str]) -> tuple[Stage[Any, Any], ...]:
        """The filters in the order in which they judge; ``found`` holds what a look at all pairs has to say, by their ids."""
        alphabet = FilterAlphabet(language=language, maximum=self.alphabet_maximum)
        return (ScoreAgreement(), self.length, FilterCopy(), FilterReviewed(found=dict(found)), self.ratio, alphabet, self.score)


def step(settings: Clean, language: Language, store: Store, *, max_rejected: float, settings_yaml: str = "") -> Step:
    """What ``make align`` does last: the pairs that people made and those of the aligner, through the filters."""
    pieces = slices(store.files("ingest", SentencePair), PAIRS_PER_PART)
    parts = [Part((piece,)) for piece in pieces]
    made = (file for kind in (SentencePair, Document, Page) for file in store.files(ALIGNED, kind))
    parts += [Part((piece,), takes_rejected=True) for piece in slices(made, PAIRS_PER_PART)]
    pairs = {part: [one for one in part.records(store) if isinstance(one, SentencePair) and not one.rejected] for part in parts}
    found = review([*chain.from_iterable(pairs.values())], language, identify=settings.language, most=settings.boilerplate)
    return Step(
        name="align",
        stages=settings.stages(language, found),
        parts=tuple(replace(part, decided=_decided(pairs[part], found)) for part in parts),
        settings=settings_yaml,
        conserves=True,
        max_rejected=max_rejected,
    )


def _decided(pairs: Iterable[SentencePair], found: Mapping[str, str]) -> str:
    """The name of what was found about some pairs; empty if it was nothing."""
    reasons = [f"{name} {found[name]}" for pair in pairs if (name := pair.id) in found]
    return digest(*reasons) if reasons else ""
