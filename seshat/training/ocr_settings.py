"""What ``ocr_learn`` sets: how OCR learns an alphabet."""

from __future__ import annotations

from pydantic import Field

from seshat.config import Section


class OcrLearning(Section):
    """How OCR learns an alphabet (``seshat ocr-learn``). How the values were found: benchmarks/RESULTS.md."""

    num_prints: int = Field(700, ge=1)
    """Pictures of corrected lines, each line as often as any other and at least twice: as it is, and distorted."""
    num_rendered: int = Field(700, ge=0)
    """Lines that are set in fonts, a third of them from texts if there are any."""
    corrected_share: float = Field(0.6, ge=0, le=1)
    """Of a batch, if there are corrected lines."""
    steps: int = Field(600, ge=2)
    batch: int = Field(16, ge=1)
    rate: float = Field(2e-3, gt=0)
    decay: float = Field(1e-3, ge=0)
    seed: int = 1
