"""Packing on Ray: the same bytes as here, and after a kill."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from seshat.cluster.data import do_step
from seshat.errors import StoreError
from seshat.examples import to_line
from seshat.prompts import ChatTokenizer
from seshat.records import Example
from seshat.store import Store
from seshat.training.lines import windows
from seshat.training.pack import Packing, packing
from seshat.training.phases import ALL
from tests.cluster.test_data import PROJECT, tree
from tests.tiny_model import make_tokenizer

pytestmark = pytest.mark.ray
NUM_EXAMPLES, SIZE = 600, 30


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with examples and a tokenizer."""
    root = tmp_path_factory.mktemp("pack")
    make_tokenizer(root / "base")
    facts = {"task": "translation", "direction": "spa-qtm", "group": "g", "split": "train", "parent": "p", "origin": "o", "collection": "c"}
    made = [
        Example(prompt=f"Al tamo: {number} casas", answer=f"wasi {'kuna ' * (number % 7)}{number}", **facts)  # type: ignore[arg-type]
        for number in range(NUM_EXAMPLES)
    ]
    (root / "train.jsonl").write_text("".join(f"{to_line(one)}\n" for one in made), encoding="utf-8")
    return root


def step(root: Path, size: int = SIZE) -> Packing:
    """So many examples a part; with few of them it takes some time."""
    tokenizer = ChatTokenizer.load(str(root / "base"))
    found = windows(str(root / "train.jsonl"), "train.jsonl", size=size)
    return packing("train.jsonl", found, ALL, folder=str(root / "base"), tokenizer=tokenizer, max_length=64, seed=1)


def here(root: Path, size: int = SIZE) -> dict[str, str]:
    """What packing in this process leaves."""
    do_step(step(root, size), Store(str(root / f"here{size}")), "local")
    return tree(root / f"here{size}")


@pytest.mark.usefixtures("ray_session")
def test_ray_and_this_process_pack_the_same_bytes(root: Path) -> None:
    expected = here(root)
    done = do_step(step(root), Store(str(root / "ray")), "ray")
    assert (done.kept, done.rows_in) == (NUM_EXAMPLES, NUM_EXAMPLES)
    assert len(expected) == 2 * NUM_EXAMPLES // SIZE + 1  # for every part an Arrow file and a line, and one manifest
    assert tree(root / "ray") == expected


@pytest.mark.usefixtures("ray_session")
def test_a_file_that_changes_under_the_workers_stops_the_run(root: Path) -> None:
    todo, path = step(root), root / "train.jsonl"
    data = path.read_bytes()
    path.write_bytes(data.replace(b"wasi", b"wazi"))
    try:
        with pytest.raises(StoreError, match="has changed since the run began"):
            do_step(todo, Store(str(root / "changed")), "ray")
    finally:
        path.write_bytes(data)


DRIVER = """
from pathlib import Path
from seshat.cluster.connect import connect
from seshat.cluster.data import do_step
from seshat.store import Store
from tests.cluster.test_data import settings
from tests.cluster.test_pack import step
do_step(step(Path({root!r}), 2), Store({killed!r}), "ray", lambda: connect(settings(Path({root!r}))))
"""


@pytest.mark.slow
def test_killed_in_the_middle_packing_ends_with_the_same_bytes(root: Path) -> None:
    killed, deadline = root / "killed", time.monotonic() + 240
    environment = {**os.environ, "PYTHONPATH": str(PROJECT)}
    program = DRIVER.format(root=str(root), killed=str(killed))
    driver = subprocess.Popen([sys.executable, "-c", program], cwd=PROJECT, env=environment)
    while len(list(killed.rglob("*.json"))) < 5 and driver.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    driver.send_signal(signal.SIGKILL)
    driver.wait()
    before = -1
    while (now := len(list(killed.rglob("*")))) != before:  # until its workers have gone, too
        before = now
        time.sleep(3)
    todo, store = step(root, 2), Store(str(killed))
    committed = [part for part in todo.parts if todo.committed(part, store)]
    assert 0 < len(committed) < len(todo.parts)
    assert todo.done(store) is None
    do_step(todo, store, "local")
    assert tree(killed) == here(root, 2)
