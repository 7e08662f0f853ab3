"""What is trained, and in which order."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from seshat.errors import DataError
from seshat.examples import read_examples
from seshat.prompts import ChatTokenizer
from seshat.store import Store
from seshat.training.batches import Chat, Order, collate, encode, pack, pack_rows
from seshat.training.model import IGNORED


@pytest.fixture(scope="module")
def examples(store: Store) -> list:
    return list(read_examples(store.path("data/training/train.jsonl")))


def test_what_is_trained_is_the_answer_and_its_end(examples: list, tokenizer: ChatTokenizer) -> None:
    chats = list(encode(examples, tokenizer))
    rows = list(pack_rows(chats, 128, seed=1))
    batch = collate(rows, tokenizer.pad)
    for number, row in enumerate(rows):
        trained = [label for label in batch.labels[number].tolist() if label != IGNORED]
        expected = [f"{examples[chat.line - 1].answer}<|end|>" for chat in row]
        assert tokenizer.tokenizer.decode(trained) == "".join(expected)


def test_a_label_is_the_id_that_follows(examples: list, tokenizer: ChatTokenizer) -> None:
    batch = collate(list(pack_rows(encode(examples, tokenizer), 128, seed=1)), tokenizer.pad)
    rows, places = torch.nonzero(batch.labels != IGNORED, as_tuple=True)
    assert torch.equal(batch.labels[rows, places], batch.ids[rows, places + 1])


def test_control_tokens_in_a_text_stay_text(examples: list, tokenizer: ChatTokenizer) -> None:
    rude = dataclasses.replace(examples[0], prompt="Di <|end|> y <|user|>", answer="<|end|> dicho")
    (chat,) = encode([rude], tokenizer)
    turn, end = tokenizer.tokenizer.convert_tokens_to_ids(["<|user|>", "<|end|>"])
    assert chat.ids.count(turn) == 1
    assert chat.ids.count(end) == 2
    assert chat.ids[-1] == end


def test_no_row_is_longer_than_the_budget_and_nothing_is_lost() -> None:
    chats = [Chat(ids=[number] * (3 + number % 50), prompt=1, line=number) for number in range(1, 400)]
    rows = list(pack_rows(chats, 60, seed=3))
    assert max(sum(len(chat.ids) for chat in row) for row in rows) <= 60
    assert sorted(chat.line for row in rows for chat in row) == list(range(1, 400))
    assert sum(len(chat.ids) for chat in chats) / (60 * len(rows)) > 0.95


@pytest.mark.parametrize(("weight", "low", "high"), [(0.0, 0, 0), (1.0, 400, 400), (0.25, 60, 140), (2.5, 940, 1060)])
def test_weight_says_how_often_an_example_is_trained(examples: list, tokenizer: ChatTokenizer, weight: float, low: int, high: int) -> None:
    many = [dataclasses.replace(examples[0], answer=f"respuesta {number}", weight=weight) for number in range(400)]
    assert low <= len(list(encode(many, tokenizer))) <= high


def test_rows_on_disk_are_the_rows_that_were_packed(examples: list, tokenizer: ChatTokenizer, store: Store) -> None:
    chats = list(encode(examples, tokenizer))
    packed = pack(iter(chats), {"test": "rows"}, 128, 5, store)
    assert [packed[index] for index in range(len(packed))] == list(pack_rows(chats, 128, seed=5))
    assert packed.targets.tolist() == [sum(chat.target for chat in packed[index]) for index in range(len(packed))]
    again = pack(iter(()), {"test": "rows"}, 128, 5, store)  # found by name: the chats are not read
    assert again.name == packed.name
    assert len(again) == len(packed)


def test_too_long_examples_are_counted(examples: list, tokenizer: ChatTokenizer, store: Store) -> None:
    long = dataclasses.replace(examples[0], answer="palabra " * 200)
    packed = pack(encode([*examples, long], tokenizer), {"test": "long"}, 128, 1, store)
    assert packed.num_read - packed.num_examples == 1
    with pytest.raises(DataError, match="max_seq_length=128"):
        pack(encode([long], tokenizer), {"test": "only long"}, 128, 1, store)


def test_every_epoch_takes_every_row_once_in_another_order() -> None:
    order = Order(num_rows=23, seed=7, rows_per_step=4)
    stream = [row for step in range(23) for row in order.rows(step)]
    epochs = [stream[start : start + 23] for start in range(0, 92, 23)]
    assert all(sorted(epoch) == list(range(23)) for epoch in epochs)
    assert epochs[0] != epochs[1]


@pytest.mark.parametrize(("size", "world"), [(8, 1), (4, 2), (2, 4), (2, 1), (1, 2)])
def test_workers_and_accumulation_share_the_same_rows(size: int, world: int) -> None:
    order = Order(num_rows=50, seed=1, rows_per_step=8)
    for step in (0, 5, 11):
        dealt = [row for rank in range(world) for rows in order.slices(step, size, rank, world) for row in rows]
        assert sorted(dealt) == sorted(order.rows(step))
        assert len({len(order.slices(step, size, rank, world)) for rank in range(world)}) == 1


def test_positions_begin_again_with_each_example() -> None:
    batch = collate([[Chat([5, 6, 7], 1), Chat([8, 9], 1)], [Chat([4, 4], 1)]], pad=0)
    assert batch.positions.tolist() == [[0, 1, 2, 0, 1], [0, 1, 0, 1, 2]]
    assert batch.labels.tolist() == [[6, 7, IGNORED, 9, IGNORED], [4, *[IGNORED] * 4]]
    assert np.array_equal(batch.ids.numpy()[1], [4, 4, 0, 0, 0])
