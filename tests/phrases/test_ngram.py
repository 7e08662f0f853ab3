import math

import numpy as np
import pytest

from seshat.phrases.beam import log_probability
from seshat.phrases.ngram import BEGIN, NgramModel, discounts

TEXTS = [text.split() for text in ("la casa es verde", "la casa es grande", "el libro es verde", "el libro", "la mesa es grande", "casa")]


@pytest.mark.parametrize("order", [1, 2, 4])
@pytest.mark.parametrize("before", [[], ["la"], ["la", "casa"], ["nunca"], ["la", "casa", "es"]])
def test_the_words_after_any_others_share_what_unknown_words_leave(order: int, before: list[str]) -> None:
    model = NgramModel(TEXTS, order=order)
    words = sorted({word for text in TEXTS for word in text})
    ways = [model.score(before), *(prefix_score(model, [*before, word]) for word in words)]
    total = math.fsum(map(math.exp, ways)) / math.exp(prefix_score(model, before))
    assert 0.8 < total < 1


def prefix_score(model: NgramModel, words: list[str]) -> float:
    """log p of the words without an end."""
    before = np.full(model.order - 1, -1, dtype=np.int64)
    before[:1] = BEGIN
    total = 0.0
    for word in words:
        total += log_probability(before, model.number(word), *model.arrays)
        before[1:] = before[:-1].copy()
        before[:1] = model.number(word)
    return total


def test_what_was_seen_is_likelier() -> None:
    model = NgramModel(TEXTS)
    assert model.score(["la", "casa", "es", "verde"]) > model.score(["la", "verde", "es", "casa"])
    assert model.score(["la", "casa", "es", "verde"]) > model.score(["la", "casa", "es", "azul"])
    assert model.score(["la", "mesa", "es", "verde"]) > model.score(["la", "mesa", "verde", "es"]), "never seen as a whole"


def test_the_context_counts_kinds_not_tokens() -> None:
    """Kneser-Ney: a word that only ever follows one other is unlikely elsewhere, however frequent it is."""
    model = NgramModel([["san", "pedro"]] * 20 + [["el", "perro"], ["un", "perro"], ["mi", "perro"]], order=2)
    assert model.score(["nunca", "perro"]) > model.score(["nunca", "pedro"])


def test_discounts_are_those_of_chen_and_goodman() -> None:
    counts = [1] * 10 + [2] * 5 + [3] * 4 + [4] * 2
    ratio = 10 / 20
    assert discounts(counts) == pytest.approx((0, 1 - 2 * ratio * 5 / 10, 2 - 3 * ratio * 4 / 5, 3 - 4 * ratio * 2 / 4))
