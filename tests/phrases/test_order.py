import itertools

import numpy as np
import pytest

from seshat.phrases.order import Order, _Strength, _where
from seshat.phrases.permute import best_order, preferences

NOUNS = ["casa", "perra", "niña", "mesa", "vaca", "rama", "luna", "olla"]
VERBS = ["busca", "mira", "deja", "lleva"]


@pytest.fixture(scope="module")
def order() -> Order:
    """Of a language that says the verb last: subject, object, verb."""
    pairs = [
        (("la", first, verb, "la", second), (f"{first}-s", f"{second}-o", f"{verb}-v"))
        for first in NOUNS
        for verb in VERBS
        for second in NOUNS
        if first != second
    ]
    links = [((1, 0), (2, 2), (4, 1)) for _ in pairs]
    return Order(pairs, links, [[range(5)] for _ in pairs])


def test_the_verb_goes_last_in_sentences_that_were_never_seen(order: Order) -> None:
    assert order.arrange(["la", "ñuca", "mira", "la", "foca"]) == [0, 1, 3, 4, 2]


def test_each_word_comes_out_once(order: Order) -> None:
    for sentence in (["la"], [], ["mira", "mira"], ["x"] * 40, ["la", "mira"] * 30):
        assert sorted(order.arrange(sentence)) == [*range(len(sentence))]


def test_without_pairs_nothing_moves() -> None:
    assert Order([], [], []).arrange(["a", "b", "c"]) == [0, 1, 2]


def test_words_do_not_leave_their_part() -> None:
    """A verb before a comma goes last in the translation, which says nothing about the words behind the comma."""
    pairs = [(("mira", "casa", "luna"), ("casa", "luna", "mira"))] * 20
    links = [((0, 2), (1, 0), (2, 1))] * 20
    together, apart = Order(pairs, links, [[range(3)]] * 20), Order(pairs, links, [[range(1), range(1, 3)]] * 20)
    assert together.arrange(["mira", "casa"]) == [1, 0]
    assert apart.arrange(["mira", "casa"]) == [0, 1]


@pytest.mark.parametrize("seed", range(20))
def test_the_best_order_of_three_words_is_the_best_of_all(seed: int) -> None:
    """Three words: swapping parts reaches every order, so the search must find what trying all of them finds."""
    upper = np.triu(np.random.default_rng(seed).normal(size=(3, 3)), 1)
    better = upper - upper.T

    def worth(one: tuple[int, ...]) -> float:
        return float(sum(better[first, second] for first, second in itertools.combinations(one, 2)))

    assert worth(tuple(best_order(better).tolist())) == pytest.approx(max(map(worth, itertools.permutations(range(3)))))


@pytest.mark.parametrize("seed", range(5))
def test_no_swap_of_neighbouring_parts_makes_it_better(seed: int) -> None:
    upper = np.triu(np.random.default_rng(seed).normal(size=(9, 9)), 1)
    better = upper - upper.T
    found = best_order(better).tolist()
    for begin, middle, end in itertools.combinations(range(10), 3):
        gain = sum(better[j, i] for i in found[begin:middle] for j in found[middle:end])
        assert gain <= 1e-9


def test_preferences_are_antisymmetric() -> None:
    words = np.array([3, 1, 4, 1], dtype=np.int64)
    better = preferences(words, words, np.random.default_rng(1).normal(size=1 << 22))
    assert np.allclose(better, -better.T)
    assert np.abs(better[np.triu_indices(4, 1)]).min() > 0


def test_a_word_without_a_link_goes_with_the_next_one() -> None:
    pair, links = (("la", "casa", "es", "roja", "ya"), ("rojo", "tari")), ((1, 1), (3, 0))
    places, trust = _where(*pair, links, _Strength([pair], [links]))
    assert places[0] < places[1] == 1
    assert places[2] < places[3] == 0
    assert trust.tolist() == [0.25, 0.5, 0.25, 0.5, 0.0]
