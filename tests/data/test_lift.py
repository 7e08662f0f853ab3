"""LIFT dictionaries as FieldWorks and WeSay export them, to rows and on to entries and pairs."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings

from seshat.data.readers import Options, RefusedError, Row
from seshat.data.readers.lift import read_lift
from seshat.records import Entry, RawFile
from tests.data import surprise
from tests.data.test_ingest import entries, ingested, pairs

XOBO = """
<entry dateCreated="2011-03-09T05:04:11Z" id="xobo_0a1b" guid="0a1b">
  <lexical-unit><form lang="shp"><text>xobo</text></form></lexical-unit>
  <trait name="morph-type" value="stem"/>
  <trait name="dialect-labels" value="Ucayali"/>
  <citation><form lang="shp"><text>xobó</text></form></citation>
  <variant><form lang="shp"><text>xubu</text></form></variant>
  <note type="grammar"><form lang="es"><text>No lleva plural.</text></form></note>
  <note type="source"><form lang="es"><text>J. P., 1998</text></form></note>
  <sense id="s1" order="0">
    <grammatical-info value="sustantivo"/>
    <gloss lang="es"><text>casa</text></gloss>
    <gloss lang="en"><text>house</text></gloss>
    <gloss lang="en"><text>home</text></gloss>
    <definition><form lang="es-PE"><text>casa <span lang="es" class="Emphasis">grande</span></text></form></definition>
    <example>
      <form lang="shp"><text>Nato xobo ani.</text></form>
      <translation type="Literal translation"><form lang="es"><text>Esta casa grande.</text></form></translation>
      <translation type="Free translation"><form lang="es"><text>Esta casa es grande.</text></form></translation>
    </example>
  </sense>
  <sense id="s2" order="1">
    <gloss lang="es"><text>nido</text></gloss>
    <subsense id="s3"><gloss lang="es"><text>nido de avispas</text></gloss></subsense>
  </sense>
</entry>
"""
VARIANT = """
<entry id="xobu_0c" guid="0c">
  <lexical-unit><form lang="shp"><text>xobu</text></form></lexical-unit>
  <relation type="_component-lexeme" ref="{ref}"><trait name="variant-type" value="Dialectal Variant"/></relation>
</entry>
"""


def lift(*parts: str) -> bytes:
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<lift producer="SIL.FLEx 9.1" version="0.13"><header/>{"".join(parts)}</lift>'.encode()


def word(forms: str, senses: str = '<sense><gloss lang="es"><text>x</text></gloss></sense>', id_: str = "w") -> str:
    return f'<entry id="{id_}"><lexical-unit>{forms}</lexical-unit>{senses}</entry>'


def form(lang: str, text: str) -> str:
    return f'<form lang="{lang}"><text>{text}</text></form>'


def rows(data: bytes) -> tuple[Row, ...]:
    (table,) = read_lift(data, Options()).tables
    return table.rows


def test_an_entry_gives_a_row_for_each_sense() -> None:
    first, second, below = rows(lift(XOBO))
    assert (first.place, second.place, below.place) == ("entry=0a1b&sense=1", "entry=0a1b&sense=2", "entry=0a1b&sense=2.1")
    assert dict(first.values) == {
        "headword": "xobo",
        "variants": "xobó; xubu",
        "translation es": "casa grande",
        "translation en": "house; home",
        "part of speech": "sustantivo",
        "dialect": "Ucayali",
        "note": "No lleva plural.",
    }
    assert [one.values["translation es"] for one in (second, below)] == ["nido", "nido de avispas"]
    (example,) = first.nested["examples"]
    assert example.place == "entry=0a1b&sense=1&example=1"
    assert dict(example.values) == {"text": "Nato xobo ani.", "translation es": "Esta casa es grande."}


def test_a_dictionary_becomes_entries_and_pairs(tmp_path: Path) -> None:
    found = ingested(tmp_path, {"dictionary/flex.lift": lift(XOBO, VARIANT.format(ref="xobo_0a1b"))})
    assert entries(found) == [("xobo", "casa grande"), ("xobo", "nido"), ("xobo", "nido de avispas")]
    assert pairs(found) == [("Nato xobo ani.", "Esta casa es grande.")]
    first = found[0]
    assert isinstance(first, Entry)
    assert (first.origin, first.part_of_speech, first.dialect) == ("dictionary/flex.lift#entry=0a1b&sense=1", "sustantivo", "Ucayali")
    assert (first.variants, first.note) == (("xobó", "xubu", "xobu"), "No lleva plural.")
    assert not [record for record in found if record.rejected]


def test_several_writing_systems_have_columns_of_their_own_and_the_first_is_the_headword() -> None:
    forms = form("shp-fonipa", "ʂoˈβo") + form("shp", "xobo") + form("shp-Zxxx-x-audio", "xobo.wav") + form("shp-x-viejo", "shobo")
    (row,) = rows(lift(word(forms)))
    assert dict(row.values) == {
        "headword": "xobo",
        "headword shp-fonipa": "ʂoˈβo",
        "headword shp": "xobo",
        "headword shp-x-viejo": "shobo",
        "translation es": "x",
    }


def test_several_writing_systems_make_no_pair_of_a_word_and_its_gloss(tmp_path: Path) -> None:
    sense = '<sense><gloss lang="es"><text>casa</text></gloss><gloss lang="es-PE"><text>hogar</text></gloss></sense>'
    found = ingested(tmp_path, {"dictionary/a.lift": lift(word(form("shp", "xobo") + form("shp-fonipa", "ʂoβo"), sense))})
    assert (entries(found), pairs(found)) == ([("xobo", "casa; hogar")], [])


def test_a_sense_that_only_holds_subsenses_gives_way_to_them() -> None:
    inner = '<subsense><gloss lang="es"><text>uno</text></gloss></subsense><subsense><gloss lang="es"><text>dos</text></gloss></subsense>'
    found = rows(lift(word(form("shp", "a"), f'<sense><grammatical-info value="n"/>{inner}</sense>')))
    assert [(row.place, row.values["translation es"], row.values["part of speech"]) for row in found] == [
        ("entry=w&sense=1.1", "uno", "n"),
        ("entry=w&sense=1.2", "dos", "n"),
    ]


def test_the_namespace_that_some_programs_write_is_no_matter() -> None:
    data = lift(word(form("shp", "a"))).replace(b"<lift ", b'<lift xmlns="http://fieldworks.sil.org/schemas/lift/0.13" ')
    assert [row.values["headword"] for row in rows(data)] == ["a"]


def test_deleted_entries_are_gone_and_an_id_that_comes_twice_gives_way_to_the_number() -> None:
    deleted = '<entry id="d" dateDeleted="2012-01-01T00:00:00Z"/>'
    found = rows(lift(deleted, word(form("shp", "a")), word(form("shp", "b"))))
    assert [row.place for row in found] == ["entry=w", "entry=3"]


@pytest.mark.parametrize(
    ("bad", "problem"),
    [
        (word("", id_="bad"), "empty: the entry has no lexical unit"),
        (word(form("shp", "b"), "", id_="bad"), "empty: the entry has no sense"),
        (word(form("shp", "b"), "<sense/>", id_="bad"), "empty: the sense has neither definition nor gloss"),
        (VARIANT.format(ref="gone"), "empty: the entry has no sense"),
    ],
)
def test_a_bad_entry_is_one_bad_row(bad: str, problem: str) -> None:
    found = rows(lift(bad, word(form("shp", "a"))))
    assert [row.problem for row in found] == [problem, ""]


BOMB = '<!DOCTYPE lift [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]><lift><entry id="&b;">&b;</entry></lift>'


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (lift(XOBO)[:-400], "syntax: line "),
        (lift(XOBO).replace(b"xubu", b"x\xff\xfe"), "syntax: line "),
        (b"<html><body/></html>", "unreadable: no LIFT file, as it begins with <html>"),
        (b"no XML at all", "syntax: line 1"),
        (BOMB.encode(), "entity: the file declares entities"),
        (b'<!DOCTYPE lift [<!ENTITY p SYSTEM "file:///etc/passwd">]><lift><entry>&p;</entry></lift>', "entity: "),
        (b"<lift>" + b"<a>" * 5_000 + b"</a>" * 5_000 + b"</lift>", "syntax: "),
        (lift(), "empty: no entry has a lexical unit and a sense"),
        (lift('<entry id="a"><lex>old</lex></entry>'), "empty: no entry"),
    ],
)
def test_what_is_no_dictionary_is_refused(data: bytes, said: str) -> None:
    with pytest.raises(RefusedError, match=said):
        read_lift(data, Options())


def test_an_encoding_that_is_none_is_refused() -> None:
    with pytest.raises(RefusedError, match="encoding: 'nonsense'"):
        read_lift(lift(XOBO), Options(encoding="nonsense"))


def test_a_refused_file_is_rejected_alone(tmp_path: Path) -> None:
    found = ingested(tmp_path, {"dictionary/a.lift": b"<lift><entry>", "dictionary/b.lift": lift(word(form("shp", "a")))})
    assert [(one.origin, one.reason) for one in found if isinstance(one, RawFile)] == [("dictionary/a.lift", "syntax")]
    assert entries(found) == [("a", "x")]


PIECES = (
    *("<lift>", "</lift>", "<entry>", '<entry id="a" guid="b">', "</entry>", "<lexical-unit>", "</lexical-unit>", "<sense>"),
    *("</sense>", "<subsense>", "</subsense>", '<form lang="shp">', "</form>", "<text>", "</text>", '<gloss lang="es">', "</gloss>"),
    *("<example>", "</example>", "<definition>", "</definition>", "kene", "&lt;", "&b;", "<!-- -->", "<?x?>", "<![CDATA[<]]>"),
)


@settings(max_examples=500, deadline=None)
@given(surprise.files(PIECES, lift))
def test_any_bytes_give_content_or_an_error_on_purpose(data: bytes) -> None:
    surprise.check(read_lift, data)
