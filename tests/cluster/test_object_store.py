"""A workspace in an object store: the same bytes as in a folder, with every fault that a store has."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from jobs import align, format, ingest
from seshat.command import PIPELINE, read_settings
from seshat.errors import StoreError
from seshat.rights import read_rights
from seshat.settings import Settings
from seshat.store import Store
from tests.corpus import write_corpus
from tests.object_store import BUCKET, Faulty, s3, server, upload

__all__ = ["s3", "server"]

ROOT = Path(__file__).resolve().parents[2]


def settings(root: str, execution: str = "local") -> Settings:
    return read_settings(str(ROOT / PIPELINE), [f"root={root}", f"language={ROOT}/configs/languages/sample.yaml", f"execution={execution}"])


def made(root: str) -> dict[str, str]:
    """The SHA-256 of every file that the verbs have written."""
    store = Store(root)
    names = [name for folder in ("data/processed", "data/training") for name in store.names(folder)]
    return {name: hashlib.sha256(store.read(name)).hexdigest() for name in names if not name.endswith("manifest.json")}


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same in a folder."""
    root = tmp_path_factory.mktemp("here")
    write_corpus(root / "data" / "raw")
    (root / "data/raw/dictionary/SOURCE.yaml").write_text("title: Words\nconsent: {train: false}\n", encoding="utf-8")
    for verb in (ingest, align, format):
        verb.run(settings(str(root)))
    return root


def test_the_data_are_those_of_a_folder(here: Path, s3: Faulty) -> None:
    root = f"s3://{BUCKET}/shipibo"
    upload(here / "data/raw", root)
    for verb in (ingest, align, format):
        verb.run(settings(root))
    assert made(root) == made(str(here))
    assert made(root)
    again = ingest.run(settings(root))
    assert again.done_before


def test_rights_are_read_there_too(here: Path, s3: Faulty) -> None:
    root = f"s3://{BUCKET}/shipibo"
    upload(here / "data/raw", root)
    assert read_rights(f"{root}/data/raw").forbidding("train") == ["dictionary"] == read_rights(f"{here}/data/raw").forbidding("train")


def test_a_store_that_stumbles_is_asked_again(here: Path, s3: Faulty) -> None:
    root = f"s3://{BUCKET}/shipibo"
    upload(here / "data/raw", root)
    s3.fault = lambda method, path, number: number % 40 == 0
    for verb in (ingest, align, format):
        verb.run(settings(root))
    assert made(root) == made(str(here))


def test_a_store_that_fails_stops_the_run_and_the_next_one_goes_on(here: Path, s3: Faulty) -> None:
    root = f"s3://{BUCKET}/shipibo"
    upload(here / "data/raw", root)
    s3.fault = lambda method, path, number: method == "PUT" and path.endswith("manifest.json")
    with pytest.raises(StoreError, match="could not be written"):
        ingest.run(settings(root))
    assert Store(root).manifest("data/processed/ingest") is None, "without a manifest nothing counts"
    parts = set(made(root))
    assert parts
    s3.fault = lambda method, path, number: method == "PUT" and "/part-" in path
    assert not ingest.run(settings(root)).done_before, "the parts are there and are not written again"
    s3.fault = lambda method, path, number: False
    for verb in (align, format):
        verb.run(settings(root))
    assert made(root) == made(str(here))


@pytest.mark.slow
@pytest.mark.ray
def test_workers_of_ray_write_there(here: Path, s3: Faulty, tmp_path: Path) -> None:
    """In a process of its own: a running Ray has the environment that it was started with."""
    import subprocess
    import sys

    root = f"s3://{BUCKET}/shipibo"
    upload(here / "data/raw", root)
    for verb in ("ingest", "align", "format"):
        command = [sys.executable, "-m", f"jobs.{verb}", f"root={root}", f"language={ROOT}/configs/languages/sample.yaml", "execution=ray"]
        done = subprocess.run([*command, "cluster.dashboard=false"], cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
    assert made(root) == made(str(here))
