"""A base model with new tokens: its rows, its ids, what of it is trained, and when it is made again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM, PreTrainedTokenizerFast, Qwen3Config, Qwen3ForCausalLM

from seshat.engines.download import fetch
from seshat.errors import DataError, EngineError
from seshat.examples import read_examples, to_line
from seshat.prompts import ChatTokenizer
from seshat.store import Manifest, Store
from seshat.training.batches import collate
from seshat.training.extend import RECORD, Extension, extend, new_rows, taught_texts
from seshat.training.model import Objective, add_lora, load_base, trainable
from seshat.training.pack import encode
from seshat.training.settings import Extend, Lora
from seshat.training.small import TEMPLATE
from tests.training.test_vocabulary import base as spanish_tokenizer
from tests.training.tiny import LANGUAGE, settings, write_examples

PADDING = 10
"""Rows that the base has without a token."""
CONTROL = {"eos_token": "<|end|>", "pad_token": "<|text|>"}
CPU = torch.device("cpu")


@pytest.fixture(params=[True, False], ids=["tied", "untied"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """A workspace with a base in several files, whose control tokens and padding stand behind its vocabulary."""
    write_examples(tmp_path)
    make_base(tmp_path / "given" / "tiny", tied=request.param)
    return Store(str(tmp_path))


def make_base(folder: Path, *, tied: bool) -> None:
    names = {"tokenizer_object": spanish_tokenizer(), **CONTROL, "additional_special_tokens": ["<|user|>", "<|assistant|>"]}
    tokenizer = PreTrainedTokenizerFast(**names, chat_template=TEMPLATE)
    tokenizer.save_pretrained(folder)
    config = Qwen3Config(
        vocab_size=len(tokenizer) + PADDING,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=2,
        head_dim=16,
        tie_word_embeddings=tied,
    )
    torch.manual_seed(3)
    Qwen3ForCausalLM(config).save_pretrained(folder, max_shard_size="50KB")
    (folder / "merges.txt").write_text("what the base once was\n")


def grown(store: Store, tokens: int = 30, **changes: int) -> tuple[Manifest, str, bool]:
    base, _ = fetch(store.path("given/tiny"), store)
    return extend(Extend(tokens=tokens, **{"min_count": 4, **changes}), base, "models/base/tiny", LANGUAGE, store)


def tables(folder: str) -> list[torch.Tensor]:
    """Embedding and output layer, as transformers loads them."""
    model = AutoModelForCausalLM.from_pretrained(folder)
    return [model.get_input_embeddings().weight.detach(), model.get_output_embeddings().weight.detach()]


def record(store: Store, folder: str) -> Extension:
    return Extension.model_validate_json(store.read(f"{folder}/{RECORD}"))


def test_new_rows_are_the_mean_of_the_old_and_all_others_stay(store: Store) -> None:
    _, folder, _ = grown(store)
    old, extension = ChatTokenizer.load(store.path("given/tiny")), record(store, folder)
    assert extension.first == len(old.tokenizer)
    for before, after in zip(tables(store.path("given/tiny")), tables(store.path(folder)), strict=True):
        assert len(after) == len(before) + 30 - PADDING
        assert torch.equal(after[: extension.first], before[: extension.first])
        for row, token in enumerate(extension.tokens, extension.first):
            text = old.tokenizer.backend_tokenizer.decoder.decode([token])
            if "\ufffd" not in text:
                ids = old.text(text)
                assert len(ids) > 1
                assert torch.allclose(after[row], before[ids].mean(dim=0), atol=1e-6), token


def test_free_rows_are_used_before_new_ones_are_made(store: Store) -> None:
    _, folder, _ = grown(store, PADDING - 3)
    before, after = tables(store.path("given/tiny"))[0], tables(store.path(folder))[0]
    assert len(after) == len(before)
    assert torch.equal(after[-3:], before[-3:])
    assert json.loads(store.read(f"{folder}/config.json"))["vocab_size"] == len(before)


@pytest.mark.parametrize("kind", ["PreTrainedTokenizerFast", "Qwen2Tokenizer"])
def test_control_tokens_keep_their_ids(store: Store, kind: str) -> None:
    """Qwen's own class builds its tokenizer anew from vocabulary and merges, and numbers added tokens as it goes."""
    path = Path(store.path("given/tiny/tokenizer_config.json"))
    path.write_text(json.dumps({**json.loads(path.read_text()), "tokenizer_class": kind}))
    _, folder, _ = grown(store)
    old, new = (ChatTokenizer.load(store.path(name)) for name in ("given/tiny", folder))
    assert (new.end, new.pad, new.prompt("")) == (old.end, old.pad, old.prompt(""))
    assert new.end < record(store, folder).first
    assert len(new.text("Waru takin awitsa.")) < len(old.text("Waru takin awitsa."))
    assert new.decode(new.text("Waru <|end|> wawëʼ 日本")) == "Waru <|end|> wawëʼ 日本"


def test_a_moved_id_is_noticed(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    import seshat.training.extend as room

    def careless(*arguments: object) -> object:
        """Leave control tokens out of the vocabulary, as the base does."""
        made = genuine(*arguments)
        layout = json.loads(made.data)
        layout["model"]["vocab"].pop("<|end|>")
        return room.Grown(json.dumps(layout).encode(), made.pieces, made.tokens)

    genuine = room.grow
    monkeypatch.setattr(room, "grow", careless)
    with pytest.raises(EngineError, match="have other ids after the extension"):
        grown(store)


def test_files_without_a_table_are_linked_and_stale_ones_left_behind(store: Store) -> None:
    _, folder, _ = grown(store)
    there = Path(store.path(folder))
    linked = {path.name for path in there.glob("*.safetensors") if path.is_symlink()}
    written = {path.name for path in there.glob("*.safetensors")} - linked
    assert linked
    assert written
    assert not (there / "merges.txt").exists()
    index = json.loads((there / "model.safetensors.index.json").read_text())
    weights = AutoModelForCausalLM.from_pretrained(there).state_dict()
    assert index["metadata"]["total_size"] == sum(weights[name].nbytes for name in index["weight_map"])


def test_only_the_training_text_of_the_language_is_learnt_from(store: Store) -> None:
    for split in ("train", "val", "test"):
        path = Path(store.path(f"data/training/{split}.jsonl"))
        (first, *_) = read_examples(str(path))
        mark = {"train": "qqqq", "val": "xxxx", "test": "zzzz"}[split]
        lines = [to_line(one) for one in (first, *_)] + [to_line(first).replace(first.answer, f"{mark} {number}") for number in range(30)]
        path.write_text("\n".join(lines))
    _, folder, _ = grown(store, 200)
    found = set(record(store, folder).tokens)
    assert "qqqq" in found
    assert not found & {"xx", "zz", "xxxx", "zzzz"}
    assert not any("niño" in text for text in taught_texts(LANGUAGE, store)), "Spanish is not taught"


def test_the_same_text_makes_nothing_and_another_text_another_folder(store: Store) -> None:
    _, folder, before = grown(store)
    assert not before
    assert grown(store)[1:] == (folder, True)
    Path(store.path("data/training/val.jsonl")).write_text("")
    assert grown(store)[1:] == (folder, True)
    assert grown(store, min_count=5)[1] != folder
    path = Path(store.path("data/training/train.jsonl"))
    path.write_text(path.read_text().replace("Waru", "Warmi"))
    _, other, before = grown(store)
    assert other != folder
    assert not before
    assert store.manifest(folder), "an adapter that was trained on it still finds it"


@pytest.mark.parametrize("missing", ["config.json", RECORD, "tokenizer.json"])
def test_half_a_folder_is_made_again(store: Store, missing: str) -> None:
    _, folder, _ = grown(store)
    whole = store.read(f"{folder}/manifest.json")
    Path(store.path(f"{folder}/{missing}")).unlink()
    assert not grown(store)[2]
    assert store.read(f"{folder}/manifest.json") == whole


def test_a_text_in_which_nothing_repeats_is_refused(store: Store) -> None:
    with pytest.raises(DataError, match=r"stands 9999 times.*lower training\.extend\.min_count"):
        grown(store, min_count=9999)


@pytest.mark.parametrize("precision", ["lora", "nf4"])
def test_a_step_changes_the_new_rows_and_the_adapter_only(store: Store, precision: str) -> None:
    _, folder, _ = grown(store)
    rows, path = new_rows(store.path(folder)), store.path(folder)
    assert len(rows) == 30
    network = add_lora(load_base(path, settings(precision=precision, bf16=False), CPU), Lora(r=4, alpha=8), rows)
    before = {name: weight.detach().clone() for name, weight in network.named_parameters()}
    ends = [network.get_base_model().get_input_embeddings(), network.get_base_model().get_output_embeddings()]
    tables_before = [end.weight.detach().clone() for end in ends]
    optimizer = torch.optim.AdamW([weight for _, weight in trainable(network)], lr=1e-2, weight_decay=0.1)
    tokenizer = ChatTokenizer.load(path)
    chats = list(encode(read_examples(store.path("data/training/train.jsonl")), tokenizer))
    batch = collate([[chat] for chat in chats], tokenizer.pad)
    Objective(network)(batch.ids, batch.positions, batch.labels).backward()
    optimizer.step()
    learnt = {name for name, weight in network.named_parameters() if not torch.equal(weight, before[name])}
    assert {"lora" if "lora_" in name else name.split(".")[-2] for name in learnt} == {"lora", "trainable_tokens_delta"}
    used = sorted({token for chat in chats for token in chat.ids} & set(rows))
    assert used
    for end, was in zip(ends, tables_before, strict=True):
        assert torch.equal(end.weight[: rows[0]], was[: rows[0]])
        assert not torch.isclose(end.weight[used], was[used]).all(dim=1).any(), "a new row was not trained"


def test_another_base_has_no_new_rows(store: Store) -> None:
    fetch(store.path("given/tiny"), store)
    assert new_rows(store.path("models/base/tiny")) == []
