"""The model: what packing, precision and evaluation must not change."""

from __future__ import annotations

from typing import Any

import bitsandbytes as bnb
import pytest
import torch

from seshat.examples import read_examples
from seshat.prompts import ChatTokenizer
from seshat.store import Store
from seshat.training.batches import Chat, collate
from seshat.training.model import Objective, add_lora, keep_four_bits, load_base, trainable
from seshat.training.pack import encode
from seshat.training.settings import Training
from tests.training.tiny import settings

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def chats(store: Store, tokenizer: ChatTokenizer) -> list[Chat]:
    return list(encode(read_examples(store.path("data/training/train.jsonl")), tokenizer))[:4]


def model(store: Store, training: Training | None = None) -> Any:
    training = training or settings()
    return add_lora(load_base(store.path("models/base/small"), training, CPU), training.lora)


def hidden(network: Any, row: list[Chat]) -> torch.Tensor:
    batch = collate([row], pad=0)
    body = network.get_base_model().model
    with torch.no_grad():
        return body(input_ids=batch.ids, position_ids=batch.positions, use_cache=False).last_hidden_state[0]


def test_examples_of_a_row_do_not_see_each_other(store: Store, chats: list[Chat]) -> None:
    network = model(store).eval()
    packed = hidden(network, chats)
    alone = torch.cat([hidden(network, [chat]) for chat in chats])
    assert torch.allclose(packed, alone, atol=1e-4)


def test_gradients_of_packed_rows_equal_those_of_the_examples(store: Store, chats: list[Chat]) -> None:
    packed, alone = gradients(model(store), [[chats]]), gradients(model(store), [[[chat]] for chat in chats])
    assert all(torch.allclose(packed[name], alone[name], atol=1e-4) for name in packed)


def test_attention_by_example_is_attention_with_a_mask(store: Store, chats: list[Chat]) -> None:
    batch = collate([chats[:3], chats[3:]], pad=0)  # the second row is filled up
    by_example, masked = Objective(model(store)), Objective(model(store))
    masked.model.get_base_model().set_attn_implementation("sdpa")
    losses = [one(batch.ids, batch.positions, batch.labels) for one in (by_example, masked)]
    assert torch.allclose(*losses, atol=1e-4)


@pytest.mark.parametrize("precision", ["lora", "nf4"])
def test_a_fused_lora_is_that_of_peft(store: Store, chats: list[Chat], precision: str, monkeypatch: pytest.MonkeyPatch) -> None:
    training = settings(precision=precision, lora={"r": 4, "alpha": 6})

    def drawn() -> Any:
        network = model(store, training)
        torch.manual_seed(2)
        for name, weight in trainable(network):  # LoRA's second matrices begin as zeros
            weight.data = torch.randn_like(weight) * 0.1 if "lora" in name else weight.data
        return network

    fused = gradients(drawn(), [[chats]])
    monkeypatch.setattr("seshat.training.model.fuse_lora", lambda _: None)
    plain = gradients(drawn(), [[chats]])
    assert any("lora_A" in name for name in plain)
    assert fused.keys() == plain.keys()
    assert all(torch.allclose(fused[name], plain[name], rtol=1e-4, atol=1e-4) for name in plain)


def test_the_last_layer_for_targets_only_changes_no_gradient(store: Store, chats: list[Chat], monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [[chats[:3], chats[3:]]]
    seen: list[int] = []
    narrow = model(store)
    layer = narrow.get_base_model().model.layers[-1]
    layer.mlp.register_forward_hook(lambda _, __, out: seen.append(int((out != 0).any(-1).sum())))
    some = gradients(narrow, rows)
    assert seen == [sum(chat.target for chat in chats)]
    monkeypatch.setattr("seshat.training.model.narrow_last_layer", lambda _: False)
    every = gradients(model(store), rows)
    assert some.keys() == every.keys()
    assert all(torch.allclose(some[name], every[name], atol=1e-5) for name in every)


@pytest.mark.parametrize("bf16", [False, True])
def test_the_last_layer_computed_twice_computes_the_same_targets(store: Store, chats: list[Chat], bf16: bool) -> None:
    batch, losses, grads = collate([chats], pad=0), [], []
    for twice in (False, True):
        objective = Objective(model(store), bf16=bf16)
        if twice:
            objective.checkpoint_activations()
        loss = objective(batch.ids, batch.positions, batch.labels)
        loss.backward()
        losses.append(loss)
        grads.append({name: weight.grad for name, weight in trainable(objective.model)})
    assert torch.equal(*losses)
    assert all(torch.equal(grads[0][name], grads[1][name]) for name in grads[0])


def gradients(network: Any, batches: list[list[list[Chat]]], between: Any = None) -> dict[str, torch.Tensor]:
    """The gradients of the sum of the losses of some batches, with something done after the first."""
    objective = Objective(network)
    for number, rows in enumerate(batches):
        batch = collate(rows, pad=0)
        objective(batch.ids, batch.positions, batch.labels).backward()
        if number == 0 and between:
            between(network)
    return {name: weight.grad.clone() for name, weight in trainable(network) if weight.grad is not None}


def test_an_evaluation_between_two_steps_leaves_the_gradients_alone(store: Store, chats: list[Chat]) -> None:
    def evaluate(network: Any) -> None:
        network.eval()
        hidden(network, chats)
        network.train()

    batches = [[[chat]] for chat in chats]
    plain, disturbed = gradients(model(store), batches), gradients(model(store), batches, evaluate)
    assert all(torch.equal(plain[name], disturbed[name]) for name in plain)


def test_four_bit_layers_are_never_repacked(store: Store) -> None:
    layers = [module for module in model(store).modules() if isinstance(module, bnb.nn.Linear4bit)]
    assert len(layers) == 14  # seven in each of two blocks
    assert not any(layer.support_avx512bf16_for_cpu for layer in layers)
    layers[0].support_avx512bf16_for_cpu = True
    keep_four_bits(layers[0])
    assert not layers[0].support_avx512bf16_for_cpu


@pytest.mark.parametrize(("embeddings", "expected"), [(True, True), (False, False)])
def test_only_the_adapter_is_trained(store: Store, embeddings: bool, expected: bool) -> None:
    training = settings(lora={"r": 4, "alpha": 8, "train_embeddings": embeddings})
    names = [name for name, _ in trainable(model(store, training))]
    assert any("embed_tokens" in name for name in names) == expected
    assert all("lora_" in name or "embed_tokens" in name for name in names)
    assert sum("lora_A" in name for name in names) == 14


def test_the_head_stays_tied_to_the_embeddings(store: Store) -> None:
    causal = model(store).get_base_model()
    ends = [layer.modules_to_save["default"].weight for layer in (causal.get_input_embeddings(), causal.get_output_embeddings())]
    assert ends[0] is ends[1]
