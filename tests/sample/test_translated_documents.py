"""Translated documents: what is merged or left out on one side, and the gold alignment of it."""

from __future__ import annotations

import random

import pytest

from seshat.sample.documents import Translated, clean, translated, wrapped
from seshat.sample.grammar import Sentence


@pytest.fixture(scope="module")
def document(sentences: list[Sentence]) -> Translated:
    return translated("cuento", "Cuento", sentences[:400], "tuyan", random.Random(4))


def links(document: Translated) -> list[tuple[list[int], list[int]]]:
    def numbers(side: str) -> list[int]:
        return [int(number) for number in side.strip("[]").split(",") if number]

    return [(numbers(left), numbers(right)) for left, right in (line.split(":") for line in document.links())]


def test_every_sentence_is_in_one_link_in_order(document: Translated) -> None:
    beads = [bead for paragraph in document.paragraphs for bead in paragraph]
    texts = [text for bead in beads for text in bead.texts]
    translations = [text for bead in beads for text in bead.translations]
    assert [i for left, _ in links(document) for i in left] == list(range(len(texts)))
    assert [j for _, right in links(document) for j in right] == list(range(len(translations)))


def test_some_sentences_are_merged_and_some_left_out_on_each_side(document: Translated) -> None:
    shapes = {(len(left), len(right)) for left, right in links(document)}
    assert shapes == {(1, 1), (1, 2), (2, 1), (1, 0), (0, 1)}
    assert sum((len(left), len(right)) == (1, 1) for left, right in links(document)) > 0.75 * len(links(document))


def test_both_sides_have_the_same_paragraphs_and_none_is_empty(document: Translated) -> None:
    assert len(document.texts()) == len(document.translations()) > 50
    assert all(document.texts())
    assert all(document.translations())


def test_merged_sentences_are_joined_by_the_conjunction(document: Translated) -> None:
    beads = [bead for paragraph in document.paragraphs for bead in paragraph]
    merged = [bead for bead in beads if len(bead.texts) == 1 and len(bead.translations) == 2]
    assert merged
    assert all(" tuyan " in bead.texts[0] and bead.texts[0].count(".") == 1 for bead in merged)


def test_a_clean_document_is_one_to_one(sentences: list[Sentence]) -> None:
    document = clean("relato", "Relato", sentences[:50], random.Random(1))
    assert links(document) == [([i], [i]) for i in range(50)]


def test_wrapped_text_gives_the_paragraphs_back(document: Translated) -> None:
    text = wrapped(document.texts(), width=72)
    assert max(map(len, text.split("\n"))) <= 72
    assert [" ".join(paragraph.split()) for paragraph in text.strip().split("\n\n")] == document.texts()
