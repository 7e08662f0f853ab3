"""Records with what a test does not care about filled in, and a store whose stages are done."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from seshat.language import Language
from seshat.records import Document, Entry, RawFile, Record, SentencePair
from seshat.settings import Settings
from seshat.store import PROCESSED, Manifest, Store

LANGUAGE = Language(code="qtm", name="tamuri", apostrophe="ʼ")


def pair(text: str, translation: str, **facts: Any) -> SentencePair:
    """A sentence pair of a table, from a row of its own."""
    made = SentencePair(text=text, translation=translation, language="qtm", bridge="spa", origin="t.csv", collection="transcriptions")
    return replace(made, **{"origin": f"transcriptions/t.csv#row={text}", **facts})


def entry(headword: str, translation: str, **facts: Any) -> Entry:
    """An entry of a dictionary."""
    made = Entry(headword=headword, translation=translation, language="qtm", bridge="spa", origin="d.csv", collection="dictionary")
    return replace(made, **{"origin": f"dictionary/d.csv#row={headword}", **facts})


def document(code: str, *paragraphs: str, name: str = "translations/laws", unit: str = "line", **facts: Any) -> Document:
    """One side of a parallel document, or running text."""
    places = tuple(f"{unit}={number}" for number in range(1, len(paragraphs) + 1))
    made = Document(name=name, language=code, paragraphs=paragraphs, places=places, origin=f"{name}.{code}.txt", collection="translations")
    return replace(made, **facts)


def raw(name: str, content: str = "") -> RawFile:
    """A raw file that a fake reader makes records of, without opening it."""
    return RawFile(origin=name, collection=name.partition("/")[0], path=f"/nowhere/{name}", sha256=content or name)


def finish(store: Store, stage: str, *parts: Sequence[Record]) -> Manifest:
    """Commit records as the parts of a stage that is done."""
    lines = tuple(store.commit(stage, f"{stage}{number}", records, rows_in=len(records)) for number, records in enumerate(parts))
    manifest = Manifest(stage=stage, fingerprint=f"{stage} {[line.model_dump_json() for line in lines]}", parts=lines)
    store.finish(f"{PROCESSED}/{stage}", manifest)
    return manifest


def copied(settings: Settings, root: Path) -> Settings:
    """The settings of a copy of their workspace: what takes a second to make may be made once for many tests."""
    shutil.copytree(settings.root, root, dirs_exist_ok=True)
    return settings.model_copy(update={"root": str(root)})


class Told:
    """Stands for the progress that a user sees: each line goes to a function, at once."""

    def __init__(self, listen: Callable[[str], object]) -> None:
        self._listen = listen

    def __call__(self, text: str) -> None:
        self._listen(text)

    def close(self) -> None:
        """See ``seshat.progress.Progress``."""

    def __enter__(self) -> Told:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def step_of_loss(line: str) -> int | None:
    """The step whose training loss a line tells; None of any other line: the scores of a checkpoint come when the training is further."""
    found = re.search(r"^train: step (\d+) of \d+  loss ", line)
    return int(found[1]) if found else None
