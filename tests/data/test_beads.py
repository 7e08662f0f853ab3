"""Sentence alignment: every sentence once and in order, and the beads that a person would make."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from seshat.data.beads import PAIRS, PRIORS, SKIP, Band, Bead, align
from seshat.data.bootstrap import align_corpus, align_part, learn
from seshat.data.evidence import Knowledge, Model, Side, stems
from seshat.sample.grammar import Grammar

SIDES = st.lists(st.integers(0, 80).map(lambda size: "a" * size), max_size=25)


def by_lengths(source: Sequence[str], target: Sequence[str], band: int = 50) -> list[Bead]:
    """The alignment of two sides by their lengths alone."""
    sides = Side.of(source), Side.of(target)
    return align_part(Model.of(*sides, Knowledge.of(*sides)), range(len(source)), range(len(target)), band=band)


def letters(*sizes: int) -> list[str]:
    return ["a" * size for size in sizes]


def shape(found: Sequence[Bead]) -> list[tuple[int, int]]:
    """How many sentences of each side are in each bead."""
    return [(len(bead.source), len(bead.target)) for bead in found]


class Table:
    """Evidence that is given for each kind of bead and each pair of sentences."""

    def __init__(self, values: Mapping[tuple[int, int], NDArray[np.float32]]) -> None:
        self.values = values

    def block(self, start: int, stop: int, first: int, last: int) -> NDArray[np.float32]:
        return np.stack([self.values[kind][start:stop, first:last] for kind in PAIRS])


def best_of_all(num_source: int, num_target: int, table: Table) -> float:
    """The worth of the best alignment, found by trying every cell."""
    worth = np.full((num_source + 1, num_target + 1), -np.inf)
    worth[0, 0] = 0
    for i in range(num_source + 1):
        for j in range(num_target + 1):
            for (down, right), prior in PRIORS.items():
                if i >= down and j >= right:
                    own = table.values[down, right][i - down, j - right] if down and right else -SKIP
                    worth[i, j] = max(worth[i, j], worth[i - down, j - right] + np.log(prior) + own)
    return float(worth[-1, -1])


@given(st.integers(1, 9), st.integers(1, 9), st.integers(0, 2**32 - 1))
def test_no_alignment_is_better(num_source: int, num_target: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    table = Table({kind: rng.normal(0, 4, (num_source, num_target)).astype(np.float32) for kind in PAIRS})
    found = align(num_source, num_target, table, Band.diagonal(num_source, num_target, 9))
    worth = sum(np.log(PRIORS[kind]) for kind in shape(found))
    for bead in found:
        kind = (len(bead.source), len(bead.target))
        worth += table.values[kind][bead.source.start, bead.target.start] if all(kind) else -SKIP
    assert worth == pytest.approx(best_of_all(num_source, num_target, table), abs=1e-4)


@given(SIDES, SIDES, st.integers(1, 30))
def test_every_sentence_is_in_one_bead_and_in_order(source: list[str], target: list[str], band: int) -> None:
    found = by_lengths(source, target, band)
    assert [index for bead in found for index in bead.source] == list(range(len(source)))
    assert [index for bead in found for index in bead.target] == list(range(len(target)))
    assert all(0 <= bead.score <= 1 for bead in found)
    assert all(bead.score == 0 for bead in found if not (bead.source and bead.target))


@pytest.mark.parametrize(
    ("source", "target", "shapes"),
    [
        (letters(), letters(), []),
        (letters(50), letters(), [(1, 0)]),
        (letters(), letters(50, 60), [(0, 1), (0, 1)]),
        (letters(40, 90, 100), letters(42, 45, 44, 99), [(1, 1), (1, 2), (1, 1)]),
        (letters(42, 45, 44, 99), letters(40, 90, 100), [(1, 1), (2, 1), (1, 1)]),
        (letters(120, 20, 130, 90, 25), letters(118, 22, 128, 91, 24), [(1, 1)] * 5),
    ],
    ids=["nothing", "no target", "no source", "split", "merged", "nothing special"],
)
def test_lengths_alone_find_what_was_split_and_merged(source: list[str], target: list[str], shapes: list[tuple[int, int]]) -> None:
    assert shape(by_lengths(source, target)) == shapes


def test_sides_may_change_places() -> None:
    source, target = letters(40, 90, 100, 12, 60), letters(42, 45, 44, 99, 70)
    there, back = by_lengths(source, target), by_lengths(target, source)
    assert [(bead.source, bead.target) for bead in there] == [(bead.target, bead.source) for bead in back]


def test_words_overrule_lengths() -> None:
    meanings = {"joni": "hombre", "ainbo": "mujer", "kene": "dibujo", "yora": "cuerpo", "nete": "mundo", "jene": "agua"}
    lexicon = learn([(stems(text), stems(translation)) for text, translation in meanings.items()] * 5)
    source, target = ([" ".join([word] * 6) for word in side if word != "cuerpo"] for side in (meanings, meanings.values()))
    sides = Side.of(source), Side.of(target)
    found = align_part(Model.of(*sides, Knowledge.of(*sides, lexicon)), range(len(source)), range(len(target)), band=50)
    gold = [([0], [0]), ([1], [1]), ([2], [2]), ([3], []), ([4], [3]), ([5], [4])]
    assert [(list(bead.source), list(bead.target)) for bead in found] == gold


def test_a_document_that_strays_out_of_the_band_still_has_every_sentence() -> None:
    found = by_lengths(letters(*[50] * 60), letters(50, 50, 50), band=1)
    assert sum(len(bead.source) for bead in found) == 60
    assert sum(len(bead.target) for bead in found) == 3


def test_a_long_document_is_aligned_like_a_short_one() -> None:
    sentences = Grammar(seed=1).sentences(700)
    source, target = [one.text for one in sentences], [one.translation for one in sentences]
    del target[300:304]
    [found] = align_corpus([(source, target)], band=20)
    gold = {(row, row if row < 300 else row - 4) for row in range(700) if not 300 <= row < 304}
    links = {(bead.source.start, bead.target.start) for bead in found if len(bead.source) == len(bead.target) == 1}
    assert len(links & gold) > 0.97 * len(gold)


def test_documents_teach_each_other() -> None:
    sentences = Grammar(seed=1).sentences(400)
    documents = [([one.text for one in part], [one.translation for one in part]) for part in (sentences[:200], sentences[200:])]
    for source, _ in documents:
        del source[50:60]
    alone = by_lengths(*documents[0])
    together, _ = align_corpus(documents, band=50)

    def right(found: Sequence[Bead]) -> int:
        pairs = [(bead.source.start, bead.target.start) for bead in found if (len(bead.source), len(bead.target)) == (1, 1)]
        return sum(column == row + (10 if row >= 50 else 0) for row, column in pairs)

    assert right(together) > right(alone)
    assert right(together) > 170


def test_the_band_goes_from_corner_to_corner_or_along_what_was_found() -> None:
    diagonal = Band.diagonal(4, 4, 1)
    assert list(zip(diagonal.low, diagonal.high, strict=True)) == [(0, 2), (0, 3), (1, 4), (2, 5), (3, 5)]
    beads = [Bead(range(1), range(1), 1.0), Bead(range(1, 1), range(1, 9), 0.0), Bead(range(1, 3), range(9, 10), 1.0)]
    around = Band.around(beads, 1)
    assert list(zip(around.low, around.high, strict=True)) == [(0, 3), (0, 11), (8, 11), (8, 11)]


def test_numbers_are_whole_and_words_are_stems() -> None:
    assert stems("shinanti oa 20241123") == ["shin", "oa", "20241123"]
