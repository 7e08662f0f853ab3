"""Learn how good a translation can be expected to be, on the validation set, and see on the test set whether that holds.

A ridge regression (Hoerl and Kennard, 1970) of the sentence chrF++ on the signs of ``seshat.confidence`` orders the sentences; an
isotonic regression (Barlow et al., 1972; for calibration Zadrozny and Elkan, 2002, "Transforming Classifier Scores into Accurate
Multiclass Probability Estimates") says what score belongs to each place in that order. Sentences are averaged first, n of them in
groups of about the square root of n, so that one lucky sentence makes no curve.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence, Set
from dataclasses import replace
from statistics import fmean

import numpy as np
from numpy.typing import NDArray

from seshat.confidence import CALIBRATION, LEAST, Calibration, Curve, card_key, coverage, logprob_of, number_of, pack
from seshat.config import Section
from seshat.evaluation.cases import Part
from seshat.evaluation.judge import Answers
from seshat.evaluation.metrics import sentence_scores
from seshat.evaluation.results import Sample
from seshat.prompts import Card
from seshat.serving import BANDS, Band, Bands
from seshat.store import Store
from seshat.working_copy import discard

log = logging.getLogger(__name__)
FEWEST = 50
"""Sentences of a direction below which nothing is learnt."""
RIDGE = 1.0
"""The penalty on the weights of the standardised signs, in sentences."""
Floats = NDArray[np.float64]


class Reliability(Section):
    """What was expected of the translations of a band on the test set, and what was measured."""

    direction: str
    band: Band
    n: int
    expected: float
    measured: float
    """Both are means of sentence chrF++; 0 where there are no sentences."""


def calibrate(said: Sequence[tuple[Part, Answers]], known: Mapping[str, Set[str]], model: str, card: Card) -> Calibration | None:
    """Learn from what a model said to validation sentences; None if there are too few of them in every direction.

    ``known`` are the words that training saw, ``model`` is the digest of the adapter's manifest.
    """
    curves = {}
    for part, answers in said:
        if len(answers) < FEWEST:
            log.info("eval: %d validation sentences of %s are too few for confidence; %d are needed", len(answers), part.direction, FEWEST)
            continue
        numbers = frozenset(map(number_of, known.get(part.direction.partition("-")[0], ())))
        examples = [part.examples[place] for place in answers]
        signs = [
            (logprob_of(one.confidence or 0.0), coverage(example.source, numbers))
            for one, example in zip(answers.values(), examples, strict=True)
        ]
        scores = sentence_scores("chrf++", [one.text for one in answers.values()], [example.answer for example in examples])
        curves[part.direction] = fit(np.array(signs), np.array(scores))
    if not curves:
        return None
    packed = {code: pack(known[code]) for code in sorted({direction.partition("-")[0] for direction in curves} & known.keys())}
    return Calibration(model=model, card=card_key(card), curves=curves, words=packed)


def fit(signs: Floats, scores: Floats) -> Curve:
    """The curve of some sentences: ``signs`` [S, 2] are log-probability and coverage, ``scores`` [S] their chrF++."""
    from scipy.optimize import isotonic_regression

    signs = np.maximum(signs, LEAST)
    spread = signs.std(axis=0)
    scaled = (signs - signs.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    weights = np.linalg.solve(scaled.T @ scaled + RIDGE * np.eye(2), scaled.T @ (scores - scores.mean()))
    weights = np.where(spread > 0, weights / np.where(spread > 0, spread, 1.0), 0.0)
    sums = signs @ weights
    order = np.argsort(sums, kind="stable")
    groups = np.array_split(order, round(len(order) ** 0.5) if np.ptp(sums) > 0 else 1)
    means = np.array([scores[group].mean() for group in groups])
    rising = isotonic_regression(means, weights=np.array([len(group) for group in groups], dtype=np.float64)).x
    return Curve(
        logprob=float(weights[0]),
        coverage=float(weights[1]),
        sums=tuple(float(sums[group].mean()) for group in groups),
        expected=tuple(float(one) for one in rising),
        n=len(scores),
    )


def expect(calibration: Calibration, part: Part, answers: Answers) -> Answers:
    """The answers with what can be expected of them, where they are translations."""
    if part.task != "translation":
        return answers
    return {
        place: replace(one, expected=calibration.expected(part.direction, part.examples[place].source, logprob_of(one.confidence or 0.0)))
        for place, one in answers.items()
    }


def write_calibration(store: Store, folder: str, calibration: Calibration | None) -> None:
    """Put a calibration beside the card of a model; without one, that of a model before it goes."""
    if calibration is None:
        discard(store.path(f"{folder}/{CALIBRATION}"))
    else:
        store.write(f"{folder}/{CALIBRATION}", calibration.model_dump_json(indent=1).encode())


def reliability(samples: Sequence[Sample], bands: Bands) -> list[Reliability]:
    """Predicted against measured in each direction and band; nothing for a model without calibration."""
    by_direction: dict[str, list[tuple[float, float]]] = {}
    told = [one for one in samples if one.task == "translation" and one.expected is not None]
    measured = sentence_scores("chrf++", [one.hypotheses["ours"] for one in told], [one.reference for one in told])
    for one, score in zip(told, measured, strict=True):
        by_direction.setdefault(one.direction, []).append((one.expected or 0.0, score))
    rows = []
    for direction, pairs in by_direction.items():
        for band in BANDS:
            inside = [pair for pair in pairs if bands.of(pair[0]) == band]
            expected, scored = (fmean(side) for side in zip(*inside, strict=True)) if inside else (0.0, 0.0)
            rows.append(Reliability(direction=direction, band=band, n=len(inside), expected=expected, measured=scored))
    return rows
