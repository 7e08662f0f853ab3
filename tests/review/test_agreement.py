"""Krippendorff's alpha against the values that he published."""

from __future__ import annotations

from typing import Literal

import pytest

from seshat.review.agreement import alpha

# Krippendorff (2011), "Computing Krippendorff's Alpha-Reliability", section D: four observers, twelve units, missing values.
OBSERVERS = ("123321412...", "1233224125.3", ".3332342251.", "12332441251.")
PUBLISHED = [[int(mark) for mark in unit if mark != "."] for unit in zip(*OBSERVERS, strict=True)]


@pytest.mark.parametrize(("scale", "published"), [("nominal", 0.743), ("ordinal", 0.815)])
def test_alpha_is_the_published_one(scale: Literal["nominal", "ordinal"], published: float) -> None:
    assert alpha(PUBLISHED, scale) == pytest.approx(published, abs=0.0005)


def test_neighbouring_marks_disagree_less_than_distant_ones() -> None:
    near, far = [[1, 2], [4, 5], [3, 3], [1, 1]], [[1, 5], [4, 1], [3, 3], [1, 1]]
    assert alpha(near, "ordinal") > 0.5 > alpha(far, "ordinal")  # type: ignore[operator]
    assert alpha([[1, 1], [5, 5]], "ordinal") == 1.0


@pytest.mark.parametrize("rows", [[], [[3], [4]], [[3, 3], [3, 3]]])
def test_alpha_is_not_defined_without_two_marks_that_could_differ(rows: list[list[int]]) -> None:
    assert alpha(rows, "ordinal") is None
