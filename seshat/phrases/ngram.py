"""An n-gram language model of words with modified Kneser-Ney smoothing, interpolated (Chen and Goodman, 1999).

It is kept as one hash table over n-grams of numbers, which compiled code can ask (``seshat.phrases.beam``).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

import numpy as np

BEGIN, END = 0, 1
"""The numbers of the beginning and the end of a sentence."""
UNKNOWN = 0.1
"""What the share of a word that was never seen is multiplied with."""
Gram = tuple[int, ...]


class NgramModel:
    """Log probabilities of words after others."""

    def __init__(self, sentences: Iterable[Sequence[str]], order: int = 4) -> None:
        self.order = order
        self.numbers: dict[str, int] = {}
        counts = _continuations(self._count(sentences), order)
        probabilities, backoffs = _smoothed(counts, order, len(self.numbers) + 2)
        self._store(probabilities, backoffs)
        self.unknown = float(np.log(backoffs[()] / (len(self.numbers) + 3) * UNKNOWN))

    def number(self, word: str) -> int:
        """Of a word; all that were never seen share one."""
        return self.numbers.get(word, len(self.numbers) + 2)

    def score(self, words: Sequence[str]) -> float:
        """The natural logarithm of the probability of a sentence with its end."""
        from seshat.phrases.beam import log_probability  # heavy

        before = np.full(self.order - 1, -1, dtype=np.int64)
        before[:1] = BEGIN
        total = 0.0
        for number in [*map(self.number, words), END]:
            total += log_probability(before, number, *self.arrays)
            before[1:] = before[:-1].copy()
            before[:1] = number
        return total

    def _count(self, sentences: Iterable[Sequence[str]]) -> list[Counter[Gram]]:
        counts: list[Counter[Gram]] = [Counter() for _ in range(self.order)]
        for sentence in sentences:
            numbers = [BEGIN, *(self.numbers.setdefault(word, len(self.numbers) + 2) for word in sentence), END]
            for length in range(1, self.order + 1):
                counts[length - 1].update(tuple(numbers[at : at + length]) for at in range(len(numbers) - length + 1))
        return counts

    def _store(self, probabilities: dict[Gram, float], backoffs: dict[Gram, float]) -> None:
        from seshat.phrases.beam import fill  # heavy

        grams = [*probabilities, *(gram for gram in backoffs if gram and gram not in probabilities)]
        starts = np.cumsum([0, *map(len, grams)])
        size = 1 << (2 * len(grams)).bit_length()
        keys, places = np.zeros(size, dtype=np.uint64), np.zeros(size, dtype=np.int64)
        fill(keys, places, np.array([number for gram in grams for number in gram], dtype=np.int64), starts)
        logarithms = np.log([probabilities.get(gram, 1e-30) for gram in grams])
        weights = np.log([backoffs.get(gram, 1.0) for gram in grams])
        self._table = keys, places, logarithms, weights

    @property
    def arrays(self) -> tuple[object, ...]:
        """What compiled code asks: the hash table, logarithms and back-off weights, and that of an unknown word."""
        return *self._table, self.unknown


def discounts(counts: Iterable[int]) -> tuple[float, float, float, float]:
    """What is taken off a count of 0, 1, 2, and 3 or more (Chen and Goodman, 1999, equation 26)."""
    seen = Counter(min(count, 4) for count in counts)
    one, two, three, four = (max(1, seen[number]) for number in (1, 2, 3, 4))
    ratio = one / (one + 2 * two)
    return 0.0, max(0.1, 1 - 2 * ratio * two / one), max(0.2, 2 - 3 * ratio * three / two), max(0.3, 3 - 4 * ratio * four / three)


def _continuations(counts: list[Counter[Gram]], order: int) -> list[Counter[Gram]]:
    """Shorter n-grams are counted by the words before them, those at the beginning of a sentence as they are."""
    kept = [Counter({gram: count for gram, count in counts[n].items() if gram[0] == BEGIN and n}) for n in range(order - 1)]
    for length, found in enumerate(kept):
        for gram in counts[length + 1]:
            found[gram[1:]] += 1
    return [*kept, counts[-1]] if order > 1 else [Counter({gram: count for gram, count in counts[0].items() if gram != (BEGIN,)})]


def _smoothed(counts: list[Counter[Gram]], order: int, words: int) -> tuple[dict[Gram, float], dict[Gram, float]]:
    """The probability of every n-gram's last word, and the share of the shorter n-grams after every context."""
    probabilities: dict[Gram, float] = {}
    shares: dict[Gram, float] = {(): 1.0}
    for length in range(order):
        off = discounts(counts[length].values())
        totals, left = defaultdict[Gram, float](float), defaultdict[Gram, float](float)
        for gram, count in counts[length].items():
            totals[gram[:-1]] += count
            left[gram[:-1]] += off[min(count, 3)]
        shares |= {context: left[context] / total for context, total in totals.items()}
        for gram, count in counts[length].items():
            context = gram[:-1]
            shorter = probabilities.get(gram[1:], shares[()] / (words + 1)) if length else 1 / (words + 1)
            probabilities[gram] = (count - off[min(count, 3)]) / totals[context] + shares[context] * shorter
    return probabilities, shares
