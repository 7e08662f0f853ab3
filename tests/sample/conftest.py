"""One grammar and one written sample for all tests of this room."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest

from seshat.sample.grammar import Grammar, Sentence
from seshat.sample.write import SampleReport, write


class Written(NamedTuple):
    """A sample on disk."""

    raw: Path
    gold: Path
    report: SampleReport


@pytest.fixture(scope="session")
def sentences() -> list[Sentence]:
    return Grammar(1).sentences(2_000)


@pytest.fixture(scope="session")
def written(tmp_path_factory: pytest.TempPathFactory) -> Written:
    folder = tmp_path_factory.mktemp("sample")
    return Written(folder / "raw", folder / "gold", write(folder / "raw", folder / "gold"))
