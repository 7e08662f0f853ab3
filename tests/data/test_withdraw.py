"""A source that its owners take back: nothing of it stays in the data, and whatever saw it is named."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from jobs import align, data_stats, format, ingest, ocr, withdraw
from seshat.command import run as run_verb
from seshat.data.format import Format
from seshat.data.ocr import Ocr
from seshat.data.withdraw import Plan, carry_out, check_gone, plan
from seshat.errors import ConfigError, StoreError
from seshat.prompts import CARD, Card
from seshat.records import Entry, Page, SentencePair
from seshat.rights import Rights, Source
from seshat.settings import Settings
from seshat.store import PROCESSED, Store
from seshat.withdrawals import FILE, read_withdrawals
from tests.make import LANGUAGE, copied, finish

SECRET = "zakuro"
"""A word of the source, in every form in which it is kept."""
RAW = {
    "transcriptions/a.csv": "tamuri,español\nama kene,el dibujo\nama joni,el hombre\n",
    "transcriptions/b #2.csv": f"tamuri,español\nama {SECRET},el secreto\n{SECRET} kene ama joni,otro secreto de ellos\n",
    "transcriptions/told/c.csv": f"tamuri,español\njoni {SECRET} ama,tercer secreto\n",
    "transcriptions/told/SOURCE.yaml": "title: Told\n",
    "translations/laws.qtm.txt": f"ama kene joni.\njoni {SECRET} kene.\n",
    "translations/laws.spa.txt": "el dibujo del hombre.\nel hombre del dibujo.\n",
    "dictionary/d.csv": f"palabra,significado\nkene,dibujo\n{SECRET},secreto\n",
}


def write(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = root / "data/raw" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def make_data(settings: Settings) -> None:
    """The data verbs, in this process, and what is made of their results."""
    for verb in (ingest, align, format, data_stats):
        verb.run(settings)
    store = Store(settings.root)
    store.write(f"{PROCESSED}/pack/x/rows.arrow", SECRET.encode())
    store.write(f"{PROCESSED}/pack/x/part-2.arrow", SECRET.encode())
    store.write(f"{PROCESSED}/ingest/part-1.json.ab12cd34.tmp", SECRET.encode())


@pytest.fixture
def settings(workspace: Settings, tmp_path: Path) -> Settings:
    """A workspace of the test's own."""
    return copied(workspace, tmp_path)


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A workspace whose data is made, twice: the first time, another secret was in it."""
    tmp_path = tmp_path_factory.mktemp("made")
    write(tmp_path, RAW | {"transcriptions/b #2.csv": f"tamuri,español\n{SECRET} ama ama,primer secreto\n"})
    made = Settings(root=str(tmp_path), language=LANGUAGE, execution="local", format=Format(test=0, val=0, max_rejected=1))
    make_data(made)
    write(tmp_path, RAW)
    make_data(made)
    return made


def contents(root: Path) -> Iterator[tuple[str, str, str]]:
    """Path, origin and text of all that is stored of the data: rows of Parquet files, lines of others."""
    for path in (path for folder in (PROCESSED, "data/training") for path in (root / folder).rglob("*") if path.is_file()):
        if path.suffix == ".parquet":
            yield from ((path.name, row["origin"], str(row)) for row in pq.read_table(path).to_pylist())
        else:
            yield from ((path.name, "", line) for line in path.read_bytes().decode("utf-8", "replace").split("\n"))


def kept_of(root: Path, *sources: str) -> list[str]:
    """Where something of the sources is stored, or named."""
    return [name for name, origin, text in contents(root) if any(source in (origin or text) for source in sources)]


def secret(root: Path) -> set[str]:
    return {name for name, _, text in contents(root) if SECRET in text}


def snapshot(root: Path) -> dict[str, tuple[int, int]]:
    found = {path: path.stat() for path in root.rglob("*") if path.is_file()}
    return {str(path.relative_to(root)): (stat.st_ino, stat.st_mtime_ns) for path, stat in found.items()}


def take_back(settings: Settings, source: str, *, why: str = "", dry_run: bool = False, undo: bool = False) -> str:
    return str(withdraw.run(settings, source=source, why=why, dry_run=dry_run, undo=undo))


ALL = ("transcriptions", "translations", "dictionary/d.csv")


def test_nothing_of_a_source_is_left_in_the_data(settings: Settings) -> None:
    root = Path(settings.root)
    assert {"train.jsonl", "rows.arrow", "part-2.arrow", "stats.json", "part-1.json.ab12cd34.tmp"} <= secret(root)
    assert len([name for name in secret(root) if name.endswith(".parquet")]) > 8
    write(root, {"dictionary/e.csv": "palabra,significado\njoni,hombre\n"})
    for source in ALL:
        take_back(settings, source)
    assert secret(root) == set()
    assert kept_of(root, *ALL) == []
    assert [entry.headword for entry in Store(settings.root).records("ingest", Entry)] == ["joni"]
    assert SECRET in (root / "data/raw/transcriptions/b #2.csv").read_text()


@pytest.mark.parametrize(
    ("source", "gone", "stays"),
    [
        ("transcriptions/b #2.csv", {"b #2.csv"}, {"a.csv", "c.csv", "laws.qtm.txt", "d.csv"}),
        ("transcriptions/told", {"c.csv"}, {"a.csv", "b #2.csv", "laws.qtm.txt", "d.csv"}),
        ("transcriptions", {"a.csv", "b #2.csv", "c.csv"}, {"laws.qtm.txt", "d.csv"}),
        ("translations/laws.spa.txt", {"laws.spa.txt"}, {"a.csv", "b #2.csv", "c.csv", "laws.qtm.txt", "d.csv"}),
    ],
    ids=["a file", "a collection in another", "a folder", "one side of a document"],
)
def test_a_source_is_a_file_or_a_folder_and_the_rest_stays(settings: Settings, source: str, gone: set[str], stays: set[str]) -> None:
    root = Path(settings.root)
    assert all(kept_of(root, name) for name in gone)
    said = take_back(settings, source)
    assert {name for name in gone if kept_of(root, name)} == set()
    assert {name for name in stays if kept_of(root, name)} == stays
    assert f"{len(gone)} files left out" in said


def test_parts_without_the_source_are_not_made_again(settings: Settings) -> None:
    root = Path(settings.root)
    others = {name: place for name, place in snapshot(root / PROCESSED / "ingest").items() if name.startswith("part-")}
    take_back(settings, "transcriptions/a.csv")
    after = snapshot(root / PROCESSED / "ingest")
    kept = {name: place for name, place in others.items() if name in after}
    assert {name: after[name] for name in kept} == kept
    assert len(others) - len(kept) == 3  # the part, in two files, and what a killed run has left


def test_a_dry_run_says_all_and_changes_nothing(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    root = Path(settings.root)
    Store(settings.root).write(
        f"models/gguf/old/{CARD}", Card(name="old", language=LANGUAGE, base="b", rights=RIGHTS).model_dump_json().encode()
    )
    before = snapshot(root)
    take_back(settings, "transcriptions", why="the village asked", dry_run=True)
    assert snapshot(root) == before
    said = capsys.readouterr().out
    assert "withdraw transcriptions (the village asked): 3 raw files (transcriptions, transcriptions/told)" in said
    assert "raw files are yours and are not touched" in said
    assert "data/training: 1\n" in said
    assert "data/processed/ingest: 9\n" in said
    assert "run      ingest, align, format" in said
    assert "saw it   models/gguf/old: make export-gguf after training" in said


def test_an_undone_withdrawal_leaves_the_data_as_it_was(settings: Settings) -> None:
    path = Path(settings.root) / "data/training/train.jsonl"
    before = path.read_bytes()
    take_back(settings, "transcriptions/told", why="a mistake")
    assert path.read_bytes() != before
    assert [(one.source, one.why) for one in read_withdrawals(Store(settings.root)).sources] == [("transcriptions/told", "a mistake")]
    take_back(settings, "transcriptions/told", undo=True)
    assert path.read_bytes() == before
    assert read_withdrawals(Store(settings.root)).sources == ()


class Dying(Store):
    """Is killed when it deletes the file of a number."""

    def __init__(self, root: str, until: int) -> None:
        super().__init__(root)
        self.left = until

    def remove(self, name: str) -> None:
        if self.left == 0:
            raise KeyboardInterrupt
        self.left -= 1
        super().remove(name)


@pytest.mark.parametrize("until", [0, 1, 4, 9])
def test_a_withdrawal_that_was_killed_is_finished_by_the_same_command(settings: Settings, until: int) -> None:
    root, source = Path(settings.root), "transcriptions"
    with pytest.raises(KeyboardInterrupt):
        carry_out(plan(Store(settings.root), f"{root}/data/raw", source), Dying(settings.root, until))
    assert read_withdrawals(Store(settings.root)).covers("transcriptions/a.csv#line=2")
    take_back(settings, source)
    assert kept_of(root, source) == []
    assert [name for name in secret(root) if name.endswith((".tmp", ".arrow"))] == []


def test_records_that_come_back_are_noticed(settings: Settings) -> None:
    store = Store(settings.root)
    todo = plan(store, store.path("data/raw"), "transcriptions/told")
    with pytest.raises(StoreError, match=r"\d+ records of transcriptions/told are back .* run 'seshat withdraw transcriptions/told' again"):
        check_gone(todo, store)
    carry_out(todo, store)
    check_gone(todo, store)


@pytest.mark.parametrize(
    ("source", "undo", "said"),
    [
        ("transcriptions/tolt", False, "did you mean 'transcriptions/told'?"),
        ("transcriptions", True, "'transcriptions' has not been withdrawn"),
    ],
)
def test_what_is_no_source_is_refused(settings: Settings, source: str, undo: bool, said: str) -> None:
    with pytest.raises(ConfigError, match="transcriptions") as refusal:
        take_back(settings, source, undo=undo)
    assert said in str(refusal.value)
    assert not (Path(settings.root) / FILE).exists()


def test_a_source_that_is_gone_from_the_raw_folder_can_still_be_withdrawn(settings: Settings) -> None:
    root = Path(settings.root)
    os.remove(root / "data/raw/transcriptions/told/c.csv")
    take_back(settings, f"{root}/data/raw/transcriptions/told/")
    assert kept_of(root, "transcriptions/told") == []


def test_scans_that_were_all_withdrawn_leave_no_pages(tmp_path: Path) -> None:
    write(tmp_path, {"scans/a.png": "x", "dictionary/d.csv": RAW["dictionary/d.csv"]})
    store, made = Store(str(tmp_path)), Settings(root=str(tmp_path), language=LANGUAGE, execution="local", ocr=Ocr(engine="fake"))
    page = Page(origin="scans/a.png#page=1", collection="scans", name="scans/a", number=1, language="qtm", text=SECRET, confidence=1.0)
    finish(store, "ocr", [page])
    assert "1 files withdrawn" in take_back(made, "scans") + str(ocr.run(made))
    assert list(store.records("ocr", Page)) == []
    assert store.require("ocr", "format").parts == ()
    assert secret(tmp_path) == set()


# What saw it

RIGHTS = Rights(sources={"transcriptions": Source()})


def learners(store: Store, source: str) -> dict[str, str]:
    found: Plan = plan(store, store.path("data/raw"), source)
    return {one.path: one.cure for one in found.learners}


def test_every_model_and_report_that_saw_the_source_is_named(settings: Settings) -> None:
    store = Store(settings.root)
    card = Card(name="m", language=LANGUAGE, base="b", rights=RIGHTS)
    for folder in ("models/adapters/m", "models/merged/m", "models/gguf/m"):
        store.write(f"{folder}/{CARD}", card.model_dump_json().encode())
    store.write(f"models/gguf/new/{CARD}", card.model_copy(update={"without": ("transcriptions",)}).model_dump_json().encode())
    store.write("models/adapters/broken-off/checkpoints/step-000001/weights.safetensors", b"x")
    for folder in ("reports", "reports/runs/m"):
        store.write(f"{folder}/samples.jsonl", b'{"origin": "transcriptions/a.csv#line=2"}\n')
    store.write("reports/runs/other/samples.jsonl", b'{"origin": "translations/laws.qtm.txt#line=1"}\n')
    found = learners(store, "transcriptions")
    models = ["models/adapters/broken-off", "models/adapters/m", "models/gguf/m", "models/merged/m"]
    assert sorted(found) == [*models, "reports", "reports/runs/m"]
    assert found["models/adapters/m"].startswith("train again (make train ARGS=training.name=m)")
    assert sorted(learners(store, "dictionary")) == ["models/adapters/broken-off"]


def test_reports_of_a_model_that_saw_the_source_are_named(settings: Settings) -> None:
    store = Store(settings.root)
    store.write(f"models/adapters/m/{CARD}", Card(name="m", language=LANGUAGE, base="b", rights=RIGHTS).model_dump_json().encode())
    store.write("reports/samples.jsonl", b'{"origin": "translations/laws.qtm.txt#line=1"}\n')
    store.write("reports/evaluation.json", b'{"name": "m"}')
    assert "reports" in learners(store, "transcriptions/told")
    store.write("reports/evaluation.json", b'{"name": "another"}')
    assert "reports" not in learners(store, "transcriptions/told")


def test_the_command_takes_a_source_and_settings(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    config = Path(settings.root) / "c.yaml"
    config.write_text("language: {code: qtm, name: tamuri}\nexecution: local\nformat: {test: 0, val: 0, max_rejected: 1}\n")
    common = ["--config", str(config), f"root={settings.root}"]
    assert run_verb(withdraw.run, "", arguments=withdraw.ARGUMENTS, argv=["transcriptions/told", "--why", "they asked", *common]) == 0
    assert "3 files withdrawn" not in (said := capsys.readouterr().out)
    assert "1 files withdrawn" in said
    assert [pair.collection for pair in Store(settings.root).records("ingest", SentencePair)] == ["transcriptions"] * 4
