import pytest
from scipy.stats import binomtest

from seshat.evaluation.shares import Share, wilson


@pytest.mark.parametrize(("hits", "total"), [(0, 10), (1, 10), (5, 10), (10, 10), (3, 1000)])
def test_the_interval_is_wilson_s(hits: int, total: int) -> None:
    found = binomtest(hits, total).proportion_ci(method="wilson")
    assert wilson(hits, total) == pytest.approx((found.low, found.high), abs=1e-6)


def test_of_nothing_nothing_is_known() -> None:
    assert wilson(0, 0) == (0.0, 1.0)
    assert (Share.counted([]).share, Share.clustered([(0, 0)]).high) == (0.0, 1.0)


def test_a_share_has_its_counts() -> None:
    found = Share.counted([True, False, False, False])
    assert (found.hits, found.total, found.share) == (1, 4, 0.25)
    assert found.low < 0.25 < found.high


def test_what_comes_in_clusters_says_less_than_what_is_spread() -> None:
    spread = Share.clustered([(1, 10)] * 100)
    heaped = Share.clustered([(10, 10)] * 10 + [(0, 10)] * 90)
    assert (spread.share, heaped.share) == (0.1, 0.1)
    assert heaped.high - heaped.low > 2 * (spread.high - spread.low)


def test_sentences_that_differ_less_than_by_chance_are_not_counted_twice() -> None:
    assert Share.clustered([(1, 10)] * 100).low == pytest.approx(wilson(100, 1000)[0])
