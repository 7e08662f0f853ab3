"""BLEU, chrF++, chrF2 and TER: statistics of each sentence first, scores last.

Every metric is a function of sums over sentences. So one pass takes the statistics of each sentence, as integers; the score of
all or some sentences, of each by itself, and of resampled ones (Koehn, 2004, "Statistical Significance Tests for Machine
Translation Evaluation") is derived from them. Statistics and formulas are sacrebleu's (Post, 2018), to the last digit: BLEU
(Papineni et al., 2002), chrF2 (Popović, 2015), chrF++, which is chrF2 with words to order 2 (Popović, 2017), and TER (Snover
et al., 2006).
"""

# R resamples, S sentences, K statistics of the metric

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from sacrebleu.metrics import BLEU, CHRF, TER

Metric = Literal["bleu", "chrf++", "chrf2", "ter"]
METRICS: tuple[Metric, ...] = ("bleu", "chrf++", "chrf2", "ter")
NAMES: Mapping[Metric, str] = {"bleu": "BLEU", "chrf++": "chrF++", "chrf2": "chrF2", "ter": "TER"}
LOWER_IS_BETTER: frozenset[Metric] = frozenset({"ter"})
NUM_CHRF2 = 18
"""chrF++ has these statistics of characters first, then those of words: three for each of the orders 1 to 6."""
RESAMPLES_AT_ONCE = 100
Counts = NDArray[np.int64]
Scores = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """A number with what is needed to read it."""

    metric: Metric
    score: float
    """From 0 to 100; TER may be larger, and smaller is better."""
    low: float
    high: float
    """The 95 % bootstrap interval: what other test sets of this kind and size would have given."""
    num_sentences: int
    signature: str
    """The metric's name, version and options, as sacrebleu writes them."""


@dataclass(frozen=True, slots=True, eq=False)
class Statistics:
    """What a metric has to know of each sentence; all numbers derive from it."""

    metric: Metric
    values: Counts
    """[S, K], as sacrebleu orders them; at least one sentence for a score."""

    def __len__(self) -> int:
        return len(self.values)

    def at(self, places: Sequence[int] | Counts) -> Statistics:
        """Those of some sentences, in the order given; a place may be there twice."""
        return Statistics(self.metric, self.values[np.asarray(places, dtype=np.int64)])

    def corpus(self) -> float:
        """The score of all sentences together."""
        return float(_scores(self.metric, self.values.sum(axis=0, keepdims=True))[0])

    def sentences(self) -> Scores:
        """The score of each sentence by itself; BLEU of the orders that the sentence has (sacrebleu's ``effective_order``)."""
        return _scores(self.metric, self.values, effective_order=True)

    def bootstrap(self, resamples: int, seed: int) -> Scores:
        """The scores of as many sentences again, drawn with replacement; equal numbers of sentences get equal draws."""
        size = len(self)
        values, scores = self.values.astype(np.float64), []
        for drawn in draws(size, resamples, seed):
            rows = np.arange(len(drawn))[:, None] * size
            counts = np.bincount((drawn + rows).ravel(), minlength=drawn.size).reshape(drawn.shape)
            sums = counts.astype(np.float64) @ values  # exact: all numbers are whole and far below 2^53
            scores.append(_scores(self.metric, sums.astype(np.int64)))
        return np.concatenate(scores)

    def score(self, *, resamples: int, seed: int) -> Score:
        """The score of all sentences with its interval."""
        low, high = interval(self.bootstrap(resamples, seed))
        found, name = self.corpus(), signature(self.metric)
        return Score(metric=self.metric, score=found, low=low, high=high, num_sentences=len(self), signature=name)


def measure(hypotheses: Sequence[str], references: Sequence[str]) -> dict[Metric, Statistics]:
    """The statistics of all metrics, against one reference each, in one pass."""
    found: dict[Metric, Statistics] = {metric: statistics(metric, hypotheses, references) for metric in METRICS if metric != "chrf2"}
    characters = Statistics("chrf2", np.ascontiguousarray(found["chrf++"].values[:, :NUM_CHRF2]))
    return {metric: characters if metric == "chrf2" else found[metric] for metric in METRICS}


def statistics(metric: Metric, hypotheses: Sequence[str], references: Sequence[str]) -> Statistics:
    """The statistics of one metric; at least one sentence is needed."""
    if not hypotheses or len(hypotheses) != len(references):
        raise ValueError(f"{len(hypotheses)} hypotheses for {len(references)} references: there must be one each, and some")
    judge = _judge(metric)
    if metric == "ter":
        return Statistics(metric, np.array([_edits(judge, *both) for both in zip(hypotheses, references, strict=True)], dtype=np.int64))
    return Statistics(metric, np.array(judge._extract_corpus_statistics(hypotheses, [references]), dtype=np.int64))


def score(metric: Metric, hypotheses: Sequence[str], references: Sequence[str], *, resamples: int = 1_000, seed: int = 12345) -> Score:
    """Score hypotheses against one reference each; at least one sentence is needed."""
    return statistics(metric, hypotheses, references).score(resamples=resamples, seed=seed)


def sentence_scores(metric: Metric, hypotheses: Sequence[str], references: Sequence[str]) -> list[float]:
    """The score of each sentence by itself."""
    return [float(one) for one in statistics(metric, hypotheses, references).sentences()] if hypotheses else []


def draws(num_sentences: int, resamples: int, seed: int) -> Iterator[Counts]:
    """The places of the sentences of each resample, drawn with replacement: [R, S], a block of resamples at a time."""
    rng = np.random.default_rng(seed)
    for start in range(0, resamples, RESAMPLES_AT_ONCE):
        yield rng.integers(num_sentences, size=(min(RESAMPLES_AT_ONCE, resamples - start), num_sentences))


def interval(values: Scores) -> tuple[float, float]:
    """Where 95 % of the values are."""
    low, high = np.percentile(values, [2.5, 97.5])
    return float(low), float(high)


@lru_cache
def signature(metric: Metric) -> str:
    """The metric's name, version and options, as sacrebleu writes them."""
    judge = _judge(metric)
    judge.num_refs = 1
    return f"{'chrF2++' if metric == 'chrf++' else NAMES[metric]}|{judge.get_signature()}"


def _judge(metric: Metric) -> BLEU | CHRF | TER:
    from sacrebleu.metrics import BLEU, CHRF, TER

    if metric == "bleu":
        return BLEU(force=True)
    return TER() if metric == "ter" else CHRF(word_order=2 if metric == "chrf++" else 0)


def _edits(judge: TER, hypothesis: str, reference: str) -> tuple[int, int]:
    """The number of edits, and of the words of the reference."""
    from seshat.evaluation.edits import num_edits

    said, wanted = (judge._preprocess_segment(text).split() for text in (hypothesis, reference))
    return num_edits(said, wanted), len(wanted)


# Scores of sums


def _scores(metric: Metric, sums: Counts, *, effective_order: bool = False) -> Scores:
    """The score of each row of sums [R, K].

    chrF and TER need only the four operations, in which numpy and Python agree to the last digit; BLEU needs logarithms, in which
    they do not, so its formula is called.
    """
    if metric == "bleu":
        return _bleu(sums, effective_order)
    return _ter(sums) if metric == "ter" else _chrf(sums)


def _bleu(sums: Counts, effective_order: bool) -> Scores:
    from sacrebleu.metrics import BLEU

    judge = BLEU(force=True, effective_order=effective_order)
    return np.array([judge._compute_score_from_stats(row).score for row in sums.tolist()], dtype=np.float64)


def _chrf(sums: Counts) -> Scores:
    """The F score with beta 2 of the mean precision and recall of the orders that both sides have, as sacrebleu adds them up."""
    precision, recall, num_orders = np.zeros((3, len(sums)))
    for order in range(sums.shape[1] // 3):
        said, wanted, matches = sums[:, 3 * order : 3 * order + 3].T.astype(np.float64)
        counts = (said > 0) & (wanted > 0)
        precision += np.divide(matches, said, out=np.zeros_like(matches), where=counts)
        recall += np.divide(matches, wanted, out=np.zeros_like(matches), where=counts)
        num_orders += counts
    some = num_orders > 0
    precision = np.divide(precision, num_orders, out=np.zeros_like(precision), where=some)
    recall = np.divide(recall, num_orders, out=np.zeros_like(recall), where=some)
    return 100 * np.divide(5 * precision * recall, 4 * precision + recall, out=np.zeros_like(recall), where=precision + recall > 0)


def _ter(sums: Counts) -> Scores:
    edits, length = sums.T.astype(np.float64)
    rate: Scores = np.divide(edits, length, out=(edits > 0).astype(np.float64), where=length > 0)
    return 100 * rate
