"""The verb ``trace``: the way of an example or a record back to the line, page or second that it was made of.

It walks the manifests of whatever stages are there, so all that it knows of a stage is its name.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import fields

import pyarrow as pa
import pyarrow.compute as pc

from seshat.config import Section
from seshat.data.ingest import ReadFile
from seshat.data.readers import SOUND, find_raw, open_raw
from seshat.data.readers.excerpt import TO, at, excerpt
from seshat.data.stored import Found, Records
from seshat.data.withdraw import READABLE
from seshat.errors import DataError, StoreError
from seshat.records import Document, Example, Page, RawFile, Record, Utterance
from seshat.rights import AND
from seshat.store import Store

FIRST = ("ingest", "ocr", "transcribe")
"""The stages that read raw files."""
BETWEEN = tuple(stage for stage in reversed(READABLE) if stage != "format")
_ELSEWHERE = ("origin", "rejected", "paragraphs", "places", "boxes")
"""Fields that are shown in other ways than by name."""


class Stop(Section):
    """One station on the way back."""

    stage: str
    """The verb that left it here; ``training`` for the files that are trained on, ``raw`` for the end of the way."""
    kind: str = ""
    id: str = ""
    place: str
    """Where it is stored; where in the raw file it stands."""
    origin: str = ""
    facts: dict[str, str] = {}
    changed: tuple[str, ...] = ()
    """What happened to it there."""
    text: tuple[str, ...] = ()
    """What stands there, as it is written there."""

    def __str__(self) -> str:
        lines = [f"{self.stage:<11} {self.place}"]
        lines += [f"            {f'{self.kind} {self.id}'.strip()}  {self.origin}".rstrip()] if self.kind else []
        lines += [f"              {name:<12} {value}" for name, value in self.facts.items()]
        lines += [f"            * {change}" for change in self.changed]
        lines += [f"            | {line}" for line in self.text]
        return "\n".join(lines)


class Way(Section):
    """From what was asked for back to the raw files."""

    stops: tuple[Stop, ...]

    def __str__(self) -> str:
        return "\n\n".join(map(str, self.stops))


class Tracer:
    """Finds the way back in one workspace.

    ``unfolded`` gives the records that examples are made of and that no stage stores: paragraphs, entries on scanned pages.
    """

    def __init__(self, store: Store, raw: str, reader: ReadFile, unfolded: Callable[[], Iterator[Record]]) -> None:
        self._records, self._raw, self._reader = Records(store), raw, reader
        if not self._records.manifests:
            raise StoreError(f"{store.root} holds no finished stage: run 'make ingest' first")
        self._unfolded = unfolded

    def trace(self, beginning: str) -> Way:
        """The way of the record with an id, or of the only one whose id begins so."""
        name = self._records.complete(beginning.strip().lower(), lambda: [record.id for record in self._unfolded()])
        found = self._records.by_id("format", name)
        if found and isinstance(found.record, Example):
            return Way(stops=(*self._lines(found.record), _stop(found), *self._back(found.record.parent)))
        return Way(stops=tuple(self._back(name)))

    def _lines(self, example: Example) -> Iterator[Stop]:
        """The example in the training files."""
        lines = list(self._records.lines(example.id))
        for place, _ in lines:
            yield Stop(stage="training", place=place)
        if not lines and not example.rejected:
            why = "not there: its owners do not allow training (SOURCE.yaml), or 'make format' was not finished"
            yield Stop(stage="training", place="data/training", changed=(why,))

    def _back(self, name: str) -> Iterator[Stop]:
        """A record in every stage that has it, the last one first, and what it was made of."""
        later: Found | None = None
        for stage in BETWEEN:
            now = self._same(stage, name, later)
            if now and later:
                yield _stop(later, before=now.record)
            later = now or later
        if later is None:
            record = next((one for one in self._unfolded() if one.id == name), None)
            if record is None:
                raise StoreError(
                    f"{name} is not among the records of this workspace any more: run 'make format' again and trace the new id"
                )
            later = Found("format", record, "made of a text or page below, on the way")
        yield _stop(later)
        for piece in later.record.origin.split(AND):
            file, place = self._split(piece)
            if later.stage not in FIRST:
                yield from (_stop(found, place=place) for found in self._sources(file, place))
            yield self._raw_stop(file, place)

    def _same(self, stage: str, name: str, later: Found | None) -> Found | None:
        """The record of an id in a stage; where it had another id there, the only one of its kind and origin."""
        found = self._records.by_id(stage, name)
        if found or later is None:
            return found
        record = later.record
        same = self._records.where((stage,), lambda table: pc.equal(table["origin"], record.origin))
        alike = [one for one in same if type(one.record) is type(record)]
        return alike[0] if len(alike) == 1 else None

    def _sources(self, file: str, place: str) -> Iterator[Found]:
        """What a raw file was read into, as far as the place goes."""

        def of_file(table: pa.Table) -> pa.ChunkedArray:
            return pc.or_(pc.equal(table["origin"], file), pc.starts_with(table["origin"], f"{file}#"))

        return (found for found in self._records.where(FIRST, of_file) if _holds(found.record, place))

    def _split(self, origin: str) -> tuple[str, str]:
        """The raw file of an origin, and the place in it; a name of a file may hold a number sign."""
        if any(origin in manifest.inputs for manifest in self._records.manifests.values()):
            return origin, ""
        file, _, place = origin.rpartition("#")
        return (file, place) if file else (origin, "")

    def _raw_stop(self, file: str, place: str) -> Stop:
        """The raw file, and what stands there if it is still what it was."""
        manifests = self._records.manifests
        sha256 = next((manifests[stage].inputs[file] for stage in FIRST if stage in manifests and file in manifests[stage].inputs), "")
        stop = Stop(stage="raw", place=f"{file}  {place}".strip(), facts={"sha256": sha256 or "unknown: no stage has read it last time"})
        try:
            there = find_raw(self._raw, file, "")
            if there is None:
                return stop.model_copy(update={"changed": ("not there any more",)})
            now = hashlib.sha256(open_raw(there)).hexdigest()
            if sha256 and now != sha256:
                return stop.model_copy(update={"changed": (f"changed since: its sha256 is {now} now, so what stands there is not shown",)})
            return stop.model_copy(update={"text": tuple(self._excerpt(there, place))})
        except DataError as error:
            return stop.model_copy(update={"changed": (str(error),)})

    def _excerpt(self, file: RawFile, place: str) -> list[str]:
        """Nothing of what a picture shows or a recording says."""
        if not place or file.origin.startswith("scans/") or file.origin.lower().endswith(SOUND):
            return []
        return excerpt(file, place, self._reader.options(file.origin))


def _stop(found: Found, *, before: Record | None = None, place: str = "") -> Stop:
    """A record as it is stored, with what this stage has changed."""
    record, kind = found.record, type(found.record)
    values = {field.name: getattr(record, field.name) for field in fields(kind) if field.name not in _ELSEWHERE}
    text: tuple[str, ...] = ()
    if before:
        values = {}
    elif isinstance(record, Document):
        units = list(zip(record.places, record.paragraphs, strict=True))
        text = tuple(at(place, units) if place else record.paragraphs)
    elif isinstance(record, Page):
        text = tuple(values.pop("text").split("\n"))
    return Stop(
        stage=found.stage,
        kind=kind.__name__,
        id=record.id,
        place=found.place,
        origin=record.origin,
        facts={name: str(value).replace("\n", "\n" + 27 * " ") for name, value in values.items() if value not in ("", (), 0, False)},
        changed=tuple(_changes(found.stage, record, before)),
        text=text,
    )


def _changes(stage: str, record: Record, before: Record | None) -> Iterator[str]:
    if before:
        names = [field.name for field in fields(record) if field.name != "rejected"]  # type: ignore[arg-type]
        yield from (
            f"{name}: {getattr(before, name)} -> {getattr(record, name)}"
            for name in names
            if getattr(before, name) != getattr(record, name)
        )
        if record == before:
            yield "passed as it came"
    else:
        written = getattr(record, "written", "")
        if written:
            yield f"respelled: {written} -> {getattr(record, 'text', '') or getattr(record, 'headword', '')}"
        if getattr(record, "aligned", False):
            sides = record.origin.replace(AND, " with ")
            yield f"aligned by a program, score {getattr(record, 'score', 0):.2f}: {sides}"
    if record.rejected and not (before and before.rejected):
        yield f"rejected by {stage}: {record.rejected}"


def _holds(record: Record, place: str) -> bool:
    """True for what has a place of its file in it."""
    if isinstance(record, Document):
        return bool(at(place, zip(record.places, record.paragraphs, strict=True)))
    if isinstance(record, Page):
        first, _, last = place.removeprefix("page=").partition(TO)
        return first.isdigit() and int(first) <= record.number <= int(last or first)
    return isinstance(record, Utterance) and f"{record.origin.rpartition('#')[2]}{TO}".startswith(f"{place}{TO}")
