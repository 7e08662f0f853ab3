"""How far a workspace is, and what a command would do: the verbs themselves say it, and change nothing."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType

import pytest

from jobs import align, data_stats, format, ingest, ocr, train
from jobs import status as status_job
from seshat.command import main, read_settings
from seshat.errors import SeshatError
from seshat.preview import WouldRun, preview
from seshat.settings import Settings
from seshat.status import State, next_command, states
from seshat.store import Store
from seshat.summary import failing, failures, record
from tests.corpus import write_corpus

ROOT = Path(__file__).resolve().parents[1]
WAY = (ingest, ocr, align, format, data_stats)


def settings(root: Path, *more: str) -> Settings:
    return read_settings(
        str(ROOT / "configs/data/pipeline.yaml"),
        [f"root={root}", f"language={ROOT / 'configs/languages/sample.yaml'}", "execution=local", *more],
    )


def found(root: Path, *more: str, way: Iterable[ModuleType] = WAY) -> dict[str, State]:
    return {state.verb: state for state in states(settings(root, *more), way)}  # type: ignore[arg-type]


def tree(root: Path) -> dict[str, str]:
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(root.rglob("*")) if path.is_file()}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write_corpus(tmp_path / "data" / "raw")
    return tmp_path


@pytest.fixture
def formatted(root: Path) -> Path:
    """All data stages are done."""
    for job in (ingest, align, format):
        record(job.run(settings(root)), Store(str(root)))
    return root


def test_a_new_workspace_has_everything_before_it(root: Path) -> None:
    now = found(root)
    assert (now["ingest"].state, now["ingest"].why) == ("to do", "never done; 4 of 4 parts")
    assert (now["ocr"].state, now["align"].state) == ("left out", "waits")
    assert "run 'make ingest' first" in now["align"].why


def test_what_is_done_is_done_and_the_next_verb_is_named(formatted: Path) -> None:
    now = found(formatted)
    assert [state.state for state in now.values()] == ["done", "left out", "done", "done", "to do"]
    command = next_command([*now.values()], f"python -m jobs.status --json root={formatted}")
    assert command == f"python -m jobs.data_stats root={formatted}"
    assert next_command([*now.values()], "seshat status") == "seshat data-stats"
    assert next_command([State("ingest", "done")], "seshat status") == ""


def test_a_changed_file_is_the_reason(formatted: Path) -> None:
    words = formatted / "data/raw/dictionary/words.csv"
    words.write_text(words.read_text() + "yamo,casa\n")
    (formatted / "data/raw/dictionary/more.csv").write_text("palabra,significado\nsopo,agua\n")
    now = found(formatted)
    assert now["ingest"].state == "stale"
    assert "new input: dictionary/more.csv; input changed: dictionary/words.csv" in now["ingest"].why
    assert "as last time" in now["ingest"].why
    assert now["align"].state == "done", "it is judged by what there is now"


def test_a_changed_setting_is_the_reason(formatted: Path) -> None:
    [state] = found(formatted, "format.val=0.2", way=[format]).values()
    assert (state.state, "format.val was set to 0." in state.why) == ("stale", True), state


def test_what_was_begun_is_not_finished(formatted: Path) -> None:
    manifest = formatted / "data/processed/ingest/manifest.json"
    parts = sorted(manifest.parent.glob("part-*.json"))
    parts[0].unlink()
    manifest.unlink()
    [state] = found(formatted, way=[ingest]).values()
    assert state.why.startswith("not finished; 1 of 4 parts")


def test_nothing_is_changed(formatted: Path) -> None:
    before = tree(formatted)
    found(formatted, "format.val=0.2", way=[*WAY, train])
    assert tree(formatted) == before
    with (
        preview(),
        pytest.raises(WouldRun, match=r"^format +would run  \d of \d parts, [\d,]+ rows, about 0:00:01, \d+ kB on disk, as last time"),
    ):
        format.run(settings(formatted, "format.val=0.2"))


def test_a_verb_of_several_steps_has_one_name_and_the_cost_of_all(formatted: Path) -> None:
    with preview(), pytest.raises(WouldRun, match=r"^align +would run  \d+ of \d+ parts, .*about 0:00:\d\d, .*, as last time"):
        align.run(settings(formatted, "align.band=40"))


def test_an_error_stays_until_the_verb_works(formatted: Path) -> None:
    store = Store(str(formatted))
    with pytest.raises(SeshatError), failing("data-stats", store):
        raise SeshatError("the disk is full")
    [state] = found(formatted, way=[data_stats]).values()
    assert (state.state, state.why) == ("failed", "the disk is full")
    with failing("data-stats", store):
        data_stats.run(settings(formatted))
    assert failures(store) == {}
    assert found(formatted, way=[data_stats])["data-stats"].state == "done"


def test_the_commands(formatted: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    arguments = [f"root={formatted}", "language=configs/languages/sample.yaml", "execution=local"]
    with pytest.raises(SystemExit) as ended:
        main(format.run, "Format.", previews=True, argv=["--dry-run", *arguments, "format.val=0.2"])
    assert ended.value.code == 0
    assert capsys.readouterr().out.split()[:3] == ["format", "would", "run"]
    with pytest.raises(SystemExit) as ended:
        main(ocr.run, "Read.", argv=["--dry-run", *arguments])
    assert ended.value.code == 2, "a verb that cannot say what it would do refuses to"
    capsys.readouterr()
    with pytest.raises(SystemExit):
        main(status_job.run, "Status.", arguments=status_job.ARGUMENTS, argv=["--json", *arguments])
    told = {one["verb"]: one["state"] for one in json.loads(capsys.readouterr().out)}
    assert (told["ingest"], told["format"], told["data-stats"]) == ("done", "done", "to do")
