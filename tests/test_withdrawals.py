"""What was withdrawn is not read, not trained on, not exported and not served."""

from __future__ import annotations

from pathlib import Path

import pytest

from seshat.errors import ConfigError, StoreError
from seshat.examples import to_line
from seshat.prompts import Card
from seshat.records import Example
from seshat.rights import Rights, Source
from seshat.store import Store
from seshat.withdrawals import FILE, NOTHING, Withdrawal, Withdrawals, learnt_from, read_withdrawals, write_withdrawals
from tests.make import LANGUAGE, raw

LAWS = Withdrawal(source="translations/laws", why="the village asked")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(str(tmp_path))


def example(origin: str) -> str:
    """A line of a training file."""
    facts = {"task": "translation", "direction": "spa-qtm", "prompt": "p", "answer": "a", "group": "g", "split": "train", "parent": "x"}
    return to_line(Example(origin=origin, collection=origin.partition("/")[0], **facts)) + "\n"


def card(*collections: str, without: tuple[str, ...] = (), data: dict[str, str] | None = None) -> Card:
    rights = Rights(sources=dict.fromkeys(collections, Source()))
    return Card(name="m", language=LANGUAGE, base="b", rights=rights, without=without, data=data or {})


@pytest.mark.parametrize(
    ("origin", "covered"),
    [
        ("translations/laws/a.txt#line=3", True),
        ("translations/laws", True),
        ("translations/laws#line=3", True),
        ("translations/minutes.txt#line=3 | translations/laws/a.txt#line=3..5", True),
        ("translations/laws/a.txt#line=1 | translations/minutes.txt#line=3", True),
        ("translations/laws2/a.txt#line=3", False),
        ("scans/translations/laws/a.txt", False),
        ("translations", False),
    ],
)
def test_a_folder_covers_what_is_below_it_on_either_side_of_a_pair(origin: str, covered: bool) -> None:
    assert LAWS.covers(origin) is covered


def test_files_are_sifted_and_counted() -> None:
    files = [raw("translations/laws/a.txt"), raw("translations/b.txt"), raw("translations/laws/c.txt")]
    assert Withdrawals(sources=(LAWS,)).sift(files) == ([files[1]], "2 files withdrawn")
    assert NOTHING.sift(files) == (files, "")


def test_the_list_is_kept_in_the_workspace_and_names_its_reasons(store: Store) -> None:
    assert read_withdrawals(store) == NOTHING
    write_withdrawals(store, Withdrawals(sources=(LAWS,)))
    assert read_withdrawals(store) == Withdrawals(sources=(LAWS,))
    assert store.read(FILE).decode() == "sources:\n- source: translations/laws\n  why: the village asked\n"


@pytest.mark.parametrize("text", ["sources: [{sorce: a}]", "- a", "sources: [{source: ''}]"])
def test_a_mistake_in_the_list_names_its_file_and_stops_every_run(store: Store, text: str) -> None:
    store.write(FILE, text.encode())
    with pytest.raises(ConfigError, match=r"data/withdrawn\.yaml: "):
        read_withdrawals(store)


# Models


@pytest.mark.parametrize(
    ("made", "learnt"),
    [
        (card("translations/laws"), True),
        (card("translations/laws/old", "dictionary"), True),
        (card("translations"), True),
        (card("translations/laws2", "dictionary"), False),
        (card("translations/laws", without=("translations/laws",)), False),
        (card("translations/laws", without=("dictionary",)), True),
    ],
    ids=["the collection", "one below", "one above", "others", "trained without it", "trained without another"],
)
def test_a_model_says_whether_it_learnt_from_a_source(store: Store, made: Card, learnt: bool) -> None:
    assert learnt_from(made, LAWS, store) is learnt


@pytest.mark.parametrize(("origin", "learnt"), [("translations/laws/a.txt#line=1", True), ("translations/b.txt#line=1", False)])
def test_where_the_data_of_a_model_is_still_there_it_is_looked_into(store: Store, origin: str, learnt: bool) -> None:
    sha256 = store.write("data/training/train.jsonl", example(origin).encode()).sha256
    assert learnt_from(card("translations", data={"train.jsonl": sha256}), LAWS, store) is learnt
    assert learnt_from(card("translations", data={"train.jsonl": "another"}), LAWS, store)
    assert learnt_from(card("translations", data={"train.jsonl": sha256, "val.jsonl": "gone"}), LAWS, store)


def test_a_model_that_learnt_from_it_is_refused_by_name(store: Store) -> None:
    withdrawals = Withdrawals(sources=(Withdrawal(source="scans"), LAWS))
    with pytest.raises(StoreError, match=r"models/gguf/m learnt from what was withdrawn, translations/laws \(the village asked\): train"):
        withdrawals.refuse_model(card("translations/laws"), store, "models/gguf/m")
    withdrawals.refuse_model(card("dictionary"), store, "models/gguf/m")


@pytest.mark.parametrize("split", ["train", "val", "test"])
def test_examples_that_hold_it_are_refused(store: Store, split: str) -> None:
    withdrawals = Withdrawals(sources=(LAWS,))
    store.write("data/training/train.jsonl", example("translations/b.txt#line=1").encode())
    withdrawals.refuse_examples(store)
    store.write(f"data/training/{split}.jsonl", example("translations/b.txt#line=1 | translations/laws/a.txt#line=1").encode())
    with pytest.raises(
        StoreError, match=rf"{split}\.jsonl holds what was withdrawn, translations/laws .*'seshat withdraw translations/laws' again"
    ):
        withdrawals.refuse_examples(store)
