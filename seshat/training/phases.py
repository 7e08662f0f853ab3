"""The phases of a run: how many steps each takes, and the order of its rows.

``short-first`` is a curriculum, and no more than a way to draw: in the first epoch of its phase the rows come in the order of
the mean length of their examples, after it as in every other. Short sentences are the easier ones (Platanios et al., 2019, who
let the longest length grow with the step instead; a sorted first epoch is the simplest form of it, and needs no setting).
Rows are filled from the longest example on, so the examples of a row are of about one length but for the last of them, which
fill gaps: on 62,530 examples of Shipibo-Konibo the rank correlation of an example's length and its place is 0.95 in
rows of 256 tokens and 0.98 in rows of 1,024.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from seshat.training.batches import Order, Packed, Span
from seshat.training.settings import Phase, Training

ALL = Phase(name="all")
"""A run without phases is one of all examples."""


def num_steps(training: Training, spans: Sequence[range]) -> int:
    """How many steps a run has whose phases have these rows."""
    total = sum(_steps(training, spans))
    if training.max_steps and training.phases:
        return min(training.max_steps, total)
    return training.max_steps or total


def order_of(training: Training, rows: Packed) -> Order:
    """The order of the rows of a run."""
    if not training.phases:
        return Order(len(rows), training.seed, training.rows_per_step)
    found, start = [], 0
    for phase, span, steps in zip(training.phases, rows.spans, _steps(training, rows.spans), strict=True):
        first = _short_first(rows, span) if phase.order == "short-first" else ()
        found.append(Span(range(start, start + steps), span, first))
        start += steps
    return Order(len(rows), training.seed, training.rows_per_step, tuple(found))


def _steps(training: Training, spans: Sequence[range]) -> list[int]:
    epochs = [phase.epochs for phase in training.phases] or [training.num_train_epochs]
    return [max(1, math.ceil(times * len(span) / training.rows_per_step)) for times, span in zip(epochs, spans, strict=True)]


def _short_first(rows: Packed, span: range) -> tuple[int, ...]:
    lengths = rows.example_lengths[span.start : span.stop]
    return tuple(span.start + int(at) for at in np.argsort(lengths, kind="stable"))
