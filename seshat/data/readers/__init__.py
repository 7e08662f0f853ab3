"""One file per format: the only code that opens what people put into the raw folder.

A new format is one new module here that defines ``READERS``; nothing else has to know of it.
"""

from __future__ import annotations

import importlib
import pkgutil
import posixpath
from collections.abc import Mapping
from functools import lru_cache

from seshat.config import did_you_mean
from seshat.data.readers.content import Content, Options, Paragraph, Reader, RefusedError, Row, Table
from seshat.data.readers.raw import ELSEWHERE, FOLDERS, SOUND, files_of, find_raw, open_raw, raw_file, raw_files, raw_origins, raw_stream
from seshat.records import RawFile

__all__ = [
    "ELSEWHERE",
    "FOLDERS",
    "SOUND",
    "Content",
    "Options",
    "Paragraph",
    "Reader",
    "RefusedError",
    "Row",
    "Table",
    "files_of",
    "find_raw",
    "formats",
    "open_raw",
    "raw_file",
    "raw_files",
    "raw_origins",
    "raw_stream",
    "read",
]


@lru_cache
def formats() -> Mapping[str, Reader]:
    """Every reader by the extension that it reads."""
    modules = (importlib.import_module(f"{__name__}.{module.name}") for module in pkgutil.iter_modules(__path__))
    readers = [reader for module in modules for reader in getattr(module, "READERS", ())]
    return {extension: reader for reader in readers for extension in reader.extensions}


def read(file: RawFile, options: Options) -> Content:
    """What a raw file says; an unknown format is refused with the known ones."""
    extension = options.extension or posixpath.splitext(file.origin)[1].lower()
    reader = formats().get(extension)
    if reader is None:
        known = did_you_mean(extension, formats()) if extension else f"; known here: {', '.join(sorted(formats()))}"
        raise RefusedError(f"format: {extension or 'a file without an extension'} is not read{known}")
    data = open_raw(file)
    if not data.strip():
        raise RefusedError("empty: the file holds nothing")
    return reader.read(data, options)
