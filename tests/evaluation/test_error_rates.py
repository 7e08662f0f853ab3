"""Word and character error rates against values that were counted by hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seshat.evaluation.error_rates import FEWEST, Errors, Hearing, Measure, caution, change, errors, num_edits
from seshat.language import Language

TAMURI = Language(code="qtm", name="tamuri", apostrophe="\u02bc")


def measured(measure: Measure, *pairs: tuple[str, str], recordings: int = 1) -> Errors:
    """Pairs of what was said and heard, dealt out to recordings."""
    return errors(measure, [Hearing(str(place % recordings), *pair) for place, pair in enumerate(pairs)], TAMURI)


@pytest.mark.parametrize(
    ("said", "heard", "wer", "cer"),
    [
        ("Taki waru.", "Taki waru.", 0.0, 0.0),
        ("Taki waru.", "taki, WARU", 0.0, 0.0),  # case and punctuation do not count
        ("Taki waru.", "taki wara", 50.0, 100 / 9),  # one of two words; one of t-a-k-i-space-w-a-r-u
        ("Taki waru.", "taki", 50.0, 500 / 9),  # a space and four letters are missing
        ("Taki waru.", "", 100.0, 100.0),
        ("Taki.", "taki taki taki", 200.0, 1000 / 4),  # two words, ten characters too many
        ("Siʼa.", "si'a", 0.0, 0.0),  # a typed apostrophe is the letter
        ("Siʼa.", "sia", 100.0, 25.0),
        ("Taki waru.", "takiwaru", 100.0, 100 / 9),  # one word exchanged, one missing; one space missing
        ("Taki waru miku.", "waru miku", 100 / 3, 500 / 14),  # the first word and its space are missing
    ],
)
def test_rates_are_those_counted_by_hand(said: str, heard: str, wer: float, cer: float) -> None:
    assert measured("wer", (said, heard)).corpus() == pytest.approx(wer)
    assert measured("cer", (said, heard)).corpus() == pytest.approx(cer)


def test_long_utterances_count_more_than_short_ones() -> None:
    assert measured("wer", ("taki", ""), ("taki waru miku pawa", "taki waru miku pawa")).corpus() == pytest.approx(20.0)


@given(st.text("ab", max_size=7), st.text("ab", max_size=7))
def test_edits_are_those_of_the_plain_recursion(said: str, heard: str) -> None:
    def slow(left: str, right: str) -> int:
        if not left or not right:
            return len(left) + len(right)
        return min(
            slow(left[1:], right[1:]) + (left[0] != right[0]),
            1 + min(slow(left[1:], right), slow(left, right[1:])) if left[0] != right[0] else 99,
        )

    assert num_edits(said, heard) == slow(said, heard)


def test_whole_recordings_are_drawn() -> None:
    """Of two recordings, one heard and one not, a draw is one of three: 0, 50 or 100; drawn by utterance it would be near 50."""
    pairs = [("taki", "taki" if place % 2 else "waru") for place in range(40)]
    found = set(measured("wer", *pairs, recordings=2).bootstrap(200, 1).round(6))
    assert found == {0.0, 50.0, 100.0}


def test_an_interval_holds_its_rate_and_the_same_seed_gives_the_same() -> None:
    pairs = [("taki waru", "taki waru" if place % 3 else "taki") for place in range(30)]
    rate = measured("wer", *pairs, recordings=15).rate(resamples=500, seed=7)
    assert rate.low < rate.rate < rate.high
    assert rate == measured("wer", *pairs, recordings=15).rate(resamples=500, seed=7)
    assert str(rate).startswith(f"WER {rate.rate:.1f} [")


@pytest.mark.parametrize(("recordings", "verdict"), [(FEWEST, "better"), (FEWEST - 1, "not told apart")])
def test_nothing_is_better_on_few_recordings(recordings: int, verdict: str) -> None:
    said = [f"taki waru {'ab' * place}" for place in range(1, recordings + 1)]
    before = measured("wer", *((text, "") for text in said), recordings=recordings)
    after = measured("wer", *((text, text) for text in said), recordings=recordings)
    found = change(before, after, resamples=300, seed=1)
    assert (found.difference, found.verdict) == (-100.0, verdict)
    assert found.p < 0.05
    assert bool(caution(recordings)) == (recordings < FEWEST)


def test_the_same_hearing_is_not_told_apart() -> None:
    one = measured("cer", *[("taki waru", "taki wara")] * 20, recordings=20)
    found = change(one, one, resamples=200, seed=1)
    assert (found.difference, found.p, found.verdict) == (0.0, 1.0, "not told apart")


def test_worse_is_said_too() -> None:
    good = measured("wer", *[("taki waru", "taki waru")] * 20, recordings=20)
    bad = measured("wer", *[("taki waru", "miku")] * 20, recordings=20)
    assert change(good, bad, resamples=200, seed=1).verdict == "worse"
