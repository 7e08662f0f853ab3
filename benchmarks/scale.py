"""How far one driver reaches: python -m benchmarks.scale [--tasks 20000] [PART ...]

PART is overhead (what a part costs beside its work), two (two workers beside one, parts of 50 ms), many (64 logical workers with engines
that sleep), million (a simulation of a million parts with what was measured, beside as many real ones as --tasks says) or plan (machines,
hours and money for collections of all sizes); all of them by default. Everything goes through the wiring that the verbs use.
"""

from __future__ import annotations

import argparse
import heapq
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from seshat.cluster.connect import connect
from seshat.cluster.data import do_step
from seshat.language import Language
from seshat.records import RawFile
from seshat.settings import Cluster, Settings
from seshat.stage import Resources, Stage
from seshat.step import Part, Step
from seshat.store import Store

PARTS = ("overhead", "two", "many", "million", "plan")
PER_PART = {"page": 8, "utterance": 120, "document": 1}
"""How many of each a part holds, as the verbs cut them: eight pages, ten minutes of speech, one parallel document."""
GRID = (100, 1_000, 10_000)


class Sleep(Stage[RawFile, RawFile]):
    """Takes its time and does nothing, as an engine on another machine would, for this one."""

    loads_engine: ClassVar[bool] = True

    seconds: float

    def __call__(self, records: Iterable[RawFile]) -> Iterator[RawFile]:
        for record in records:
            time.sleep(self.seconds)
            yield record


@dataclass(frozen=True)
class Unit:
    """What one thing costs on one core or one GPU, and what a machine of them costs."""

    name: str
    per_second: float
    """Of one core, or one GPU."""
    per_machine: int
    """Cores or GPUs."""
    dollars: float
    """An hour of the machine, on demand (see docs/scale.md)."""


UNITS = (
    Unit("pages, Tesseract", 1.6, 16, 0.68),
    Unit("pages, PP-OCR", 0.24, 16, 0.68),
    Unit("sentence pairs aligned", 950, 16, 0.68),
    Unit("hours of speech, Whisper large-v3", 25 / 3600, 1, 2.24),
)
"""Measured for one core of two (RESULTS.md), but the last: 25 times real time on a small GPU is assumed, nobody has measured it here."""


def sleeping(seconds: float, number: int, workers: int) -> Step:
    """A step of so many parts."""
    files = (RawFile(origin=f"scans/{one}.png", collection="scans", path=f"/{one}", sha256=f"{one:064x}") for one in range(number))
    parts = tuple(Part((file,)) for file in files)
    cpus = 1.0 if workers <= 2 else 1 / 32
    return Step("ocr", (Sleep(seconds=seconds, resources=Resources(cpus=cpus, workers=workers)),), parts)


@contextmanager
def ray(cpus: int = 2) -> Iterator[None]:
    """A session of this machine."""
    language = Language(code="qtm", name="tamuri")
    with connect(Settings(language=language, cluster=Cluster(cpus=cpus, dashboard=False))):
        yield


def timed(seconds: float, number: int, workers: int) -> tuple[float, list[float]]:
    """How long a step took, and when its parts were committed, counted from the first."""
    with tempfile.TemporaryDirectory() as root:
        start = time.perf_counter()
        do_step(sleeping(seconds, number, workers), Store(root), "ray")
        took = time.perf_counter() - start
        ends = sorted(path.stat().st_mtime for path in (Path(root) / "data/processed/ocr").glob("part-*.json"))
    return took, [end - ends[0] for end in ends]


def overhead(number: int = 1_000) -> float:
    """Print what a part costs beside its work; in seconds of one worker."""
    _, ends = timed(0.0, number, 2)
    half = ends[number // 2 :]
    each = 2 * (half[-1] - half[0]) / (len(half) - 1)
    told = ", ".join(f"{1e3 * each / size:.2f} ms a {name}" for name, size in PER_PART.items())
    print(f"overhead: {1e3 * each:.1f} ms of a worker for each part, from the driver's hand to the manifest: {told}")
    return each


def two(number: int = 400, seconds: float = 0.05) -> None:
    """Print how much more two workers do than one."""
    rates = {}
    for workers in (1, 2):
        _, ends = timed(seconds, number, workers)
        tail = ends[number // 4 :]
        rates[workers] = (len(tail) - 1) / (tail[-1] - tail[0])
    print(
        f"two: parts of {1e3 * seconds:.0f} ms, {rates[1]:.1f}/s with one worker, {rates[2]:.1f}/s with two: "
        f"efficiency {rates[2] / rates[1] / 2:.2f} (goal 0.85)"
    )


def many(workers: int = 64, seconds: float = 4.0, rounds: int = 8) -> None:
    """Print how busy many workers are kept, once all are there."""
    took, ends = timed(seconds, workers * rounds, workers)
    tail = ends[len(ends) // 2 :]
    rate = (len(tail) - 1) / (tail[-1] - tail[0])
    print(
        f"many: {workers} workers, parts of {seconds:g} s, {workers * rounds} parts in {took:.0f} s with the start of all workers; "
        f"then {rate:.1f}/s: efficiency {rate * seconds / workers:.2f} (goal 0.9)"
    )


def million(each: float, tasks: int) -> None:
    """Print what a driver of measured speed makes of a million parts, and what it really made of some."""
    took, ends = timed(0.0, tasks, 2)
    rate = (tasks - 1) / ends[-1]
    print(f"million: {tasks:,} real parts of nothing: {rate:,.0f}/s, {took:.0f} s in all")
    for name, seconds in (("eight pages, Tesseract", 5.0), ("eight pages, PP-OCR", 33.0), ("ten minutes of speech on a GPU", 24.0)):
        shares = [f"{workers:,} workers {simulate(1_000_000, seconds, workers, each, rate):.2f}" for workers in GRID]
        print(f"  a million parts of {name} ({seconds:g} s), simulated: efficiency with {', '.join(shares)}")


def simulate(parts: int, seconds: float, workers: int, each: float, rate: float) -> float:
    """How busy workers are with work, if a part costs them ``each`` seconds more and a driver hands out ``rate`` parts a second.

    Parts take between half and one and a half of ``seconds``, evenly, in a fixed order that repeats.
    """
    free = [0.0] * min(workers, parts)
    handed = end = 0.0
    spread = [seconds * (0.5 + (index * 0.6180339887) % 1.0) for index in range(1_000)]
    for number in range(parts):
        handed = max(handed + 1 / rate, heapq.heappop(free))
        done = handed + each + spread[number % 1_000]
        end = max(end, done)
        heapq.heappush(free, done)
    return parts * statistics.fmean(spread) / (workers * end)


def plan() -> None:
    """Print machines, hours and money."""
    for unit in UNITS:
        print(
            f"plan: {unit.name}: {unit.per_second:.3g}/s of one core or GPU; {unit.per_machine} of them, {unit.dollars:.2f} dollars an hour"
        )
        for number in (10**3, 10**6, 10**9):
            hours = number / unit.per_second / unit.per_machine / 3600
            machines = max(1, round(hours / 24))
            money = hours * unit.dollars
            print(f"  {number:>13,}: {hours:>12,.1f} machine-hours, {money:>12,.2f} dollars; {machines:,} machines for a day")


def main(argv: Sequence[str] | None = None) -> None:
    """Print all figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tasks", type=int, default=20_000)
    parser.add_argument("parts", nargs="*", metavar="PART", choices=[*PARTS, []], default=[])
    asked = parser.parse_args(argv)
    parts = asked.parts or PARTS
    each = 0.01
    with ray():
        if "overhead" in parts or "million" in parts:
            each = overhead()
        todo: dict[str, Callable[[], None]] = {"two": two, "many": many, "million": lambda: million(each, asked.tasks)}
        for name, work in todo.items():
            if name in parts:
                work()
    if "plan" in parts:
        plan()


if __name__ == "__main__":
    main()
