"""What smaller files lose on the validation set, and what becomes of one that loses too much."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from seshat.examples import to_line
from seshat.export import export as verb
from seshat.export.export import export
from seshat.export.loss import MOST, MOST_OF_OTHERS, Loss, losses
from seshat.export.ollama import modelfile
from seshat.export.settings import Export
from seshat.records import Example
from seshat.store import Store
from tests.export.conftest import Tiny
from tests.tiny_model import PAIRS

pytestmark = pytest.mark.heavy


def validation() -> list[Example]:
    """What the model knows by heart, both ways, and what no file is to be judged by."""
    ways = [("spa-qtm", spanish, ours) for spanish, ours in PAIRS.items()] + [("qtm-spa", ours, spanish) for spanish, ours in PAIRS.items()]
    known = {"origin": "a#row=1", "collection": "a", "group": "g", "split": "val", "parent": "p"}
    made = [
        Example(task="translation", direction=way, prompt=source, answer=answer, source=source, **known) for way, source, answer in ways
    ]
    return [*made, Example(task="grammar", direction="qtm", prompt="?", answer="x", **known)]


def test_files_are_compared_on_both_directions(tiny: Tiny) -> None:
    files = {kind: tiny.gguf(kind) for kind in ("F16", "Q8_0", "Q4_K_M")}
    found = losses(files, str(tiny.root / "models/merged/tiny"), tiny.card, validation(), most=20, threads=1)
    assert {kind: one.n for kind, one in found.items()} == {"F16": 20, "Q8_0": 20, "Q4_K_M": 20}
    assert found["F16"].score > 99
    assert found["F16"].lost == 0
    assert all(one.holds for one in found.values()), found
    assert losses(files, "", tiny.card, [], most=20, threads=1) == {}


@pytest.mark.parametrize(
    ("kind", "lost", "holds"), [("Q8_0", 0.5, True), ("Q8_0", 0.51, False), ("Q4_K_M", 2.0, True), ("Q4_K_M", 2.1, False)]
)
def test_how_much_may_be_lost(kind: str, lost: float, holds: bool) -> None:
    assert Loss(50.0, lost, 100, MOST.get(kind, MOST_OF_OTHERS)).holds is holds


def test_a_file_that_loses_too_much_is_left_out_and_that_is_said(
    copy: Store, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    copy.write("data/training/val.jsonl", "".join(f"{to_line(one)}\n" for one in validation()).encode())
    small = verb.quantize

    def break_it(source: str, path: str, kind: str, threads: int) -> None:
        small(source, path, "Q4_0" if kind == "Q5_K_M" else kind, threads)

    monkeypatch.setattr(verb, "quantize", break_it)
    monkeypatch.setitem(MOST, "Q5_K_M", -1.0)  # no file can be as good as that
    with caplog.at_level(logging.WARNING):
        outcome = export(Export(threads=1, quantizations=("Q5_K_M", "Q8_0"), val_sentences=6), copy, "tiny")
    folder = Path(copy.path("models/gguf/tiny"))
    assert sorted(path.name for path in folder.glob("*.gguf")) == ["tiny-F16.gguf", "tiny-Q8_0.gguf"]
    assert outcome.note.startswith("models/gguf/tiny/tiny-Q8_0.gguf;")
    assert "FROM ./tiny-Q8_0.gguf" in (folder / "Modelfile").read_text()
    manifest = copy.manifest("models/gguf/tiny")
    assert manifest is not None
    assert manifest.notes["Q5_K_M on val"].endswith("left out")
    assert "on 6 sentences of val" in manifest.notes["Q8_0 on val"]
    assert "Q5_K_M" in caplog.text
    assert not any(file.path.endswith("Q5_K_M.gguf") for file in manifest.files)


def test_ollama_is_told_the_turns_of_the_tokenizer(tiny: Tiny) -> None:
    text = modelfile(tiny.card, tiny.tokenizer, "tiny-Q8_0.gguf")
    template = text.partition('TEMPLATE """')[2].partition('"""')[0]
    alone = template.partition("{{ else }}")[2].replace("{{ end }}", "").replace("{{ .Prompt }}", "Hola.")
    assert tiny.tokenizer.tokenizer.encode(alone, add_special_tokens=False) == tiny.tokenizer.prompt("Hola.")
    with_system = template.partition("{{ else }}")[0].replace("{{ if .System }}", "").replace("{{ .System }}", "S")
    rest = template.partition("{{ end }}")[2].replace("{{ .Prompt }}", "Hola.")
    assert tiny.tokenizer.tokenizer.encode(with_system + rest, add_special_tokens=False) == tiny.tokenizer.prompt("Hola.", "S")
    assert 'PARAMETER stop "<|im_end|>"' in text
    assert "Traduce del español al tamo: …" in text


def test_the_file_for_ollama_lies_beside_the_others(tiny: Tiny) -> None:
    assert "FROM ./tiny-Q8_0.gguf" in (tiny.root / "models/gguf/tiny/Modelfile").read_text()
