"""What no node can hold is said, not waited for."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from seshat.cluster.data import run_step
from seshat.errors import EngineError
from seshat.records import RawFile
from seshat.settings import Settings
from seshat.stage import Resources
from seshat.step import Part, Step
from tests.make import LANGUAGE, raw
from tests.stages import ReadWords


@pytest.mark.ray
@pytest.mark.parametrize(
    ("resources", "said"),
    [
        (
            Resources(cpus=1, gpus=1),
            r"^ocr: a worker asks for 1 CPU and 1 GPU, and no node has that .*: lower ocr\.resources\.gpus, or start",
        ),
        (Resources(cpus=64), r"asks for 64 CPU, and no node has that \(nodes: 2 CPU and 0 GPU\): lower ocr\.resources\.cpus"),
    ],
)
def test_an_infeasible_request_fails_with_what_is_missing(tmp_path: Path, ray_session: None, resources: Resources, said: str) -> None:
    step = Step("ocr", (ReadWords(resources=resources),), (Part((raw("a b"),)),))
    settings = Settings(language=LANGUAGE, root=str(tmp_path))
    settings = settings.model_copy(update={"cluster": settings.cluster.model_copy(update={"patience": 1.0})})
    start = time.monotonic()
    with pytest.raises(EngineError, match=said):
        run_step(step, settings)
    assert time.monotonic() - start < 30
    assert isinstance(step.parts[0].inputs[0], RawFile)


@pytest.mark.ray
def test_more_workers_than_there_is_room_for_wait_for_each_other(tmp_path: Path, ray_session: None) -> None:
    parts = tuple(Part((raw(f"word{number}"),)) for number in range(6))
    step = Step("ingest", (ReadWords(resources=Resources(cpus=2, workers=4)),), parts)
    assert run_step(step, Settings(language=LANGUAGE, root=str(tmp_path))).kept == 6
