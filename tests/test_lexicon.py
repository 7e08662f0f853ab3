import pickle

import numpy as np
import pytest

from seshat.lexicon import Lexicon

PAIRS = [
    (["das", "haus"], ["the", "house"]),
    (["das", "buch"], ["the", "book"]),
    (["ein", "buch"], ["a", "book"]),
]


def plain_model_1(pairs: list[tuple[list[str], list[str]]], iterations: int) -> dict[tuple[str, str], float]:
    """p(target | source) as the textbook has it (Koehn 2010, figure 4.3), with a NULL word: slow and obvious."""
    given = [(["", *source], target) for source, target in pairs]
    p = {(s, t): 1.0 for source, target in given for s in source for t in target}
    for _ in range(iterations):
        counts = dict.fromkeys(p, 0.0)
        for source, target in given:
            for t in target:
                total = sum(p[s, t] for s in source)
                for s in source:
                    counts[s, t] += p[s, t] / total
        p = {(s, t): count / sum(c for (other, _), c in counts.items() if other == s) for (s, t), count in counts.items()}
    return p


@pytest.mark.parametrize("pairs", [PAIRS, [(["a", "a", "b"], ["x", "x", "y"]), (["b"], ["y", "z", "y"])]])
def test_both_directions_equal_the_textbook_algorithm(pairs: list[tuple[list[str], list[str]]]) -> None:
    lexicon = Lexicon.estimate(pairs, iterations=5, weakest=0.0)
    forward = plain_model_1(pairs, 5)
    backward = plain_model_1([(target, source) for source, target in pairs], 5)
    assert len(lexicon) > 3
    for s, t, p, q in zip(lexicon.source, lexicon.target, lexicon.forward, lexicon.backward, strict=True):
        words = lexicon.sources[s], lexicon.targets[t]
        assert p == pytest.approx(forward[words], rel=1e-5)
        assert q == pytest.approx(backward[words[::-1]], rel=1e-5)


def test_best_translations_of_the_textbook_example() -> None:
    lexicon = Lexicon.estimate(PAIRS)
    assert [lexicon.best(word) for word in ("das", "haus", "buch", "ein", "katze")] == ["the", "house", "book", "a", None]
    assert "das" in lexicon
    assert "the" not in lexicon


def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = Lexicon.estimate(PAIRS)
    monkeypatch.setattr("seshat.lexicon.BLOCK_CELLS", 4)
    cut = Lexicon.estimate(PAIRS)
    assert np.allclose(cut.forward, whole.forward)
    assert cut.targets == whole.targets


def test_reversed_twice_is_the_same_and_pickles_small() -> None:
    lexicon = Lexicon.estimate(PAIRS)
    assert lexicon.reversed().best("house") == "haus"
    assert lexicon.reversed().reversed().digest == lexicon.digest
    lexicon.translations("das")
    assert pickle.loads(pickle.dumps(lexicon)).digest == lexicon.digest
    assert len(pickle.dumps(lexicon)) < 2_000


def test_discount_drops_what_one_pair_supports() -> None:
    pairs = [*PAIRS * 3, (["zufall"], ["chance", "luck"])]
    assert Lexicon.estimate(pairs).best("zufall") == "chance"
    discounted = Lexicon.estimate(pairs, discount=0.5)
    assert discounted.best("zufall") is None
    assert discounted.best("buch") == "book"


def test_empty_and_long_pairs_are_skipped() -> None:
    assert len(Lexicon.estimate([])) == 0
    assert len(Lexicon.estimate([([], ["a"]), (["b"] * 300, ["a"])])) == 0
    assert len(Lexicon.estimate([])) == 0
