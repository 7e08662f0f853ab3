"""The words of a sentence in the order of the other language, learnt from word alignments alone.

For each two words of a sentence, logistic regression says which of them the translation puts first; a sentence is put into the order
that agrees best with all its pairs (Tromble and Eisner, 2009, "Learning Linear Ordering Problems for Better Translation"). In place
of parts of speech, which nobody has for a new language, stand frequent words and the endings of the others.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from seshat.phrases.words import Links, Sentence

LONGEST = 40
"""Words of a sentence that is learnt from, or put into another order."""
FREQUENT = 200
"""So many words are classes of their own."""
ENDING = 3
"""Letters at the end of any other word, which make its class."""
SELDOM = 3
"""Words that occur less often are known by their class only."""
EPOCHS, RATE = 3, 0.3
UNLINKED = 0.5
"""How much less is believed of the place of a word without a link, which goes with the next one that has one."""
NEVER_SEEN = 0
Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


class Order:
    """How the words of one language go in the order of another."""

    def __init__(self, pairs: Sequence[tuple[Sentence, Sentence]], links: Sequence[Links], parts: Sequence[Sequence[range]]) -> None:
        """Learn from (source words, target words), the links between them, and the parts of the source that keep their words."""
        from seshat.phrases.permute import WEIGHTS, learn  # heavy

        counts = Counter(word for source, _ in pairs for word in source)
        self._frequent = frozenset(word for word, _ in counts.most_common(FREQUENT))
        self._known = frozenset(word for word, count in counts.items() if count >= SELDOM)
        names = dict.fromkeys(name for word in counts for name in self._names(word))
        self._numbers = {name: number for number, name in enumerate(names, NEVER_SEEN + 1)}
        self._weights, squares = np.zeros(WEIGHTS), np.zeros(WEIGHTS)
        strength = _Strength(pairs, links)
        learnt = [
            (*self._numbered(source[part.start : part.stop]), *(side[part.start : part.stop] for side in where))
            for (source, target), its, its_parts in zip(pairs, links, parts, strict=True)
            for where in [_where(source, target, its, strength)]
            for part in its_parts
            if 1 < len(part) <= LONGEST
        ]
        for _ in range(EPOCHS):
            for at in np.random.default_rng(1).permutation(len(learnt)):
                learn(*learnt[at], RATE, self._weights, squares)

    def arrange(self, sentence: Sentence) -> list[int]:
        """The places of the words of a sentence, in the order of the other language; a very long sentence is left as it is."""
        from seshat.phrases.permute import best_order, preferences  # heavy

        if not 1 < len(sentence) <= LONGEST:
            return [*range(len(sentence))]
        found: list[int] = best_order(preferences(*self._numbered(sentence), self._weights)).tolist()
        return found

    def _names(self, word: str) -> tuple[str, str]:
        """What a word is called, and its class."""
        kind = word if word in self._frequent else f"-{word[-ENDING:]}"
        return (word if word in self._known else kind), kind

    def _numbered(self, sentence: Sentence) -> tuple[Ints, Ints]:
        names = [self._names(word) for word in sentence]
        words, classes = ([self._numbers.get(name, NEVER_SEEN) for name in side] for side in zip(*names, strict=True))
        return np.array(words, dtype=np.int64), np.array(classes, dtype=np.int64)


class _Strength:
    """How sure a link is: in how many of the sentences that have one of its words they are linked, as a geometric mean.

    One is added to the denominator, so that rare words are believed less.
    """

    def __init__(self, pairs: Sequence[tuple[Sentence, Sentence]], links: Sequence[Links]) -> None:
        self._together, self._sources, self._targets = Counter[tuple[str, str]](), Counter[str](), Counter[str]()
        for (source, target), its in zip(pairs, links, strict=True):
            self._together.update((source[i], target[j]) for i, j in its)
            self._sources.update(source[i] for i in {i for i, _ in its})
            self._targets.update(target[j] for j in {j for _, j in its})

    def __call__(self, source: str, target: str) -> float:
        return self._together[source, target] / (1 + math.sqrt(self._sources[source] * self._targets[target]))


def _where(source: Sentence, target: Sentence, links: Links, strength: _Strength) -> tuple[Floats, Floats]:
    """The place of each source word in the translation, and how sure it is: that of its strongest link.

    A word without a link goes just before the next word that has one; behind the last such word nothing is known.
    """
    best: dict[int, tuple[float, int]] = {}
    for i, j in links:
        best[i] = max(best.get(i, (-1.0, -1)), (strength(source[i], target[j]), -j))
    places, trust = np.zeros(len(source)), np.zeros(len(source))
    for i in reversed(range(len(source))):
        if i in best:
            trust[i], places[i] = best[i][0], -best[i][1]
        elif i + 1 < len(source):
            trust[i], places[i] = UNLINKED * trust[i + 1], places[i + 1] - 1e-3
    return places, trust
