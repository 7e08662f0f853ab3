"""What a stage depends on, and the one guard that keeps a bad record from stopping a run."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any, ClassVar

import pytest

from seshat.data.clean import FilterAlphabet
from seshat.errors import ConfigError, EngineError, SeshatError, StoreError
from seshat.stage import Resources, Stage, guarded
from tests.make import LANGUAGE, pair
from tests.stages import Engine, Shout, Stumble, StumbleTogether

TEN = [pair(str(number), "x") for number in range(10)]


def test_one_bad_record_among_many_is_rejected_alone_with_its_reason() -> None:
    results = list(guarded(Stumble(at="6"), TEN))
    assert [record.text for record in results] == [record.text for record in TEN]
    assert [record.rejected for record in results if record.rejected] == ["error: Stumble: ZeroDivisionError('cannot say 6')"]
    assert results[6].reason == "error"


def test_bad_data_is_rejected_with_its_own_sentence() -> None:
    [result] = guarded(Stumble(at="6", error="DataError"), TEN[6:7])
    assert result.rejected == "unreadable: cannot say 6"


def test_records_that_belong_together_are_rejected_together() -> None:
    results = list(guarded(StumbleTogether(at="6"), TEN))
    assert [record.text for record in results if record.rejected] == ["4", "5", "6", "7"]
    assert len({record.rejected for record in results[4:8]}) == 1


@pytest.mark.parametrize("error", [EngineError, ConfigError, StoreError])
def test_what_is_not_the_fault_of_a_record_stops_the_run(error: type[SeshatError]) -> None:
    with pytest.raises(error, match="cannot say 6"):
        list(guarded(Stumble(at="6", error=error.__name__), TEN))


def test_rejected_records_pass_by_in_their_place() -> None:
    records = [TEN[0], TEN[1].reject("copy"), TEN[2]]
    results = list(guarded(Shout(), records))
    assert [record.text for record in results] == ["0!", "1", "2!"]
    assert results[1] is records[1]


def test_no_record_gives_no_record() -> None:
    assert list(guarded(Shout(), [])) == []


@pytest.mark.parametrize("batch", [1, 2, 1_000])
def test_results_do_not_depend_on_the_batch(batch: int) -> None:
    stage = Shout(resources=Resources(batch=batch))
    assert list(guarded(stage, TEN)) == list(guarded(Shout(), TEN))


def test_a_loaded_engine_is_left_behind_and_parameters_are_not(tmp_path: Path) -> None:
    log = tmp_path / "log"
    stage = Engine(log=str(log))
    list(stage(TEN[:2]))
    moved = pickle.loads(pickle.dumps(stage))
    assert moved == Engine(log=str(log))
    list(moved(TEN[:2]))
    assert len(log.read_text().split()) == 2


class Newer(Shout):
    """The same stage with another meaning."""

    version: ClassVar[int] = 2

    @property
    def name(self) -> str:
        return "Shout"


class Dependent(Shout):
    """The same stage with other weights."""

    @property
    def depends_on(self) -> str:
        return "weights 2"

    @property
    def name(self) -> str:
        return "Shout"


@pytest.mark.parametrize(
    ("stage", "same"),
    [
        (Shout(), True),
        (Shout(resources=Resources(cpus=2, gpus=1, workers=8, batch=64)), True),
        (Shout(suffix="?"), False),
    ],
)
def test_a_fingerprint_is_of_the_parameters_and_not_of_the_resources(stage: Stage[Any, Any], same: bool) -> None:
    assert (stage.fingerprint == Shout().fingerprint) is same


@pytest.mark.parametrize("kind", [Newer, Dependent])
def test_a_fingerprint_is_of_the_version_and_of_what_the_stage_depends_on(kind: type[Shout]) -> None:
    assert kind().fingerprint != Shout().fingerprint


def test_a_fingerprint_is_of_the_sections_inside() -> None:
    other = LANGUAGE.model_copy(update={"alphabet": "a"})
    assert FilterAlphabet(language=other).fingerprint != FilterAlphabet(language=LANGUAGE).fingerprint


@pytest.mark.parametrize("wrong", [{"cpus": 0}, {"workers": -1}, {"batch": 0}, {"gpus": -1}])
def test_impossible_resources_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="greater than"):
        Resources(**wrong)  # type: ignore[arg-type]
