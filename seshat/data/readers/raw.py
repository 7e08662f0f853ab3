"""The raw folder: what lies in it, and the one way to open a file of it (a local path, or any address of ``pyarrow.fs``).

A zip archive in one of the folders stands for the files in it: ``translations/box.zip/inner/a.shp.txt``.
"""

from __future__ import annotations

import hashlib
import logging
import os
import posixpath
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import BinaryIO, cast
from urllib.parse import quote

from seshat.data.readers.archive import INSIDE, is_archive, list_members, read_member, split_path
from seshat.data.readers.content import RefusedError
from seshat.errors import DataError, StoreError
from seshat.filesystem import below, filesystem_of, is_remote
from seshat.records import RawFile
from seshat.rights import CORRECTIONS, RECORD, REVIEWS

log = logging.getLogger(__name__)

FOLDERS = ("dictionary", "transcriptions", "translations", "scans", "audio", CORRECTIONS)
"""What the guide asks people to sort their material into."""
SOUND = (
    *(".wav", ".mp3", ".flac", ".ogg", ".oga", ".opus", ".m4a", ".aac", ".wma", ".aif", ".aiff", ".amr"),
    *(".mp4", ".webm", ".mkv", ".mov", ".avi"),
)
"""Recordings, for ``make transcribe``; everything else in audio/ is read as text."""
ELSEWHERE = ""
"""Stands for every place that is not one of the folders, among them the top itself."""
_AGAIN = "run the same command again when nobody is writing there"


def open_raw(file: RawFile) -> bytes:
    """The bytes of a raw file, or of a file in an archive; RefusedError for one that may not be unpacked.

    A file that is not what it was when the run began is a StoreError, which stops the run: whatever were made of it now would
    be committed under the name of what it held before.
    """
    try:
        data = b"".join(_read(file.path))
    except (OSError, RefusedError) as error:
        raise _not_open(file, error) from None
    _check_same(file, hashlib.sha256(data).hexdigest() if file.sha256 else "")
    return data


@contextmanager
def raw_stream(file: RawFile) -> Iterator[BinaryIO]:
    """A raw file that is too large to be held, open at its beginning, to be read at any place; the errors are those of ``open_raw``.

    What is no file of this machine (a member of an archive, an object of a store) is copied to one, which goes when it is closed.
    """
    try:
        stream = _seekable(file.path)
    except (OSError, RefusedError) as error:
        raise _not_open(file, error) from None
    with stream:
        sha = hashlib.sha256()
        while file.sha256 and (block := stream.read(1 << 20)):
            sha.update(block)
        _check_same(file, sha.hexdigest() if file.sha256 else "")
        stream.seek(0)
        yield stream


def _seekable(path: str) -> BinaryIO:
    """A file that its caller closes."""
    if not is_remote(path) and not split_path(path)[1]:
        return open(path, "rb")
    copy = cast(BinaryIO, tempfile.TemporaryFile())  # noqa: SIM115
    try:
        copy.writelines(_read(path))
        copy.seek(0)
    except BaseException:
        copy.close()
        raise
    return copy


def _not_open(file: RawFile, error: OSError | RefusedError) -> Exception:
    if file.sha256:
        return StoreError(f"{file.path} could be read when the run began and cannot be now ({error}): {_AGAIN}")
    if isinstance(error, RefusedError):
        return error
    return DataError(f"{file.path} cannot be opened ({error}); check that the file is there and may be read")


def _check_same(file: RawFile, sha256: str) -> None:
    if sha256 != file.sha256:
        raise StoreError(f"{file.path} has changed since the run began, so nothing was made of it: {_AGAIN}")


def raw_files(raw: str, folders: Sequence[str] = FOLDERS, *, without: tuple[str, ...] = ()) -> list[RawFile]:
    """The files of some of the raw folders at any depth, in sorted order, with their SHA-256.

    Hidden files, lock files of office programs, ``SOURCE.yaml`` and filled review sheets are not material and are left out. With
    ``ELSEWHERE`` among the folders, files that lie in none of the known ones are listed too; extensions in ``without`` are left out. A
    raw folder that is missing or empty is an error that says what to put there.

    An archive is listed as its members, under the same rules; the rights are those of the folder that it lies in, and a
    ``SOURCE.yaml`` inside is not read. One that cannot be opened is listed itself, as a file that will be rejected.
    """
    raw, origins = _listed(raw)
    material = [origin for origin in origins if _is_material(origin)]
    if not material:
        raise StoreError(
            f"{raw} {'holds no material' if origins else 'is missing or empty'}: put dictionaries into {raw}/dictionary, bilingual "
            f"tables into {raw}/transcriptions, parallel documents into {raw}/translations, scans into {raw}/scans and "
            f"recordings into {raw}/audio"
        )
    rights = _with_rights(origins)
    return [
        RawFile(origin=origin, collection=_collection(origin, rights), path=path, sha256=_sha256(path))
        for file in material
        if _folder(file) in folders
        for origin, path in _opened(file, _path(raw, file))
        if not origin.lower().endswith(without)
    ]


def files_of(folder: str) -> list[RawFile]:
    """The files of any folder, or the one file that is named, by the same rules; they are in no collection."""
    if os.path.isfile(folder):
        return [RawFile(origin=posixpath.basename(folder), collection="", path=folder, sha256="")]
    folder, origins = _listed(folder)
    return [RawFile(origin=origin, collection="", path=_path(folder, origin), sha256="") for origin in origins if _is_material(origin)]


def raw_file(path: str) -> RawFile:
    """One file, wherever it lies, by its name alone; it is in no collection."""
    return RawFile(origin=posixpath.basename(path), collection="", path=os.path.abspath(path), sha256=_sha256(os.path.abspath(path)))


def raw_origins(raw: str) -> dict[str, str]:
    """The collection of every file of the raw folder, by origin; nothing is read but the lists of archives."""
    raw, origins = _listed(raw)
    rights = _with_rights(origins)
    material = (file for file in origins if _is_material(file))
    return {origin: _collection(origin, rights) for file in material for origin, _ in _opened(file, _path(raw, file))}


def find_raw(raw: str, origin: str, sha256: str) -> RawFile | None:
    """The file of an origin, to be opened as what it was when its SHA-256 was taken; None if it is not there any more."""
    raw, origins = _listed(raw)
    holders = (file for file in origins if origin == file or origin.startswith(f"{file}/"))
    paths = {name: path for file in holders for name, path in _opened(file, _path(raw, file))}
    if origin not in paths:
        return None
    return RawFile(origin=origin, collection=_collection(origin, _with_rights(origins)), path=paths[origin], sha256=sha256)


def _listed(raw: str) -> tuple[str, list[str]]:
    """The raw folder as a whole path, and its files."""
    raw = raw.rstrip("/") if is_remote(raw) else os.path.abspath(raw)
    return raw, list(below(*filesystem_of(raw)))


def _path(raw: str, file: str) -> str:
    return f"{raw}/{quote(file) if is_remote(raw) else file}"


def _with_rights(origins: Iterable[str]) -> set[str]:
    """The folders that hold a rights record."""
    return {posixpath.dirname(origin) for origin in origins if posixpath.basename(origin) == RECORD}


def _opened(origin: str, path: str) -> list[tuple[str, str]]:
    """A file, or the material in an archive, by origin and path."""
    if not is_archive(origin) or _folder(origin) == ELSEWHERE:
        return [(origin, path)]
    try:
        filesystem, name = filesystem_of(path)
        with filesystem.open_input_file(name) as stream:
            members = list_members(stream)
    except (OSError, RefusedError) as error:  # whoever opens it will reject it with the reason
        log.warning("%s cannot be opened (%s)", path, error)
        return [(origin, path)]
    if any(posixpath.basename(member.origin) == RECORD for member in members):
        log.warning("%s: the %s inside is not read; put it beside the archive", path, RECORD)
    found = [(f"{origin}/{member.origin}", f"{path}{INSIDE}{member.name}") for member in members if _is_material(member.origin)]
    return sorted(found) if members else [(origin, path)]


def _is_material(origin: str) -> bool:
    name = posixpath.basename(origin)
    hidden = any(part.startswith((".", "~$")) or part == "__MACOSX" for part in origin.split("/"))
    return not hidden and not origin.startswith(f"{REVIEWS}/") and name not in (RECORD, "Thumbs.db", "desktop.ini")


def _folder(origin: str) -> str:
    top = origin.partition("/")[0]
    return top if "/" in origin and top in FOLDERS else ELSEWHERE


def _collection(origin: str, rights: set[str]) -> str:
    """The nearest folder with a rights record, else the top folder."""
    folder = posixpath.dirname(origin)
    while folder and folder not in rights:
        folder = posixpath.dirname(folder)
    return folder or origin.partition("/")[0]


def _read(path: str) -> Iterator[bytes]:
    """The bytes of a file or of a member, block by block."""
    archive, member = split_path(path)
    filesystem, name = filesystem_of(archive)
    if member:
        with filesystem.open_input_file(name) as file:
            yield from read_member(file, member)
    else:
        with filesystem.open_input_stream(name, compression=None) as stream:
            while block := stream.read(1 << 20):
                yield bytes(block)


def _sha256(path: str) -> str:
    sha = hashlib.sha256()
    try:
        for block in _read(path):
            sha.update(block)
    except (OSError, RefusedError) as error:  # whoever opens it will reject it with the reason
        log.warning("%s cannot be read (%s)", path, error)
        return ""
    return sha.hexdigest()
