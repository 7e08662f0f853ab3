"""Which earlier run a new one is not better than."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from seshat.evaluation.progress import not_better_than
from seshat.store import Store
from tests.evaluation.conftest import make_workspace, translations
from tests.evaluation.test_diff import QUICK, Make, make, sentences, write

TIME = 1_700_000_000


@pytest.fixture
def store(tmp_path: Path, translator: Make) -> Store:
    """A weak and a strong run, evaluated in this order."""
    workspace = make_workspace(tmp_path)
    write(workspace, "test", translations(sentences(40), "test"))
    evaluated(workspace, translator, "weak", 0.2, TIME)
    evaluated(workspace, translator, "strong", 0.8, TIME + 1)
    return workspace


def evaluated(store: Store, translator: Make, name: str, share: float, time: int) -> None:
    make(store, translator, name, share)
    os.utime(store.path(f"reports/runs/{name}/manifest.json"), (time, time))


def test_a_run_that_is_better_is_not_held_back(store: Store) -> None:
    assert not_better_than(store, "strong", QUICK) == ""


def test_a_run_is_compared_with_the_one_that_was_evaluated_last(store: Store, translator: Make) -> None:
    evaluated(store, translator, "again", 0.8, TIME + 2)
    assert not_better_than(store, "again", QUICK) == "strong"
    evaluated(store, translator, "weak", 0.2, TIME + 3)
    assert not_better_than(store, "again", QUICK) == ""


def test_the_first_run_and_one_that_was_not_evaluated_have_nothing_to_be_better_than(tmp_path: Path, translator: Make) -> None:
    workspace = make_workspace(tmp_path)
    write(workspace, "test", translations(sentences(40), "test"))
    make(workspace, translator, "first", 0.2)
    assert not_better_than(workspace, "first", QUICK) == ""
    assert not_better_than(workspace, "second", QUICK) == ""


def test_another_test_set_says_nothing(store: Store, translator: Make) -> None:
    write(store, "test", translations([("Otra frase.", "Huk rimay.")] * 30, "test"))
    evaluated(store, translator, "other", 0.0, TIME + 2)
    assert not_better_than(store, "other", QUICK) == ""
