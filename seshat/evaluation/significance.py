"""Is one system better than another, beyond the noise of the test sentences: paired bootstrap resampling (Koehn, 2004).

Both systems are scored on the same draws of sentences. Koehn counts the draws in which the better one is not better; here the
tail is doubled, because nobody knew beforehand which one it would be, so that p < .05 and a 95 % interval without 0 go together.
"""

from __future__ import annotations

from typing import Literal

from seshat.config import Section
from seshat.evaluation.metrics import LOWER_IS_BETTER, Metric, Scores, Statistics, interval

Verdict = Literal["better", "worse", "not told apart"]
LEVEL = 0.05
FEWEST = 20
"""Fewer sentences are too small a sample to draw from: resamples of one sentence never differ."""


class Comparison(Section):
    """One system against another by one metric, on the same sentences."""

    metric: Metric
    n: int
    difference: float
    """Our score minus theirs; of TER, a negative one is good."""
    low: float
    high: float
    """The 95 % interval of the difference."""
    p: float
    """How likely so large a difference would be if there were none, either way round."""
    verdict: Verdict
    """About ours; ``better`` or ``worse`` only with p < .05, on ``FEWEST`` sentences or more."""

    def __str__(self) -> str:
        return f"{self.difference:+.1f} [{self.low:+.1f}, {self.high:+.1f}], {p_value(self.p)}, {self.verdict}"


def compare(ours: Statistics, theirs: Statistics, *, resamples: int, seed: int) -> Comparison:
    """Ours against theirs; both are of the same metric and of the same sentences in the same order."""
    if ours.metric != theirs.metric or len(ours) != len(theirs):
        raise ValueError(f"{len(ours)} sentences by {ours.metric} against {len(theirs)} by {theirs.metric}: they must be the same")
    differences = ours.bootstrap(resamples, seed) - theirs.bootstrap(resamples, seed)
    low, high = interval(differences)
    difference, p = ours.corpus() - theirs.corpus(), two_sided(differences)
    return Comparison(
        metric=ours.metric,
        n=len(ours),
        difference=difference,
        low=low,
        high=high,
        p=p,
        verdict=_verdict(ours.metric, difference, p, len(ours)),
    )


def two_sided(differences: Scores) -> float:
    """Two-sided; 1 where no draw differs, and never 0 (one is added to both counts, as sacrebleu does)."""
    tail = min(int((differences <= 0).sum()), int((differences >= 0).sum()))
    return min(1.0, 2 * (tail + 1) / (len(differences) + 1))


def _verdict(metric: Metric, difference: float, p: float, num_sentences: int) -> Verdict:
    if p >= LEVEL or num_sentences < FEWEST or difference == 0:
        return "not told apart"
    return "better" if (difference > 0) != (metric in LOWER_IS_BETTER) else "worse"


def p_value(p: float) -> str:
    """As papers print it: ``p = .012``."""
    return f"p = {p:.3f}".replace("0.", ".") if p >= 0.001 else "p < .001"


class Skill(Section):
    """How far we are on the way from a word list to a published system: 0 is the gloss floor, 1 the published figure."""

    metric: Metric
    ours: float
    gloss: float | None
    """None if there was nothing to make a gloss of."""
    published: float
    skill: float | None
    """(ours - gloss) / (published - gloss); None if the published figure is not above the gloss."""
    low: float | None = None
    high: float | None = None
    """Its 95 % interval over the test sentences; None if the gloss reaches the published figure in a resample.

    The published figure is taken as it is: nobody knows its sentences.
    """

    def __str__(self) -> str:
        if self.gloss is None:
            return "no skill: there is no gloss floor to count from"
        if self.skill is None:
            return f"no skill: the published {self.published:.1f} is not above the gloss floor of {self.gloss:.1f}"
        if self.low is None or self.high is None:
            return f"skill {self.skill:.2f}, without an interval: the gloss floor is too near the published {self.published:.1f}"
        return f"skill {self.skill:.2f} [{self.low:.2f}, {self.high:.2f}]"


def skill(ours: Statistics, gloss: Statistics, published: float, *, resamples: int, seed: int) -> Skill:
    """Both systems are measured on the same sentences, and drawn together."""
    floor, reached = gloss.corpus(), ours.corpus()
    facts = {"metric": ours.metric, "ours": reached, "gloss": floor, "published": published}
    if published <= floor:
        return Skill(**facts, skill=None)
    found = (reached - floor) / (published - floor)
    floors = gloss.bootstrap(resamples, seed)
    if floors.max() >= published:
        return Skill(**facts, skill=found)
    low, high = interval((ours.bootstrap(resamples, seed) - floors) / (published - floors))
    return Skill(**facts, skill=found, low=low, high=high)
