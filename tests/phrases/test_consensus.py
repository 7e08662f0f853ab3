import numpy as np
import pytest
from sacrebleu.metrics import BLEU, CHRF

from seshat.phrases.consensus import REFERENCES, _Said, agreement, consensus

TEXTS = ["la casa grande es verde", "la casa verde es grande", "el libro de mi hermano", "una casa muy grande"]


def test_agreement_is_chrf() -> None:
    metric = CHRF(word_order=2)
    found = agreement(TEXTS)
    for row, text in enumerate(TEXTS):
        for column, reference in enumerate(TEXTS):
            assert 100 * found[row, column] == pytest.approx(metric.sentence_score(text, [reference]).score, abs=1e-6)


def test_the_candidate_that_agrees_with_the_likely_ones_wins() -> None:
    assert consensus(TEXTS, np.ones(4)) in (0, 1)
    assert consensus(TEXTS, np.array([0.1, 0.1, 5.0, 0.1])) == 2
    assert consensus(["solo"], np.ones(1)) == 0


def test_empty_candidates_agree_with_nothing() -> None:
    assert not agreement(["", "la casa"])[0].any()


def test_bleu_is_that_of_sacrebleu_for_a_sentence_against_each() -> None:
    metric = BLEU(smooth_method="add-k", smooth_value=1, effective_order=True, tokenize="none")
    found = _Said(TEXTS, len(TEXTS)).bleu()
    for row, text in enumerate(TEXTS):
        for column, reference in enumerate(TEXTS):
            assert 100 * found[row, column] == pytest.approx(metric.sentence_score(text, [reference]).score, abs=1e-6)


def test_bleu_prefers_the_shorter_of_two_where_chrf_prefers_the_longer() -> None:
    texts = ["la casa es verde", "la casa grande de mi hermano es verde", "la casa es verde y grande"]
    likely = np.array([0.0, 0.0, 1.0])
    assert consensus(texts[:2] + texts[2:], likely) == 2
    assert _Said(texts, len(texts)).bleu()[1, 0] < _Said(texts, len(texts)).bleu()[2, 0]


def test_the_most_probable_are_the_references_wherever_they_stand() -> None:
    many = [f"palabra {number}" for number in range(REFERENCES + 20)]
    assert consensus([*many, "casa verde"], np.array([0.0] * len(many) + [1.0])) == len(many)
    crowd = ["el perro negro", *["la casa verde"] * (REFERENCES + 20)]
    assert consensus(crowd, np.array([1.0, *[1e-4] * (REFERENCES + 20)])) == 0
