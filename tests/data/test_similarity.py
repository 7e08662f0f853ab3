"""Sentence vectors help where they know the languages, and do no harm where they do not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from seshat.data import align
from seshat.data.align import Align, AlignWithVectors, Embeddings
from seshat.data.similarity import BOUND, FEWEST, Similarity
from seshat.records import SentencePair
from seshat.sample.grammar import Grammar
from seshat.store import Store
from tests.make import LANGUAGE, document, finish

Values = NDArray[np.float32]


def unit(vectors: NDArray[np.float64]) -> Values:
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def alike(count: int, noise: float, seed: int = 1) -> tuple[Values, Values]:
    """Vectors of sentences and of their translations, which differ by noise."""
    rng = np.random.default_rng(seed)
    meaning = rng.normal(size=(count, 32))
    return unit(meaning + noise * rng.normal(size=meaning.shape)), unit(meaning + noise * rng.normal(size=meaning.shape))


def test_a_cosine_counts_as_far_as_sure_pairs_are_nearer_than_chance() -> None:
    source, target = alike(60, 0.5)
    similarity = Similarity.of(source, target, [(place, place) for place in range(40)])
    assert similarity is not None
    found = similarity.block((40, 60), (40, 60), (1, 1))
    assert (np.diag(found) > 3).mean() > 0.9
    assert np.median(found[~np.eye(20, dtype=bool)]) < -3
    assert np.abs(found).max() <= BOUND


def test_two_sentences_have_the_direction_of_both() -> None:
    source, target = alike(60, 0.8)
    halves = unit(np.concatenate([target[:1] + target[1:2], target[2:]]).astype(np.float64))
    similarity = Similarity.of(source, halves, [(place, place - 1) for place in range(2, 50)])
    assert similarity is not None
    assert similarity.block((0, 1), (0, 1), (2, 1))[0, 0] > similarity.block((0, 1), (0, 1), (1, 1))[0, 0]


def test_vectors_that_know_nothing_or_too_few_sure_pairs_say_nothing() -> None:
    rng = np.random.default_rng(1)
    source, target = unit(rng.normal(size=(400, 32))), unit(rng.normal(size=(400, 32)))
    similarity = Similarity.of(source, target, [(place, place) for place in range(400)])
    assert similarity is None or np.abs(similarity.block((0, 50), (0, 50), (1, 1))).mean() < 0.2
    assert Similarity.of(*alike(60, 0.1), [(place, place) for place in range(FEWEST - 1)]) is None


class KnowsBoth:
    """An encoder that was taught what each sentence means."""

    def __init__(self, meanings: dict[str, int]) -> None:
        self.meanings, self.vectors = meanings, alike(len(meanings), 0.0)[0]

    def __call__(self, texts: list[str]) -> Values:
        return self.vectors[[self.meanings[text] for text in texts]]


def test_what_lengths_and_words_cannot_tell_the_vectors_can(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sentences of one length in words that stand nowhere else; one is left out on either side."""
    texts = [f"Q{number:03}zo {number * 7 % 1000:03}bu." for number in range(200)]
    translations = [f"W{number:03}re {number * 13 % 1000:03}ti." for number in range(200)]
    anchors = [(one.text, one.translation) for one in Grammar(seed=1).sentences(300)]
    left = [*(text for text, _ in anchors), *texts[:90], *texts[91:]]
    right = [*(translation for _, translation in anchors), *translations[:150], *translations[151:]]
    store = Store(str(tmp_path))
    finish(store, "ingest", [document("qtm", *left), document("spa", *right)])
    meanings = {text: number for number, pair in enumerate([*anchors, *zip(texts, translations, strict=True)]) for text in pair}
    monkeypatch.setattr(AlignWithVectors, "_encoder", KnowsBoth(meanings))
    monkeypatch.setattr(align, "identity", str)
    right_pairs = {}
    for model in ("", "knows-both"):
        for work in align.passes(Align(mode="document", embeddings=Embeddings(model=model)), LANGUAGE, store):
            for part in work.parts:
                work.work(part, store)
            work.finish(store)
        made = [pair for pair in store.records("aligned", SentencePair) if pair.text in texts]
        right_pairs[model] = sum(meanings[pair.text] == meanings.get(pair.translation) for pair in made)
        assert work.loads_engine == bool(model)
    assert right_pairs[""] < 160
    assert right_pairs["knows-both"] >= 190
