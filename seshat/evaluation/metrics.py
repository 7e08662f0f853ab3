"""BLEU and chrF++ with signature and bootstrap interval: statistics once, score last.

Every metric is a function of sums over sentences, so the statistics of each sentence are computed once and resampled as
numbers (Koehn, 2004, "Statistical Significance Tests for Machine Translation Evaluation"). The formulas are sacrebleu's
own (Post, 2018): BLEU (Papineni et al., 2002) and chrF++, which is chrF with words to order 2 (Popović, 2017).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from sacrebleu.metrics.base import Metric as SacreMetric
    from sacrebleu.metrics.base import Score as SacreScore

Metric = Literal["bleu", "chrf++"]
METRICS: tuple[Metric, ...] = ("bleu", "chrf++")
RESAMPLES_AT_ONCE = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """A number with what is needed to read it."""

    metric: Metric
    score: float
    """From 0 to 100."""
    low: float
    high: float
    """The 95 % bootstrap interval: what other test sets of this kind and size would have given."""
    num_sentences: int
    signature: str
    """The metric's name, version and options, as sacrebleu writes them."""


def score(metric: Metric, hypotheses: Sequence[str], references: Sequence[str], *, resamples: int = 1_000, seed: int = 12345) -> Score:
    """Score hypotheses against one reference each; at least one sentence is needed."""
    if not hypotheses or len(hypotheses) != len(references):
        raise ValueError(f"{len(hypotheses)} hypotheses for {len(references)} references: there must be one each, and some")
    judge = _judge(metric)
    statistics = np.array(judge._extract_corpus_statistics(hypotheses, [references]))
    draws = _resampled(statistics, resamples, np.random.default_rng(seed))
    low, high = np.percentile([_result(judge, sums).score for sums in draws], [2.5, 97.5])
    result = _result(judge, statistics.sum(axis=0))
    return Score(
        metric=metric,
        score=float(result.score),
        low=float(low),
        high=float(high),
        num_sentences=len(hypotheses),
        signature=f"{result.name}|{judge.get_signature()}",
    )


def sentence_scores(metric: Metric, hypotheses: Sequence[str], references: Sequence[str]) -> list[float]:
    """The score of each sentence by itself, from 0 to 100."""
    judge = _judge(metric)
    return [float(judge.sentence_score(one, [other]).score) for one, other in zip(hypotheses, references, strict=True)]


def _judge(metric: Metric) -> SacreMetric:
    from sacrebleu.metrics import BLEU, CHRF

    return BLEU(force=True) if metric == "bleu" else CHRF(word_order=2)


def _result(judge: SacreMetric, sums: NDArray[np.int64]) -> SacreScore:
    return judge._compute_score_from_stats(sums.tolist())


def _resampled(statistics: NDArray[np.int64], resamples: int, rng: np.random.Generator) -> list[NDArray[np.int64]]:
    """The sums over as many sentences again, drawn with replacement, for each resample."""
    size = len(statistics)
    sums: list[NDArray[np.int64]] = []
    for start in range(0, resamples, RESAMPLES_AT_ONCE):
        drawn = rng.multinomial(size, np.full(size, 1 / size), size=min(RESAMPLES_AT_ONCE, resamples - start))
        sums.extend(drawn @ statistics)
    return sums
