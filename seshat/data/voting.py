"""Two engines read a page, and every line of it is put to the vote (after ROVER; Fiscus, 1997)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from rapidfuzz.distance import Levenshtein

from seshat.engines.ocr import Line


def vote(readings: Sequence[Sequence[Line]]) -> list[Line]:
    """The lines of the first reading, each as the engine wrote it that is surer of it.

    A line is believed as far as the engines agree: its confidence is the better one times the share of letters that they have in
    common. Lines that only one engine found stay, at half its confidence. One reading is what it is.
    """
    first, *others = readings
    found = list(first)
    for other in others:
        found = _merged(found, other)
    return found


def _merged(first: Sequence[Line], second: Sequence[Line]) -> list[Line]:
    left = list(second)
    merged = []
    for line in first:
        pieces = [other for other in left if _covered(other, line) > 0.5]
        if not pieces:
            merged.append(replace(line, confidence=line.confidence / 2))
            continue
        left = [other for other in left if other not in pieces]
        merged.append(_better(line, _together(pieces)))
    return merged + [replace(line, confidence=line.confidence / 2) for line in left if not any(_covered(line, one) > 0.2 for one in first)]


def _better(one: Line, other: Line) -> Line:
    """The surer of two readings, believed as far as they agree."""
    agreed = 1 - Levenshtein.normalized_distance(one.text, other.text)
    surer = one if one.confidence >= other.confidence else replace(other, box=one.box)
    return replace(surer, confidence=surer.confidence * agreed)


def _together(pieces: Sequence[Line]) -> Line:
    ordered = sorted(pieces, key=lambda line: line.box[0])
    length = sum(len(line.text) for line in ordered)
    confidence = sum(line.confidence * len(line.text) for line in ordered) / max(1, length)
    return Line(" ".join(line.text for line in ordered), confidence, ordered[0].box)


def _covered(inner: Line, outer: Line) -> float:
    """Which share of a line's box lies in another's."""
    width = min(inner.box[2], outer.box[2]) - max(inner.box[0], outer.box[0])
    height = min(inner.box[3], outer.box[3]) - max(inner.box[1], outer.box[1])
    area = (inner.box[2] - inner.box[0]) * inner.height
    return max(0.0, width) * max(0.0, height) / area if area > 0 else 0.0
