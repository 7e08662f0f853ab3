r"""Standard Format dictionaries and interlinear texts as Toolbox writes them."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings

from seshat.data.columns import Columns
from seshat.data.ingest import FileRule, Ingest
from seshat.data.readers import Options, RefusedError, Row
from seshat.data.readers.toolbox import read_toolbox
from seshat.records import Entry, SentencePair
from tests.data import surprise
from tests.data.test_ingest import SHIPIBO, entries, ingested, pairs

DICTIONARY = r"""\_sh v3.0  400  MDF 4.0
\_DateStampHasFourDigitYear

\lx xobo
\hm 1
\lc xobó
\ps n
\pn s.
\sn 1
\ge house
\gn casa
\dn casa grande en la que vive
toda la familia
\xv Nato |fv{xobo} ani.
\xn Esta casa es grande.
\xe This house is big.
\xv Xobo jake.
\xn Hay casas.
\sn 2
\gn nido_de_avispas
\va xubu
\ve Pisquibo dialect
\se xoboati
\ps v
\gn hacer casa
\nt De fv:xobo.
\dt 12/Mar/2011

\lx kene
\ps n
\gn diseño
\ps v
\gn pintar
\gn dibujar
\so J. P.
\dt 12/Mar/2011
"""
TEXT = r"""\_sh v3.0  400  Text

\id cuento
\ref cuento.001
\tx Nato         xobo
\mb nato         xobo
\ge this         house
\ps dem          n
\tx ani      iki
\mb ani      iki
\ge big      COP
\ps adj      v
\ft Esta casa es grande.
\dt 12/Mar/2011

\ref cuento.002
\tx Kene
\mb kene
\ge design
\ft Un diseño.
"""


def rows(text: str, options: Options | None = None) -> tuple[Row, ...]:
    (table,) = read_toolbox(text.encode(), options or Options()).tables
    return table.rows


def values(text: str) -> list[dict[str, str]]:
    return [dict(row.values) for row in rows(text)]


# Dictionaries


def test_each_sense_and_each_subentry_is_a_row() -> None:
    first, second, below, noun, verb = rows(DICTIONARY)
    assert dict(first.values) == {
        "headword": "xobo",
        "homonym": "1",
        "variants": "xubu; xobó",
        "variant comment": "Pisquibo dialect",
        "translation": "casa grande en la que vive toda la familia",
        "translation en": "house",
        "part of speech": "s.",
    }
    assert [(row.place, dict(row.values)) for row in first.nested["examples"]] == [
        ("line=14", {"text": "Nato xobo ani.", "translation": "Esta casa es grande.", "translation en": "This house is big."}),
        ("line=17", {"text": "Xobo jake.", "translation": "Hay casas."}),
    ]
    assert (second.values["translation"], second.values["part of speech"]) == ("nido de avispas", "s.")
    assert (below.values["headword"], below.values["note"]) == ("xoboati", "De xobo.")
    assert [(row.values["part of speech"], row.values["translation"]) for row in (noun, verb)] == [
        ("n", "diseño"),
        ("v", "pintar; dibujar"),
    ]
    assert [row.place for row in (first, second, below, noun, verb)] == ["line=4", "line=19", "line=23", "line=29", "line=32"]


@pytest.mark.parametrize("name", ["d.mdf", "d.db", "d.lex", "d.dic", "d.sfm"])
def test_a_dictionary_becomes_entries_and_pairs(tmp_path: Path, name: str) -> None:
    found = ingested(tmp_path, {f"dictionary/{name}": DICTIONARY.replace("\n", "\r\n").encode("cp1252")})
    assert entries(found) == [
        ("xobo", "casa grande en la que vive toda la familia"),
        ("xobo", "nido de avispas"),
        ("xoboati", "hacer casa"),
        ("kene", "diseño"),
        ("kene", "pintar; dibujar"),
    ]
    assert pairs(found) == [("Nato xobo ani.", "Esta casa es grande."), ("Xobo jake.", "Hay casas.")]
    first = found[0]
    assert isinstance(first, Entry)
    assert (first.origin, first.variants, first.part_of_speech) == (f"dictionary/{name}#line=4", ("xubu", "xobó"), "s.")
    assert not [record for record in found if record.rejected]


def test_english_is_the_bridge_where_there_is_no_national_language(tmp_path: Path) -> None:
    english = SHIPIBO.model_copy(update={"bridge": SHIPIBO.bridge.model_copy(update={"code": "eng", "name": "English", "short": "en"})})
    found = ingested(tmp_path, {"dictionary/a.mdf": "\\lx xobo\n\\ge house\n\\xv Xobo jake.\n\\xe There is a house.\n"}, language=english)
    assert (entries(found), pairs(found)) == ([("xobo", "house")], [("Xobo jake.", "There is a house.")])


def test_a_rule_says_which_markers_are_the_bridge(tmp_path: Path) -> None:
    rule = FileRule(pattern="dictionary/a*", columns=Columns(translation=("translation en",)))
    found = ingested(tmp_path, {"dictionary/a.mdf": "\\lx xobo\n\\ge casa\n\\gn haus\n"}, Ingest(files=(rule,)))
    assert entries(found) == [("xobo", "casa")]


def test_an_english_dictionary_is_not_taken_for_spanish(tmp_path: Path) -> None:
    (found,) = ingested(tmp_path, {"dictionary/a.mdf": "\\lx xobo\n\\ge house\n"})
    assert found.rejected.startswith("columns: found 'headword', 'translation en'")


@pytest.mark.parametrize(
    ("fields", "meanings"),
    [
        (r"\sn 1|\ps n|\gn uno|\sn 2|\ps v|\gn dos", [("n", "uno"), ("v", "dos")]),
        (r"\ps n|\sn 1|\gn uno|\sn 2|\gn dos|\ps v|\sn 1|\gn tres", [("n", "uno"), ("n", "dos"), ("v", "tres")]),
        (r"\ps n|\gn uno|\gn dos", [("n", "uno; dos")]),
        (r"\gn uno", [("", "uno")]),
        (r"\ps n|\sn|\gn *|\dn ***|\sn|\gn dos", [("n", "dos")]),
        (r"\ps|\gn uno|\xv|\xn|\dt 1", [("", "uno")]),
    ],
)
def test_senses_are_grouped_by_number_and_part_of_speech(fields: str, meanings: list[tuple[str, str]]) -> None:
    found = values("\\lx a\n" + fields.replace("|", "\n"))
    assert [(one.get("part of speech", ""), one["translation"]) for one in found] == meanings


def test_subentries_of_subentries_are_entries() -> None:
    found = values("\\lx a\n\\gn uno\n\\se b\n\\gn dos\n\\se2 c\n\\gn tres\n")
    assert [(one["headword"], one["translation"]) for one in found] == [("a", "uno"), ("b", "dos"), ("c", "tres")]


def test_an_example_without_translation_keeps_to_itself() -> None:
    (row,) = rows("\\lx a\n\\gn x\n\\xv Uno.\n\\xn\n\\xv\n\\xn Dos.\n")
    assert [dict(one.values) for one in row.nested["examples"]] == [{"text": "Uno."}, {"translation": "Dos."}]


@pytest.mark.parametrize(
    ("bad", "problem"),
    [
        ("\\lx\n\\gn sin palabra\n", "empty: the \\lx names no word"),
        ("\\lx xubu\n\\mn xobo\n", "reference: only leads to 'xobo'"),
        ("\\lx xubu\n\\ps n\n\\gn ***\n", "empty: no meaning and no example"),
    ],
)
def test_a_bad_entry_is_one_bad_row(bad: str, problem: str) -> None:
    assert [row.problem for row in rows(f"{bad}\\lx a\n\\gn uno\n")] == [problem, ""]


def test_what_a_reader_decides_is_said() -> None:
    remarks = read_toolbox(DICTIONARY.encode("cp1252"), Options()).remarks
    assert remarks == (
        "read as cp1252",
        "markers not used: dt",
        r"\gn, \dn and \xn are taken for the bridge language, \ge, \de and \xe for English",
    )


# Interlinear texts


def test_the_lines_of_a_unit_are_joined() -> None:
    first, second = rows(TEXT)
    assert (first.place, second.place) == ("line=4", "line=16")
    assert dict(first.values) == {
        "text": "Nato xobo ani iki",
        "morphemes": "nato xobo ani iki",
        "interlinear": "this house big COP",
        "parts of speech": "dem n adj v",
        "free translation": "Esta casa es grande.",
        "reference": "cuento.001",
    }


@pytest.mark.parametrize("name", ["t.sfm", "t.db"])
def test_a_text_becomes_pairs_with_glosses(tmp_path: Path, name: str) -> None:
    found = ingested(tmp_path, {f"transcriptions/{name}": TEXT})
    assert pairs(found) == [("Nato xobo ani iki", "Esta casa es grande."), ("Kene", "Un diseño.")]
    assert isinstance(found[0], SentencePair)
    assert (found[0].gloss, found[0].morphemes) == ("this house big COP", "nato xobo ani iki")


def test_glosses_and_translations_in_the_national_language_are_preferred(tmp_path: Path) -> None:
    text = "\\ref 1\n\\tx Kene\n\\ge design\n\\gn diseño\n\\ft A design.\n\\ftn Un diseño.\n"
    (found,) = ingested(tmp_path, {"transcriptions/t.sfm": text})
    assert isinstance(found, SentencePair)
    assert (found.translation, found.gloss) == ("Un diseño.", "diseño")


def test_without_references_a_translation_ends_a_unit() -> None:
    found = values("\\id x\n\\tx Uno\n\\tx dos\n\\ft A\n\\tx Tres\n\\ft B\n")
    assert [(one["text"], one["free translation"]) for one in found] == [("Uno dos", "A"), ("Tres", "B")]


def test_a_unit_without_text_is_one_bad_row() -> None:
    assert [row.problem for row in rows("\\ref 1\n\\ft A\n\\ref 2\n\\tx Uno\n\\ft B\n")] == [r"empty: the unit has no \tx", ""]


# What is wrong


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"just text", r"markers: no line begins with \\lx"),
        (b"3\nkene/AB\n", "markers: "),
        (b"SQLite format 3\x00\x10", "encoding: holds zero bytes"),
        (b"\\lx casa\xf1\n\\gn ni\xc3\xb1o\n", "encoding: line 1 is not UTF-8"),
        (b"\\lx a\n\\ps n\n\\lx b\n", "empty: no "),
        (b"\\ref 1\n\\tx\n", "empty: no "),
    ],
)
def test_what_is_no_dictionary_is_refused(data: bytes, said: str) -> None:
    with pytest.raises(RefusedError, match=said):
        read_toolbox(data, Options())


PIECES = (
    *("\\lx ", "\\se ", "\\hm 1", "\\ps n", "\\pn", "\\sn ", "\\ge ", "\\gn ", "\\dn ", "\\xv ", "\\xn ", "\\va ", "\\mn ", "\\_sh"),
    *("\\ref ", "\\tx ", "\\mb ", "\\ft ", "\\id ", "\\", "kene", "*", "|fv{", "}", "\n", "\n", "\r", "\ufeff", " "),
)


@settings(max_examples=500, deadline=None)
@given(surprise.files(PIECES))
def test_any_bytes_give_content_or_an_error_on_purpose(data: bytes) -> None:
    surprise.check(read_toolbox, data)
