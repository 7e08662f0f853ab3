"""How a run went is kept line by line, whoever is killed, and drawn for the report."""

from __future__ import annotations

import re
from pathlib import Path

from seshat.evaluation.charts import curves
from seshat.history import FILE, append, read


def test_the_last_value_of_a_step_counts_and_half_a_line_does_not(tmp_path: Path) -> None:
    folder = tmp_path / "checkpoints"
    assert read(str(folder)) == {}
    for step, loss in ((1, 4.0), (2, 3.0), (3, 2.5), (2, 2.9), (3, 2.4)):
        append(str(folder), step, {"loss": loss, "seconds": 9.0})
    append(str(folder), 3, {"chrf++": 41.0})
    append(str(folder), 3, {"seconds": 9.0})
    with (folder / FILE).open("a") as stream:
        stream.write('{"step": 4, "lo')
    assert read(str(folder)) == {"loss": [(1, 4.0), (2, 2.9), (3, 2.4)], "chrf++": [(3, 41.0)]}


def test_a_curve_begins_at_0_and_cuts_what_is_far_above_at_first() -> None:
    drawn = curves({"loss": [(1, 100.0), *((step, 2.0) for step in range(10, 201, 10))], "eval_loss": [(100, 3.0), (200, 2.5)]}, "Loss")
    assert 'aria-label="Loss: loss 2 in step 200; eval_loss 2.5 in step 200"' in drawn
    heights = [float(point.split(",")[1]) for line in re.findall(r'points="([^"]+)"', drawn) for point in line.split()]
    assert min(heights) >= 0, "nothing is drawn outside"
    assert ">3<" in drawn, "the scale ends at the highest value that is drawn"
