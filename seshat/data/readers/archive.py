"""Zip archives in the raw folder: their members are read like files, in memory and within limits, and never unpacked onto a disk.

The format is PKWARE's APPNOTE.TXT. Its headers are not trusted: a member that has more bytes than its header says, or other
ones than its checksum, is refused.
"""

from __future__ import annotations

import io
import posixpath
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any, cast

import regex

from seshat.data.readers.content import Content, Options, Reader, RefusedError

SUFFIX = ".zip"
INSIDE = "!/"
"""Stands between the path of an archive and the name of its member, as in the addresses of Java."""
MAX_MEMBERS = 5_000
MAX_BYTES = 4 << 30
"""Of all members together, unpacked."""
MAX_RATIO = 200
"""Unpacked to packed: text has up to 20, XML up to 60, a bomb a thousand. Looked at from a megabyte on."""
_SMALL = 1 << 20
_BLOCK = 1 << 20
_LARGEST_DIRECTORY = 4 << 20
"""Bytes; enough for the names of all members, and read at once by the library."""
_INSIDE = regex.compile(rf"(?P<archive>.+?\.zip){INSIDE}(?P<member>.+)", regex.IGNORECASE | regex.DOTALL)
_UNSAFE = regex.compile(r"^/|\\|[\p{Cc}\p{Cs}]|^\p{L}:|(?:^|/)\.\.(?=/|$)")


@dataclass(frozen=True, slots=True)
class Member:
    """A file inside an archive."""

    name: str
    """As the archive spells it."""
    origin: str
    """The same for people: what would lead out of the archive is written as ``%``."""


def split_path(path: str) -> tuple[str, str]:
    """The path of an archive and the name of its member; the latter is empty for any other file."""
    match = _INSIDE.fullmatch(path)
    return (match["archive"], match["member"]) if match else (path, "")


def is_archive(origin: str) -> bool:
    """True if a file of the raw folder is opened to look for files in it."""
    return origin.lower().endswith(SUFFIX)


def list_members(stream: IO[bytes]) -> list[Member]:
    """The files in an archive, each name once; an archive over the limits is refused whole."""
    with _opened(stream) as archive:
        names = dict.fromkeys(info.filename for info in archive.infolist() if not info.is_dir())
        return [Member(name, posixpath.normpath(_UNSAFE.sub(lambda match: "%" * len(match.group()), name))) for name in names]


def check_package(data: bytes) -> None:
    """Refuse an office file that would unpack to more than an archive may: it is a zip archive too. What is none is let pass."""
    if zipfile.is_zipfile(io.BytesIO(data)):
        _opened(io.BytesIO(data)).close()


def read_member(stream: IO[bytes], name: str) -> Iterator[bytes]:
    """The bytes of a member, block by block; RefusedError as soon as something is wrong with it."""
    with _opened(stream) as archive:
        info = _checked(archive, name)
        size = 0
        try:
            with archive.open(info) as member:
                while block := member.read(_BLOCK):
                    size += len(block)
                    if size > info.file_size:
                        raise zipfile.BadZipFile("it is larger than its header says")
                    yield block
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, ValueError, struct.error) as error:
            raise RefusedError(f"archive: the member {name!r} cannot be unpacked ({error}); make the archive again") from None
        if size < info.file_size:
            raise RefusedError(f"archive: the member {name!r} is shorter than its header says; make the archive again")


def _checked(archive: zipfile.ZipFile, name: str) -> zipfile.ZipInfo:
    """What the header says of a member that may be read."""
    found = [info for info in archive.infolist() if info.filename == name]
    problem = _problem(found[-1], len(found)) if found else "is not in the archive any more; start the run again"
    if problem:
        raise RefusedError(f"archive: the member {name!r} {problem}")
    return found[0]


def _problem(info: zipfile.ZipInfo, num_same: int) -> str:
    kind = stat.S_IFMT(info.external_attr >> 16)
    if _UNSAFE.search(info.filename):
        return "has a name that leads out of the archive, or that no file can have; rename it and make the archive again"
    if num_same > 1:
        return "is in the archive more than once; make the archive again"
    if kind not in (0, stat.S_IFREG):
        return "is a link or a device and no file; put the file itself into the archive"
    if info.flag_bits & 0x41:
        return "is encrypted; make the archive again without a password"
    if is_archive(info.filename):
        return "is an archive inside an archive, which is not opened; unpack it beside the other"
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):  # the library unpacks others without a bound
        return "is packed in another way than 'deflate'; make the archive again in the usual way"
    if info.file_size > max(_SMALL, MAX_RATIO * info.compress_size):
        return f"unpacks to more than {MAX_RATIO} times its size; put it beside the archive as it is"
    return ""


def _opened(stream: IO[bytes]) -> zipfile.ZipFile:
    """An archive within the limits. Its headers may understate a size, but then no more than that is ever read."""
    size = stream.seek(0, io.SEEK_END)
    try:
        archive = zipfile.ZipFile(cast(IO[bytes], _Bounded(stream)))
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, OverflowError, struct.error) as error:
        raise RefusedError(f"archive: not a zip archive that can be opened ({error}); make it again") from None
    members = archive.infolist()
    unpacked = sum(info.file_size for info in members)
    cure = "make several smaller archives, or put the files into the folder as they are"
    if len(members) > MAX_MEMBERS:
        raise RefusedError(f"archive: {len(members):,} members, more than {MAX_MEMBERS:,}; {cure}")
    if unpacked > MAX_BYTES:
        raise RefusedError(f"archive: {unpacked / (1 << 30):,.1f} GiB unpacked, more than {MAX_BYTES >> 30} GiB; {cure}")
    if unpacked > max(_SMALL, MAX_RATIO * size):
        raise RefusedError(f"archive: it unpacks to more than {MAX_RATIO} times its size; {cure}")
    return archive


class _Bounded:
    """A stream of which nobody reads more at once than the largest directory."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream

    def read(self, size: int = -1) -> bytes:
        data = bytes(self._stream.read(min(size, _LARGEST_DIRECTORY + 1) if size >= 0 else _LARGEST_DIRECTORY + 1))
        if len(data) > _LARGEST_DIRECTORY:
            raise zipfile.BadZipFile(f"its directory has more than {_LARGEST_DIRECTORY:,} bytes")
        return data

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def refuse(data: bytes, _: Options) -> Content:
    """Why an archive came as a file of its own and not as its members."""
    members = list_members(io.BytesIO(data))
    raise RefusedError("archive: it holds no files" if not members else "archive: it is not opened here; unpack it into the folder")


READERS = (Reader(extensions=(SUFFIX,), read=refuse),)
