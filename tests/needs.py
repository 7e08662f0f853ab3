"""What some tests need of the machine."""

from __future__ import annotations

import pytest

from seshat.engines.ocr import engine_version
from seshat.errors import EngineError


def _has_spanish_pack() -> bool:
    try:
        engine_version("tesseract", ("spa",))
    except EngineError:
        return False
    return True


needs_tesseract = pytest.mark.skipif(not _has_spanish_pack(), reason="needs Tesseract's Spanish language pack (make install)")
