"""A model with new tokens through the whole house: trained, saved, loaded, merged, written as GGUF, compared."""

from __future__ import annotations

from pathlib import Path

import pytest
from gguf import GGUFReader

from seshat.cluster.train import train
from seshat.engines.llamacpp import LlamaCppModel
from seshat.engines.transformers_model import TransformersModel
from seshat.evaluation.vocabulary import Model, compare
from seshat.examples import read_examples
from seshat.export.export import export
from seshat.export.gate import drift
from seshat.export.settings import Export
from seshat.prompts import ChatTokenizer
from seshat.store import Store
from seshat.training import run
from seshat.training.extend import RECORD, Extension, new_rows
from seshat.training.settings import Small, Training
from seshat.translate import read_card
from tests.training.tiny import LANGUAGE, PROMPTS, settings, write_examples

pytestmark = pytest.mark.heavy
ADAPTER, MERGED = "models/adapters/extended", "models/merged/extended"


def training(**changes: object) -> Training:
    small = Small(num_layers=2, vocabulary=400, steps=4, rows=2, row_length=128, context=256)
    wanted = {"small": small, "extend": {"tokens": 30, "min_count": 2}, "lora": {"r": 8, "alpha": 16}}
    return settings(name="extended", max_steps=40, save_steps=20, learning_rate=5e-3, **wanted | changes)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    root = tmp_path_factory.mktemp("extended")
    write_examples(root)
    store = Store(str(root))
    train(training(), LANGUAGE, PROMPTS, store, execution="local")
    export(Export(threads=1, quantizations=("Q8_0",)), store, "extended")
    return store


@pytest.fixture(scope="module")
def asked(store: Store) -> list[list[int]]:
    tokenizer = ChatTokenizer.load(store.path(ADAPTER))
    return [tokenizer.prompt(one.prompt) for one in read_examples(store.path("data/training/train.jsonl"))][:24]


def extension(store: Store) -> Extension:
    return Extension.model_validate_json(store.read(f"{read_card(store.path(ADAPTER)).base}/{RECORD}"))


def test_the_adapter_was_trained_on_the_extended_base(store: Store) -> None:
    base = read_card(store.path(ADAPTER)).base
    assert base.startswith("models/base/small-extended-")
    assert len(new_rows(store.path(base))) == 30
    assert train(training(), LANGUAGE, PROMPTS, store, execution="local").done_before
    assert (
        run.prepare(training(), LANGUAGE, PROMPTS, store).fingerprint
        != run.prepare(training(extend={}), LANGUAGE, PROMPTS, store).fingerprint
    )


def test_the_merged_model_gives_the_logits_of_base_plus_adapter(store: Store, asked: list[list[int]]) -> None:
    base = store.path(read_card(store.path(ADAPTER)).base)
    rows = new_rows(base)
    merged = TransformersModel(store.path(MERGED), device="cpu")
    whole = TransformersModel(base, adapter=store.path(ADAPTER), device="cpu")
    new = [[*prompt, *rows] for prompt in asked[:4]]
    after = [merged.logits(ids) for ids in new]
    assert drift([whole.logits(ids) for ids in new], after).largest < 0.05
    untrained = TransformersModel(base, device="cpu")
    assert drift([untrained.logits(ids) for ids in new], after).largest > 0.5, "training changed nothing"
    table, before = merged.model.get_input_embeddings().weight, untrained.model.get_input_embeddings().weight
    assert (table[: rows[0]] == before[: rows[0]].half().float()).all(), "an old row has changed"
    assert not (table[rows] - before[rows]).abs().max() < 0.01, "no new row has changed"
    assert merged.model.config.tie_word_embeddings


def test_gguf_holds_the_new_tokens_and_merges(store: Store) -> None:
    fields = {name: field.contents() for name, field in GGUFReader(store.path("models/gguf/extended/extended-F16.gguf")).fields.items()}
    first, tokens = extension(store).first, extension(store).tokens
    assert tuple(fields["tokenizer.ggml.tokens"][first:]) == tokens
    assert ["".join(merge.split(" ")) for merge in fields["tokenizer.ggml.merges"][-len(tokens) :]] == list(tokens)


def test_llamacpp_cuts_text_with_the_new_tokens(store: Store) -> None:
    from cyllama.llama import llama_cpp

    llama_cpp.disable_logging()
    llama_cpp.ggml_backend_load_all()
    model = llama_cpp.LlamaModel(store.path("models/gguf/extended/extended-F16.gguf"), llama_cpp.LlamaModelParams())
    vocabulary, tokenizer = model.get_vocab(), ChatTokenizer.load(store.path(MERGED))
    texts = [one.answer for one in read_examples(store.path("data/training/train.jsonl"))]
    for text in [*texts, "Awitsapi <|end|> wawëʼ日本"]:
        assert vocabulary.tokenize(text, add_special=False, parse_special=False) == tokenizer.text(text)
    assert set(new_rows(store.path(read_card(store.path(ADAPTER)).base))) & {token for text in texts for token in tokenizer.text(text)}


def test_greedy_answers_of_f16_equal_the_merged_model_in_fp32(store: Store, asked: list[list[int]]) -> None:
    tokenizer = ChatTokenizer.load(store.path(MERGED))
    engine = LlamaCppModel(store.path("models/gguf/extended/extended-F16.gguf"), threads=1, context=256)
    ours = TransformersModel(store.path(MERGED), device="cpu").generate(asked, max_new_tokens=24, stop=[tokenizer.end])
    theirs = engine.generate(asked, max_new_tokens=24, stop=[tokenizer.end])
    assert [one.ids for one in theirs] == [one.ids for one in ours]
    first = extension(store).first
    assert any(token >= first for one in ours for token in one.ids), "no new token was said"


def test_bits_per_character_before_and_after(store: Store) -> None:
    card = read_card(store.path(ADAPTER))
    systems = {"base": Model("models/base/small"), "extended": Model(card.base), "trained": Model(card.base, ADAPTER)}
    base, extended, trained = compare(systems, LANGUAGE, store, 100)[0]
    assert base.num_characters == extended.num_characters == trained.num_characters
    assert trained.num_tokens == extended.num_tokens < base.num_tokens
    assert trained.bits_per_character < 0.6 * extended.bits_per_character
    again, done = compare(systems, LANGUAGE, store, 100)
    assert done
    assert again == [base, extended, trained]


def test_changed_text_is_another_base_and_a_broken_off_run_is_not_gone_on_with(store: Store) -> None:
    before = run.prepare(training(), LANGUAGE, PROMPTS, store)
    path = Path(store.path("data/training/train.jsonl"))
    text = path.read_text()
    path.write_text(text.replace("Waru", "Warmi"))
    after = run.prepare(training(), LANGUAGE, PROMPTS, store)
    path.write_text(text)
    assert after.base != before.base
    assert after.identity["base"] != before.identity["base"]
