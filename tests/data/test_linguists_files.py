"""Linguists' files lying in the raw folder, with nothing configured: what comes out of ingest, and of align."""

from __future__ import annotations

from pathlib import Path

import pytest

from seshat.data.align import Align, AlignDocuments
from seshat.records import Document, SentencePair
from seshat.stage import guarded
from tests.data.test_ingest import SHIPIBO, entries, ingested, pairs

TOOLBOX = "\\_sh v3.0  400  MDF 4.0\n\n\\lx kene\n\\ps n\n\\gn diseño\n\\xv Kene riki.\n\\xn Es un diseño.\n"
INTERLINEAR = """(1) joni-bo jo-ke
    joni-bo jo-ke
    man-PL come-COMP
    ‘Los hombres vinieron.’

(2) ainbo jo-ke
    ainbo jo-ke
    woman come-COMP
    ‘La mujer vino.’
"""


def test_a_toolbox_database_that_is_called_txt_is_a_dictionary(tmp_path: Path) -> None:
    found = ingested(tmp_path, {"dictionary/Dictionary.txt": TOOLBOX})
    assert (entries(found), pairs(found)) == ([("kene", "diseño")], [("Kene riki.", "Es un diseño.")])


def test_interlinear_text_is_pairs_with_glosses(tmp_path: Path) -> None:
    first, _ = (one for one in ingested(tmp_path, {"transcriptions/cuento.txt": INTERLINEAR}) if isinstance(one, SentencePair))
    assert (first.translation, first.gloss, first.rejected) == ("Los hombres vinieron.", "man-PL come-COMP", "")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.tsv", "Joni joke.\tEl hombre vino.\nAinbo joke.\tLa mujer vino.\n"),
        ("a.txt", "Joni joke. ||| El hombre vino.\nAinbo joke. ||| La mujer vino.\n"),
    ],
)
def test_pairs_without_a_header_have_the_text_first(tmp_path: Path, name: str, text: str) -> None:
    found = ingested(tmp_path, {f"transcriptions/{name}": text})
    assert pairs(found) == [("Joni joke.", "El hombre vino."), ("Ainbo joke.", "La mujer vino.")]


def test_verses_go_together_by_their_numbers(tmp_path: Path) -> None:
    found = ingested(
        tmp_path,
        {
            "translations/MAT.shp.usfm": "\\id MAT\n\\c 1\n\\p\n\\v 1 Joni joke.\n\\v 3 Ainbo joke.\n",
            "translations/MAT.spa.usfm": "\\id MAT\n\\c 1\n\\p\n\\v 1 El hombre vino.\n\\v 2 Y se fue.\n\\v 3 La mujer vino.\n",
        },
    )
    documents = [record for record in found if isinstance(record, Document)]
    made = guarded(AlignDocuments(settings=Align(), language=SHIPIBO), documents)
    assert [(one.text, one.translation, one.reason) for one in made if isinstance(one, SentencePair)] == [
        ("Joni joke.", "El hombre vino.", ""),
        ("Ainbo joke.", "La mujer vino.", ""),
        ("", "Y se fue.", "unaligned"),
    ]


def test_running_text_among_the_dictionaries_is_refused(tmp_path: Path) -> None:
    [refused] = ingested(tmp_path, {"dictionary/MAT.usfm": "\\id MAT\n\\c 1\n\\p\n\\v 1 Joni joke.\n"})
    assert refused.rejected.startswith("folder: running text is no dictionary; move it to translations/")
