r"""Files called .sfm, which are Standard Format of one kind or another: Scripture begins with ``\id``, a dictionary does not."""

from __future__ import annotations

import regex

from seshat.data.readers.content import Content, Options, Reader
from seshat.data.readers.encoding import decode
from seshat.data.readers.toolbox import read_toolbox
from seshat.data.readers.usfm import read_usfm

_SCRIPTURE = regex.compile(r"[\s\ufeff]*\\id\s")
_TOOLBOX = regex.compile(r"(?m)^\\(?:lx|tx|mb)\s")
"""Toolbox begins interlinear texts with ``\\id`` too; Scripture has no such lines."""


def read_standard_format(data: bytes, options: Options) -> Content:
    """Scripture as ``read_usfm`` gives it, dictionaries and interlinear texts as ``read_toolbox`` does."""
    text, _ = decode(data, options.encoding)
    is_scripture = _SCRIPTURE.match(text) is not None and _TOOLBOX.search(text) is None
    return read_usfm(data, options) if is_scripture else read_toolbox(data, options)


READERS = (Reader(extensions=(".sfm",), read=read_standard_format),)
