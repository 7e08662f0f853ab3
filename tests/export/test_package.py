"""The page beside a model says how to load it and who allows what."""

from __future__ import annotations

from pathlib import Path

import pytest

from seshat.export.package import package, page
from seshat.prompts import Card
from seshat.rights import Consent, Rights, Source
from seshat.store import Manifest, Store
from tests.tiny_model import LANGUAGE

SOURCES = {
    "dictionary": Source(title="Diccionario", steward="Doña Rosa", licence="CC-BY-4.0", consent=Consent(publish_model=True)),
    "scans": Source(title="Libros"),
}
CARD = Card(name="tamo-1", language=LANGUAGE, base="Qwen/Qwen3-14B", rights=Rights(sources=SOURCES))


@pytest.mark.parametrize(
    ("kind", "line"), [("adapter", "PeftModel.from_pretrained(base"), ("merged", "AutoModelForCausalLM"), ("gguf", "tamo-1-Q8_0.gguf")]
)
def test_each_form_is_loaded_by_its_own_lines(kind: str, line: str) -> None:
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


def test_a_page_that_a_manifest_vouches_for_is_left_alone(tmp_path: Path) -> None:
    store, folder = Store(str(tmp_path)), "models/adapters/tamo-1"
    store.finish(folder, Manifest(stage="train", fingerprint="x", files=(store.write(f"{folder}/README.md", b"peft"),)))
    assert Path(package(store, folder, CARD)).read_text() == "peft"
    store.finish(folder, Manifest(stage="train", fingerprint="x"))
    assert "# tamo-1" in Path(package(store, folder, CARD)).read_text()
