"""The candidate that agrees best with all others: minimum Bayes risk under chrF++.

Kumar and Byrne (2004), "Minimum Bayes-Risk Decoding for Statistical Machine Translation"; chrF++ as in Popović (2017).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

LETTERS, WORDS = 6, 2
"""The longest n-grams of characters and of words."""
BETA = 2
"""How much more recall counts than precision."""
Floats = NDArray[np.float64]


def consensus(candidates: Sequence[str], probabilities: Floats) -> int:
    """The place of the candidate whose chrF++ is highest in expectation, if one of the candidates is the reference.

    ``probabilities`` say how likely each is that; they need not sum to one.
    """
    return int((agreement(candidates) @ probabilities).argmax())


def agreement(texts: Sequence[str]) -> Floats:
    """chrF++ of every text (row) with every text as its reference (column), from 0 to 1; white space does not count as a character.

    Unlike in sacrebleu, punctuation stays with its word, and n-grams that are longer than a text count as not found.
    """
    size = len(texts)
    precision, recall = np.zeros((size, size)), np.zeros((size, size))
    for grams in _grams(texts):
        counts = [Counter(one) for one in grams]
        numbers = {gram: number for number, gram in enumerate(dict.fromkeys(gram for one in counts for gram in one))}
        table = np.zeros((size, len(numbers)), dtype=np.int32)
        for row, one in enumerate(counts):
            table[row, [numbers[gram] for gram in one]] = list(one.values())
        matches = np.array([np.minimum(row, table).sum(axis=1) for row in table], dtype=np.float64)
        totals = np.maximum(table.sum(axis=1), 1)
        precision += matches / totals[:, None]
        recall += matches / totals[None, :]
    weighed = BETA**2 * precision + recall
    return np.divide((1 + BETA**2) * precision * recall / (LETTERS + WORDS), weighed, out=np.zeros_like(weighed), where=weighed > 0)


def _grams(texts: Sequence[str]) -> Iterator[list[list[str]]]:
    """The n-grams of each text, for every length of characters, then of words."""
    letters = [text.replace(" ", "") for text in texts]
    for length in range(1, LETTERS + 1):
        yield [[text[at : at + length] for at in range(len(text) - length + 1)] for text in letters]
    words = [text.split() for text in texts]
    for length in range(1, WORDS + 1):
        yield [[" ".join(one[at : at + length]) for at in range(len(one) - length + 1)] for one in words]
