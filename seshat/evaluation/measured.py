"""What is kept of an evaluation: the statistics of every sentence, system and metric, from which all scores are derived.

On disk it is one table, ``statistics.parquet``: a row for each test case, system and metric.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from seshat.evaluation.floors import SYSTEMS, System
from seshat.evaluation.metrics import METRICS, Counts, Metric, Statistics, measure
from seshat.language import words
from seshat.records import Example
from seshat.store import Store, StoredFile, read_table

Key = tuple[str, str, str, str, int]
"""Direction, task, source, reference, and a number that tells equal cases apart: a test set may hold a sentence twice."""


@dataclass(frozen=True, slots=True)
class Case:
    """A test case, and the facts by which scores are looked at apart."""

    source: str
    reference: str
    origin: str
    collection: str
    num_words: int
    """Words of the source."""
    num_unseen: int
    """Words of the source that training has seen on neither side of an example."""


@dataclass(frozen=True, slots=True, eq=False)
class Spoken:
    """What the metrics have to know about the answers of one system."""

    places: Counts
    """Of the cases that it answered, ascending: a system may be asked for a few only."""
    statistics: Mapping[Metric, Statistics]
    """One row for each of the places."""

    @classmethod
    def of(cls, places: Sequence[int], hypotheses: Sequence[str], references: Sequence[str]) -> Spoken:
        """Measure the answers to the cases at some places."""
        return cls(np.asarray(places, dtype=np.int64), measure(hypotheses, references))

    def among(self, places: Counts) -> Spoken:
        """What it said to these cases, as far as it was asked."""
        rows = np.flatnonzero(np.isin(self.places, places))
        return Spoken(self.places[rows], {metric: found.at(rows) for metric, found in self.statistics.items()})


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """All that is known of one direction and task."""

    direction: str
    task: str
    cases: tuple[Case, ...]
    systems: Mapping[System, Spoken]
    """In the order of ``SYSTEMS``; ours answered every case."""

    def pair(self, one: System, other: System, metric: Metric) -> tuple[Statistics, Statistics]:
        """The statistics of two systems on the cases that both answered."""
        places = np.intersect1d(self.systems[one].places, self.systems[other].places)
        first, second = (self.systems[system].among(places).statistics[metric] for system in (one, other))
        return first, second

    def at(self, places: Sequence[int]) -> Measured:
        """The same of the cases at some ascending places alone; systems that answered none of them are left out."""
        kept = np.asarray(places, dtype=np.int64)
        found = {system: spoken.among(kept) for system, spoken in self.systems.items()}
        systems = {
            system: Spoken(np.searchsorted(kept, spoken.places), spoken.statistics)
            for system, spoken in found.items()
            if len(spoken.places)
        }
        return Measured(self.direction, self.task, tuple(self.cases[place] for place in kept), systems)

    def keys(self) -> list[Key]:
        """What each case is known by in other evaluations."""
        times: dict[tuple[str, str], int] = {}
        found = []
        for case in self.cases:
            both = (case.source, case.reference)
            times[both] = times.get(both, 0) + 1
            found.append((self.direction, self.task, *both, times[both]))
        return found


def known_words(examples: Iterable[Example]) -> dict[str, Set[str]]:
    """All words that training saw, by the code of their language: those of sources and of answers."""
    known: dict[str, set[str]] = {}
    for example in examples:
        source, _, target = example.direction.partition("-")
        for code, text in ((source, example.source), (target or source, example.answer)):
            known.setdefault(code, set()).update(words(text))
    return dict(known)


def case_of(example: Example, known: Mapping[str, Set[str]]) -> Case:
    """The facts of a test case, where training knows some words of each language."""
    spoken = words(example.source)
    seen = known.get(example.direction.partition("-")[0], frozenset())
    return Case(
        source=example.source,
        reference=example.answer,
        origin=example.origin,
        collection=example.collection,
        num_words=len(spoken),
        num_unseen=sum(word not in seen for word in spoken),
    )


# On disk

_FACTS = [pa.field(name, pa.string(), nullable=False) for name in ("source", "reference", "origin", "collection")]
_FACTS += [pa.field(name, pa.int32(), nullable=False) for name in ("num_words", "num_unseen")]
_SCHEMA = pa.schema(
    [
        *(pa.field(name, pa.string(), nullable=False) for name in ("direction", "task")),
        pa.field("place", pa.int32(), nullable=False),
        *_FACTS,
        *(pa.field(name, pa.string(), nullable=False) for name in ("system", "metric")),
        pa.field("values", pa.list_(pa.int64()), nullable=False),
    ]
)


def write_measured(store: Store, name: str, parts: Iterable[Measured]) -> StoredFile:
    """Write the table."""
    buffer = io.BytesIO()
    pq.write_table(pa.Table.from_pylist([row for part in parts for row in _rows(part)], schema=_SCHEMA), buffer, compression="zstd")
    return store.write(name, buffer.getvalue())


def read_measured(store: Store, name: str) -> list[Measured]:
    """What ``write_measured`` wrote."""
    found: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in read_table(store.read(name)).to_pylist():
        found.setdefault((row["direction"], row["task"]), []).append(row)
    return [_measured(direction, task, rows) for (direction, task), rows in found.items()]


def _rows(part: Measured) -> Iterable[dict[str, Any]]:
    facts = [asdict(case) for case in part.cases]
    for system, spoken in part.systems.items():
        for metric, statistics in spoken.statistics.items():
            for place, values in zip(spoken.places.tolist(), statistics.values.tolist(), strict=True):
                known = {"direction": part.direction, "task": part.task, "place": place, **facts[place]}
                yield {**known, "system": system, "metric": metric, "values": values}


def _measured(direction: str, task: str, rows: Sequence[dict[str, Any]]) -> Measured:
    cases = {row["place"]: Case(**{field.name: row[field.name] for field in _FACTS}) for row in rows}
    values: dict[tuple[System, Metric], dict[int, list[int]]] = {}
    for row in rows:
        values.setdefault((row["system"], row["metric"]), {})[row["place"]] = row["values"]
    systems = {}
    for system in SYSTEMS:
        found = {metric: values[system, metric] for metric in METRICS if (system, metric) in values}
        if found:
            places = sorted(next(iter(found.values())))
            statistics = {metric: Statistics(metric, np.array([of[place] for place in places])) for metric, of in found.items()}
            systems[system] = Spoken(np.array(places), statistics)
    return Measured(direction, task, tuple(cases[place] for place in sorted(cases)), systems)
