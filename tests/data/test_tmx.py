"""Translation memories as OmegaT and others export them."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings

from seshat.data.readers import Options, RefusedError
from seshat.data.readers.tmx import read_tmx
from seshat.data.readers.xml import without_region
from seshat.records import SentencePair
from tests.data import surprise
from tests.data.test_ingest import ingested, pairs

HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE tmx SYSTEM "tmx14.dtd">
<tmx version="1.4">
  <header creationtool="OmegaT" creationtoolversion="5.7" segtype="sentence" o-tmf="OmegaT TMX" adminlang="EN-US" srclang="es-PE"
    datatype="plaintext"/>
  <body>"""
TAIL = "</body></tmx>"


def unit(*variants: tuple[str, str], attributes: str = "") -> str:
    written = "".join(f'<tuv xml:lang="{lang}"><seg>{text}</seg></tuv>' for lang, text in variants)
    return f"<tu{attributes}>{written}</tu>"


def tmx(*units: str) -> bytes:
    return (HEAD + "\n".join(units) + TAIL).encode()


def found(*units: str) -> list[tuple[str, dict[str, str], str]]:
    (table,) = read_tmx(tmx(*units), Options()).tables
    return [(row.place, dict(row.values), row.problem) for row in table.rows]


def test_a_unit_is_a_row_with_a_column_for_each_language() -> None:
    note = "<tu><note>Revisar</note>" + unit(("es-ES", "Dos"), ("shp", "Rabé"))[4:]
    assert found(unit(("es-PE", "Uno"), ("shp", "Westiora"), attributes=' tuid="a 1"'), note) == [
        ("tuid=a 1", {"es": "Uno", "shp": "Westiora"}, ""),
        ("unit=2", {"es": "Dos", "shp": "Rabé"}, ""),
    ]


def test_a_memory_becomes_pairs_of_one_document(tmp_path: Path) -> None:
    data = tmx(unit(("es-PE", "La casa."), ("shp", "Xobo.")), unit(("es-PE", "El diseño."), ("shp", "Kene.")), unit(("es-PE", "Solo.")))
    records = ingested(tmp_path, {"translations/memoria.tmx": data})
    assert pairs(records) == [("Xobo.", "La casa."), ("Kene.", "El diseño.")]
    assert [(one.origin, one.reason) for one in records][2:] == [("translations/memoria.tmx#unit=3", "empty")]
    assert {one.document for one in records if isinstance(one, SentencePair)} == {"translations/memoria"}


@pytest.mark.parametrize(
    ("segment", "text"),
    [
        ('Pulse <bpt i="1" type="bold">&lt;b&gt;</bpt>Aceptar<ept i="1">&lt;/b&gt;</ept>.', "Pulse Aceptar."),
        ('Uno<ph x="1">{\\tab}</ph>dos', "Unodos"),
        ('Uno<ph type="lb"/>dos<ph>&lt;br/&gt;</ph>tres', "Uno dos tres"),
        ("La <hi>casa <it pos='begin'>x</it>grande</hi> es", "La casa grande es"),
        ("Uno&nbsp;dos", "Uno dos"),
        ("  Uno\n   dos ", "Uno dos"),
        ("<![CDATA[a < b]]><!-- no -->", "a < b"),
    ],
)
def test_inline_markup_is_taken_out(segment: str, text: str) -> None:
    assert found(unit(("es", segment), ("shp", "x")))[0][1]["es"] == text


def test_several_wordings_of_a_unit_are_rows() -> None:
    assert found(unit(("es-ES", "Vale."), ("es-PE", "Ya."), ("es", "Ya."), ("shp", "Moa."))) == [
        ("unit=1", {"es": "Vale.", "shp": "Moa."}, ""),
        ("unit=1&wording=2", {"es": "Ya.", "shp": "Moa."}, ""),
    ]


def test_a_bad_unit_is_one_bad_row() -> None:
    nameless = "<tu><tuv><seg>Uno</seg></tuv></tu>"
    rows = found("<tu/>", nameless, unit(("es", "Uno"), ("shp", "Westiora")))
    assert [problem.partition(":")[0] for _, _, problem in rows] == ["empty", "language", ""]


def test_older_memories_name_the_language_without_a_prefix() -> None:
    assert found('<tu><tuv lang="ES-ES"><seg>Uno</seg></tuv></tu>') == [("unit=1", {"es": "Uno"}, "")]


@pytest.mark.parametrize(
    ("code", "name"),
    [("es", "es"), ("es-PE", "es"), ("ES_419", "es"), ("zh-Hant-TW", "zh-Hant"), ("shp", "shp"), ("qaa-x-tam", "qaa-x-tam"), ("", "")],
)
def test_only_the_region_of_a_code_is_dropped(code: str, name: str) -> None:
    assert without_region(code) == name


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (tmx(unit(("es", "Uno")))[:-10], "syntax: line "),
        (tmx(unit(("es", "Uno"))).replace(b"Uno", b"\xf1"), "syntax: line "),
        (b'<?xml version="1.0"?><xliff version="1.2"/>', "unreadable: no TMX file, as it begins with <xliff>"),
        (b"<body><tu/></body>", "unreadable: no TMX file"),
        (b'<!DOCTYPE tmx [<!ENTITY a "b">]><tmx><tu>&a;</tu></tmx>', "entity: "),
        (tmx(), "empty: the translation memory holds no unit"),
    ],
)
def test_what_is_no_memory_is_refused(data: bytes, said: str) -> None:
    with pytest.raises(RefusedError, match=said):
        read_tmx(data, Options())


PIECES = (
    *("<tmx>", "</tmx>", "<tu>", '<tu tuid="1">', "</tu>", '<tuv xml:lang="es">', '<tuv xml:lang="shp">', "<tuv>", "</tuv>", "<seg>"),
    *("</seg>", "<ph>", "</ph>", "<hi>", "</hi>", "kene", "&lt;", "&b;", "<!-- -->", "<?x?>"),
)


@settings(max_examples=500, deadline=None)
@given(surprise.files(PIECES, tmx))
def test_any_bytes_give_content_or_an_error_on_purpose(data: bytes) -> None:
    surprise.check(read_tmx, data)
