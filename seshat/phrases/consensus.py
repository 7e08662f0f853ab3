"""The candidate that agrees best with all others: minimum Bayes risk under chrF++, or under chrF++ and BLEU.

Kumar and Byrne (2004), "Minimum Bayes-Risk Decoding for Statistical Machine Translation"; chrF++ as in Popović (2017). chrF++ rewards
recall, so that alone it prefers long translations; BLEU of single sentences (Papineni et al., 2002; one is added to the counts of
n-grams longer than a word, Lin and Och, 2004) rewards precision.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

LETTERS, WORDS = 6, 2
"""The longest n-grams of characters and of words in chrF++."""
BETA = 2
"""How much more recall counts than precision in chrF++."""
LONGEST = 4
"""The longest n-grams of words in BLEU."""
REFERENCES = 100
"""Candidates that the others are compared with, the most probable."""
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def consensus(candidates: Sequence[str], probabilities: Floats, *, bleu: float = 0.0) -> int:
    """The place of the candidate whose score is highest in expectation, if one of the candidates is the reference.

    ``probabilities`` say how likely each is that; they need not sum to one. ``bleu``, from 0 to 1, is the share of BLEU in the score;
    the rest is chrF++. Only the ``REFERENCES`` most probable candidates are taken as references; of equals, the more probable one wins.
    """
    order = np.argsort(-probabilities, kind="stable")
    ranked = [candidates[place] for place in order]
    said = _Said(ranked, min(len(ranked), REFERENCES))
    scores = (1 - bleu) * said.chrf() + (bleu * said.bleu() if bleu else 0.0)
    return int(order[(scores @ probabilities[order[:REFERENCES]]).argmax()])


def agreement(texts: Sequence[str]) -> Floats:
    """chrF++ of every text (row) with every text as its reference (column), from 0 to 1; white space does not count as a character.

    Unlike in sacrebleu, punctuation stays with its word, and n-grams that are longer than a text count as not found.
    """
    return _Said(texts, len(texts)).chrf()


class _Said:
    """Texts as numbers, the first ``references`` of which the others are compared with."""

    def __init__(self, texts: Sequence[str], references: int) -> None:
        self._references = references
        numbers: dict[str, int] = {}
        words = [text.split() for text in texts]
        self._words = [np.array([numbers.setdefault(word, len(numbers)) for word in one], dtype=np.int64) for one in words]
        bare = ["".join(one) for one in words]
        self._letters = [np.frombuffer(one.encode("utf-32-le"), dtype=np.uint32).astype(np.int64) for one in bare]

    def chrf(self) -> Floats:
        """chrF++ of every text with every reference."""
        precision, recall = np.zeros(1), np.zeros(1)
        for symbols, longest in ((self._letters, LETTERS), (self._words, WORDS)):
            for length in range(1, longest + 1):
                matches, totals = self._matches(symbols, length)
                precision = precision + matches / np.maximum(totals, 1)[:, None]
                recall = recall + matches / np.maximum(totals[: self._references], 1)
        weighed = BETA**2 * precision + recall
        product = (1 + BETA**2) * precision * recall / (LETTERS + WORDS)
        scores: Floats = np.divide(product, weighed, out=np.zeros_like(weighed), where=weighed > 0)
        return scores

    def bleu(self) -> Floats:
        """BLEU of every text with every reference; words are what stands between spaces, with their punctuation."""
        sizes = np.array([len(one) for one in self._words])
        total: Floats = np.minimum(0.0, 1 - sizes[: self._references] / np.maximum(sizes, 1)[:, None])
        for length in range(1, LONGEST + 1):
            matches, totals = self._matches(self._words, length)
            more = 1.0 if length > 1 else 0.0
            with np.errstate(divide="ignore"):
                total += np.log((matches + more) / np.maximum(totals + more, 1)[:, None]) / LONGEST
        scores: Floats = np.exp(total)
        return scores

    def _matches(self, symbols: Sequence[Ints], length: int) -> tuple[Ints, Ints]:
        """The common n-grams of every text with every reference, and how many each text has."""
        from seshat.phrases.matches import shared  # heavy

        sizes = np.array([len(one) for one in symbols], dtype=np.int64)
        found = shared(np.concatenate(symbols), np.concatenate([np.zeros(1, np.int64), np.cumsum(sizes)]), length, self._references)
        return found, np.maximum(0, sizes - length + 1)
