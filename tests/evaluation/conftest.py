"""A workspace with training data and an adapter's manifest, whose model is a table of answers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from seshat.engines.fakes import TableModel
from seshat.examples import SPLITS, to_line
from seshat.language import Language
from seshat.prompts import Card, ChatTokenizer, Prompts
from seshat.records import Example
from seshat.store import Manifest, Store
from seshat.translate import Translator
from tests.tiny_model import make_tokenizer

LANGUAGE = Language(code="qtm", name="tamo", apostrophe="\u02bc")
TRAIN = [
    ("El perro come.", "Allku mikun."),
    ("El gato come.", "Misi mikun."),
    ("El gato duerme.", "Misi puñun."),
    ("El perro corre.", "Allku pawan."),
]
TEST = [("El gato corre.", "Misi pawan."), ("El perro duerme mucho.", "Allku ancha sumaq puñun.")]


def translations(pairs: list[tuple[str, str]], split: str) -> list[Example]:
    made = []
    for number, (spanish, taught) in enumerate(pairs):
        for source, target, asked, answer in (("spa", "qtm", spanish, taught), ("qtm", "spa", taught, spanish)):
            prompt = Prompts().instruction("translation", asked, language=LANGUAGE, source=source, target=target)
            made.append(example("translation", f"{source}-{target}", prompt, asked, answer, split, number))
    return made


def example(task: str, direction: str, prompt: str, source: str, answer: str, split: str, number: int = 0) -> Example:
    origin = f"translations/{split}.tsv#line={number}"
    return Example(
        origin=origin,
        collection="translations",
        task=task,
        direction=direction,
        prompt=prompt,
        answer=answer,
        source=source,
        group=f"{split}{number}",
        split=split,
        parent=origin,
    )


def word(headword: str, translation: str, split: str) -> Example:
    prompt = Prompts().instruction("dictionary", headword, language=LANGUAGE, source="qtm", target="spa")
    return example("dictionary", "qtm-spa", prompt, headword, translation, split)


def make_workspace(root: Path) -> Store:
    store = Store(str(root))
    examples = {
        "train": [*translations(TRAIN, "train"), word("yaku", "agua", "train")],
        "val": [],
        "test": [*translations(TEST, "test"), word("misi", "gato", "test")],
    }
    for split in SPLITS:
        store.write(f"data/training/{split}.jsonl", "".join(f"{to_line(one)}\n" for one in examples[split]).encode())
    store.finish("models/adapters/tiny", Manifest(stage="train", fingerprint="one"))
    return store


@pytest.fixture
def workspace(tmp_path: Path) -> Store:
    return make_workspace(tmp_path)


@pytest.fixture(scope="session")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> ChatTokenizer:
    return make_tokenizer(tmp_path_factory.mktemp("tokenizer"))


@pytest.fixture(scope="session")
def translator(tokenizer: ChatTokenizer) -> Callable[[dict[str, str]], Translator]:
    """A translator that knows the answers to some prompts; everything else it answers with the prompt itself."""

    def make(known: dict[str, str]) -> Translator:
        answers = {tuple(tokenizer.prompt(message)): tokenizer.answer(answer) for message, answer in known.items()}
        return Translator(TableModel(answers), tokenizer, Card(name="tiny", language=LANGUAGE, base="tiny"))

    return make
