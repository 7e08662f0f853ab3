"""What an answer says and the reference does not, and the other way round."""

from __future__ import annotations

import pytest

from seshat.evaluation.word_diff import word_diff


@pytest.mark.parametrize(
    ("answer", "reference", "found"),
    [
        ("la mujer ve", "la mujer ve", [("same", "la mujer ve")]),
        ("la mujer ve", "la niña ve el río", [("same", "la"), ("said", "mujer"), ("wanted", "niña"), ("same", "ve"), ("wanted", "el río")]),
        ("", "ve", [("wanted", "ve")]),
        ("ve", "", [("said", "ve")]),
        ("", "", []),
    ],
)
def test_runs_of_words(answer: str, reference: str, found: list[tuple[str, str]]) -> None:
    assert list(word_diff(answer, reference)) == found
