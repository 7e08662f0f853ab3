"""The page beside a model says how to load it, what it was made from, how well it does and who allows what."""

from __future__ import annotations

from pathlib import Path

import pytest

from seshat.evaluation.results import Details, PartDetails, ScoreRow, of_run, write_details, write_scores
from seshat.export.package import Kind, package, page
from seshat.prompts import CARD as CARD_FILE
from seshat.prompts import Card
from seshat.rights import Consent, Rights, Source
from seshat.store import Manifest, Store
from seshat.translate import read_card
from tests.tiny_model import LANGUAGE

FOLDER = "models/adapters/tamo-1"
SOURCES = {
    "dictionary": Source(title="Diccionario", steward="Doña Rosa", licence="CC-BY-4.0", consent=Consent(publish_model=True)),
    "scans": Source(title="Libros"),
}
CARD = Card(name="tamo-1", language=LANGUAGE, base="Qwen/Qwen3-14B", rights=Rights(sources=SOURCES))


@pytest.mark.parametrize(
    ("kind", "line"), [("adapter", "PeftModel.from_pretrained(base"), ("merged", "AutoModelForCausalLM"), ("gguf", "tamo-1-Q8_0.gguf")]
)
def test_each_form_is_loaded_by_its_own_lines(kind: Kind, line: str) -> None:
    text = page(CARD, kind=kind)
    assert line in text
    assert "Traduce del español al tamo: …" in text
    assert "{" not in text.replace('"role"', "")


def test_who_forbids_what_is_named() -> None:
    text = page(CARD, kind="adapter")
    assert "- Diccionario, steward: Doña Rosa (CC-BY-4.0)" in text
    assert "**Not allowed: publish the model** (by scans)" in text
    assert "**Not allowed: serve the model to the public** (by dictionary, scans)" in text


def test_a_local_base_does_not_tell_the_path_of_this_machine() -> None:
    assert "/home/" not in page(CARD.model_copy(update={"base": "/home/ana/models/qwen"}), kind="adapter")


def test_restrictions_and_whom_to_ask_are_on_the_page() -> None:
    source = Source(title="Cuentos", restrictions=("not to be read aloud",), withdrawal="rosa@example.org")
    text = page(CARD.model_copy(update={"rights": Rights(sources={"tales": source})}), kind="adapter")
    assert "  - restriction: not to be read aloud\n  - to have it withdrawn: rosa@example.org" in text
    assert "nothing is allowed" in page(CARD.model_copy(update={"rights": Rights()}), kind="adapter")


def test_what_is_not_known_is_said() -> None:
    text = page(CARD, kind="adapter")
    assert "Nobody noted what it was trained on." in text
    assert "Not measured yet: `make eval` does it." in text
    assert "SHA-256 of its weights: not known" in text


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A workspace in which an adapter was trained and scored, of bytes that stand for weights."""
    store = Store(str(tmp_path))
    files = [store.write(f"data/training/{split}.jsonl", f"{split}\n".encode()) for split in ("train", "val", "test")]
    counted = tuple(file.model_copy(update={"rows": rows}) for file, rows in zip(files, (14_592, 730, 731)))
    store.finish("data/training", Manifest(stage="training-data", fingerprint="d", files=counted))
    base = store.write("models/base/Qwen--Qwen3-14B/model.safetensors", b"base")
    notes = {"model": "Qwen/Qwen3-14B", "revision": "40c069824f4251a91eefaf281ebe4c544efd3e18"}
    store.finish("models/base/Qwen--Qwen3-14B", Manifest(stage="download-model", fingerprint="b", files=(base,), notes=notes))
    data = {f"{split}.jsonl": file.sha256 for split, file in zip(("train", "val"), files)}
    changes = {"base": "models/base/Qwen--Qwen3-14B", "base_sha256": "cd" * 32, "data": data, "without": ("radio",)}
    card = CARD.model_copy(update=changes)
    written = (
        store.write(f"{FOLDER}/{CARD_FILE}", card.model_dump_json().encode()),
        store.write(f"{FOLDER}/adapter_model.safetensors", b"w"),
    )
    store.finish(FOLDER, Manifest(stage="train", fingerprint="t", files=written, rows_in=14_592))
    score(store)
    return store


def score(store: Store) -> None:
    rows = [
        ScoreRow(
            direction=direction, task=task, system=system, metric=metric, score=score, low=score - 1, high=score + 1.25, n=n, signature=name
        )
        for direction, task, system, metric, score, n, name in (
            ("spa-qtm", "translation", "ours", "chrf++", 41.234, 731, "chrF2++|v"),
            ("spa-qtm", "translation", "ours", "bleu", 12.0, 731, "BLEU|v"),
            ("spa-qtm", "translation", "ours", "ter", 70.0, 731, "TER|v"),
            ("spa-qtm", "translation", "base", "chrf++", 9.5, 100, "chrF2++|v"),
            ("spa-qtm", "translation", "copy", "chrf++", 11.0, 731, "chrF2++|v"),
            ("spa-qtm", "translation", "gloss", "chrf++", 19.0, 731, "chrF2++|v"),
            ("spa-qtm", "dictionary", "ours", "chrf++", 77.7, 50, "chrF2++|v"),
            ("qtm-spa", "translation", "ours", "chrf++", 38.0, 731, "chrF2++|v"),
            ("qtm-spa", "translation", "ours", "bleu", 10.0, 731, "BLEU|v"),
        )
    ]
    facts = {"exact": 0.0, "unfinished": None, "length_ratio": 1.0, "num_available": 731, "num_scored": 731, "num_leaked": 3}
    parts = tuple(PartDetails(direction=direction, task="translation", **facts) for direction in ("spa-qtm", "qtm-spa"))
    details = Details(name="tamo-1", test_set="data/training/test.jsonl", parts=parts, num_memory=1, num_links=1)
    folder = of_run("tamo-1")
    files = (write_scores(store, rows, folder), write_details(store, details, folder))
    inputs = {"adapter": store.vouch(f"{FOLDER}/manifest.json").sha256}
    store.finish(folder, Manifest(stage="eval", fingerprint="e", inputs=inputs, files=files))


def test_the_page_carries_base_data_and_scores(store: Store) -> None:
    text = Path(package(store, "tamo-1")).read_text()
    assert "Qwen/Qwen3-14B, revision 40c069824f4251a91eefaf281ebe4c544efd3e18. SHA-256 of its weights: `" + "cd" * 32 in text
    assert 'AutoModelForCausalLM.from_pretrained("Qwen/Qwen3-14B")' in text
    assert "whoever gets this model" not in text
    card = read_card(store.path(FOLDER))
    assert f"| train.jsonl | 14,592 | `{card.data['train.jsonl']}` |" in text
    assert f"| val.jsonl | 730 | `{card.data['val.jsonl']}` |" in text
    assert store.vouch("data/training/manifest.json").sha256 in text
    assert "Without what was withdrawn before: radio." in text
    assert "| spa-qtm | 731 | 41.2 [40.2, 42.5] | 12.0 [11.0, 13.2] | 9.5 [8.5, 10.8] | 19.0 [18.0, 20.2], gloss |" in text
    assert "| qtm-spa | 731 | 38.0 [37.0, 39.2] | 10.0 [9.0, 11.2] | - | - |" in text
    assert "on data/training/test.jsonl" in text
    assert "`chrF2++|v`; `BLEU|v`." in text, "signatures of what the table shows"
    assert "6 test cases (of both directions) also stand in the training data" in text
    assert "77.7" not in text


def test_scores_of_an_earlier_adapter_of_this_name_are_left_out(store: Store) -> None:
    manifest = store.manifest(FOLDER)
    assert manifest is not None
    store.finish(FOLDER, manifest.model_copy(update={"fingerprint": "trained again"}))
    assert "Not measured yet" in Path(package(store, "tamo-1")).read_text()
    score(store)
    assert "41.2" in Path(package(store, "tamo-1")).read_text()


def test_counts_of_other_data_are_left_out(store: Store) -> None:
    files = (store.write("data/training/train.jsonl", b"changed\n").model_copy(update={"rows": 9}),)
    store.finish("data/training", Manifest(stage="training-data", fingerprint="d2", files=files))
    text = Path(package(store, "tamo-1")).read_text()
    assert "| train.jsonl | 14,592 |" in text, "the adapter's own manifest has counted them"
    assert "| val.jsonl | not known |" in text
    assert store.vouch("data/training/manifest.json").sha256 not in text


def test_a_base_with_new_tokens_has_to_be_shared_too(store: Store) -> None:
    notes = {"model": "Qwen/Qwen3-14B extended", "extends": "models/base/Qwen--Qwen3-14B"}
    store.finish("models/base/Qwen--Qwen3-14B", Manifest(stage="tokenizer-extend", fingerprint="x", notes=notes))
    text = Path(package(store, "tamo-1")).read_text()
    assert "It is `models/base/Qwen--Qwen3-14B` with new tokens" in text
    assert "needs that folder, too" in text


def test_a_page_that_a_manifest_vouches_for_is_left_alone(store: Store) -> None:
    manifest = store.manifest(FOLDER)
    assert manifest is not None
    mine = store.write(f"{FOLDER}/README.md", b"peft")
    store.finish(FOLDER, manifest.model_copy(update={"files": (*manifest.files, mine)}))
    assert Path(package(store, "tamo-1")).read_text() == "peft"
    store.finish(FOLDER, manifest)
    assert "# tamo-1" in Path(package(store, "tamo-1")).read_text()
