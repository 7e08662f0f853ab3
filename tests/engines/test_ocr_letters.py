"""Which letters the engines of this machine can write."""

from __future__ import annotations

from pathlib import Path

import pytest

from seshat.data.ocr import Ocr, unwritable
from seshat.engines.ocr_letters import letters_of, packs_with, unknown_letters
from seshat.language import Language
from tests.needs import needs_tesseract


@needs_tesseract
def test_tesseract_says_what_its_language_pack_knows() -> None:
    spanish = letters_of("tesseract", ("spa",))
    assert {"a", "ñ", "Ñ", "¿"} <= spanish
    assert not {"ŋ", "ẽ", "中"} & spanish
    assert letters_of("tesseract", ("spa", "eng")) > spanish
    assert "spa" in packs_with(["ñ"])
    assert packs_with(["ꜧ"]) == []


def test_pp_ocr_says_it_too() -> None:
    known = letters_of("rapidocr", ())
    assert {"a", "ñ", "中"} <= known
    assert not {"ẽ", "¡"} & known


def test_a_digraph_is_written_letter_by_letter_and_an_accent_with_its_mark() -> None:
    assert unknown_letters(["a", "sh", "ñ", "ɨ", "ë"], frozenset("aASHshnN\u0303ñÑ")) == ["ɨ", "Ɨ", "ë", "Ë"]


@needs_tesseract
@pytest.mark.parametrize(
    ("engine", "alphabet", "said"),
    [
        ("tesseract", "a ñ", ""),
        ("tesseract", "", ""),
        ("fake", "a ẽ", ""),
        ("tesseract", "a ŋ", "tesseract cannot write ŋ Ŋ, and puts other letters there: set ocr.engine=rapidocr"),
        ("rapidocr", "a ẽ", "rapidocr cannot write ẽ Ẽ, and puts other letters there: teach a recogniser"),
    ],
)
def test_before_a_run_the_alphabet_is_held_against_the_engine(engine: str, alphabet: str, said: str) -> None:
    ocr = Ocr.model_validate({"engine": engine})
    found = unwritable(ocr, Language(code="qaa", name="x", alphabet=alphabet))
    assert found.startswith(said)
    assert bool(found) == bool(said)


def test_a_pack_without_a_network_knows_nothing_that_can_be_said(tmp_path: Path) -> None:
    (tmp_path / "old.traineddata").write_bytes(b"\x05\x00\x00\x00" + b"\xff" * 40)
    assert letters_of("tesseract", ("old",), str(tmp_path)) == frozenset()
