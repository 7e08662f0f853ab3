"""Looking stored records up by id or origin, in whatever stages are there."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import pyarrow as pa
import pyarrow.compute as pc

from seshat.data.withdraw import READABLE
from seshat.errors import DataError, StoreError
from seshat.examples import SPLITS, TRAINING, parse_lines
from seshat.records import KINDS, Example, Record
from seshat.store import PROCESSED, Manifest, Slice, Store, read_table

SHORTEST = 6
"""Digits of an id that must be given."""
Mask = Callable[[pa.Table], pa.ChunkedArray]


@dataclass(frozen=True)
class Found:
    """A record, and where it is stored."""

    stage: str
    record: Record
    place: str


class Records:
    """The records of a workspace that finished stages vouch for; only ids and origins are held in memory."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._columns: dict[str, pa.Table] = {}

    @cached_property
    def manifests(self) -> dict[str, Manifest]:
        """By stage, in order."""
        found = {stage: self.store.manifest(f"{PROCESSED}/{stage}") for stage in READABLE}
        return {stage: manifest for stage, manifest in found.items() if manifest}

    def where(self, stages: Sequence[str], mask: Mask) -> Iterator[Found]:
        """The records, kept and rejected, for whose ``id`` and ``origin`` the mask is true."""
        for stage in stages:
            for part in self.manifests[stage].parts if stage in self.manifests else ():
                for file in part.files:
                    for row in pc.indices_nonzero(mask(self._table(file.path))).to_pylist():
                        [record] = self.store.slice(Slice(file, row, row + 1), KINDS[file.kind])
                        yield Found(stage, record, f"{file.path}, row {row}")

    def by_id(self, stage: str, name: str) -> Found | None:
        """The record of an id in a stage."""
        return next(self.where((stage,), lambda table: pc.equal(table["id"], name)), None)

    def lines(self, name: str) -> Iterator[tuple[str, Example]]:
        """Where an example stands in the training files, and what is there."""
        for split in SPLITS:
            path = f"{TRAINING}/{split}.jsonl"
            text = self.store.read(path).decode() if self.store.size(path) >= 0 else ""
            for number, line in enumerate(text.split("\n"), 1):
                if f'"id": "{name}"' in line:
                    yield from ((f"{path}:{number}", example) for example in parse_lines([line], f"{path}:{number}"))

    def complete(self, beginning: str, made_on_the_way: Callable[[], Sequence[str]]) -> str:
        """The only id that begins so; those of records that are not stored are asked for if no other fits."""
        if len(beginning) < SHORTEST:
            raise DataError(f"{beginning!r} is too short for an id: give at least {SHORTEST} digits of its 20")
        stored = {name for tables in map(self._ids, self.manifests) for name in tables}
        known = (stored, made_on_the_way)
        for names in known:
            every = names() if callable(names) else names
            fitting = sorted({name for name in every if name.startswith(beginning)})
            if len(fitting) == 1:
                return fitting[0]
            if fitting:
                raise DataError(f"{len(fitting)} ids begin with {beginning}: {', '.join(fitting[:5])}; give more digits")
        near = difflib.get_close_matches(beginning, stored, n=1, cutoff=0.75)
        look = f"did you mean {near[0]}?" if near else f"look in {self.store.path(TRAINING)}/train.jsonl: every line has its 'id'"
        raise StoreError(f"no record of this workspace has the id {beginning}; {look}")

    def _ids(self, stage: str) -> Iterator[str]:
        for part in self.manifests[stage].parts:
            for file in part.files:
                yield from self._table(file.path)["id"].to_pylist()

    def _table(self, path: str) -> pa.Table:
        if path not in self._columns:
            self._columns[path] = read_table(self.store.read(path), ["id", "origin"])
        return self._columns[path]
