"""One exported workspace for all tests of this folder."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from seshat.engines.transformers_model import TransformersModel
from seshat.prompts import Card, ChatTokenizer
from seshat.store import Store
from seshat.translate import read_card
from tests.tiny_model import both_ways, example, exported_workspace


@dataclass(frozen=True)
class Tiny:
    """The workspace, and its merged model in float32."""

    root: Path
    card: Card
    tokenizer: ChatTokenizer
    merged: TransformersModel

    @property
    def prompts(self) -> list[list[int]]:
        """What the model was taught, both ways, and two sentences that it has never seen."""
        taught = [example(self.card, self.tokenizer, *pair)[0] for pair in both_ways()]
        return [*taught, self.tokenizer.prompt("¿Cómo te llamas?"), self.tokenizer.prompt("El gato come pescado.")]

    def gguf(self, kind: str) -> str:
        """The path of a GGUF file."""
        return str(self.root / "models" / "gguf" / "tiny" / f"tiny-{kind}.gguf")


@pytest.fixture(scope="session")
def tiny() -> Tiny:
    root = exported_workspace()
    merged = str(root / "models" / "merged" / "tiny")
    return Tiny(root, read_card(merged), ChatTokenizer.load(merged), TransformersModel(merged, device="cpu"))


@pytest.fixture
def copy(tiny: Tiny, tmp_path: Path) -> Store:
    """A workspace of one's own, with base, adapter, merged model and GGUF. Its card names the base of the workspace it comes from."""
    shutil.copytree(tiny.root, tmp_path / "copy")
    return Store(str(tmp_path / "copy"))
