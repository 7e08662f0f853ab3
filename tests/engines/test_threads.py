"""A limit of threads under which PyTorch is silently wrong: it does not stay behind, and nobody computes with it."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest

from seshat.command import prepare
from seshat.engines.ocr import Tesseract
from seshat.engines.threads import check_threads
from seshat.engines.transformers_model import TransformersModel
from seshat.errors import EngineError
from tests.needs import needs_tesseract

PRODUCT = """
import torch
torch.set_num_threads(2)
torch.manual_seed(0)
a, b = torch.randn(2048, 256), torch.randn(512, 256)
print(float(((a.bfloat16() @ b.bfloat16().T).float() - a @ b.T).abs().nan_to_num(1e9).max()))
"""


@needs_tesseract
@pytest.mark.parametrize("before", [None, "3"])
def test_what_tesseract_is_loaded_with_does_not_stay(monkeypatch: pytest.MonkeyPatch, before: str | None) -> None:
    monkeypatch.delenv("OMP_THREAD_LIMIT", raising=False)
    if before:
        monkeypatch.setenv("OMP_THREAD_LIMIT", before)
    Tesseract(("spa",))
    assert os.environ.get("OMP_THREAD_LIMIT") == before


def test_nobody_computes_under_the_limit(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("OMP_THREAD_LIMIT", "1")
    check_threads(1)
    with pytest.raises(EngineError, match=r"OMP_THREAD_LIMIT=1 is set, and PyTorch has 2 threads"):
        check_threads(2)
    monkeypatch.setattr("torch.get_num_threads", lambda: 2)
    with pytest.raises(EngineError, match="OMP_NUM_THREADS=1"):
        TransformersModel(str(tmp_path))


def test_a_verb_takes_the_limit_away_and_says_so(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setenv("OMP_THREAD_LIMIT", "1")
    with caplog.at_level(logging.WARNING):
        prepare()
    assert "OMP_THREAD_LIMIT" not in os.environ
    assert "OMP_NUM_THREADS does what is meant" in caplog.text


@pytest.mark.heavy
def test_the_limit_is_still_what_it_was() -> None:
    """Where products are right under it, the check can go."""
    environment = {**os.environ, "OMP_NUM_THREADS": "2"}
    right, limited = (
        float(subprocess.run([sys.executable, "-c", PRODUCT], env=env, capture_output=True, text=True, check=True).stdout)
        for env in (environment, environment | {"OMP_THREAD_LIMIT": "1"})
    )
    assert right < 1
    if limited < 1:
        pytest.skip("this processor or this version of PyTorch computes rightly under OMP_THREAD_LIMIT")
    assert limited > 10
