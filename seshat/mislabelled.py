"""Which sources are in another language than they say: exchanged columns, exchanged files, rows in the wrong language.

Every source is judged by what the others teach (cross-fitting), so that a file whose columns are exchanged does not vote for
itself; what is found is believed when the next ones are judged.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import betainc, softmax

from seshat.identify import FOLDS, LENGTHS, SURE, Identifier, Words, believe, count_uses, fit, weigh
from seshat.language import Language
from seshat.records import SentencePair

PASSES = 3
SLOPE = 1 / len(LENGTHS)
"""A character stands in n-grams of every length: what a word says is the mean over them. (``Identifier`` learns it anew.)"""
SMALL = 0.05
"""Sources with a smaller share of all texts are judged together by the others."""
TOLERATED = 0.1
"""The share of texts in another language, names and quotations among them, that no source is suspected for."""
CERTAIN = 0.99
SURE_OF_A_ROW = 0.9999
"""From which probability one row alone is called wrong: a sentence full of names and loans is no reason to throw it away."""
MIXED = 0.2
"""A sentence with a larger share of words in its own language is not in the wrong one: it quotes, or switches."""
FITTING = 0.05
"""A smaller share of letters that the alphabet lacks is that of the language itself; one that is larger by as much is another's."""
SAMPLE = 2_000
"""Texts of each language whose letters are looked at."""

# N texts, U n-grams that are used, K languages


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the texts of one source that should be in one language are in."""

    source: str
    code: str
    """What the source says."""
    num_texts: int
    num_judged: int
    """Texts of which one can be sure: long enough, and more than names and numbers."""
    num_wrong: int
    """Of those, how many are in another language."""
    looks_like: str
    """The most frequent other language; empty if there is none."""

    @property
    def share(self) -> float:
        """How many of the judged texts are in another language, from 0 to 1."""
        return self.num_wrong / max(1, self.num_judged)

    def confidence(self, share: float = 0.5) -> float:
        """How probable it is that more than this share of the source's texts is in another language.

        The posterior of a binomial share under a uniform prior: 0.5 if nothing could be judged and ``share`` is 0.5.
        """
        return float(1 - betainc(self.num_wrong + 1, self.num_judged - self.num_wrong + 1, share))

    @property
    def is_wrong(self) -> bool:
        """Certainly most of it is in another language."""
        return self.confidence() > CERTAIN

    @property
    def is_suspect(self) -> bool:
        """Certainly more of it than what is tolerated is in another language."""
        return self.confidence(TOLERATED) > CERTAIN

    def __str__(self) -> str:
        return (
            f"{self.source}: {self.num_wrong:,} of {self.num_judged:,} texts that should be {self.code} are in {self.looks_like} "
            f"({self.share:.0%}; {self.num_texts - self.num_judged:,} more say too little)"
        )


@dataclass(frozen=True, slots=True)
class Audit:
    """What was found, and what identifies languages when all of it is taken into account."""

    words: Words
    """Of the texts that were judged."""
    identifier: Identifier
    found: tuple[str, ...]
    """The language of each text as the other sources see it; empty if one cannot be sure."""
    verdicts: tuple[Verdict, ...]
    """One for each source and language, in the order in which they came."""

    @property
    def swapped(self) -> tuple[str, ...]:
        """Sources whose languages are exchanged: every one of them is certainly wrong."""
        codes = Counter(one.source for one in self.verdicts)
        wrong = Counter(one.source for one in self.verdicts if one.is_wrong)
        return tuple(source for source, count in codes.items() if count > 1 and wrong[source] == count)

    @property
    def suspects(self) -> tuple[Verdict, ...]:
        """The verdicts that a person should see."""
        return tuple(one for one in self.verdicts if one.is_suspect)


def examine_pairs(pairs: Iterable[SentencePair], language: Language) -> Audit:
    """Judge both sides of pairs, file by file (``found`` has the texts first and then the translations).

    Two sides of a parallel document are one source. Raises a DataError if there are no pairs.
    """
    known = list(pairs)
    sides = [(one.text, one.language) for one in known] + [(one.translation, one.bridge) for one in known]
    sources = [" | ".join(side.partition("#")[0] for side in one.origin.split(" | ")) for one in known]
    return examine([text for text, _ in sides], [code for _, code in sides], [*sources, *sources], language)


def wrong_sides(pairs: Sequence[SentencePair], identifier: Identifier, words: Words | None = None) -> list[str]:
    """Why a pair is not in the languages that it should be in, beginning with one word for the count; empty if it may well be.

    ``words`` are those of all texts and then of all translations, as an ``Audit`` has them.
    """
    texts = words or Words.of([*(pair.text for pair in pairs), *(pair.translation for pair in pairs)])
    found = identifier.languages(texts, sure=SURE_OF_A_ROW, mixed=MIXED)
    return [_wrong(*one) for one in zip(pairs, found[: len(pairs)], found[len(pairs) :], strict=True)]


def _wrong(pair: SentencePair, text: str, translation: str) -> str:
    if text == pair.bridge and translation == pair.language:
        return f"language: the sides are exchanged, the text is in {text} and the translation in {translation}"
    if text not in ("", pair.language):
        return f"language: the text is in {text}"
    return f"language: the translation is in {translation}" if translation not in ("", pair.bridge) else ""


def examine(texts: Sequence[str], codes: Sequence[str], sources: Sequence[str], language: Language) -> Audit:
    """Judge texts by the languages that they should be in, each source by the others. Deterministic.

    The largest source is believed first; the alphabet, if there is one, says whether that was wrong, and else the majority of all
    texts. Without an alphabet, and with most of the text exchanged, it is the rest that looks wrong. A source with more than half
    of all texts is judged by its own other rows: nobody else could.
    """
    names = tuple(dict.fromkeys(codes))
    numbers = {code: number for number, code in enumerate(names)}
    labels = np.array([numbers[code] for code in codes], dtype=np.int64)
    words = Words.of(texts)
    found = _judged(words, labels, _folds(sources), len(names))
    if set(names) == {language.code, language.bridge.code}:
        alphabet = _alphabet_says(texts, found == numbers[language.code], found >= 0, language)
        contradicted = (found >= 0) & (found != labels)
        if alphabet == "wrong" or (not alphabet and 2 * contradicted.sum() > (found >= 0).sum()):
            found = np.where(found >= 0, 1 - found, -1)
    believed = np.where(found >= 0, found, labels)
    verdicts = tuple(_verdicts(labels, found, names, sources))
    doubted = {one.source for one in verdicts if one.is_wrong}
    believed[[index for index, source in enumerate(sources) if source in doubted and found[index] < 0]] = -1
    return Audit(words, fit(names, words, believed), tuple("" if one < 0 else names[one] for one in found), verdicts)


def _judged(words: Words, labels: NDArray[np.int64], folds: list[NDArray[np.int64]], num_codes: int) -> NDArray[np.int64]:
    """The language of each text as the other folds see it, -1 where one cannot be sure."""
    found, believed = np.full(len(labels), -1), labels.copy()
    total = np.zeros((len(words.used), num_codes))
    for number in range(PASSES):
        for fold in folds:
            chosen = np.isin(np.arange(len(labels)), fold)
            if number:
                total -= count_uses(words, believed, chosen, num_codes)
            sums = np.asarray(words.table @ weigh(total), dtype=np.float64)
            likely = softmax(words.counts[fold] @ believe(sums, SLOPE), axis=1)
            found[fold] = np.where(likely.max(axis=1) >= SURE, likely.argmax(axis=1), -1)
            believed[fold] = np.where(found[fold] >= 0, found[fold], labels[fold])
            total += count_uses(words, believed, chosen, num_codes)
    return found


def _alphabet_says(texts: Sequence[str], taught: NDArray[np.bool_], sure: NDArray[np.bool_], language: Language) -> str:
    """``right`` if the alphabet fits what seems to be in the taught language and not the rest, ``wrong`` if it is the other way
    round; empty if it does not tell them apart."""
    seeming, rest = (_foreign_share(texts, np.flatnonzero(side & sure), language) for side in (taught, ~taught))
    if rest < FITTING < seeming - rest:
        return "wrong"
    return "right" if seeming < FITTING < rest - seeming else ""


def _foreign_share(texts: Sequence[str], places: NDArray[np.int64], language: Language) -> float:
    """The mean over a sample of the texts at these places; without an alphabet, no letter is foreign."""
    sample = places[:: max(1, len(places) // SAMPLE)]
    return sum(language.foreign_share(texts[place]) for place in sample) / max(1, len(sample))


def _folds(sources: Sequence[str]) -> list[NDArray[np.int64]]:
    """The texts in groups that are judged together: large sources alone, small ones in company, the largest first."""
    places: dict[str, list[int]] = {}
    for place, source in enumerate(sources):
        places.setdefault(source, []).append(place)
    folds: list[list[int]] = []
    company: list[int] = []
    for one in sorted(places.values(), key=len, reverse=True):
        if 2 * len(one) > len(sources):
            folds += [one[start::FOLDS] for start in range(min(FOLDS, len(one)))]
        elif len(one) >= SMALL * len(sources):
            folds.append(one)
        else:
            company += one
            if len(company) >= SMALL * len(sources):
                folds.append(company)
                company = []
    return [np.array(fold, dtype=np.int64) for fold in (*folds, company) if fold]


def _verdicts(labels: NDArray[np.int64], found: NDArray[np.int64], names: tuple[str, ...], sources: Sequence[str]) -> Iterator[Verdict]:
    counts: dict[tuple[str, int], Counter[int]] = {}
    for source, label, language in zip(sources, labels.tolist(), found.tolist(), strict=True):
        counts.setdefault((source, label), Counter())[language] += 1
    for (source, label), seen in counts.items():
        others = {language: count for language, count in seen.items() if language not in (-1, label)}
        yield Verdict(
            source=source,
            code=names[label],
            num_texts=seen.total(),
            num_judged=seen.total() - seen[-1],
            num_wrong=sum(others.values()),
            looks_like=names[max(others, key=lambda language: others[language])] if others else "",
        )
