"""The small base: made of bridge-language text that is in no held-out sentence."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

from seshat.examples import read_examples, to_line
from seshat.prompts import ChatTokenizer
from seshat.records import Document
from seshat.store import Manifest, Store
from seshat.training import small
from tests.training.tiny import LANGUAGE, PROMPTS, settings


def document(name: str, language: str, *paragraphs: str) -> Document:
    places = tuple(f"line={number}" for number, _ in enumerate(paragraphs, 1))
    return Document(name=name, language=language, paragraphs=paragraphs, places=places, origin=name, collection="translations")


def test_its_texts_are_in_the_bridge_language_and_not_held_out(store: Store, tmp_path: Path) -> None:
    root = tmp_path / "workspace"
    shutil.copytree(Path(store.root, "data", "training"), root / "data" / "training")
    mine = Store(str(root))
    test = next(example for example in read_examples(mine.path("data/training/test.jsonl")) if example.direction == "spa-qtm")
    documents = [
        document("news", "spa", f"El río baja. {test.source}", "Hay pescado."),
        document("translated", "spa", "Esta frase tiene una traducción."),
        document("translated", "qtm", "Waru taki."),
    ]
    line = mine.commit("ingest", "k", documents, rows_in=3)
    mine.finish("data/processed/ingest", Manifest(stage="ingest", fingerprint="f", parts=(line,)))
    texts = small.bridge_texts(LANGUAGE, mine)
    assert {"El río baja.", "Hay pescado."} <= set(texts)
    held_out = [
        side
        for split in ("val", "test")
        for example in read_examples(mine.path(f"data/training/{split}.jsonl"))
        for side in (example.source, example.answer)
    ]
    assert not set(texts) & set(held_out)
    assert not any("waru" in text.lower() or "traducción" in text for text in texts)


def test_it_is_a_qwen3_that_llama_cpp_can_quantise(store: Store) -> None:
    config = json.loads(store.read("models/base/small/config.json"))
    assert config["architectures"] == ["Qwen3ForCausalLM"]
    assert config["tie_word_embeddings"]
    assert config["hidden_size"] % 256 == 0
    assert config["intermediate_size"] % 256 == 0


def test_its_tokenizer_speaks_the_template(store: Store, tokenizer: ChatTokenizer) -> None:
    ids = tokenizer.prompt("Al tamuri: la mujer canta.")
    rendered = "<|user|>Al tamuri: la mujer canta.<|end|><|assistant|>"
    assert tokenizer.tokenizer.decode(ids) == rendered
    assert tokenizer.decode(tokenizer.text("kaʼü ʼñandú 日本")) == "kaʼü ʼñandú 日本"


def test_its_tokenizer_learns_from_stems_and_endings(store: Store, tmp_path: Path) -> None:
    root = tmp_path / "workspace"
    shutil.copytree(Path(store.root, "data", "training"), root / "data" / "training")
    examples = list(read_examples(store.path("data/training/train.jsonl")))
    analysed = replace(examples[0], task="morphology", source="Kisannuyeʼ tolan.", answer="kisan-nu-yeʼ tolan")
    other = replace(examples[0], task="morphology", source="Zorfanu.", answer="zor-fane")
    listed = replace(examples[0], task="dictionary", direction="qtm-spa", source="sakul", answer="ver")
    (root / "data" / "training" / "train.jsonl").write_text(
        "".join(f"{to_line(one)}\n" for one in [*examples, analysed, other, listed]), encoding="utf-8"
    )
    words = small.taught_words(Store(str(root)))
    assert {"Kisan", "nu", "yeʼ", " tolan"} <= set(words)
    assert "Kisannuyeʼ" not in words
    assert "Zorfanu" in words, "morphemes that do not spell the word say nothing about it"
    assert words.count(" sakul") == words.count(" ver") == small.LISTED


def test_it_is_made_once(store: Store) -> None:
    manifest, before = small.build(settings().small, LANGUAGE, PROMPTS, store)
    assert before
    assert manifest.notes["model"] == "small"
