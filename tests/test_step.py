"""A step cuts its input into parts and commits each; everything else about it follows from that."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from seshat.data.clean import FilterCopy, FilterLength
from seshat.errors import DataError, EngineError, SeshatError, StoreError
from seshat.records import SentencePair
from seshat.stage import Resources
from seshat.step import Outcome, Part, Step, outcome
from seshat.store import Manifest, Store, slices
from tests.make import finish, pair, raw
from tests.stages import Engine, ReadWords, Shout, Slow, Stumble, Swallow

PARTS = tuple(Part((raw(name),)) for name in ("ama kene", "joni", "ainbo bad yora"))
STEP = Step("ingest", (ReadWords(), Shout()), PARTS)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(str(tmp_path))


def do(step: Step, store: Store) -> Manifest:
    """A whole step, in this process."""
    for part in step.parts:
        step.work(part, store)
    return step.finish(store)


def texts(store: Store, stage: str = "ingest") -> list[str]:
    return [record.text for record in store.records(stage, SentencePair)]


def test_stages_run_one_after_the_other_over_the_parts_in_order(store: Store) -> None:
    do(STEP, store)
    assert texts(store) == ["AMA!", "KENE!", "JONI!", "AINBO!", "BAD!", "YORA!"]


def test_parts_may_be_made_in_any_order(tmp_path: Path) -> None:
    one, other = Store(str(tmp_path / "one")), Store(str(tmp_path / "other"))
    for part in reversed(PARTS):
        STEP.work(part, other)
    assert do(STEP, one) == STEP.finish(other)


def test_a_part_that_is_whole_is_not_made_again(store: Store, tmp_path: Path) -> None:
    log = tmp_path / "log"
    step = Step("ingest", (ReadWords(), Slow(seconds=0, log=str(log))), PARTS)
    assert step.work(PARTS[0], store) == step.work(PARTS[0], store)
    assert log.read_text().split()[1::2] == ["ama", "kene"]


def test_a_damaged_part_is_made_again(store: Store, tmp_path: Path) -> None:
    line = STEP.work(PARTS[0], store)
    (tmp_path / line.files[0].path).write_bytes(b"")
    assert STEP.work(PARTS[0], store) == line
    assert store.size(line.files[0].path) == line.files[0].size


def test_a_step_is_done_when_all_is_and_nothing_changed(store: Store) -> None:
    manifest = do(STEP, store)
    assert STEP.done(store) == manifest


@pytest.mark.parametrize(
    "other",
    [
        replace(STEP, stages=(ReadWords(), Shout(suffix="?"))),
        replace(STEP, stages=(ReadWords(),)),
        replace(STEP, parts=PARTS[:2]),
        replace(STEP, parts=(*PARTS, Part((raw("new"),)))),
        replace(STEP, parts=(*PARTS[:2], Part((raw("ainbo bad yora", "other bytes"),)))),
    ],
    ids=["a parameter", "a stage", "a part less", "a part more", "other bytes"],
)
def test_a_step_is_not_done_when_something_changed(store: Store, other: Step) -> None:
    do(STEP, store)
    assert other.done(store) is None


def test_resources_and_where_files_lie_change_nothing(store: Store) -> None:
    manifest = do(STEP, store)
    moved = tuple(Part((replace(part.inputs[0], path="/elsewhere"),)) for part in PARTS)
    assert Step("ingest", (ReadWords(), Shout(resources=Resources(cpus=2, batch=64))), moved).done(store) == manifest


def test_only_new_parts_are_made_when_material_is_added(store: Store, tmp_path: Path) -> None:
    log = tmp_path / "log"
    stages = (ReadWords(), Slow(seconds=0, log=str(log)))
    do(Step("ingest", stages, PARTS[:2]), store)
    log.unlink()
    do(Step("ingest", stages, PARTS), store)
    assert log.read_text().split()[1::2] == ["ainbo", "bad", "yora"]


def test_a_step_cannot_finish_while_parts_are_missing(store: Store) -> None:
    STEP.work(PARTS[1], store)
    with pytest.raises(SeshatError, match="ingest: 2 of 3 parts were not made; run the same command again"):
        STEP.finish(store)
    assert STEP.done(store) is None


def test_a_step_without_parts_is_done_with_nothing(store: Store) -> None:
    assert do(replace(STEP, parts=()), store).rows_in == 0


# What is rejected


def test_every_record_that_was_read_is_kept_or_counted(store: Store) -> None:
    manifest = do(replace(STEP, stages=(ReadWords(), Stumble())), store)
    assert (manifest.rows_in, manifest.kept, manifest.rejected) == (6, 5, {"error": 1})


def test_too_many_rejected_records_fail_the_run_with_the_counts(store: Store) -> None:
    step = replace(STEP, stages=(ReadWords(), Stumble(error="DataError")), max_rejected=0.1)
    with pytest.raises(DataError, match=r"ingest: 17% of 6 rows were rejected \(unreadable 1\), more than ingest.max_rejected=0.1"):
        do(step, store)
    assert step.done(store) is None
    assert do(replace(step, max_rejected=0.2), store).rejected == {"unreadable": 1}


def test_reasons_are_counted_over_all_parts_the_most_frequent_first(store: Store) -> None:
    finish(store, "ingest", [pair("ama", "ama"), pair("a b c", "x")], [pair("b c d", "y"), pair("joni", "hombre")])
    parts = tuple(Part((piece,)) for piece in slices(store.files("ingest", SentencePair), 1))
    manifest = do(Step("align", (FilterCopy(), FilterLength(maximum=2)), parts, max_rejected=1), store)
    assert list(manifest.rejected.items()) == [("length", 2), ("copy", 1)]


def test_what_an_earlier_step_rejected_does_not_go_on(store: Store) -> None:
    finish(store, "ingest", [pair("ama", "x").reject("copy"), pair("joni", "hombre")])
    parts = tuple(Part((piece,)) for piece in slices(store.files("ingest", SentencePair), 10))
    do(Step("align", (Shout(),), parts), store)
    assert [record.text for record in store.records("align", SentencePair)] == ["JONI!"]


def test_a_step_that_must_conserve_fails_if_a_record_is_lost(store: Store) -> None:
    step = Step("ocr", (ReadWords(), Swallow()), PARTS, conserves=True)
    with pytest.raises(DataError, match="ocr: 1 records went in and 0 came out; this is a bug"):
        step.work(PARTS[0], store)


def test_a_missing_engine_stops_the_step_and_leaves_no_part(store: Store) -> None:
    step = Step("ingest", (ReadWords(), Stumble(error="EngineError")), PARTS)
    with pytest.raises(EngineError, match="cannot say bad"):
        do(step, store)
    assert [store.part("ingest", step.key(part)) is not None for part in PARTS] == [True, True, False]


# Where the input comes from


def test_rows_of_an_earlier_step_are_read_piece_by_piece(store: Store) -> None:
    do(STEP, store)
    parts = tuple(Part((piece,)) for piece in slices(store.files("ingest", SentencePair), 2))
    manifest = do(Step("align", (Shout(suffix="?"),), parts), store)
    assert texts(store, "align") == ["AMA!?", "KENE!?", "JONI!?", "AINBO!?", "BAD!?", "YORA!?"]
    assert sorted(manifest.inputs) == sorted(file.path for file in store.files("ingest", SentencePair))


def test_damaged_input_stops_the_step(store: Store, tmp_path: Path) -> None:
    do(STEP, store)
    [part, *_] = [Part((piece,)) for piece in slices(store.files("ingest", SentencePair), 2)]
    path = tmp_path / store.files("ingest", SentencePair)[0].path
    path.write_bytes(path.read_bytes()[::-1])
    with pytest.raises(StoreError, match="is not what its manifest says"):
        Step("align", (Shout(),), (part,)).work(part, store)


def test_a_manifest_names_the_raw_files_and_their_digests(store: Store) -> None:
    assert do(STEP, store).inputs == {"ama kene": "ama kene", "joni": "joni", "ainbo bad yora": "ainbo bad yora"}


# What a step asks for, and what it reports


def test_a_worker_gets_what_the_hungriest_stage_needs(tmp_path: Path) -> None:
    stages: tuple[Any, ...] = (
        Shout(resources=Resources(cpus=0.5, gpus=1, workers=8)),
        Engine(log="", resources=Resources(cpus=2, workers=3)),
        ReadWords(),
    )
    step = Step("ocr", stages, ())
    assert step.resources == Resources(cpus=2, gpus=1, workers=3)
    assert (step.loads_engine, STEP.loads_engine) == (True, False)


@pytest.mark.parametrize(
    ("made", "line"),
    [
        (Outcome(stage="train", seconds=12.34, note="models/adapters/a"), "train                   12.3 s  models/adapters/a"),
        (Outcome(stage="ocr", done_before=True), "ocr                 up to date"),
        (
            Outcome(stage="align", rows_in=41203, kept=38911, rejected={"ratio": 1420, "length": 872}, seconds=2),
            "align                    2.0 s    41,203 rows   38,911 kept   2,292 rejected: ratio 1,420, length 872",
        ),
    ],
)
def test_an_outcome_is_one_line(made: Outcome, line: str) -> None:
    assert str(made) == line


def test_an_outcome_reports_what_the_manifest_counts(store: Store) -> None:
    manifest = do(replace(STEP, stages=(ReadWords(), Stumble())), store)
    assert outcome(manifest, seconds=1.5, note="n") == Outcome(
        stage="ingest", rows_in=6, kept=5, rejected={"error": 1}, seconds=1.5, note="n"
    )


def test_a_funnel_has_a_line_for_each_reason() -> None:
    outcome = Outcome(stage="align", rows_in=1_000, kept=975, rejected={"ratio": 20, "boilerplate": 5}, seconds=2)
    first, *reasons, how = outcome.funnel.splitlines()
    assert first.split() == ["align", "2.0", "s", "1,000", "rows", "975", "kept", "25", "rejected"]
    assert [line.split() for line in reasons] == [["ratio", "20", "2.00%"], ["boilerplate", "5", "0.50%"]]
    assert how.endswith("seshat rejected align")
    assert Outcome(stage="align", rows_in=2, kept=2).funnel == str(Outcome(stage="align", rows_in=2, kept=2))
