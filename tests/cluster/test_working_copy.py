"""Verbs that need files, on a workspace in an object store: the same bytes as in a folder, whoever made them and wherever it broke off."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from jobs import evaluate, pipeline
from serve.app import check_all
from serve.models import find, workspace
from seshat import working_copy
from seshat.command import read_settings
from seshat.errors import ConfigError, StoreError
from seshat.preview import preview
from seshat.settings import Settings
from seshat.store import Store
from seshat.working_copy import WorkingCopy, address_of, discard, fetch, is_copy, path_of, publish
from tests.corpus import write_corpus
from tests.end_to_end.test_pipeline import QUICK
from tests.object_store import BUCKET, Faulty, s3, server, upload

__all__ = ["s3", "server"]
ROOT = Path(__file__).resolve().parents[2]
ADDRESS = f"s3://{BUCKET}/shipibo"
ADAPTER = "models/adapters/small"


def machine(tmp_path: Path, name: str) -> WorkingCopy:
    """The working copy of one of several machines."""
    return WorkingCopy(path_of(ADDRESS, str(tmp_path / name)))


def texts(store: Store, folder: str = "models") -> dict[str, str]:
    return {name: store.read(name).decode() for name in store.names(folder)}


def test_a_path_tells_where_it_comes_from(tmp_path: Path) -> None:
    root = path_of("s3://bucket/a name/x/", str(tmp_path))
    assert root == f"{tmp_path}/s3%3A%2F%2Fbucket%2Fa%20name%2Fx"
    assert address_of(root) == "s3://bucket/a name/x"
    assert address_of(f"{root}/models/base") == "s3://bucket/a name/x/models/base"
    assert is_copy(root)
    assert is_copy(f"{root}/models")
    for other in (str(tmp_path), "s3://bucket/name", "models/base"):
        assert not is_copy(other)
        assert address_of(other) == other


def test_elsewhere_there_is_nothing_to_do(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("text")
    fetch(str(tmp_path))
    publish(str(tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_what_one_machine_publishes_another_fetches(s3: Faulty, tmp_path: Path) -> None:
    one, other = machine(tmp_path, "one"), machine(tmp_path, "other")
    one.here.write("models/a/weights", b"1")
    one.here.write("models/a/manifest.json", b"{}")
    one.here.write("data/raw/words.csv", b"not asked for")
    one.publish("models")
    assert texts(one.there, "") == {"models/a/manifest.json": "{}", "models/a/weights": "1"}
    other.fetch("models")
    assert texts(other.here) == texts(one.here)
    other.here.write("models/a/weights", b"2")
    discard(other.here.path("models/a/manifest.json"))
    other.here.write("models/b/weights", b"3")
    other.publish("models")
    assert texts(one.there) == {"models/a/weights": "2", "models/b/weights": "3"}
    one.fetch("models")
    assert texts(one.here) == texts(other.here), "changed, deleted and new, although the store's clock has whole seconds"


def test_a_single_file_is_fetched_alone(s3: Faulty, tmp_path: Path) -> None:
    one, other = machine(tmp_path, "one"), machine(tmp_path, "other")
    for name in ("models/a/card.json", "models/a/weights"):
        one.here.write(name, b"1")
    publish(one.here.path("models"))
    fetch(other.here.path("models/a/card.json"), other.here.path("models/is/not/there"))
    assert list(texts(other.here)) == ["models/a/card.json"]


def test_drafts_locks_and_what_ray_keeps_stay_where_they_are(s3: Faulty, tmp_path: Path) -> None:
    one = machine(tmp_path, "one")
    kept = ["models/adapters/ray/weights", "models/tuning/a/study.db"]
    private = [".a.partial/weights", "a/ray/state.json", "a/weights.0a1b.tmp", "a/step-1.0a1b.tmp/weights", "a/answers/1.tries", "a/lock"]
    for name in (*kept, *(f"models/adapters/{name}" for name in private)):
        one.here.write(name, b"1")
    one.publish("models")
    assert list(texts(one.there)) == kept


def test_a_cache_that_somebody_cleared_takes_nothing_with_it(s3: Faulty, tmp_path: Path) -> None:
    one = machine(tmp_path, "one")
    for name in ("models/a/weights", "models/a/manifest.json", "models/b"):
        one.here.write(name, b"1")
    one.publish("models")
    shutil.rmtree(one.here.path("models/a"))
    one.publish("models")
    assert len(texts(one.there)) == 3
    one.fetch("models")
    assert texts(one.here) == texts(one.there)


def test_what_is_discarded_is_gone_on_both_sides_and_then_everywhere(s3: Faulty, tmp_path: Path) -> None:
    one, other = machine(tmp_path, "one"), machine(tmp_path, "other")
    for name in ("models/a/weights", "models/a/manifest.json", "models/b"):
        one.here.write(name, b"1")
    one.publish("models")
    other.fetch("models")
    linked = tmp_path / "a model of somebody"
    shutil.move(other.here.path("models/a"), linked)
    os.symlink(linked, other.here.path("models/a"))
    discard(one.here.path("models/a"), one.here.path("models/never"))
    assert list(texts(one.there)) == list(texts(one.here)) == ["models/b"]
    other.fetch("models")
    assert sorted(path.name for path in linked.iterdir()) == ["manifest.json", "weights"], "what a link leads to is not ours"


def test_a_folder_that_changes_while_it_is_fetched_is_fetched_as_it_is_at_the_end(
    s3: Faulty, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = machine(tmp_path, "one"), machine(tmp_path, "other")
    for name in ("weights", "manifest.json"):
        one.here.write(f"models/a/{name}", b"1")
    one.publish("models")
    time.sleep(1.1)
    real, again = Store.download, []

    def download(store: Store, name: str, path: str) -> None:
        real(store, name, path)
        if not again:
            again.append(name)
            for name in ("weights", "manifest.json"):
                one.here.write(f"models/a/{name}", b"2")
            one.publish("models")

    monkeypatch.setattr(Store, "download", download)
    other.fetch("models")
    assert again == ["models/a/weights"]
    assert texts(other.here) == {"models/a/weights": "2", "models/a/manifest.json": "2"}


def test_what_goes_while_it_is_published_is_no_error(s3: Faulty, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = machine(tmp_path, "one")
    one.here.write("models/a", b"1")
    one.here.write("models/b", b"1")
    real = Store.below

    def below(store: Store, name: str) -> object:
        found = real(store, name)
        if store.local:
            one.here.remove("models/a")
        return found

    monkeypatch.setattr(Store, "below", below)
    one.publish("models")
    monkeypatch.undo()
    assert list(texts(one.there)) == ["models/b"]


def test_what_was_not_published_stays_and_is_published_next_time(s3: Faulty, tmp_path: Path) -> None:
    one, other = machine(tmp_path, "one"), machine(tmp_path, "other")
    other.here.write("models/a/weights", b"1")
    other.publish("models")
    one.fetch("models")
    one.here.write("models/a/weights", b"2")  # and then it was killed
    one.here.write("models/b/weights", b"3")
    one.fetch("models")
    assert texts(one.here) == {"models/a/weights": "2", "models/b/weights": "3"}
    one.publish("models")
    assert texts(one.there) == texts(one.here)


def test_what_changed_there_is_fetched_again_whatever_is_here(s3: Faulty, tmp_path: Path) -> None:
    one, other = machine(tmp_path, "one"), machine(tmp_path, "other")
    one.here.write("models/a", b"first")
    one.publish("models")
    other.fetch("models")
    time.sleep(1.1)
    other.here.write("models/a", b"newest")
    other.publish("models")
    one.here.write("models/a", b"mine")
    one.fetch("models")
    assert texts(one.here) == {"models/a": "newest"}


def test_what_has_not_changed_is_not_moved_again(s3: Faulty, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(working_copy, "SMALL", 3)
    one, other = machine(tmp_path, "one"), machine(tmp_path, "other")
    one.here.write("models/a", b"large")
    one.publish("models")
    other.fetch("models")
    asked: list[str] = []
    s3.fault = lambda method, path, number: bool(asked.append(f"{method} {path}")) if method in ("GET", "PUT") else False
    for machine_ in (one, other):
        machine_.fetch("models")
        machine_.publish("models")
    assert not [request for request in asked if request.endswith("models/a")]


def test_the_newest_model_is_the_newest_on_every_machine(s3: Faulty, tmp_path: Path) -> None:
    one, other = machine(tmp_path, "one"), machine(tmp_path, "other")
    one.here.write("models/z", b"1")
    one.publish("models")
    time.sleep(1.1)
    one.here.write("models/a", b"2")
    one.publish("models")
    other.fetch("models")
    assert os.path.getmtime(other.here.path("models/a")) > os.path.getmtime(other.here.path("models/z"))
    assert os.path.getmtime(other.here.path("models/a")) == one.there.modified("models/a")


def test_a_folder_is_whole_there_or_nobody_believes_it(s3: Faulty, tmp_path: Path) -> None:
    one, other = machine(tmp_path, "one"), machine(tmp_path, "other")
    for name in ("weights", "card.json", "manifest.json"):
        one.here.write(f"models/a/{name}", b"1")
    one.publish("models")
    for name in ("weights", "card.json", "manifest.json"):
        one.here.write(f"models/a/{name}", b"22")
    s3.fault = lambda method, path, number: method in ("PUT", "POST") and path.endswith("weights")
    with pytest.raises(StoreError, match="run the same command again"):
        one.publish("models")
    s3.fault = lambda method, path, number: False
    assert "models/a/manifest.json" not in texts(one.there), "a reader in between must not take old and new for one model"
    one.publish("models")
    other.fetch("models")
    assert set(texts(other.here).values()) == {"22"}


def test_a_fetch_that_breaks_off_leaves_no_manifest(s3: Faulty, tmp_path: Path) -> None:
    one, other = machine(tmp_path, "one"), machine(tmp_path, "other")
    for name in ("weights", "manifest.json"):
        one.here.write(f"models/a/{name}", b"1")
    one.publish("models")
    s3.fault = lambda method, path, number: method == "GET" and path.endswith("weights")
    with pytest.raises(StoreError, match="cannot be copied"):
        other.fetch("models")
    assert not texts(other.here)
    s3.fault = lambda method, path, number: False
    other.fetch("models")
    assert texts(other.here) == texts(one.here)


def test_a_small_disk_is_said_before_anything_is_fetched(s3: Faulty, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = machine(tmp_path, "one"), machine(tmp_path, "other")
    one.here.write("models/a", b"12345")
    one.publish("models")
    monkeypatch.setattr(working_copy.shutil, "disk_usage", lambda path: type("Usage", (), {"free": 4}))
    with pytest.raises(StoreError, match=r"cluster\.working_copies"):
        other.fetch("models")
    assert not texts(other.here)


def settings(root: str, place: Path) -> Settings:
    own = [f"root={root}", f"cluster.working_copies={place}", "execution=local", "training.tracking=false"]
    return read_settings(str(ROOT / "configs" / "quickstart.yaml"), [*QUICK, *own])


def made(store: Store) -> dict[str, str]:
    """The SHA-256 of what counts of a run; manifests, and the pages that name one, tell where the workspace is."""
    folders = ("data/training", "data/processed/align", "data/processed/pack", "models")
    names = [name for folder in folders for name in store.names(folder) if not name.endswith(("manifest.json", "README.md"))]
    return {name: hashlib.sha256(store.read(name)).hexdigest() for name in names}


@pytest.mark.slow
def test_the_whole_way_in_an_object_store_is_that_of_a_folder(s3: Faulty, tmp_path: Path) -> None:
    """One machine prepares and trains, a second one finds it done, a third one serves it and takes a correction."""
    here = tmp_path / "here"
    write_corpus(here / "data" / "raw")
    upload(here / "data" / "raw", ADDRESS)
    pipeline.run(settings(str(here), tmp_path))
    pipeline.run(settings(ADDRESS, tmp_path / "one"))
    there = Store(ADDRESS)
    assert made(there) == made(Store(str(here)))
    assert there.names("reports")
    assert not Path("s3:").exists()

    again = pipeline.run(settings(ADDRESS, tmp_path / "two"))
    assert again is not None
    assert again.done_before, "the second machine has nothing of its own to begin with"

    with preview():
        evaluate.run(settings(ADDRESS, tmp_path / "two"))

    serving = settings(ADDRESS, tmp_path / "three").serving
    served = find(serving, workspace(serving, ADDRESS, str(tmp_path / "three")))
    assert served.card.name == "small"
    assert served.path.startswith(str(tmp_path / "three"))
    assert not list((tmp_path / "three").glob("*/models/base/*")), "it does not need the base"
    with pytest.raises(ConfigError, match=r"serving\.feedback=false"):
        check_all(serving.model_copy(update={"replicas": 2}), [served], workspace(serving, ADDRESS, str(tmp_path / "three")))
    there.remove("models/gguf/small/manifest.json")
    with pytest.raises(StoreError, match="holds no model"):
        find(serving, Store(path_of(ADDRESS, str(tmp_path / "three"))))


def _may_mount() -> bool:
    if os.geteuid() != 0 or not shutil.which("unshare"):
        return False
    asked = ["unshare", "--mount", "--propagation", "private", "mount", "--bind", "/tmp", "/mnt"]
    return subprocess.run(asked, capture_output=True, check=False).returncode == 0


@pytest.mark.slow
@pytest.mark.ray
@pytest.mark.skipif(not _may_mount(), reason="needs root, to give a node a disk of its own (unshare --mount)")
def test_a_node_that_is_lost_with_its_disk_loses_no_checkpoint(s3: Faulty, tmp_path: Path) -> None:
    write_corpus(tmp_path / "raw")
    upload(tmp_path / "raw", ADDRESS)
    script = [sys.executable, "-m", "tests.cluster.own_disks", ADDRESS, str(tmp_path / "machines")]
    done = subprocess.run(script, cwd=ROOT, capture_output=True, text=True, timeout=800, env={**os.environ, "RAY_ADDRESS": ""}, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    said = re.search(r"^went on at step (\d+); trained on (\d) disks of nodes; True$", done.stdout, re.MULTILINE)
    assert said, done.stdout
    assert int(said[1]) > 20, "it began again"
    assert int(said[2]) == 2, "both nodes trained, each on a disk of its own"
    there = Store(ADDRESS)
    trained = there.manifest("models/adapters/small")
    assert trained is not None
    assert trained.notes["steps"] == "240"
    assert "chrf++" in trained.notes
    assert there.manifest("models/gguf/small") is not None
    assert there.names("reports/runs/small/answers")
