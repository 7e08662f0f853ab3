"""What is trained, and in which order."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from seshat.examples import read_examples
from seshat.prompts import ChatTokenizer
from seshat.store import Store
from seshat.training.batches import Chat, Order, Span, collate
from seshat.training.model import IGNORED
from seshat.training.pack import encode, pack_rows


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


@pytest.mark.parametrize("pad", [7, 0])
def test_the_end_of_an_answer_is_trained_and_padding_is_not_whatever_fills_up(pad: int) -> None:
    """Where a tokenizer has no padding of its own the end of turn (7) fills up, too: a model must still learn to stop."""
    batch = collate([[Chat([1, 2, 7, 3, 7], prompt=3)], [Chat([1, 7, 7], prompt=2), Chat([1, 7], prompt=1)], [Chat([1, 7], 1)]], pad)
    ends = [[place for place, label in enumerate(row) if label == 7] for row in batch.labels.tolist()]
    assert ends == [[3], [1, 3], [0]]
    assert int((batch.labels != IGNORED).sum()) == 5


# Phases

TWO = (Span(range(5), range(9)), Span(range(5, 9), range(9, 22)))
PHASES = Order(num_rows=22, seed=7, rows_per_step=4, phases=TWO)


def test_a_step_belongs_to_one_phase_and_every_epoch_of_it_takes_its_rows_once() -> None:
    steps = [PHASES.rows(step) for step in range(9)]
    first, second = ([row for step in steps[part.steps.start : part.steps.stop] for row in step] for part in TWO)
    assert sorted(first[:9]) == sorted(first[9:18]) == list(range(9))
    assert first[:9] != first[9:18]
    assert sorted(second[:13]) == list(range(9, 22))
    assert set(second) == set(range(9, 22))


def test_the_first_phase_is_drawn_as_a_run_without_phases() -> None:
    alone = Order(num_rows=9, seed=7, rows_per_step=4)
    assert [PHASES.rows(step) for step in range(5)] == [alone.rows(step) for step in range(5)]
    like = Order(num_rows=9, seed=7, rows_per_step=4, phases=(Span(range(0), range(9)), Span(range(5), range(9))))
    assert like.rows(0) != alone.rows(0), "two phases of the same rows do not take them in the same order"


def test_progress_counts_the_epochs_of_the_phase() -> None:
    assert PHASES.progress(5) == {"phase": 1, "epoch": pytest.approx(20 / 9)}
    assert PHASES.progress(6) == {"phase": 2, "epoch": pytest.approx(4 / 13)}
    assert Order(num_rows=9, seed=7, rows_per_step=4).progress(5) == {"epoch": pytest.approx(20 / 9)}
    assert PHASES.starts == {5}


def test_the_order_of_a_first_epoch_may_be_given() -> None:
    order = Order(6, 1, 3, (Span(range(4), range(6), first=(5, 3, 1, 0, 2, 4)),))
    assert [order.rows(0), order.rows(1)] == [[5, 3, 1], [0, 2, 4]]
    assert sorted(order.rows(2) + order.rows(3)) == list(range(6))
    assert order.rows(2) + order.rows(3) != [5, 3, 1, 0, 2, 4]
