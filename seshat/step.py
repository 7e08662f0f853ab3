"""A step is a verb at work: some stages, the parts of its input, and the one function that turns a part into a committed part.

That function is all that Ray runs; local execution is the same function in a loop, so both give the same bytes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from seshat.config import Section
from seshat.errors import DataError, SeshatError
from seshat.records import KINDS, RawFile, Record, digest
from seshat.stage import Resources, Stage, guarded
from seshat.store import PROCESSED, Manifest, PartLine, Slice, Store


@dataclass(frozen=True)
class Part:
    """A piece of a step's input, cut by content: files that people wrote, or rows that an earlier step committed."""

    inputs: tuple[RawFile | Slice, ...]
    decided: str = ""
    """A digest of what a look at the whole corpus decided about just these records: a decision about others makes nothing anew."""
    takes_rejected: bool = False
    """What an earlier step rejected goes along, so that this step's counts have it."""

    @property
    def id(self) -> str:
        """The name of what is in the part."""
        return digest(*(piece.id for piece in self.inputs), self.decided)

    def records(self, store: Store) -> Iterator[Record]:
        """The records of the part: those that earlier steps kept, or all."""
        for piece in self.inputs:
            if isinstance(piece, RawFile):
                yield piece
            else:
                found = store.slice(piece, KINDS[piece.file.kind])
                yield from (record for record in found if self.takes_rejected or not record.rejected)


@dataclass(frozen=True)
class Step:
    """What a verb does to data."""

    name: str
    """The verb: ``align``."""
    stages: tuple[Stage[Any, Any], ...]
    parts: tuple[Part, ...]
    settings: str = ""
    """The effective configuration, as YAML, kept with the result."""
    conserves: bool = False
    """Every record that goes in comes out, kept or rejected; checked at commit."""
    max_rejected: float = 0.5
    """A larger share of rejected rows fails the run."""
    note: str = ""
    """What the outcome should say beside the counts."""
    variant: str = ""
    """Which one this is of several results of the verb that are there side by side, each in a folder of its own."""

    @property
    def place(self) -> str:
        """The name of its folder among those of all steps."""
        return f"{self.name}/{self.variant}" if self.variant else self.name

    @property
    def folder(self) -> str:
        """Where its results are, in the workspace."""
        return f"{PROCESSED}/{self.place}"

    @cached_property
    def fingerprint(self) -> str:
        """The name of all parameters, versions and engines."""
        return digest(self.place, *(stage.fingerprint for stage in self.stages))

    @property
    def inputs(self) -> dict[str, str]:
        """The SHA-256 of every file that goes in, by its name."""
        return dict(_named(piece) for part in self.parts for piece in part.inputs)

    @property
    def resources(self) -> Resources:
        """What a worker needs that runs all stages one after the other."""
        asked = [stage.resources for stage in self.stages]
        return Resources(
            cpus=max((one.cpus for one in asked), default=1.0),
            gpus=max((one.gpus for one in asked), default=0.0),
            workers=min((one.workers for one in asked if one.workers), default=0),
        )

    @property
    def loads_engine(self) -> bool:
        """True if a stage is dear to start, so that workers should be kept."""
        return any(stage.loads_engine for stage in self.stages)

    def key(self, part: Part) -> str:
        """The name under which the results of a part are committed."""
        return digest(self.fingerprint, part.id)

    def work(self, part: Part, store: Store) -> PartLine:
        """Read a part, run the stages over it, commit. Idempotent: a part that is whole is not made again."""
        done = self.committed(part, store)
        if done:
            return done
        inputs = list(part.records(store))
        results: Iterable[Record] = inputs
        for stage in self.stages:
            results = guarded(stage, results)
        made = list(results)
        if self.conserves and len(made) != len(inputs):
            raise DataError(f"{self.name}: {len(inputs)} records went in and {len(made)} came out; this is a bug, please report it")
        return self.commit(self.key(part), made, store)

    def commit(self, key: str, made: list[Record], store: Store) -> PartLine:
        """Write what was made of a part: records by kind, unless a step has a format of its own."""
        return store.commit(self.place, key, made, rows_in=len(made))

    def committed(self, part: Part, store: Store) -> PartLine | None:
        """The line of a part that is whole; None if it has to be made."""
        return store.part(self.place, self.key(part))

    def run(self, store: Store) -> Manifest:
        """Do what is left, one part after the other, in this process."""
        done = self.done(store)
        if done:
            return done
        for part in self.parts:
            self.work(part, store)
        return self.finish(store)

    def finish(self, store: Store) -> Manifest:
        """Commit the manifest when all parts are there; fail if too much was rejected."""
        lines = [self.committed(part, store) for part in self.parts]
        parts = tuple(line for line in lines if line is not None)
        if len(parts) != len(lines):
            raise SeshatError(f"{self.name}: {len(lines) - len(parts)} of {len(lines)} parts were not made; run the same command again")
        rejected = Counter[str]()
        for line in parts:
            rejected.update(line.rejected)
        manifest = Manifest(
            stage=self.name,
            fingerprint=digest(self.fingerprint, *(line.key for line in parts)),
            inputs=self.inputs,
            parts=parts,
            settings=self.settings,
            rows_in=sum(line.rows_in for line in parts),
            kept=sum(line.kept for line in parts),
            rejected=dict(sorted(rejected.items(), key=lambda item: (-item[1], item[0]))),
        )
        share = sum(rejected.values()) / max(1, manifest.rows_in)
        if share > self.max_rejected:
            raise DataError(
                f"{self.name}: {share:.0%} of {manifest.rows_in} rows were rejected ({_listed(manifest.rejected)}), more than "
                f"{self.name}.max_rejected={self.max_rejected:g} allows: look at the reasons, or raise that setting"
            )
        store.finish(self.folder, manifest)
        return manifest

    def done(self, store: Store) -> Manifest | None:
        """The manifest if the step is done with just these inputs and parameters."""
        return store.done(self.folder, digest(self.fingerprint, *(self.key(part) for part in self.parts)))


class Outcome(Section):
    """What a verb reports: one line in the terminal, one row of ``reports/summary.json``."""

    stage: str
    rows_in: int = 0
    kept: int = 0
    rejected: dict[str, int] = {}
    seconds: float = 0.0
    done_before: bool = False
    """Nothing had to be computed."""
    left_out: bool = False
    """An optional step for which something is missing here; the note says what."""
    note: str = ""
    """What else a reader should know: where the result is, or why an optional step was left out."""

    def __str__(self) -> str:
        return self._line(f": {_listed(self.rejected)}")

    @property
    def funnel(self) -> str:
        """The line, and below it a table: how many rows went for each reason, and how to read them."""
        width = max(map(len, self.rejected), default=0)
        reasons = [f"{'':<18}{reason:>{width + 2}}{count:>10,}{count / self.rows_in:>8.2%}" for reason, count in self.rejected.items()]
        how = [f"{'':<18}  to read them: seshat rejected {self.stage}"] if reasons else []
        return "\n".join([self._line(""), *reasons, *how])

    def _line(self, reasons: str) -> str:
        state = "left out" if self.left_out else "up to date" if self.done_before else f"{self.seconds:.1f} s"
        counts = f"{self.rows_in:>8,} rows {self.kept:>8,} kept" if self.rows_in else ""
        if self.rejected:
            counts += f" {sum(self.rejected.values()):>7,} rejected{reasons}"
        return "  ".join(part for part in (f"{self.stage:<18}", f"{state:>10}", counts, self.note) if part)


def outcome(manifest: Manifest, *, seconds: float = 0.0, done_before: bool = False, note: str = "") -> Outcome:
    """The outcome of a step that has a manifest."""
    return Outcome(
        stage=manifest.stage,
        rows_in=manifest.rows_in,
        kept=manifest.kept,
        rejected=manifest.rejected,
        seconds=seconds,
        done_before=done_before,
        note=note,
    )


def _named(piece: RawFile | Slice) -> tuple[str, str]:
    return (piece.origin, piece.sha256) if isinstance(piece, RawFile) else (piece.file.path, piece.file.sha256)


def _listed(counts: dict[str, int]) -> str:
    return ", ".join(f"{reason} {count:,}" for reason, count in counts.items())
