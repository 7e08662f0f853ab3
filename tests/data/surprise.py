"""Bytes that no reader may be surprised by: any at all, and pieces of a format put together at random."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence

from hypothesis import strategies as st

from seshat.data.readers import Content, Options
from seshat.errors import SeshatError

Read = Callable[[bytes, Options], Content]


def files(pieces: Sequence[str], whole: Callable[[str], bytes] = str.encode) -> st.SearchStrategy[bytes]:
    """Random bytes, random text, and up to forty pieces in any order, bare and as ``whole`` makes a file of them."""
    markup = st.lists(st.sampled_from(pieces), max_size=40).map("".join)
    return st.one_of(st.binary(max_size=300), st.text(max_size=200).map(str.encode), markup.map(str.encode), markup.map(whole))


def check(read: Read, data: bytes) -> None:
    """The reader gives content, or refuses on purpose."""
    with contextlib.suppress(SeshatError):
        assert isinstance(read(data, Options()), Content)
