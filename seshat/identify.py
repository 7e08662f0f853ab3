"""Which of a few languages a text is in, by character n-grams that were learnt from the user's own texts.

Naive Bayes (McCallum and Nigam, 1998; Jurafsky and Martin, *Speech and Language Processing*, chapter on naive Bayes) over
the n-grams of words with a space on either side (Cavnar and Trenkle, 1994). The n-grams of one word overlap, so their sum
says too much: how far it can be believed is learnt from texts that were held out, and no word alone decides.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import regex
from numpy.typing import NDArray
from scipy import sparse
from scipy.optimize import minimize_scalar
from scipy.special import logsumexp, softmax

from seshat.errors import DataError
from seshat.ngrams import BUCKETS, count_ngrams
from seshat.records import digest

# N texts, W different words, B buckets, U buckets that are used, K languages
LENGTHS = (2, 3, 4, 5)
"""The lengths of the n-grams. A single space would only say how long words are, and speak for short ones."""
SMOOTHING = 0.5
"""Added to the count of every n-gram (Lidstone) in the smaller language; as much of the whole in the others, so that what was
seen nowhere speaks for none."""
NOISE = 0.02
"""The share of words that are names, loans or slips, whatever their language: it bounds what one word can say."""
FOLDS = 5
SAMPLE = 4_000
"""Texts of each language that are enough to tell whole sentences apart."""
SURE = 0.99
"""From which probability a text counts as identified; short texts, names and numbers seldom reach it."""
CLEAR = 0.9
"""From which probability a single word looks like a language."""

WORD = regex.compile(r"[\p{L}\p{M}'\u2019\ua78c]+")


@dataclass(frozen=True, eq=False)
class Words:
    """Texts as the words they hold: letters only, in small case."""

    known: tuple[str, ...]
    """The different words, in the order in which they come."""
    counts: sparse.csr_matrix
    """How often each word stands in each text: shape (N, W)."""
    sequences: tuple[tuple[int, ...], ...]
    """Each text as the numbers of its words."""

    @classmethod
    def of(cls, texts: Iterable[str]) -> Words:
        """The words of some texts."""
        numbers: dict[str, int] = {}
        sequences = tuple(tuple(numbers.setdefault(word, len(numbers)) for word in words_of(text)) for text in texts)
        ends = np.cumsum([0, *map(len, sequences)])
        flat = np.fromiter((number for sequence in sequences for number in sequence), dtype=np.int64, count=int(ends[-1]))
        counts = sparse.csr_matrix((np.ones(len(flat), dtype=np.float32), flat, ends), shape=(len(sequences), len(numbers)))
        return cls(tuple(numbers), counts, sequences)

    @cached_property
    def ngrams(self) -> sparse.csr_matrix:
        """How often each n-gram stands in each word: shape (W, B)."""
        return count_ngrams(self.known, LENGTHS)

    @cached_property
    def used(self) -> NDArray[np.int64]:
        """The n-grams that occur."""
        return np.flatnonzero(np.bincount(self.ngrams.indices, minlength=BUCKETS))

    @cached_property
    def table(self) -> sparse.csr_matrix:
        """``ngrams`` with the columns that are ``used``: shape (W, U)."""
        return self.ngrams[:, self.used]


def words_of(text: str) -> list[str]:
    """The words that say something about the language of a text: no numbers."""
    return [word.lower() for word in WORD.findall(text)]


@dataclass(frozen=True, eq=False)
class Identifier:
    """Tells languages apart; made by ``train``."""

    codes: tuple[str, ...]
    weights: NDArray[np.float32]
    """What an n-gram says for each language: its log-probability less the mean over the languages; shape (B, K)."""
    slope: float
    """How much of the sum over a word's n-grams is believed."""

    @classmethod
    def train(cls, texts: Mapping[str, Sequence[str]]) -> Identifier:
        """Learn from texts of two or more languages. Deterministic; a few texts with the wrong label do little harm."""
        codes = tuple(texts)
        labels = np.repeat(np.arange(len(codes)), [len(texts[code]) for code in codes])
        return fit(codes, Words.of(text for code in codes for text in texts[code]), labels)

    @classmethod
    def of_sample(cls, texts: Mapping[str, Sequence[str]]) -> Identifier | None:
        """The same from at most ``SAMPLE`` texts of each language, evenly chosen; None if there are not two languages with texts."""
        chosen = {code: found[:: -(-len(found) // SAMPLE)] for code, found in texts.items() if found}
        return cls.train(chosen) if len(chosen) > 1 else None

    @cached_property
    def digest(self) -> str:
        """The name of what was learnt."""
        return digest("Identifier", self.codes, self.weights.tobytes(), repr(self.slope), NOISE)

    def scores(self, texts: Iterable[str]) -> NDArray[np.float64]:
        """How strongly each text speaks for each language, as logarithms (of base e) less their mean: shape (N, K).

        The difference of two columns is a log-likelihood ratio; a text without words has zeros.
        """
        words = Words.of(texts)
        return np.asarray(words.counts @ self.evidence(words))

    def probabilities(self, texts: Iterable[str]) -> NDArray[np.float64]:
        """How probable each language is for each text if all are as frequent: shape (N, K)."""
        return np.asarray(softmax(self.scores(texts), axis=1))

    def probability(self, text: str) -> dict[str, float]:
        """The same for one text, by code."""
        return dict(zip(self.codes, self.probabilities([text])[0].tolist(), strict=True))

    def languages(self, texts: Iterable[str] | Words, *, sure: float = SURE, mixed: float = 1.0) -> list[str]:
        """The code of the language that each text is in; empty if none is probable enough.

        Neither is a text identified if a larger share of its words than ``mixed`` looks like other languages.
        """
        words = texts if isinstance(texts, Words) else Words.of(texts)
        evidence = self.evidence(words)
        found = softmax(words.counts @ evidence, axis=1)
        best, everywhere = found.argmax(axis=1), np.arange(len(found))
        looks = words.counts @ (softmax(evidence, axis=1) > CLEAR).astype(np.float64)
        others = looks.sum(axis=1) - looks[everywhere, best]
        lengths = np.asarray(words.counts.sum(axis=1)).ravel()
        identified = (found[everywhere, best] >= sure) & (others <= mixed * lengths)
        return [self.codes[code] if one else "" for code, one in zip(best, identified, strict=True)]

    def evidence(self, words: Words) -> NDArray[np.float64]:
        """What each word says for each language: shape (W, K). Bounded: a word is noise with the probability ``NOISE``."""
        return believe(np.asarray(words.ngrams @ self.weights, dtype=np.float64), self.slope)


def fit(codes: tuple[str, ...], words: Words, labels: NDArray[np.int64]) -> Identifier:
    """Learn from texts of which each has the number of its language, or -1 if it should teach nothing."""
    present = np.bincount(labels[labels >= 0], minlength=len(codes))
    if len(codes) < 2 or not present.all():
        lacking = ", ".join(code for code, count in zip(codes, present, strict=True) if not count) or "a second language"
        raise DataError(f"languages cannot be told apart without texts in each of them: {lacking} has none; add some")
    folds = np.arange(len(labels)) % FOLDS
    counts = np.stack([count_uses(words, labels, folds == fold, len(codes)) for fold in range(FOLDS)])
    held_out, truth, times = [], [], []
    for fold in range(FOLDS):
        weights = weigh(counts.sum(axis=0) - counts[fold])
        sums = np.asarray(words.table @ weights, dtype=np.float64)
        for code in range(len(codes)):
            uses = np.asarray(words.counts[(folds == fold) & (labels == code)].sum(axis=0)).ravel()
            held_out.append(sums[uses > 0])
            times.append(uses[uses > 0])
            truth.append(np.full(int((uses > 0).sum()), code))
    slope = _slope(np.concatenate(held_out), np.concatenate(truth), np.concatenate(times))
    weights = np.zeros((BUCKETS, len(codes)), dtype=np.float32)
    weights[words.used] = weigh(counts.sum(axis=0))
    return Identifier(codes, weights, slope)


def count_uses(words: Words, labels: NDArray[np.int64], chosen: NDArray[np.bool_], num_codes: int) -> NDArray[np.float64]:
    """How often each n-gram stands in the chosen texts of each language: shape (U, K)."""
    uses = [np.asarray(words.counts[chosen & (labels == code)].sum(axis=0)).ravel() for code in range(num_codes)]
    return np.stack([words.table.T @ one for one in uses], axis=1)


def weigh(counts: NDArray[np.float64]) -> NDArray[np.float32]:
    """What each n-gram says for each language, from how often it stands there: shape (U, K)."""
    totals = np.maximum(1.0, counts.sum(axis=0))
    logs = np.log(counts / totals + SMOOTHING / totals.min())
    return np.asarray(logs - logs.mean(axis=1, keepdims=True), dtype=np.float32)


def believe(sums: NDArray[np.float64], slope: float) -> NDArray[np.float64]:
    """What words say for each language, from the sums over their n-grams: shape (W, K)."""
    logs = np.log(NOISE / sums.shape[1] + (1 - NOISE) * softmax(slope * sums, axis=1))
    return np.asarray(logs - logs.mean(axis=1, keepdims=True))


def _slope(sums: NDArray[np.float64], truth: NDArray[np.int64], times: NDArray[np.float64]) -> float:
    """The slope under which held-out words are most probable (Platt, 1999, without an intercept)."""

    def loss(log_slope: float) -> float:
        logs = believe(sums, float(np.exp(log_slope)))
        chosen = logs[np.arange(len(truth)), truth] - logsumexp(logs, axis=1)
        return float(-(times * chosen).sum())

    return float(np.exp(minimize_scalar(loss, bounds=(-7.0, 2.0), method="bounded").x))
