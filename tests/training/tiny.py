"""A tiny workspace: sixty examples of an invented language, and a small base model that took a few steps."""

from __future__ import annotations

import atexit
import functools
import itertools
import shutil
import tempfile
from pathlib import Path

from seshat.examples import to_line
from seshat.language import Language
from seshat.prompts import Prompts
from seshat.records import Example
from seshat.store import Store
from seshat.training.settings import Lora, Small, Training

LANGUAGE = Language(code="qtm", name="tamuri", apostrophe="\u02bc")
PROMPTS = Prompts(translation="Al {target}: {text}")
WHO = {"la mujer": "waru", "el niño": "wawëʼ", "mi abuela": "awitsa", "el perro": "allku"}
WHAT = {"canta": "taki", "duerme": "puñu", "corre": "pawa", "come": "miku", "trabaja": "llamka"}
WHEN = {"": "", "hoy": "kunan", "mañana": "qaya"}


def _translations(split: str) -> list[Example]:
    made = []
    for number, (who, what, when) in enumerate(itertools.product(WHO, WHAT, WHEN)):
        side = {0: "test", 1: "val"}.get(number % 10, "train")
        spanish = " ".join(word for word in (when, who, what) if word).capitalize() + "."
        other = " ".join(word for word in (WHEN[when], WHO[who], WHAT[what]) if word).capitalize() + "."
        for source, target, text, answer in (("spa", "qtm", spanish, other), ("qtm", "spa", other, spanish)):
            prompt = PROMPTS.instruction("translation", text, language=LANGUAGE, source=source, target=target)
            made.append(
                Example(
                    prompt=prompt,
                    answer=answer,
                    task="translation",
                    direction=f"{source}-{target}",
                    source=text,
                    group=str(number),
                    split=side,
                    parent=str(number),
                    origin=f"pairs.csv#row={number}",
                    collection="transcriptions",
                )
            )
    return [example for example in made if example.split == split]


def write_examples(root: Path) -> None:
    folder = root / "data" / "training"
    folder.mkdir(parents=True, exist_ok=True)
    for split in ("train", "val", "test"):
        (folder / f"{split}.jsonl").write_text("".join(to_line(example) + "\n" for example in _translations(split)), encoding="utf-8")


def make_workspace(root: Path) -> Store:
    """Examples and the base model."""
    shutil.copytree(_made_once(), root, dirs_exist_ok=True)
    return Store(str(root))


@functools.cache
def _made_once() -> Path:
    import torch

    from seshat.training import run

    root = Path(tempfile.mkdtemp(prefix="seshat-training-"))
    atexit.register(shutil.rmtree, root, ignore_errors=True)
    torch.set_num_threads(1)
    write_examples(root)
    run.ensure_base(settings(), LANGUAGE, PROMPTS, Store(str(root)))
    return root


def settings(**changes: object) -> Training:
    """A run of a few seconds."""
    defaults: dict[str, object] = {
        "name": "tiny",
        "model": "small",
        "small": Small(num_layers=2, vocabulary=500, steps=4, rows=2, row_length=128, context=256),
        "lora": Lora(r=8, alpha=16, train_embeddings=True),
        "max_seq_length": 128,
        "per_device_train_batch_size": 2,
        "learning_rate": 2e-3,
        "max_steps": 6,
        "save_steps": 2,
        "eval_steps": 3,
        "logging_steps": 1,
        "use_gpu": False,
        "bf16": False,
        "tracking": False,
        "evaluator": {"sample": 0},
    }
    return Training.model_validate(defaults | changes)
