"""What scores cost: python -m benchmarks.evaluation [--sentences N] [--resamples N] [--hypotheses FILE --references FILE]

All metrics of one system with bootstrap intervals, from texts to numbers; against sacrebleu called on the sentences of each
resample (measured on a few resamples and scaled), and against the bootstrap that sacrebleu has itself.
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np
from sacrebleu.metrics import BLEU, CHRF, TER

from seshat.evaluation.metrics import METRICS, NAMES, Metric, Score, draws, measure

SYLLABLES = ("ka", "ri", "no", "shi", "be", "ma", "ta", "yo", "xo", "pi", "nai", "ra")
NUM_WORDS = 3_000
SHARE_RIGHT = 0.5
NUM_SCALED = 2
"""Resamples for which sacrebleu is called."""
T = TypeVar("T")


def main(arguments: Sequence[str] | None = None) -> None:
    """Print seconds and ratios."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--sentences", type=int, default=1_000, metavar="N")
    parser.add_argument("--resamples", type=int, default=1_000, metavar="N")
    parser.add_argument("--hypotheses", type=Path, metavar="FILE", help="one a line, beside --references; else random sentences")
    parser.add_argument("--references", type=Path, metavar="FILE")
    asked = parser.parse_args(arguments)
    if bool(asked.hypotheses) != bool(asked.references):
        parser.error("--hypotheses and --references go together")
    if asked.hypotheses:
        said, wanted = (path.read_text(encoding="utf-8").splitlines()[: asked.sentences] for path in (asked.hypotheses, asked.references))
    else:
        said, wanted = sentences(asked.sentences)
    report(said, wanted, asked.resamples)


def report(said: list[str], wanted: list[str], resamples: int) -> None:
    """Time ours and theirs on the same texts; the scores must be the same."""
    judges = {"bleu": BLEU(force=True), "chrf++": CHRF(word_order=2), "chrf2": CHRF(), "ter": TER()}
    print(f"{len(said):,} sentences, {sum(len(text.split()) for text in wanted) / len(wanted):.1f} words each, {resamples:,} resamples")
    scores, ours = timed(lambda: scored(said, wanted, resamples))
    for metric, found in scores.items():
        print(f"  {NAMES[metric]:<7}{found.score:6.1f} [{found.low:.1f}, {found.high:.1f}]")
        assert found.score == judges[metric].corpus_score(said, [wanted]).score
    print(f"ours, all metrics with intervals                {ours:10.1f} s")
    drawn = next(draws(len(said), NUM_SCALED, seed=1))
    _, few = timed(lambda: [judge.corpus_score(*resampled(said, wanted, row)) for judge in judges.values() for row in drawn])
    called = few / NUM_SCALED * resamples
    print(f"sacrebleu called on each resample (x {resamples / NUM_SCALED:,.0f})   {called:10.1f} s   {called / ours:,.0f} times as long")
    _, own = timed(lambda: [judge.corpus_score(said, [wanted], n_bootstrap=resamples) for judge in judges.values()])
    print(f"sacrebleu's own bootstrap                       {own:10.1f} s   {own / ours:.1f} times as long")


def scored(said: list[str], wanted: list[str], resamples: int) -> dict[Metric, Score]:
    """Statistics first, scores last."""
    found = measure(said, wanted)
    return {metric: found[metric].score(resamples=resamples, seed=1) for metric in METRICS}


def resampled(said: list[str], wanted: list[str], places: np.ndarray) -> tuple[list[str], list[list[str]]]:
    """The sentences of one resample."""
    return [said[place] for place in places], [[wanted[place] for place in places]]


def sentences(number: int) -> tuple[list[str], list[str]]:
    """Random sentences of 4 to 24 words, and translations with half of the words right and some moved."""
    rng = random.Random(1)
    words = ["".join(rng.choices(SYLLABLES, k=rng.randint(1, 4))) for _ in range(NUM_WORDS)]
    said, wanted = [], []
    for _ in range(number):
        reference = [*rng.choices(words, k=rng.randint(4, 24)), "."]
        cut = rng.randrange(len(reference))
        moved = reference[cut:] + reference[:cut] if rng.random() < 0.3 else reference
        said.append(" ".join(word if rng.random() < SHARE_RIGHT else rng.choice(words) for word in moved))
        wanted.append(" ".join(reference))
    return said, wanted


def timed(work: Callable[[], T]) -> tuple[T, float]:
    """What it gives, and the seconds that it took."""
    start = time.perf_counter()
    done = work()
    return done, time.perf_counter() - start


if __name__ == "__main__":
    main()
