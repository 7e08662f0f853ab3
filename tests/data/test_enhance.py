"""What makes a page legible: an even background, level lines."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from seshat.data.enhance import divide_background, skew, straighten
from tests.data.test_ocr import printed


def test_dividing_by_the_background_takes_a_shadow_away_and_leaves_the_ink() -> None:
    page = np.asarray(printed(["tinta"] * 6), dtype=np.float32)
    shadow = np.linspace(1.0, 0.4, page.shape[1], dtype=np.float32)
    clean = np.asarray(divide_background(Image.fromarray((page * shadow).astype(np.uint8))))
    assert clean[:100].min() > 235
    assert clean.min() < 100


@pytest.mark.parametrize("angle", [-2.0, -0.6, 0.0, 1.3])
def test_the_skew_of_a_page_is_measured_and_undone(angle: float) -> None:
    turned = printed(["una línea de texto bastante larga que cruza la página"] * 8).rotate(angle, fillcolor=255)
    assert skew(turned) == pytest.approx(angle, abs=0.15)
    assert abs(skew(straighten(turned))) < 0.15


def test_an_empty_page_has_no_skew() -> None:
    assert skew(Image.new("L", (800, 1000), 255)) == 0.0
