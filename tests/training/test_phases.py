"""Phases: how many steps they have, and that a run through them is one run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from seshat.cluster.train import train
from seshat.errors import ConfigError
from seshat.prompts import Card, Hinting
from seshat.store import Store
from seshat.training import run
from seshat.training.batches import Packed
from seshat.training.loop import Listener
from seshat.training.phases import num_steps, order_of
from seshat.training.settings import Phase, Training
from seshat.training.strategy import Place
from tests.training.test_run import Killed, work
from tests.training.tiny import LANGUAGE, PROMPTS, settings

READ = Phase(name="read", train_on="everything", epochs=0.5)
SPEAK = Phase(name="speak", tasks={"translation": 2.0}, epochs=0.25, order="short-first")
SPANS = [range(10), range(10, 33)]


def phased(name: str, *phases: Phase, **changes: object) -> Training:
    """Two rows a step, as many steps as the phases have."""
    return settings(name=name, phases=phases or (READ, SPEAK), max_steps=0, **changes)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"num_train_epochs": 1.5, "max_steps": 0}, 8),
        ({"num_train_epochs": 1.5, "max_steps": 99}, 99),
        ({"phases": (READ, SPEAK), "max_steps": 0}, 3 + 3),
        ({"phases": (READ, SPEAK), "max_steps": 5}, 5),
        ({"phases": (READ, SPEAK), "max_steps": 99}, 6),
    ],
)
def test_the_phases_make_the_steps_and_max_steps_cuts_them(changes: dict[str, object], expected: int) -> None:
    assert num_steps(settings(**changes), SPANS if changes.get("phases") else [range(10)]) == expected


def test_two_phases_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="two phases are called 'read'"):
        phased("twice", READ, READ)


def test_phases_and_hints_are_in_the_name_of_an_adapter() -> None:
    card = Card(name="x", language=LANGUAGE, prompts=PROMPTS, base="base")
    names = {run.fingerprint(one, card) for one in (settings(name="x"), settings(name="x", phases=()))}
    assert len(names) == 1
    assert run.fingerprint(phased("x"), card) not in names
    assert run.fingerprint(settings(name="x"), card.model_copy(update={"hints": Hinting(words=3)})) not in names
    assert run.fingerprint(settings(name="x"), card.model_copy(update={"hints": Hinting(folds=7)})) in names, "no hints are no hints"


def prepared(store: Store, training: Training) -> Packed:
    return run.prepare(training, LANGUAGE, PROMPTS, store).rows


def test_short_first_goes_from_short_to_long_once_and_then_at_random(store: Store) -> None:
    training = phased("short", SPEAK.model_copy(update={"epochs": 2.0}), max_seq_length=32)
    rows = prepared(store, training)
    order = order_of(training, rows)
    assert len(rows) > 20
    stream = [row for step in range(num_steps(training, rows.spans)) for row in order.rows(step)]
    epochs = [stream[: len(rows)], stream[len(rows) : 2 * len(rows)]]
    assert all(sorted(epoch) == list(range(len(rows))) for epoch in epochs)
    means = [[sum(len(chat.ids) for chat in rows[row]) / len(rows[row]) for row in epoch] for epoch in epochs]
    assert means[0] == sorted(means[0])
    assert means[0][0] < means[0][-1]
    assert means[1] != sorted(means[1])


def test_the_phases_of_a_run_are_trained_one_after_the_other(store: Store) -> None:
    training = phased("order")
    rows, order = prepared(store, training), order_of(training, prepared(store, training))
    first = order.phases[0].steps.stop
    assert 0 < first < num_steps(training, rows.spans)
    tokenizer = run.ChatTokenizer.load(store.path("models/base/small"))
    user = tokenizer.tokenizer.convert_tokens_to_ids("<|user|>")
    chats = [[user in chat.ids for row in order.rows(step) for chat in rows[row]] for step in range(num_steps(training, rows.spans))]
    assert [all(step) for step in chats] == [number >= first for number in range(len(chats))]
    assert not any(any(step) for step in chats[:first])


def adapter(store: Store, name: str) -> dict[str, torch.Tensor]:
    return load_file(store.path(f"models/adapters/{name}/adapter_model.safetensors"))


@pytest.mark.heavy
def test_broken_off_in_any_phase_a_run_ends_with_the_same_bytes(store: Store) -> None:
    """A checkpoint after each second step: the first kill is where the phases meet, the second in the second phase."""
    dropout = {"r": 4, "alpha": 8, "dropout": 0.1, "train_embeddings": True}
    unbroken = phased("whole-phases", lora=dropout)
    losses = work(unbroken, store)
    boundary = order_of(unbroken, prepared(store, unbroken)).phases[0].steps.stop
    assert 2 <= boundary < len(losses) - 2
    for killed_at in (boundary, boundary + 2):
        broken = phased(f"broken-phases-{killed_at}", lora=dropout)
        with pytest.raises(Killed):
            work(broken, store, until=killed_at)
        rest = work(broken, store)
        assert min(rest) == killed_at - killed_at % 2 + 1
        assert rest == {step: losses[step] for step in rest}
        expected, found = adapter(store, unbroken.name), adapter(store, broken.name)
        assert all(torch.equal(expected[name], found[name]) for name in expected)


@pytest.mark.heavy
def test_other_phases_are_another_run(store: Store) -> None:
    with pytest.raises(Killed):
        work(phased("changed"), store, until=3)
    other = phased("changed", READ, SPEAK.model_copy(update={"order": "random"}))
    with pytest.raises(ConfigError, match=r"phases was .*short-first.* and is "):
        train(other, LANGUAGE, PROMPTS, store, execution="local")


@pytest.mark.heavy
def test_the_phase_is_told_beside_the_loss(store: Store) -> None:
    job, told = run.prepare(phased("told"), LANGUAGE, PROMPTS, store), list[float]()
    run.start(job)

    class Witness(Listener):
        def report(self, step: int, numbers: dict[str, float], remarks: Sequence[str]) -> None:
            told.append(numbers["phase"])

    run.work(job, Place(), Witness())
    assert sorted(set(told)) == [1, 2]
    assert told == sorted(told)
    assert not Path(store.path("models/adapters/told/manifest.json")).exists(), "the adapter counts when it is finished"
