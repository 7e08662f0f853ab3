"""Statistics first, score last: everything is sacrebleu's, to the last digit."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from sacrebleu.metrics import BLEU, CHRF, TER

from seshat.evaluation.metrics import METRICS, Metric, draws, measure, score, sentence_scores, statistics

REFERENCES = ["El gato come pescado en la casa.", "La mujer canta.", "Mañana vamos al río con los niños.", "No.", "¿Dónde está tu hermano?"]
HYPOTHESES = ["El gato come pescado en casa.", "Una mujer cantaba.", "Vamos al río mañana.", "No.", ""]
THEIRS: Mapping[Metric, Any] = {"bleu": BLEU(force=True), "chrf++": CHRF(word_order=2), "chrf2": CHRF(), "ter": TER()}
Texts = tuple[list[str], list[str]]


def texts(seed: int, size: int, longest: int) -> Texts:
    """Random hypotheses and references: empty ones, repeated words, moved pieces, punctuation, letters outside ASCII."""
    rng = random.Random(seed)
    words = [*"jakon bake ika noa ñame ʼeno El el gato. casa, ¿río? (no) - 1.000 3,5".split(" "), "\u00a0", "a" * 40]  # noqa: SIM905
    said, wanted = [], []
    for _ in range(size):
        reference = rng.choices(words, k=rng.randint(0, longest))
        kind = rng.random()
        if kind < 0.2:
            hypothesis = rng.choices(words, k=rng.randint(0, longest))
        else:
            cut = rng.randint(0, len(reference))
            hypothesis = reference[cut:] + reference[:cut] if kind < 0.6 else list(reference)
            hypothesis = [word if rng.random() < 0.8 else rng.choice(words) for word in hypothesis if rng.random() < 0.9]
        said.append(" ".join(hypothesis))
        wanted.append(" ".join(reference))
    return said, wanted


CASES: Mapping[str, Texts] = {
    "a few": (HYPOTHESES, REFERENCES),
    "one": (["Una mujer cantaba."], ["La mujer canta."]),
    "one that is right": (["No."], ["No."]),
    "an empty answer": ([""], ["La mujer canta."]),
    "an empty reference": (["Una mujer."], [""]),
    "nothing at all": ([""], [""]),
    "nothing in common": (["abc def"], ["xyz"]),
    "many": texts(1, 60, longest=15),
    "short": texts(2, 50, longest=3),
}


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("case", CASES)
def test_scores_are_sacrebleus_to_the_last_digit(metric: Metric, case: str) -> None:
    said, wanted = CASES[case]
    found, theirs = measure(said, wanted)[metric], THEIRS[metric]
    assert found.values.tolist() == [[int(value) for value in row] for row in theirs._extract_corpus_statistics(said, [wanted])]
    assert found.corpus() == theirs.corpus_score(said, [wanted]).score
    alone = BLEU(effective_order=True) if metric == "bleu" else theirs
    each = [alone.sentence_score(one, [other]).score for one, other in zip(said, wanted, strict=True)]
    assert found.sentences().tolist() == each == sentence_scores(metric, said, wanted)


@pytest.mark.parametrize("metric", METRICS)
def test_each_resample_is_scored_as_sacrebleu_scores_the_resampled_sentences(metric: Metric) -> None:
    said, wanted = texts(4, 30, longest=8)
    drawn = np.concatenate(list(draws(30, 105, seed=3)))
    assert drawn.shape == (105, 30)
    theirs = [THEIRS[metric].corpus_score([said[i] for i in row], [[wanted[i] for i in row]]).score for row in drawn]
    assert statistics(metric, said, wanted).bootstrap(105, seed=3).tolist() == theirs


@pytest.mark.parametrize("metric", METRICS)
def test_some_sentences_are_scored_as_if_they_were_all(metric: Metric) -> None:
    said, wanted = CASES["many"]
    places = [5, 7, 7, 50]
    some = THEIRS[metric].corpus_score([said[i] for i in places], [[wanted[i] for i in places]]).score
    assert statistics(metric, said, wanted).at(places).corpus() == some


@pytest.mark.parametrize("metric", METRICS)
def test_the_signature_is_sacrebleus(metric: Metric) -> None:
    found = score(metric, HYPOTHESES, REFERENCES, resamples=100)
    theirs = THEIRS[metric].corpus_score(HYPOTHESES, [REFERENCES])
    assert found.signature == f"{theirs.name}|{THEIRS[metric].get_signature()}"
    assert "version:" in found.signature
    assert found.num_sentences == 5


@pytest.mark.parametrize("metric", METRICS)
def test_the_interval_is_seeded_holds_the_score_and_shrinks(metric: Metric) -> None:
    few = score(metric, HYPOTHESES * 4, REFERENCES * 4, seed=1)
    assert few == score(metric, HYPOTHESES * 4, REFERENCES * 4, seed=1)
    assert few.low < few.score < few.high
    many = score(metric, HYPOTHESES * 40, REFERENCES * 40, seed=1)
    assert many.score == pytest.approx(few.score)
    assert many.high - many.low < (few.high - few.low) / 2


def test_nothing_to_score_is_refused() -> None:
    with pytest.raises(ValueError, match="0 hypotheses for 0 references"):
        score("bleu", [], [])
    with pytest.raises(ValueError, match="1 hypotheses for 2 references"):
        score("bleu", ["a"], ["a", "b"])
    assert sentence_scores("chrf++", [], []) == []
