import numpy as np
import pytest
from sacrebleu.metrics import CHRF

from seshat.phrases.consensus import agreement, consensus

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
