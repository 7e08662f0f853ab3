"""What is on disk: parts, manifests, and the commit protocol that makes a kill at any moment harmless.

A part is written under a name made of its inputs and its fingerprint: first its Parquet files, then the JSON line that
lists them with their SHA-256. A stage is done if and only if ``manifest.json`` is there and every file it names is there.
Readers open only files that a manifest names. Local files are written under a temporary name, synced and renamed; an
object store commits a whole object at once.
"""

from __future__ import annotations

import errno
import hashlib
import io
import os
import posixpath
import shutil
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any, BinaryIO, TypeVar

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import fs
from pydantic import ValidationError

from seshat.config import Section
from seshat.errors import StoreError
from seshat.filesystem import below, filesystem_of, is_remote
from seshat.records import KINDS, Record, count_rejected, from_rows, rows

PROCESSED = "data/processed"
BLOCK = 1 << 20
"""Bytes of a file that are in memory at once."""
R = TypeVar("R", bound=Record)
S = TypeVar("S", bound=Section)


class StoredFile(Section):
    """A file that a manifest vouches for."""

    path: str
    """Relative to the workspace's root."""
    sha256: str
    size: int
    kind: str = ""
    """The kind of record in it; empty if it holds no records."""
    rows: int = 0


class PartLine(Section):
    """What one committed part holds."""

    key: str
    files: tuple[StoredFile, ...]
    rows_in: int
    kept: int
    rejected: dict[str, int] = {}


class Manifest(Section):
    """What a stage made, from what. It names no time, host or worker: equal inputs give equal bytes."""

    stage: str
    fingerprint: str
    """Of the stage's parameters, versions and engines; of every input for a stage without parts."""
    inputs: dict[str, str] = {}
    """SHA-256 by name, taken before the run."""
    parts: tuple[PartLine, ...] = ()
    files: tuple[StoredFile, ...] = ()
    """What a stage without parts wrote."""
    settings: str = ""
    """The effective settings, as YAML."""
    rows_in: int = 0
    kept: int = 0
    rejected: dict[str, int] = {}
    notes: dict[str, str] = {}
    """Facts that later stages need, such as the hash of the base model of an adapter."""


@dataclass(frozen=True)
class Slice:
    """A range of the rows of one stored file."""

    file: StoredFile
    start: int = 0
    stop: int = -1

    @property
    def id(self) -> str:
        """The name of the rows in range."""
        return f"{self.file.sha256}[{self.start}:{self.stop}]"


class Store:
    """The files of one workspace, local or in an object store (any address that ``pyarrow.fs`` understands)."""

    def __init__(self, root: str) -> None:
        self.root = root if is_remote(root) else os.path.abspath(os.path.expanduser(root))

    @cached_property
    def _filesystem(self) -> tuple[fs.FileSystem, str]:
        return filesystem_of(self.root)

    def __getstate__(self) -> dict[str, str]:
        return {"root": self.root}

    @property
    def local(self) -> bool:
        """True if the workspace is a folder of this machine."""
        return isinstance(self._filesystem[0], fs.LocalFileSystem)

    def path(self, name: str) -> str:
        """The full path of a name in the workspace; an absolute path or address stays what it is."""
        if name.startswith("/") or is_remote(name):
            return name
        return posixpath.join(self._filesystem[1], name) if self.local else f"{self.root.rstrip('/')}/{name}"

    # Files

    def write(self, name: str, data: bytes) -> StoredFile:
        """Put a file in place whole, or not at all."""
        filesystem, base = self._filesystem
        path = posixpath.join(base, name)
        try:
            filesystem.create_dir(posixpath.dirname(path), recursive=True)
            if self.local:
                _write_local(path, data)
            else:
                with filesystem.open_output_stream(path) as stream:
                    stream.write(data)
        except OSError as error:
            why = f"{path}: {len(data):,} bytes could not be written"
            if self.local and error.errno in (errno.ENOSPC, errno.EDQUOT):
                free = shutil.disk_usage(base).free if os.path.isdir(base) else 0
                why += f", {free:,} are free: make room, or set root to a larger disk, and run the same command again"
            raise StoreError(f"{why} ({error}); what was there before is untouched") from None
        return StoredFile(path=name, sha256=hashlib.sha256(data).hexdigest(), size=len(data))

    def read(self, name: str) -> bytes:
        """The bytes of a file."""
        filesystem, base = self._filesystem
        try:
            with filesystem.open_input_stream(posixpath.join(base, name)) as stream:
                return bytes(stream.read())
        except OSError as error:
            raise StoreError(f"{self.path(name)}: cannot be read ({error})") from None

    def size(self, name: str) -> int:
        """The size of a file in bytes; -1 if it is not there."""
        filesystem, base = self._filesystem
        info = filesystem.get_file_info(posixpath.join(base, name))
        return int(info.size) if info.type == fs.FileType.File else -1

    def modified(self, name: str) -> float:
        """When a file was written last, in seconds since 1970. Never part of a result."""
        filesystem, base = self._filesystem
        return float(filesystem.get_file_info(posixpath.join(base, name)).mtime_ns) / 1e9

    def download(self, name: str, path: str) -> None:
        """Copy a file to a path of this machine, in small steps: it is there whole, or not at all."""
        filesystem, base = self._filesystem
        try:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with filesystem.open_input_stream(posixpath.join(base, name)) as source, _replacing(path) as target:
                shutil.copyfileobj(source, target, BLOCK)
        except OSError as error:
            raise StoreError(f"{self.path(name)}: cannot be copied to {path} ({error}); what was there before is untouched") from None

    def upload(self, path: str, name: str) -> None:
        """Copy a file of this machine into the workspace, in small steps."""
        filesystem, base = self._filesystem
        place = posixpath.join(base, name)
        try:
            filesystem.create_dir(posixpath.dirname(place), recursive=True)
            with open(path, "rb") as source, filesystem.open_output_stream(place) as target:
                shutil.copyfileobj(source, target, BLOCK)
        except OSError as error:
            raise StoreError(f"{self.path(name)}: {path} could not be copied there ({error}); run the same command again") from None

    def vouch(self, name: str) -> StoredFile:
        """A stored file's line for a manifest, read from the file itself in small steps."""
        filesystem, base = self._filesystem
        sha, size = hashlib.sha256(), 0
        with filesystem.open_input_stream(posixpath.join(base, name)) as stream:
            while block := stream.read(BLOCK):
                sha.update(block)
                size += len(block)
        return StoredFile(path=name, sha256=sha.hexdigest(), size=size)

    def names(self, folder: str) -> list[str]:
        """The files below a folder at any depth, sorted; none if it is not there."""
        return list(self.below(folder))

    def below(self, name: str) -> dict[str, fs.FileInfo]:
        """Size and time of a file, or of all files below a folder, by their names in the workspace, sorted; none if it is not there."""
        filesystem, base = self._filesystem
        path = posixpath.join(base, name)
        try:
            info = filesystem.get_file_info(path)
            if info.type == fs.FileType.File:
                return {name: info}
            return {posixpath.join(name, file): found for file, found in below(filesystem, path).items()}
        except OSError as error:
            raise StoreError(f"{self.path(name)}: cannot be listed ({error}); run the same command again") from None

    def used(self, folder: str) -> int:
        """The bytes of all files below a folder."""
        return sum(info.size or 0 for info in self.below(folder).values())

    def remove(self, name: str) -> None:
        """Delete a file; one that is not there is no error."""
        filesystem, base = self._filesystem
        try:
            filesystem.delete_file(posixpath.join(base, name))
        except FileNotFoundError:
            return
        except OSError as error:
            raise StoreError(f"{self.path(name)}: cannot be deleted ({error}); delete it by hand") from None

    # Parts and manifests

    def commit(self, stage: str, key: str, records: Sequence[Record], rows_in: int, beside: Sequence[StoredFile] = ()) -> PartLine:
        """Write a part: its records by kind, then the line that makes it count.

        ``beside`` are files of another format that were written for the part; they hold what is not among the records.
        """
        stored = list(beside)
        for name, kind in KINDS.items():
            of_kind = [record for record in records if type(record) is kind]
            if of_kind:
                buffer = io.BytesIO()
                pq.write_table(rows(of_kind, kind), buffer, compression="zstd")
                file = self.write(f"{PROCESSED}/{stage}/part-{key}.{name}.parquet", buffer.getvalue())
                stored.append(file.model_copy(update={"kind": name, "rows": len(of_kind)}))
        rejected = count_rejected(records)
        kept = rows_in - sum(rejected.values())
        line = PartLine(key=key, files=tuple(stored), rows_in=rows_in, kept=kept, rejected=rejected)
        self.write(f"{PROCESSED}/{stage}/part-{key}.json", line.model_dump_json().encode())
        return line

    def part(self, stage: str, key: str) -> PartLine | None:
        """The line of a part that is whole; None if it has to be made."""
        line = self._parse(f"{PROCESSED}/{stage}/part-{key}.json", PartLine)
        return line if line and all(self.size(file.path) == file.size for file in line.files) else None

    def finish(self, folder: str, manifest: Manifest) -> None:
        """Say that a stage is done. The last act of every stage."""
        self.write(f"{folder}/manifest.json", manifest.model_dump_json(indent=1).encode())

    def manifest(self, folder: str) -> Manifest | None:
        """The manifest of a stage's folder if everything it names is there, else None."""
        manifest = self._parse(f"{folder}/manifest.json", Manifest)
        if manifest is None:
            return None
        files = [*manifest.files, *(file for part in manifest.parts for file in part.files)]
        return manifest if all(self.size(file.path) == file.size for file in files) else None

    def has_run(self, stage: str) -> bool:
        """True if a data stage was finished once, whether or not all that it made is still there."""
        return self.size(f"{PROCESSED}/{stage}/manifest.json") >= 0

    def done(self, folder: str, fingerprint: str) -> Manifest | None:
        """The manifest of a stage that is done with just these parameters and inputs, else None."""
        manifest = self.manifest(folder)
        return manifest if manifest and manifest.fingerprint == fingerprint else None

    def _parse(self, name: str, kind: type[S]) -> S | None:
        if self.size(name) < 0:
            return None
        try:
            return kind.model_validate_json(self.read(name))
        except ValidationError:
            return None  # half a file, or one of an older version: the stage is simply not done

    # Records

    def require(self, stage: str, needed_by: str) -> Manifest:
        """The manifest of a data stage that must be done before another."""
        manifest = self.manifest(f"{PROCESSED}/{stage}")
        if manifest is None:
            raise StoreError(f"{self.path(PROCESSED)}/{stage} is not complete and '{needed_by}' needs it: run 'make {stage}' first")
        return manifest

    def records(self, stage: str, kind: type[R], *, rejected: bool = False) -> Iterator[R]:
        """The records of a kind that a finished stage kept (or, with ``rejected``, those it did not), in a fixed order."""
        manifest = self.manifest(f"{PROCESSED}/{stage}")
        for part in manifest.parts if manifest else ():
            for file in part.files:
                if file.kind == kind.__name__:
                    yield from (record for record in self.slice(Slice(file), kind) if bool(record.rejected) == rejected)

    def values(self, stage: str, kind: type[Record], *names: str) -> Iterator[tuple[Any, ...]]:
        """Some fields of all records of a kind that a finished stage made, rejected ones too: far faster than the records themselves."""
        for file in self.files(stage, kind):
            table = read_table(self._verified(file), names)
            yield from zip(*(table.column(name).to_pylist() for name in names), strict=True)

    def slice(self, piece: Slice, kind: type[R]) -> list[R]:
        """The records in a range of a stored file, rejected ones too."""
        table = read_table(self._verified(piece.file))
        stop = table.num_rows if piece.stop < 0 else piece.stop
        return from_rows(table.slice(piece.start, max(0, stop - piece.start)), kind)

    def _verified(self, file: StoredFile) -> bytes:
        data = self.read(file.path)
        if hashlib.sha256(data).hexdigest() != file.sha256:
            raise StoreError(f"{self.path(file.path)} is not what its manifest says: delete it and run its stage again")
        return data

    def files(self, stage: str, kind: type[Record]) -> list[StoredFile]:
        """The files of a finished stage that hold records of a kind, in a fixed order; none if it is not done."""
        manifest = self.manifest(f"{PROCESSED}/{stage}")
        parts = manifest.parts if manifest else ()
        return [file for part in parts for file in part.files if file.kind == kind.__name__]


def _write_local(path: str, data: bytes) -> None:
    with _replacing(path) as stream:
        stream.write(data)


@contextmanager
def _replacing(path: str) -> Iterator[BinaryIO]:
    """A file that takes its place when it is whole and on the disk."""
    temporary = f"{path}.{uuid.uuid4().hex[:8]}.tmp"
    try:
        with open(temporary, "wb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(temporary, path)
    except BaseException:
        if os.path.exists(temporary):
            os.remove(temporary)
        raise


def read_table(data: bytes, columns: Sequence[str] = ()) -> pa.Table:
    """The rows of a Parquet file, or some of its columns.

    In one thread: pyarrow (25.0) aborts a process that ends just after its threads began, and parts are too small to gain by them.
    """
    return pq.read_table(io.BytesIO(data), columns=list(columns) or None, use_threads=False)


def slices(files: Iterable[StoredFile], size: int) -> Iterator[Slice]:
    """Cut stored files into ranges of at most ``size`` rows: by content, never by the number of workers."""
    for file in files:
        for start in range(0, file.rows, size):
            yield Slice(file, start, min(start + size, file.rows))
