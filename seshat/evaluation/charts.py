"""Small drawings for the report, as SVG that stands in the page itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from seshat.evaluation.floors import FLOORS, System
from seshat.evaluation.results import ScoreRow

WIDTH, ROW, LEFT, RIGHT = 420, 28, 110, 44
_FEW = 40
"""Points of a curve that are drawn as points, too."""


def intervals(rows: Sequence[ScoreRow], labels: Mapping[System, str]) -> str:
    """The scores of all systems as dots with whiskers on one scale that begins at 0."""
    top = _round_up(max([row.high for row in rows] + [1.0]))
    scale = (WIDTH - LEFT - RIGHT) / top
    height = ROW * len(rows) + 22
    lines = [f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{escape(_spoken(rows, labels))}">']
    step = next(step for step in (1, 2, 5, 10, 20) if top / step <= 5)
    for tick in range(0, int(top) + 1, step):
        x = LEFT + tick * scale
        lines.append(f'<line class="axis" x1="{x:.1f}" y1="0" x2="{x:.1f}" y2="{height - 18}"/>')
        lines.append(f'<text x="{x:.1f}" y="{height - 4}" text-anchor="middle">{tick}</text>')
    best = max((row.score for row in rows if row.system in FLOORS), default=None)
    if best is not None:
        x = LEFT + best * scale
        lines.append(f'<line class="best" x1="{x:.1f}" y1="0" x2="{x:.1f}" y2="{height - 18}" stroke="currentColor"/>')
    lines += [_row(row, place, scale, labels[row.system]) for place, row in enumerate(rows)]
    return "".join([*lines, "</svg>"])


def curves(lines: Mapping[str, Sequence[tuple[int, float]]], caption: str) -> str:
    """Values by step, a line for each name; the scale begins at 0 and ends above the highest that is drawn.

    The first twentieth of the steps may be far above the rest and is cut off there.
    """
    last = max(step for points in lines.values() for step, _ in points)
    settled = [value for points in lines.values() for step, value in points if step >= last / 20] or [1.0]
    top = max(settled) * 1.08 or 1.0
    height, left, right = 190, 44, 14

    def x(step: float) -> str:
        return f"{left + step * (WIDTH - left - right) / max(1, last):.1f}"

    def y(value: float) -> str:
        return f"{height - 24 - min(value, top) * (height - 40) / top:.1f}"

    spoken = "; ".join(f"{name} {points[-1][1]:.3g} in step {points[-1][0]}" for name, points in lines.items())
    drawn = [f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{escape(caption)}: {escape(spoken)}">']
    for value in (0.0, max(settled) / 2, max(settled)):
        drawn.append(f'<line class="axis" x1="{left}" y1="{y(value)}" x2="{WIDTH - right}" y2="{y(value)}"/>')
        drawn.append(f'<text x="{left - 6}" y="{float(y(value)) + 4:.1f}" text-anchor="end">{value:.3g}</text>')
    drawn.append(f'<text x="{left}" y="{height - 6}">0</text><text x="{x(last)}" y="{height - 6}" text-anchor="end">step {last:,}</text>')
    for place, (name, points) in enumerate(lines.items()):
        drawn.append(f'<g class="curve curve{place}"><polyline points="{" ".join(f"{x(step)},{y(value)}" for step, value in points)}"/>')
        if len(points) < _FEW:
            drawn += [f'<circle cx="{x(step)}" cy="{y(value)}" r="2.5"/>' for step, value in points]
        drawn.append(f'<text x="{WIDTH - right}" y="{14 + 15 * place}" text-anchor="end">{escape(name)} {points[-1][1]:.3g}</text></g>')
    return "".join([*drawn, "</svg>"])


def _row(row: ScoreRow, place: int, scale: float, label: str) -> str:
    y = ROW * place + ROW / 2
    low, mark, high = (LEFT + value * scale for value in (row.low, row.score, row.high))
    return (
        f'<g class="{row.system}"><text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{escape(label)}</text>'
        f'<line class="whisker" x1="{low:.1f}" y1="{y:.1f}" x2="{high:.1f}" y2="{y:.1f}"/>'
        f'<circle class="dot" cx="{mark:.1f}" cy="{y:.1f}" r="4.5"/>'
        f'<text x="{high + 7:.1f}" y="{y + 4:.1f}">{row.score:.1f}</text></g>'
    )


def _round_up(value: float) -> float:
    """The end of the scale: a number of tens, or of twos for small scores."""
    step = 10 if value > 20 else 2
    return float(min(100, -(-value // step) * step))


def _spoken(rows: Sequence[ScoreRow], labels: Mapping[System, str]) -> str:
    return "; ".join(f"{labels[row.system]} {row.score:.1f} ({row.low:.1f} to {row.high:.1f})" for row in rows)
