"""What may be called better: only what is outside the noise."""

from __future__ import annotations

import random

import pytest

from seshat.evaluation.metrics import METRICS, Metric, Statistics, statistics
from seshat.evaluation.significance import FEWEST, Comparison, Verdict, compare, p_value, skill

WORDS = ("jakon", "bake", "ika", "ja", "pikanai", "noa", "jato", "kaai", "joni", "ainbo", "xobo", "nete")
DRAWS = {"resamples": 1_000, "seed": 1}


def system(seed: int, right: float, size: int = 100, metric: Metric = "chrf++") -> Statistics:
    """A system that has each word right with some probability, on the same references as all others."""
    references = [random.Random(place).choices(WORDS, k=8) for place in range(size)]
    rng = random.Random(seed)
    said = [[word if rng.random() < right else "xxx" for word in reference] for reference in references]
    return statistics(metric, [" ".join(one) for one in said], [" ".join(one) for one in references])


@pytest.mark.parametrize("metric", METRICS)
def test_equal_systems_are_never_better(metric: Metric) -> None:
    found = compare(system(1, 0.5, metric=metric), system(1, 0.5, metric=metric), **DRAWS)
    assert (found.difference, found.low, found.high, found.p, found.verdict) == (0, 0, 0, 1, "not told apart")


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize(("right", "verdict"), [(0.7, "better"), (0.3, "worse")])
def test_a_clear_difference_is_told_whichever_way_the_metric_counts(metric: Metric, right: float, verdict: Verdict) -> None:
    found = compare(system(1, right, metric=metric), system(2, 0.5, metric=metric), **DRAWS)
    assert found.verdict == verdict
    assert found.p < 0.01
    assert not found.low <= 0 <= found.high
    assert (found.difference > 0) == (verdict == ("worse" if metric == "ter" else "better"))


def test_the_same_draws_are_used_for_both() -> None:
    """Pairing: an advantage that is small but everywhere is seen, though the intervals of both systems overlap."""
    ours, theirs = system(1, 0.5), system(1, 0.5)
    bettered = Statistics("chrf++", ours.values.copy())
    bettered.values[:, 2] += 1  # one more matching letter in every sentence
    found = compare(bettered, theirs, **DRAWS)
    assert found.verdict == "better"
    assert bettered.score(**DRAWS).low < theirs.score(**DRAWS).high


def test_chance_is_called_a_difference_about_once_in_twenty_times() -> None:
    found = [compare(system(seed, 0.5, size=40), system(seed + 1_000, 0.5, size=40), resamples=200, seed=seed) for seed in range(80)]
    assert 1 <= sum(one.verdict != "not told apart" for one in found) <= 10


def test_a_handful_of_sentences_never_decides() -> None:
    few = compare(system(1, 1.0, size=FEWEST - 1), system(2, 0.1, size=FEWEST - 1), **DRAWS)
    assert few.p < 0.01
    assert few.verdict == "not told apart"
    assert compare(system(1, 1.0, size=FEWEST), system(2, 0.1, size=FEWEST), **DRAWS).verdict == "better"


def test_a_comparison_is_of_the_same_sentences_by_the_same_metric() -> None:
    with pytest.raises(ValueError, match=r"100 sentences by chrf\+\+ against 99 by chrf\+\+"):
        compare(system(1, 0.5), system(1, 0.5, size=99), **DRAWS)
    with pytest.raises(ValueError, match="against 100 by bleu"):
        compare(system(1, 0.5), system(1, 0.5, metric="bleu"), **DRAWS)


@pytest.mark.parametrize(("p", "shown"), [(0.0123, "p = .012"), (1.0, "p = 1.000"), (0.0002, "p < .001")])
def test_p_is_printed_as_papers_print_it(p: float, shown: str) -> None:
    assert p_value(p) == shown


def test_a_comparison_says_all_in_one_line() -> None:
    facts = {"metric": "chrf++", "n": 100, "difference": 1.25, "low": 0.5, "high": 2.04, "p": 0.004, "verdict": "better"}
    assert str(Comparison(**facts)) == "+1.2 [+0.5, +2.0], p = .004, better"


# Skill


def test_skill_is_0_at_the_gloss_and_1_at_the_published_figure() -> None:
    ours, gloss = system(1, 0.6), system(2, 0.3)
    published = ours.corpus() + 10
    found = skill(ours, gloss, published, **DRAWS)
    assert found.skill == pytest.approx((ours.corpus() - gloss.corpus()) / (published - gloss.corpus()))
    assert found.low is not None
    assert found.high is not None
    assert found.low < found.skill < found.high < 1
    assert skill(gloss, gloss, published, **DRAWS).skill == 0
    assert skill(ours, gloss, ours.corpus(), **DRAWS).skill == 1


def test_the_interval_of_the_skill_comes_from_paired_draws() -> None:
    ours, gloss = system(1, 0.6), system(2, 0.3)
    both = [one.bootstrap(**DRAWS) for one in (ours, gloss)]
    found = skill(ours, gloss, 90, **DRAWS)
    import numpy as np

    assert (found.low, found.high) == tuple(np.percentile((both[0] - both[1]) / (90 - both[1]), [2.5, 97.5]))


def test_there_is_no_skill_without_room_above_the_gloss() -> None:
    ours, gloss = system(1, 0.6), system(2, 0.3)
    none = skill(ours, gloss, gloss.corpus(), **DRAWS)
    assert (none.skill, none.low, none.high) == (None, None, None)
    assert str(none).startswith("no skill: the published ")
    near = skill(ours, gloss, gloss.corpus() + 0.1, **DRAWS)
    assert near.skill is not None
    assert near.skill > 10
    assert (near.low, near.high) == (None, None)
    assert "without an interval" in str(near)
