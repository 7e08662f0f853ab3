"""Before and after new tokens: on which texts, and what is said about it."""

from __future__ import annotations

from pathlib import Path

import pytest

from seshat.errors import StoreError
from seshat.evaluation.vocabulary import Model, Row, compare, held_out, note, table
from seshat.examples import read_examples
from seshat.store import Store
from tests.training.tiny import LANGUAGE, write_examples

FACTS = {"key": "k", "num_texts": 2, "num_characters": 100}
ROWS = [
    Row(system="base", vocabulary=400, num_tokens=50, bits_per_character=4.0, **FACTS),
    Row(system="extended", vocabulary=430, num_tokens=40, bits_per_character=4.5, **FACTS),
    Row(system="extended, trained", vocabulary=430, num_tokens=40, bits_per_character=1.25, **FACTS),
]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    write_examples(tmp_path)
    return Store(str(tmp_path))


def test_the_texts_are_translations_into_the_language_from_the_validation_set(store: Store) -> None:
    examples = read_examples(store.path("data/training/val.jsonl"))
    expected = {(one.prompt, one.answer) for one in examples if one.direction == "spa-qtm"}
    assert set(held_out(LANGUAGE, store, 100)) == expected
    assert len(held_out(LANGUAGE, store, 2)) == 2


def test_without_validation_set_nothing_is_compared(store: Store) -> None:
    Path(store.path("data/training/val.jsonl")).write_text("")
    with pytest.raises(StoreError, match=r"into tamuri.*raise format\.val"):
        compare({"base": Model("models/base/tiny")}, LANGUAGE, store, 100)


def test_a_model_that_is_not_whole_is_named(store: Store) -> None:
    with pytest.raises(StoreError, match="models/base/tiny is not complete"):
        compare({"base": Model("models/base/tiny")}, LANGUAGE, store, 100)


def test_the_outcome_says_what_was_saved_and_not_that_it_is_better() -> None:
    assert note(ROWS) == "20.0% fewer tokens; bits per character 4.000 (base) -> 4.500 (extended) -> 1.250 (extended, trained)"
    shown = table(ROWS)
    assert [line.split()[-1] for line in shown.split("\n")[1:4]] == ["4.000", "4.500", "1.250"]
    assert "quality has not been established" in shown
