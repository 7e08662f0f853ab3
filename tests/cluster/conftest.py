"""What several tests of clusters share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from jobs import ingest
from tests.cluster.head import Head, here, overrides, start_head
from tests.corpus import write_corpus


@pytest.fixture(scope="package")
def head(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Head]:
    """A cluster that answers at an address of this machine."""
    with start_head(tmp_path_factory.mktemp("head")) as started:
        yield started


@pytest.fixture(scope="package")
def aligned(head: Head, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace whose documents a submitted job has aligned."""
    root = tmp_path_factory.mktemp("workspace")
    write_corpus(root / "data" / "raw")
    here(ingest.run, root)
    done = head.submit("python", "-m", "jobs.align", *overrides(root))
    assert done.returncode == 0, done.stdout + done.stderr
    return root
