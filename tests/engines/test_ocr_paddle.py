"""PaddleOCR on the models that come with rapidocr, where the package is installed; and what is said where it is not."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from seshat.engines.ocr import RapidOcr, engine_version
from seshat.engines.ocr_paddle import PaddleOcr
from seshat.errors import EngineError
from tests.data.test_ocr import printed

needs_paddle = pytest.mark.skipif(
    find_spec("paddleocr") is None, reason="needs paddleocr: pip install -c constraints.txt -e '.[paddleocr]'"
)
LINES = ["La casa grande", "El agua del lago"]


@needs_paddle
def test_it_reads_what_rapidocr_reads() -> None:
    page = printed(LINES)
    found = PaddleOcr().read(page)
    assert [one.text for one in found] == LINES == [one.text for one in RapidOcr().read(page)]
    assert all(one.confidence > 0.9 and 0 < one.box[0] < one.box[2] < 1 for one in found)
    assert engine_version("paddleocr", ()).startswith("paddleocr ")


@needs_paddle
def test_a_folder_that_is_no_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match=r"inference\.yml does not say which model it is"):
        PaddleOcr(str(tmp_path))
    with pytest.raises(EngineError, match="holds no models"):
        engine_version("paddleocr", (), str(tmp_path))


def test_without_the_package_the_cure_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "paddleocr", None)
    with pytest.raises(EngineError, match=r"pip install .*\[paddleocr\].*or set ocr\.engine=rapidocr"):
        PaddleOcr()
