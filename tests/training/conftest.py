"""One tiny workspace for all tests of training."""

from __future__ import annotations

import pytest
import torch

from seshat.prompts import ChatTokenizer
from seshat.store import Store
from tests.training.tiny import make_workspace


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)  # two threads on a busy machine wait for each other most of the time


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """The workspace; tests give their runs names of their own."""
    return make_workspace(tmp_path_factory.mktemp("workspace"))


@pytest.fixture(scope="session")
def tokenizer(store: Store) -> ChatTokenizer:
    return ChatTokenizer.load(store.path("models/base/small"))
