"""What Prometheus is told about data stages and training: Ray exports it beside its own metrics, with ``ray_`` before the name.

``deploy/monitoring`` has the dashboard that shows it.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ray.util.metrics import Counter, Gauge, Histogram

    from seshat.store import PartLine

RECORDS, PARTS, TRAINING = "seshat_records", "seshat_part_seconds", "seshat_training"
KEPT = "kept"
_SECONDS = [0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 1_200.0, 3_600.0]


def committed(stage: str, part: PartLine, seconds: float) -> None:
    """A worker has finished a part: how many records it kept, how many it rejected for which reason, and how long it took."""
    counts = {KEPT: part.kept, **part.rejected}
    for result, count in counts.items():
        if count:
            _records().inc(count, {"stage": stage, "result": result})
    _parts().observe(seconds, {"stage": stage})


def trained(run: str, numbers: Mapping[str, float]) -> None:
    """How training goes: loss, tokens per second, scores of checkpoints, by their names; nothing where Ray is not used."""
    import ray

    if ray.is_initialized():
        for name, value in numbers.items():
            _training().set(value, {"run": run, "metric": name})


@cache
def _records() -> Counter:
    from ray.util.metrics import Counter

    return Counter(
        RECORDS, "Records by stage; the result is 'kept', or the first word of the reason for the rejection.", ("stage", "result")
    )


@cache
def _parts() -> Histogram:
    from ray.util.metrics import Histogram

    return Histogram(PARTS, "Seconds that a part took.", boundaries=_SECONDS, tag_keys=("stage",))


@cache
def _training() -> Gauge:
    from ray.util.metrics import Gauge

    return Gauge(TRAINING, "The newest value of what a training run reports.", ("run", "metric"))
