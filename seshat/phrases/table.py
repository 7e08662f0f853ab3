"""The phrase table: what short runs of words are translated by, and how surely.

Phrases are all runs that no link of the word alignment leaves (Och, Tillmann and Ney, 1999; Koehn, Och and Marcu, 2003). Their
probabilities in both directions are smoothed as in Kneser-Ney (Foster, Kuhn and Johnson, 2006, "Phrasetable Smoothing"), because
most phrases were seen once; beside them stand the probabilities of their words.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from seshat.phrases.ngram import discounts
from seshat.phrases.words import Links, Sentence

LONGEST = 5
"""Words on either side of a phrase."""
WIDEST = 30
"""Translations of a phrase that are kept, the best."""
WEAKEST = 1e-4
"""The least probability of a word given another."""
Phrase = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """A translation of a phrase, with natural logarithms of probabilities."""

    target: Phrase
    forward: float
    """log p(target | source)."""
    backward: float
    """log p(source | target)."""
    words_forward: float
    """The same by the words that are linked, summed over those of the target."""
    words_backward: float

    @property
    def strength(self) -> float:
        """By which entries are ranked before anything else is known."""
        return self.forward + self.backward + self.words_forward + self.words_backward


@dataclass(slots=True)
class _Seen:
    """A pair of phrases in the training text."""

    count: int
    links: Links
    """Between its words, where it was first seen."""


class PhraseTable(Mapping[Phrase, list[Entry]]):
    """The translations of each source phrase, the best first.

    Most phrases of a training text never come again, so the translations of a phrase are estimated when it is first asked for.
    """

    def __init__(self, seen: dict[Phrase, dict[Phrase, _Seen]], words: _Words) -> None:
        self._seen, self._words = seen, words
        self._size = sum(map(len, seen.values()))
        self._off = discounts(its.count for targets in seen.values() for its in targets.values())
        self._targets: defaultdict[Phrase, _Totals] = defaultdict(_Totals)
        for targets in seen.values():
            for target, its in targets.items():
                self._targets[target].add(its.count, self._off)
        self._entries: dict[Phrase, list[Entry]] = {}

    @classmethod
    def extract(cls, pairs: Sequence[tuple[Sentence, Sentence]], links: Sequence[Links]) -> PhraseTable:
        """From aligned pairs of (source words, target words)."""
        seen: dict[Phrase, dict[Phrase, _Seen]] = {}
        for (source, target), its in zip(pairs, links, strict=True):
            for (phrase, translation), within in _phrases(source, target, its):
                translations = seen.setdefault(phrase, {})
                if found := translations.get(translation):
                    found.count += 1
                else:
                    translations[translation] = _Seen(1, within)
        return cls(seen, _Words(pairs, links))

    def __getitem__(self, phrase: Phrase) -> list[Entry]:
        if phrase not in self._entries:
            self._entries[phrase] = self._estimate(phrase, self._seen[phrase])
        return self._entries[phrase]

    def __iter__(self) -> Iterator[Phrase]:
        return iter(self._seen)

    def __len__(self) -> int:
        return len(self._seen)

    def __contains__(self, phrase: object) -> bool:
        return phrase in self._seen

    def _estimate(self, source: Phrase, targets: dict[Phrase, _Seen]) -> list[Entry]:
        all_of_it, entries = _Totals(), []
        for its in targets.values():
            all_of_it.add(its.count, self._off)
        for target, its in targets.items():
            kept, back = its.count - self._off[min(its.count, 3)], self._targets[target]
            forward = (kept + all_of_it.taken * back.kinds / self._size) / all_of_it.count
            backward = (kept + back.taken * all_of_it.kinds / self._size) / back.count
            entries.append(Entry(target, math.log(forward), math.log(backward), *self._words.weights(source, target, its.links)))
        return sorted(entries, key=lambda entry: (-entry.strength, entry.target))[:WIDEST]


@dataclass(slots=True)
class _Totals:
    """Of all pairs of a phrase: how often they were seen, how many kinds there are, and what was taken off their counts."""

    count: int = 0
    kinds: int = 0
    taken: float = 0.0

    def add(self, count: int, off: Sequence[float]) -> None:
        """One more pair, that was seen ``count`` times."""
        self.count += count
        self.kinds += 1
        self.taken += off[min(count, 3)]


class _Linked:
    """How often the words of one side are linked with those of the other."""

    def __init__(self) -> None:
        self._pairs: defaultdict[tuple[str, str | None], float] = defaultdict(float)
        self._totals = Counter[str]()

    def add(self, words: Sentence, others: Sentence, linked: dict[int, list[int]]) -> None:
        """One more sentence: a word that has several links is shared among them."""
        self._totals.update(words)
        for place, word in enumerate(words):
            its = linked.get(place, [])
            for other in its:
                self._pairs[word, others[other]] += 1 / len(its)
            if not its:
                self._pairs[word, None] += 1

    def probability(self, word: str, other: str | None) -> float:
        """p(other | word); None stands for no link."""
        return self._pairs[word, other] / self._totals[word]


class _Words:
    """The probabilities of linked words, in both directions."""

    def __init__(self, pairs: Sequence[tuple[Sentence, Sentence]], links: Sequence[Links]) -> None:
        self._sources, self._targets = _Linked(), _Linked()
        for (source, target), its in zip(pairs, links, strict=True):
            self._sources.add(source, target, _by_place(its, 0))
            self._targets.add(target, source, _by_place(its, 1))

    def weights(self, source: Phrase, target: Phrase, links: Links) -> tuple[float, float]:
        """The lexical weights of a phrase pair, forward and backward (Koehn, Och and Marcu, 2003)."""
        forward = _weight(source, target, _by_place(links, 1), self._sources, self._targets)
        backward = _weight(target, source, _by_place(links, 0), self._targets, self._sources)
        return forward, backward


def _weight(given: Phrase, made: Phrase, linked: dict[int, list[int]], there: _Linked, back: _Linked) -> float:
    """The logarithm of the probability of the words ``made``; one without a link is as probable as it is to have none."""
    total = 0.0
    for place, word in enumerate(made):
        if its := linked.get(place):
            mean = sum(there.probability(given[other], word) for other in its) / len(its)
        else:
            mean = back.probability(word, None)
        total += math.log(max(WEAKEST, mean))
    return total


def _by_place(links: Links, side: int) -> dict[int, list[int]]:
    """The places of the other side that each place of a side is linked with."""
    found: dict[int, list[int]] = defaultdict(list)
    for link in links:
        found[link[side]].append(link[1 - side])
    return dict(found)


def _phrases(source: Sentence, target: Sentence, links: Links) -> Iterator[tuple[tuple[Phrase, Phrase], Links]]:
    """All phrase pairs of a sentence pair with the links inside; words without links at their edges may belong to them."""
    rows, columns = _by_place(links, 0), _by_place(links, 1)
    for first in range(len(source)):
        low, high = len(target), -1
        for last in range(first, min(len(source), first + LONGEST)):
            for place in rows.get(last, ()):
                low, high = min(low, place), max(high, place)
            if high < 0 or high - low >= LONGEST:
                continue
            if any(not first <= place <= last for column in range(low, high + 1) for place in columns.get(column, ())):
                continue
            for begin, end in _widened(low, high, columns, len(target)):
                within = tuple((i - first, j - begin) for i in range(first, last + 1) for j in rows.get(i, ()))
                yield (tuple(source[first : last + 1]), tuple(target[begin : end + 1])), within


def _widened(low: int, high: int, linked: dict[int, list[int]], size: int) -> Iterator[tuple[int, int]]:
    """A run and those with words without links added at its ends."""
    begin = low
    while begin == low or (begin >= 0 and begin not in linked):
        end = high
        while end == high or (end < size and end not in linked):
            if end - begin >= LONGEST:
                break
            yield begin, end
            end += 1
        begin -= 1
