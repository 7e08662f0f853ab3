"""Bytes that no reader may be surprised by: any at all, pieces of a format put together at random, and whole files after accidents."""

from __future__ import annotations

import contextlib
import io
import zipfile
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


def mutated(whole: bytes) -> st.SearchStrategy[bytes]:
    """A valid file after up to six accidents; in an archive (``.docx``, ``.xlsx``), as often to a member, packed again, as to its bytes."""
    bare = _accidents(whole)
    return st.one_of(bare, _members(whole).flatmap(lambda name: _repacked(whole, name))) if whole.startswith(b"PK") else bare


def _accidents(whole: bytes) -> st.SearchStrategy[bytes]:
    places = st.integers(0, len(whole))
    accident = st.tuples(st.sampled_from(_ACCIDENTS), places, places, st.one_of(st.binary(max_size=4), st.sampled_from(_ODD)))
    return st.lists(accident, min_size=1, max_size=6).map(lambda accidents: _changed(whole, accidents))


def _changed(data: bytes, accidents: Sequence[tuple[str, int, int, bytes]]) -> bytes:
    for kind, one, other, said in accidents:
        start, stop = sorted((one, other))
        if kind == "write over":
            data = data[:start] + said + data[start + len(said) :]
        elif kind == "insert":
            data = data[:start] + said + data[start:]
        elif kind == "cut out":
            data = data[:start] + data[stop:]
        elif kind == "cut off":
            data = data[:stop]
        else:
            data = data[:stop] + data[start:stop] + data[stop:]
    return data


_ACCIDENTS = ("write over", "write over", "insert", "cut out", "cut off", "repeat")
_ODD = (
    b"\0",
    b"\xff",
    b"\n",
    b"\r",
    b'"',
    b"<",
    b">",
    b"&",
    b"/",
    b"\\",
    b"{",
    b"}",
    b"[",
    b"]",
    b"-1",
    b"9" * 20,
    b"\xed\xa0\x80",
    b"\xef\xbb\xbf",
)


def _members(whole: bytes) -> st.SearchStrategy[str]:
    with zipfile.ZipFile(io.BytesIO(whole)) as box:
        return st.sampled_from(sorted(box.namelist()))


def _repacked(whole: bytes, name: str) -> st.SearchStrategy[bytes]:
    with zipfile.ZipFile(io.BytesIO(whole)) as box:
        members = {member: box.read(member) for member in box.namelist()}

    def packed(member: bytes) -> bytes:
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w") as box:
            for other, data in members.items():
                box.writestr(other, member if other == name else data)
        return stream.getvalue()

    return _accidents(members[name]).map(packed)
