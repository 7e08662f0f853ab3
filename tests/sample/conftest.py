"""One grammar for all tests of this room."""

from __future__ import annotations

import pytest

from seshat.sample.grammar import Grammar, Sentence


@pytest.fixture(scope="session")
def sentences() -> list[Sentence]:
    return Grammar(1).sentences(2_000)
