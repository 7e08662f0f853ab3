"""Where things lie: a folder of this machine, or an address of an object store (``s3://bucket/name``), by ``pyarrow.fs``."""

from __future__ import annotations

from pyarrow import fs


def is_remote(path: str) -> bool:
    """True for an address."""
    return "://" in path


def filesystem_of(path: str) -> tuple[fs.FileSystem, str]:
    """Who reads a path, and what it is called there.

    Keys, region and endpoint of an object store come from the environment, as its own tools have them (``AWS_ENDPOINT_URL``).
    """
    if is_remote(path):
        filesystem, name = fs.FileSystem.from_uri(path)
        return filesystem, str(name)
    return fs.LocalFileSystem(), path


def below(filesystem: fs.FileSystem, base: str) -> dict[str, fs.FileInfo]:
    """The files below a folder at any depth, by their names relative to it, sorted; none if it is not there."""
    infos = filesystem.get_file_info(fs.FileSelector(base, recursive=True, allow_not_found=True))
    found = {info.path[len(base) :].lstrip("/"): info for info in infos if info.type == fs.FileType.File}
    return dict(sorted(found.items()))
