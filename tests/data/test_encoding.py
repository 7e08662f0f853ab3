"""Bytes to text: the encodings of people's files are found, and what cannot be told apart is refused."""

from __future__ import annotations

import codecs

import pytest

from seshat.data.readers import RefusedError
from seshat.data.readers.encoding import decode, is_mojibake

TEXT = "palabra;significado\nxóbo;construcción de niños, ¿sí?\n"
LETTERS = "ñáéíóúüÑÁÉÍÓÚÜ" + "ẽĩũỹẼĨŨỸ" + "ãõçÇ" + "ʼꞌ" + "ŋšžčćőğşıäß" + "ẹọṣ" + "ɛɨ"
"""Of orthographies in America, Africa and Europe."""


def wrong(data: bytes, encoding: str) -> str:
    """Bytes as a program reads them that takes them for another encoding; what cp1252 leaves open, it reads as Latin-1."""
    letters = (bytes([byte]) for byte in data)
    return "".join(one.decode("latin-1" if one in b"\x81\x8d\x8f\x90\x9d" else encoding) for one in letters)


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (TEXT.encode(), "utf-8"),
        (TEXT.encode("utf-8-sig"), "utf-8-sig"),
        (codecs.BOM_UTF16_LE + TEXT.encode("utf-16-le"), "utf-16"),
        (codecs.BOM_UTF16_BE + TEXT.encode("utf-16-be"), "utf-16"),
        (codecs.BOM_UTF32_LE + TEXT.encode("utf-32-le"), "utf-32"),
        (codecs.BOM_UTF32_BE + TEXT.encode("utf-32-be"), "utf-32"),
        (TEXT.encode("cp1252"), "cp1252"),
        (TEXT.encode("latin-1"), "cp1252"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_encodings_are_found(data: bytes, name: str) -> None:
    assert decode(data) == (TEXT, name)


def test_quotation_marks_of_windows_are_cp1252_and_not_controls() -> None:
    assert decode("“niños” – joʼn…".replace("ʼ", "’").encode("cp1252")) == ("“niños” – jo’n…", "cp1252")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (TEXT.encode("utf-16-le"), "zero bytes"),
        (TEXT.encode("utf-16-be"), "zero bytes"),
        ("ᏣᎳᎩᎦᏬᏂᎯᏍᏗ".encode("utf-16-be"), "line 1 is not UTF-8, and read as cp1252 it gives"),
        (codecs.BOM_UTF16_LE + TEXT.encode("utf-16-le")[:-1], "not utf-16 as it says"),
        (b"\xef\xbb\xbfni\xf1o", "not utf-8-sig as it says"),
        ("a;niño\n".encode() + "b;niña\n".encode("cp1252"), "line 2 is not UTF-8, and read as cp1252 it gives"),
        ("España en la montaña".encode("cp850"), "name its encoding under ingest.files"),
        ("España en la montaña más alta".encode("mac-roman"), "name its encoding under ingest.files"),
        ("niño sí".encode() + b"\xff\xfe", "line 1 is not UTF-8"),
    ],
)
def test_what_may_be_several_encodings_is_refused(data: bytes, said: str) -> None:
    with pytest.raises(RefusedError, match=said):
        decode(data)


def test_a_named_encoding_is_taken_at_its_word() -> None:
    assert decode("España".encode("cp850"), "cp850") == ("España", "cp850")
    with pytest.raises(RefusedError, match="not ascii as it says"):
        decode("España".encode(), "ascii")
    with pytest.raises(RefusedError, match="not latin-77 as it says"):
        decode(b"a", "latin-77")


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("encoding", ["cp1252", "latin-1"])
def test_letters_that_were_decoded_twice_are_seen(encoding: str, times: int) -> None:
    unseen = []
    for letter in LETTERS:
        text = letter
        for _ in range(times):
            text = wrong(text.encode(), encoding)
        if not is_mojibake(f"jo{text}na"):
            unseen.append(letter)
    assert unseen == []


@pytest.mark.parametrize(
    "text",
    [
        "joʼn, ñandú ¿qué? «PYTÃ», “JARÃ”, PYTÃ’I, KÓ´O, «“está”», «É»",
        "CAFÉ–TEATRO, ¡SÍ!, 25 °C, Mª, 1.º, QUÉ…, «Ñandú»—dijo, NEJVYŠŠÍ, TÉŽ, VÁŽENÝ, Å, L·L, ÀÉ·Ó",
        f"{LETTERS} {LETTERS.upper()}",
    ],
)
def test_letters_and_marks_as_people_write_them_are_no_mojibake(text: str) -> None:
    assert not is_mojibake(text)


def test_the_mark_of_lost_bytes_is_mojibake() -> None:
    assert is_mojibake("lo que\ufffd dijo")
