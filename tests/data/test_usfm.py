r"""Scripture as Paratext writes it: every verse under its name, and nothing that another translation would not have."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seshat.data.readers import Options, RefusedError, formats
from seshat.data.readers.standard_format import read_standard_format
from seshat.data.readers.usfm import read_usfm
from seshat.records import Document
from tests.data import surprise
from tests.data.test_ingest import entries, ingested, pairs

GENESIS = r"""\id GEN - Traducción de prueba
\usfm 3.0
\ide UTF-8
\h Génesis
\toc1 El libro de Génesis
\mt2 El libro de
\mt1 Génesis
\is1 Introducción
\ip Este libro cuenta \bk Génesis\bk* el comienzo.
\c 1
\s1 La creación
\r (Jn 1.1)
\p
\v 1 En el principio\f + \fr 1.1 \ft O: \fqa al comienzo\fqa*, según \fv 2\fv* otros.\f* creó \nd Dios\nd* el cielo.
\v 2 La tierra estaba\x - \xo 1.2 \xt Jer 4.23\x* vacía,
\q1 y había \w tinieblas|lemma="tiniebla"\w*
\q2 sobre el agua.
\s2 El primer día
\p
\v 3-4 Dijo Dios: \wj «Haya \+w luz|strong="H0216"\+w*»\wj*.
\fig La luz|src="luz.jpg" size="span" ref="1.3"\fig*
\c 2
\cl Capítulo dos
\p
\v 1a Así fue.
\b
\m
\v 1b Todo~listo.
"""
VERSES = [
    ("verse=GEN 1:1", "En el principio creó Dios el cielo."),
    ("verse=GEN 1:2", "La tierra estaba vacía, y había tinieblas sobre el agua."),
    ("verse=GEN 1:3-4", "Dijo Dios: «Haya luz»."),
    ("verse=GEN 2:1", "Así fue. Todo listo."),
]


def verses(text: str) -> list[tuple[str, str]]:
    return [(one.place, one.text) for one in read_usfm(text.encode(), Options()).paragraphs]


def verse(text: str) -> str:
    """The text of a single verse."""
    ((_, said),) = verses(f"\\id GEN\n\\c 1\n\\p\n\\v 1 {text}\n")
    return said


def test_every_verse_is_a_paragraph() -> None:
    found = read_usfm(GENESIS.encode(), Options())
    assert [(one.place, one.text) for one in found.paragraphs] == VERSES
    assert found.shared_places
    assert found.remarks == ("left out: 13 paragraphs that are no verses, 3 notes",)


@pytest.mark.parametrize("ending", ["\r\n", "\r"])
def test_line_ends_are_no_matter(ending: str) -> None:
    assert verses("\ufeff" + GENESIS.replace("\n", ending)) == VERSES


def test_both_sides_are_documents_of_one_name(tmp_path: Path) -> None:
    files = {"translations/gen.es.usfm": GENESIS, "translations/gen.shp.sfm": "\\id GEN\n\\c 1\n\\p\n\\v 1 Moa Dios.\n"}
    found = [one for one in ingested(tmp_path, files) if isinstance(one, Document)]
    assert [(one.name, one.language, one.places) for one in found] == [
        ("translations/gen", "spa", tuple(place for place, _ in VERSES)),
        ("translations/gen", "shp", ("verse=GEN 1:1",)),
    ]


@pytest.mark.parametrize(
    ("written", "said"),
    [
        (r"el \nd Señor\nd* dijo", "el Señor dijo"),
        (r'\qt-s |sid="a" who="Pilato"\*Yo\qt-e |eid="a"\* soy', "Yo soy"),
        (r'\zaln-s |x-strong="G1" x-content="καὶ"\*\w Y|x-occurrence="1"\w*\zaln-e\* \w luz|x-occurrence="1"\w*.', "Y luz."),
        ('\\zaln-s |x-strong="G1"\n\\w Y|x-occurrence="1"\\w*\n\\zaln-e\\*', "Y"),
        (r"uno\ts\* dos", "uno dos"),
        (r"uno \zpropio dos\zpropio* tres", "uno dos tres"),
        (r"\va 2\va* uno \vp 1b\vp* dos", "uno dos"),
        (r"uno//dos", "uno dos"),
        (r'uno \rb BB|gloss="g"\rb* dos', "uno BB dos"),
        ("\n\\tr \\th1 Día \\tc1-2 Nombre \\tcr3 12", "Día Nombre 12"),
        (r"uno\f + \ft sin fin" + "\n\\q1 dos", "uno dos"),
        (r"uno \f + \cat Pueblo\cat*\fr 1.1 \ft x\f*dos", "uno dos"),
        ("uno\n\\esb \\cat Pueblo\\cat*\n\\p barra\n\\esbe\n\\p dos", "uno dos"),
        ("uno\n\\s1 Título\n\\sd2\n\\m dos", "uno dos"),
        (r"uno \ dos", "uno dos"),
        ("16 no es", "16 no es"),
    ],
)
def test_markers_go_and_words_stay(written: str, said: str) -> None:
    assert verse(written) == said


@pytest.mark.parametrize(
    ("number", "place"),
    [("3", "3"), ("3a", "3"), ("3-5", "3-5"), ("3a-4b", "3-4"), ("3\u200f-\u200f4", "3-4"), ("3\u20134", "3-4"), ("3-3", "3")],
)
def test_verses_have_the_same_name_in_every_translation(number: str, place: str) -> None:
    assert verses(f"\\id 1jn x\n\\c 2\n\\p\n\\v {number} Uno\n") == [(f"verse=1JN 2:{place}", "Uno")]


def test_a_verse_without_number_is_not_lost() -> None:
    found = read_usfm(b"\\id GEN\n\\c 1\n\\p\n\\v 1 Uno\n\\v Dos\n", Options())
    assert [one.text for one in found.paragraphs] == ["Uno Dos"]
    assert "1 \\v without a number; their text stays with the verse before" in found.remarks


def test_several_books_and_a_book_without_chapters() -> None:
    assert verses("\\id OBA\n\\p\n\\v 1 Uno\n\\id JON\n\\c 2\n\\p\n\\v 1 Dos\n") == [("verse=OBA 1:1", "Uno"), ("verse=JON 2:1", "Dos")]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"En el principio", r"book: no \\id names the book"),
        (b"\\lx kene\n\\gn x\n", "book: "),
        (b"\\id FRT Prefacio\n\\p Gracias a todos.\n", "empty: FRT holds no verse"),
        ("\\id GEN\n\\c 1\n\\v 1 España".encode("cp850"), "encoding: line 3"),
        ("\\id GEN".encode("utf-16-le"), "encoding: holds zero bytes"),
    ],
)
def test_what_is_no_scripture_is_refused(data: bytes, said: str) -> None:
    with pytest.raises(RefusedError, match=said):
        read_usfm(data, Options())


# Files called .sfm


def test_scripture_a_dictionary_and_a_text_are_told_apart(tmp_path: Path) -> None:
    assert formats()[".sfm"].read is read_standard_format
    files = {
        "dictionary/a.sfm": "\\lx kene\n\\gn diseño\n",
        "transcriptions/b.sfm": "\\id cuento\n\\ref 1\n\\tx Moa.\n\\ft Ya.\n",
        "translations/c.es.sfm": GENESIS,
    }
    found = ingested(tmp_path, files)
    assert (entries(found), pairs(found)) == ([("kene", "diseño")], [("Moa.", "Ya.")])
    assert [len(one.paragraphs) for one in found if isinstance(one, Document)] == [4]


PIECES = (
    *("\\id GEN ", "\\c ", "\\c 1\n", "\\v ", "\\v 1 ", "\\v 2-3 ", "\\p\n", "\\q1 ", "\\s ", "\\f ", "\\f*", "\\x ", "\\x*", "\\w "),
    *("\\w*", "\\+nd ", "\\+nd*", "|", '|x="y"', "\\zaln-s ", "\\*", "\\esb", "\\esbe", "\\", "~", "//", "kene", "\n", " ", "\\tx a"),
)


@settings(max_examples=500, deadline=None)
@given(surprise.files(PIECES), st.sampled_from([read_usfm, read_standard_format]))
def test_any_bytes_give_content_or_an_error_on_purpose(data: bytes, read: surprise.Read) -> None:
    surprise.check(read, data)
