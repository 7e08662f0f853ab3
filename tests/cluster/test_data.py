"""A step on Ray: the same bytes as here, whatever the workers, and whatever happens to the driver."""

from __future__ import annotations

import hashlib
import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from seshat.cluster.data import dataset, run_step
from seshat.errors import DataError, EngineError, SeshatError, StoreError
from seshat.records import SentencePair
from seshat.settings import Cluster, Settings
from seshat.stage import Resources
from seshat.step import Part, Step
from seshat.store import PROCESSED, Slice, Store, slices
from tests.make import LANGUAGE, Told, raw
from tests.stages import Engine, ReadWords, Shout, Slow, Stumble

PARTS = tuple(Part((raw(f"ama{number} bad{number} kene{number}"),)) for number in range(6))
STEP = Step("ingest", (ReadWords(), Shout(), Stumble(at="BAD3!")), PARTS)
PROJECT = Path(__file__).resolve().parents[2]


def settings(root: Path, execution: str = "ray") -> Settings:
    return Settings(root=str(root), language=LANGUAGE, execution=execution, cluster=Cluster(cpus=2, dashboard=False))  # type: ignore[arg-type]


def tree(root: Path) -> dict[str, str]:
    """The SHA-256 of every file of the results by name; what a killed process was writing is none."""
    folder = root / PROCESSED
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.suffix != ".tmp"
    }


def with_workers(step: Step, workers: int) -> Step:
    """The same step with a number of workers."""
    stages = tuple(stage.model_copy(update={"resources": Resources(cpus=0.5, workers=workers)}) for stage in step.stages)
    return Step(step.name, stages, step.parts)


# Here


def test_a_step_runs_in_this_process(tmp_path: Path) -> None:
    done = run_step(STEP, settings(tmp_path, "local"))
    assert (done.stage, done.rows_in, done.kept, done.rejected, done.done_before) == ("ingest", 18, 17, {"error": 1}, False)


def test_a_step_that_is_done_is_not_done_again(tmp_path: Path) -> None:
    run_step(STEP, settings(tmp_path, "local"))
    before = tree(tmp_path)
    again = run_step(STEP, settings(tmp_path, "ray"))  # does not even meet Ray
    assert (again.done_before, again.kept, again.seconds) == (True, 17, 0.0)
    assert tree(tmp_path) == before


def test_progress_is_told_part_by_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    monkeypatch.setattr("seshat.cluster.data.Progress", lambda: Told(told.append))
    run_step(STEP, settings(tmp_path, "local"))
    assert len(told) == 6
    assert re.fullmatch(r"ingest: 6 of 6 parts, [\d.]+/s, 0:00:00 left, \d+ rejected", told[-1])


def test_too_many_rejected_rows_fail_the_run_here(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"more than ingest\.max_rejected=0 allows"):
        run_step(Step("ingest", STEP.stages, PARTS, max_rejected=0), settings(tmp_path, "local"))


# On Ray


@pytest.mark.ray
def test_one_two_and_four_workers_and_none_give_the_same_bytes(tmp_path: Path, ray_session: None) -> None:
    engine = Engine(log=str(tmp_path / "log"))
    trees = []
    for workers in (0, 1, 2, 4):
        root = tmp_path / str(workers)
        execution = settings(root, "ray" if workers else "local")
        run_step(with_workers(STEP, workers), execution)
        pieces = slices(Store(str(root)).files("ingest", SentencePair), 10)
        second = Step("align", (engine, Shout(suffix="?")), tuple(Part((piece,)) for piece in pieces))
        run_step(with_workers(second, workers), execution)
        trees.append(tree(root))
    assert len(trees[0]) == 2 * (1 + 2 * len(PARTS))
    assert trees[1:] == [trees[0]] * 3


@pytest.mark.ray
def test_an_engine_is_loaded_once_in_a_worker(tmp_path: Path, ray_session: None) -> None:
    log = tmp_path / "log"
    stages = (ReadWords(), Engine(log=str(log), resources=Resources(cpus=0.5, workers=2)))
    run_step(Step("ocr", stages, PARTS), settings(tmp_path))
    loaded = log.read_text().split()
    assert 1 <= len(loaded) <= 2
    assert len(set(loaded)) == len(loaded)
    assert str(os.getpid()) not in loaded


@pytest.mark.ray
@pytest.mark.parametrize("last", [Shout(), Engine(log=os.devnull)], ids=["a function", "an engine"])
def test_the_dashboard_reads_like_the_makefile(tmp_path: Path, ray_session: None, last: Shout | Engine) -> None:
    step = Step("align", (ReadWords(), last), PARTS[:2])
    done = dataset(step, list(step.parts), Store(str(tmp_path))).materialize()
    assert "Map(align)" in done.stats()


@pytest.mark.ray
@pytest.mark.parametrize("more", [(), (Engine(log=os.devnull),)], ids=["in a task", "in an actor"])
def test_an_error_of_a_worker_arrives_as_itself(
    tmp_path: Path, ray_session: None, capfd: pytest.CaptureFixture[str], more: tuple[Engine, ...]
) -> None:
    stages = (ReadWords(), Stumble(at="bad3", error="EngineError"), *more)
    with pytest.raises(EngineError) as caught:
        run_step(Step("ingest", stages, PARTS), settings(tmp_path))
    assert str(caught.value) == "cannot say bad3"
    assert "cannot say" not in capfd.readouterr().err


@pytest.mark.ray
def test_a_surprise_in_a_worker_is_one_line(tmp_path: Path, ray_session: None) -> None:
    store = Store(str(tmp_path))
    store.write(f"{PROCESSED}/ingest/part-x.parquet", b"no parquet")
    file = store.vouch(f"{PROCESSED}/ingest/part-x.parquet").model_copy(update={"kind": "SentencePair", "rows": 1})
    with pytest.raises(SeshatError, match=r"^align: a worker failed \(pyarrow\S*: .*\); run the same command again, or with --debug$"):
        run_step(Step("align", (Shout(),), (Part((Slice(file),)),)), settings(tmp_path))


@pytest.mark.ray
def test_damaged_input_of_a_worker_arrives_as_a_store_error(tmp_path: Path, ray_session: None) -> None:
    run_step(STEP, settings(tmp_path, "local"))
    store = Store(str(tmp_path))
    files = store.files("ingest", SentencePair)
    (tmp_path / files[0].path).write_bytes(b"x" * files[0].size)
    step = Step("align", (Shout(),), tuple(Part((piece,)) for piece in slices(files, 10)))
    with pytest.raises(StoreError, match="is not what its manifest says"):
        run_step(step, settings(tmp_path))


# A driver that is killed

DRIVER = """
from pathlib import Path
from seshat.cluster.data import run_step
from tests.cluster.test_data import settings, slow_step
run_step(slow_step({log!r}), settings(Path({root!r})))
"""


def slow_step(log: str) -> Step:
    """A step that takes long enough to be killed in, one record a part."""
    parts = tuple(Part((raw(f"word{number}"),)) for number in range(24))
    return Step("ocr", (ReadWords(), Slow(seconds=0.1, log=log, resources=Resources(workers=2))), parts)


@pytest.mark.ray
def test_after_a_kill_what_was_done_stays_and_the_rest_gives_the_same_bytes(tmp_path: Path, ray_session: None) -> None:
    log, killed, whole = tmp_path / "log", tmp_path / "killed", tmp_path / "whole"
    log.touch()
    environment = {**os.environ, "PYTHONPATH": str(PROJECT)}
    driver = subprocess.Popen([sys.executable, "-c", DRIVER.format(log=str(log), root=str(killed))], cwd=PROJECT, env=environment)
    _wait(lambda: len(log.read_text().split("\n")) > 6 or driver.poll() is not None, "the driver started to work")
    assert driver.poll() is None, "the driver ended by itself"
    driver.send_signal(signal.SIGKILL)
    driver.wait()
    _wait(lambda: not any(_alive(int(line.split()[0])) for line in log.read_text().splitlines()), "the driver's workers ended")

    step, store = slow_step(str(log)), Store(str(killed))
    committed = [part for part in step.parts if store.part("ocr", step.key(part))]
    assert 0 < len(committed) < len(step.parts)
    assert step.done(store) is None

    resumed = run_step(step, settings(killed))
    run_step(slow_step(str(log)), settings(whole, "local"))
    worked = Counter(line.split()[1] for line in log.read_text().splitlines())
    assert (resumed.kept, resumed.done_before) == (24, False)
    assert {worked[part.inputs[0].origin] for part in committed} == {2}  # once before the kill, once for the comparison
    assert tree(killed) == tree(whole)


def _wait(condition: object, what: str) -> None:
    deadline = time.monotonic() + 240
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < deadline, f"waited in vain: {what}"
        time.sleep(0.05)


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] if Path("/proc").is_dir() else ""
    return state != "Z"
