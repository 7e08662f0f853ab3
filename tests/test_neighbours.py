import numpy as np
import pytest

from seshat.neighbours import Neighbours

TEXTS = ["El gato come pescado.", "El perro duerme.", "Mañana vamos al río.", "El perro duerme.", "ñ"]


@pytest.mark.parametrize(
    ("query", "nearest"),
    [
        ("el gato  comía PESCADO", 0),
        ("Los perros duermen.", 1),  # inflected; the first of two equal texts
        ("mañana iremos al río", 2),
        ("ñ", 4),
    ],
)
def test_nearest_survives_inflection_case_and_spaces(query: str, nearest: int) -> None:
    indices, similarities = Neighbours(TEXTS).nearest([query])
    assert indices.tolist() == [[nearest]]
    assert 0.2 < similarities[0, 0] <= 1


def test_the_k_nearest_come_in_order_and_ties_by_position() -> None:
    indices, similarities = Neighbours(TEXTS).nearest(["El perro duerme.", "xyz"], k=3)
    assert indices[0].tolist() == [1, 3, 0]
    assert similarities[0].tolist() == sorted(similarities[0].tolist(), reverse=True)
    assert similarities[0, 0] == pytest.approx(1.0)
    assert indices[1].tolist() == [0, 1, 2]
    assert not similarities[1].any()


def test_chunks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    queries = ["El perro come.", "El río duerme.", "Mañana", ""]
    whole = Neighbours(TEXTS).nearest(queries, k=2)
    monkeypatch.setattr("seshat.ngrams.CHUNK_TEXTS", 2)
    monkeypatch.setattr("seshat.neighbours.CHUNK_CELLS", 17)
    cut = Neighbours(TEXTS).nearest(queries, k=2)
    assert np.array_equal(whole[0], cut[0])
    assert np.allclose(whole[1], cut[1])


def test_fewer_texts_than_asked_for() -> None:
    assert Neighbours(["a", "b"]).nearest(["a"], k=9)[0].shape == (1, 2)
    assert Neighbours([]).nearest(["a"], k=2)[0].shape == (1, 0)
    assert Neighbours(["a"]).nearest([], k=2)[0].shape == (0, 1)


def test_similarity_is_the_plain_cosine() -> None:
    """Against a slow reading of the definition, with words as the reader would count them."""
    from collections import Counter
    from math import log, sqrt

    def grams(text: str) -> Counter[str]:
        padded = f" {text} "
        return Counter(padded[i : i + n] for n in (2, 3, 4, 5) for i in range(len(padded) - n + 1))

    texts, query = ["kaya kaya", "kay", "wasi"], "kaya wasi"
    spread = Counter(gram for text in texts for gram in grams(text))

    def weights(text: str) -> dict[str, float]:
        raw = {gram: (1 + log(count)) * (log((1 + len(texts)) / (1 + spread[gram])) + 1) for gram, count in grams(text).items()}
        length = sqrt(sum(value**2 for value in raw.values()))
        return {gram: value / length for gram, value in raw.items()}

    asked = weights(query)
    expected = [sum(asked.get(gram, 0) * value for gram, value in weights(text).items()) for text in texts]
    indices, similarities = Neighbours(texts).nearest([query], k=3)
    found = dict(zip(indices[0].tolist(), similarities[0].tolist(), strict=True))
    assert [found[place] for place in range(3)] == pytest.approx(expected, abs=1e-5)
