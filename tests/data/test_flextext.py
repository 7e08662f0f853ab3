"""FLEx interlinear texts, as FLEx and SayMore export them, in an invented language; and every way in which one can be wrong."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seshat.data.ingest import ReadFile
from seshat.data.readers import Content, Options, RefusedError, Row
from seshat.data.readers.flextext import read_flextext
from seshat.errors import SeshatError
from seshat.language import Language
from seshat.records import RawFile, SentencePair
from seshat.stage import guarded

TAMA = Language(code="qta", name="tama")
ANALYSED = """
          <phrase guid="3f1e0b5c-0000-4000-8000-000000000001">
            <item type="txt" lang="qta">Mirusi dabo.</item>
            <item type="segnum" lang="en">1.1</item>
            <words>
              <word guid="3f1e0b5c-0000-4000-8000-000000000002">
                <item type="txt" lang="qta">Mirusi</item>
                <morphemes>
                  <morph type="stem" guid="3f1e0b5c-0000-4000-8000-000000000003">
                    <item type="txt" lang="qta">miru</item>
                    <item type="cf" lang="qta">miru</item>
                    <item type="gls" lang="es">perro</item>
                    <item type="gls" lang="en">dog</item>
                    <item type="msa" lang="es">s</item>
                  </morph>
                  <morph type="suffix" guid="3f1e0b5c-0000-4000-8000-000000000004">
                    <item type="txt" lang="qta">-si</item>
                    <item type="cf" lang="qta">-si</item>
                    <item type="hn" lang="qta">2</item>
                    <item type="gls" lang="es">PL</item>
                    <item type="gls" lang="en">PL</item>
                  </morph>
                </morphemes>
                <item type="gls" lang="es">perros</item>
                <item type="pos" lang="es">s</item>
              </word>
              <word>
                <item type="txt" lang="qta">dabo</item>
                <morphemes>
                  <morph type="stem"><item type="txt" lang="qta">da</item><item type="gls" lang="es">ir lejos</item>
                    <item type="gls" lang="en">go</item></morph>
                  <morph type="enclitic"><item type="txt" lang="qta">=bo</item><item type="gls" lang="es">=EV</item>
                    <item type="gls" lang="en">=EV</item></morph>
                </morphemes>
              </word>
              <word><item type="punct" lang="qta">.</item></word>
            </words>
            <item type="gls" lang="es">Los perros se van.</item>
            <item type="gls" lang="en">The dogs are leaving.</item>
            <item type="lit" lang="es">Perros van.</item>
            <item type="note" lang="es">de un cuento</item>
            <item type="note" lang="en">see 2.4</item>
          </phrase>"""
LANGUAGES = """
    <languages>
      <language lang="es" font="Charis SIL" />
      <language lang="qta" font="Charis SIL" vernacular="true" />
      <language lang="qta-fonipa" font="Doulos SIL" vernacular="true" />
    </languages>"""


def document(*phrases: str, title: str = "El perro", languages: str = LANGUAGES) -> bytes:
    body = f"""
  <interlinear-text guid="3f1e0b5c-0000-4000-8000-000000000000">
    <item type="title" lang="es">{title}</item>
    <paragraphs>
      <paragraph>
        <phrases>{"".join(phrases)}
        </phrases>
      </paragraph>
    </paragraphs>{languages}
  </interlinear-text>"""
    return f'<?xml version="1.0" encoding="utf-8"?>\n<document version="2">{body}\n</document>\n'.encode()


def phrase(*words: str, free: str = "Sí.", text: str = "", more: str = "") -> str:
    inner = "".join(f"<word>{word}</word>" for word in words)
    return f'<phrase>{text}{more}<words>{inner}</words><item type="gls" lang="es">{free}</item></phrase>'


def word(form: str, gloss: str = "", lang: str = "qta") -> str:
    return f'<item type="txt" lang="{lang}">{form}</item>' + (f'<item type="gls" lang="es">{gloss}</item>' if gloss else "")


def punct(sign: str) -> str:
    return f'<item type="punct" lang="qta">{sign}</item>'


def rows(data: bytes) -> tuple[Row, ...]:
    (table,) = read_flextext(data, Options()).tables
    return table.rows


def ingested(folder: Path, name: str, data: bytes) -> list[SentencePair | RawFile]:
    (folder / "x").write_bytes(data)
    file = RawFile(origin=name, collection="transcriptions", path=str(folder / "x"), sha256="")
    found = list(guarded(ReadFile(language=TAMA), [file]))
    assert all(isinstance(one, SentencePair | RawFile) for one in found)
    return found  # type: ignore[return-value]


def test_a_phrase_has_its_text_morphemes_glosses_and_translations() -> None:
    (table,) = read_flextext(document(ANALYSED), Options()).tables
    assert table.columns == ("text", "morphemes", "gloss", "free es", "free en", "note", "gloss en", "literal es")
    (row,) = table.rows
    assert row.place == "text=El perro&phrase=1.1"
    assert dict(row.values) == {
        "text": "Mirusi dabo.",
        "morphemes": "miru-si da=bo",
        "gloss": "perro-PL ir.lejos=EV",
        "gloss en": "dog-PL go=EV",
        "free es": "Los perros se van.",
        "free en": "The dogs are leaving.",
        "literal es": "Perros van.",
        "note": "de un cuento; see 2.4",
    }


def test_a_phrase_becomes_a_sentence_pair(tmp_path: Path) -> None:
    (pair,) = ingested(tmp_path, "transcriptions/perro.flextext", document(ANALYSED))
    assert isinstance(pair, SentencePair)
    assert (pair.text, pair.translation, pair.rejected) == ("Mirusi dabo.", "Los perros se van.", "")
    assert (pair.morphemes, pair.gloss, pair.note) == ("miru-si da=bo", "perro-PL ir.lejos=EV", "de un cuento; see 2.4")
    assert pair.origin == "transcriptions/perro.flextext#text=El perro&phrase=1.1"


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ([word("Da"), punct(","), word("miru"), punct("!")], "Da, miru!"),
        ([punct("¿"), word("Da"), punct("?")], "¿Da?"),
        ([punct("“"), word("Da"), punct(".”"), word("Miru"), punct(".")], "“Da.” Miru."),
        ([word("Miru"), punct(": &quot;"), word("Da"), punct("&quot;")], 'Miru: "Da"'),
        ([word("Da"), punct("("), word("miru"), punct(")"), punct("…")], "Da (miru)…"),
        ([word("Da"), word("Lima", lang="es"), punct("–"), word("miru")], "Da Lima – miru"),
    ],
)
def test_without_a_text_of_its_own_a_phrase_is_its_words(words: list[str], text: str) -> None:
    (row,) = rows(document(phrase(*words)))
    assert row.values["text"] == text


def test_words_without_morphemes_have_their_own_glosses() -> None:
    (row,) = rows(document(phrase(word("Da", "va"), word("miru", "el perro"), punct("."))))
    assert dict(row.values) == {"text": "Da miru.", "gloss": "va el.perro", "free es": "Sí."}


def test_half_a_gloss_is_none_and_is_said() -> None:
    found = read_flextext(document(phrase(word("Da"), word("miru", "perro")), ANALYSED), Options())
    assert ["gloss" in row.values for row in found.tables[0].rows] == [False, True]
    bare = ANALYSED.replace('<item type="gls" lang="es">PL</item>', "")
    assert read_flextext(document(ANALYSED, bare), Options()).remarks == ("1 phrases without gloss, as some of their morphemes have none",)


def test_further_writing_systems_are_columns_and_the_orthography_is_the_text() -> None:
    both = '<item type="txt" lang="qta-fonipa">ˈmiɾu</item><item type="txt" lang="qta">Miru.</item>'
    (row,) = rows(document(phrase(word("Miru"), text=both)))
    assert (row.values["text"], row.values["text qta-fonipa"]) == ("Miru.", "ˈmiɾu")


def test_a_gloss_is_never_taken_for_a_translation(tmp_path: Path) -> None:
    english_only = ANALYSED.replace('<item type="gls" lang="es">Los perros se van.</item>', "")
    (refused,) = ingested(tmp_path, "transcriptions/perro.flextext", document(english_only))
    assert refused.rejected.startswith("columns: found 'text', 'morphemes', 'gloss', 'free en'")


def test_the_first_version_calls_a_phrase_word() -> None:
    old = f'<word><words><word>{word("Da", "va")}</word></words><item type="segnum" lang="en">7</item></word>'
    (row,) = rows(document(old, title=""))
    assert (row.place, row.values["text"]) == ("text=1&phrase=7", "Da")


def test_phrases_without_a_number_of_their_own_are_counted() -> None:
    number = '<item type="segnum" lang="en">1</item>'
    assert [row.place for row in rows(document(phrase(word("Da"), more=number), phrase(word("Da"), more=number)))] == [
        "text=El perro&phrase=1",
        "text=El perro&phrase=2",
    ]


def test_one_bad_phrase_is_a_row_with_its_problem(tmp_path: Path) -> None:
    spanish = '<item type="txt" lang="es">Dijo que sí.</item>'
    data = document(phrase(text=spanish), phrase(), phrase(word("Da")), phrase(word("Da"), free=""), "<phrase/>")
    assert [row.problem.partition(":")[0] for row in rows(data)] == ["language", "empty", "", ""]
    assert [one.reason for one in ingested(tmp_path, "transcriptions/x.flextext", data)] == ["language", "empty", "", "empty"]


BOMB = b'<!DOCTYPE document [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><document>&b;</document>'


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (document(ANALYSED)[:900], "syntax: line .*not whole and well-formed XML"),
        (b"PK\x03\x04\x00\x00", "syntax: "),
        (document(ANALYSED).replace("é".encode(), b"\xe9").replace(b"perros", b"perr\xf3s"), "syntax: "),
        (b"<ANNOTATION_DOCUMENT/>", "unreadable: no FLEx file, as it begins with <ANNOTATION_DOCUMENT>, not with <document>"),
        (BOMB, "entity: the file declares entities"),
        (b'<!DOCTYPE document SYSTEM "file:///etc/hostname"><document>&x;</document>', "entity: |syntax: "),
        (b'<!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/hostname">]><document>&x;</document>', "entity: "),
        (document(), "empty: the file holds no phrases"),
        (b"<document>" + b"<a>" * 100_000, "syntax: "),
    ],
)
def test_a_bad_file_is_refused_with_what_to_do(data: bytes, said: str) -> None:
    with pytest.raises(RefusedError, match=said):
        read_flextext(data, Options())


def test_a_wrong_name_of_an_encoding_is_refused() -> None:
    with pytest.raises(RefusedError, match="encoding: the XML cannot be decoded"):
        read_flextext(document(ANALYSED), Options(encoding="klingon"))


PIECES = st.lists(
    st.one_of(
        st.sampled_from(
            [b"<document>", b"</document>", b"<interlinear-text>", b"<phrases>", b"<phrase>", b"<words>", b"<word>", b"<morph>"]
        ),
        st.sampled_from([b'<item type="txt">', b'<item type="gls" lang="es">', b"</item>", b"</word>", b"</phrase>", b"-", b"=a", b"x y"]),
        st.binary(max_size=8),
    ),
    max_size=30,
).map(b"".join)


@settings(max_examples=500, deadline=None)
@given(st.one_of(st.binary(max_size=300), PIECES))
def test_no_bytes_surprise_the_reader(data: bytes) -> None:
    with suppress(SeshatError):
        assert isinstance(read_flextext(data, Options()), Content)


ITEM = st.tuples(
    st.sampled_from(["txt", "gls", "cf", "punct", "segnum", "note", "lit"]),
    st.sampled_from(["", "qta", "qta-fonipa", "es"]),
    st.sampled_from(["", "-", "=", "-a", "a b", '"', "."]),
).map(lambda item: '<item type="{}" lang="{}">{}</item>'.format(*item))
ITEMS = st.lists(ITEM, max_size=2).map("".join)
WORD = st.builds(lambda items, *morphs: f"<word>{items}<morph>{'</morph><morph>'.join(morphs)}</morph></word>", ITEMS, ITEMS, ITEMS)


@pytest.mark.heavy
@settings(max_examples=500, deadline=None)
@given(st.lists(st.builds(lambda items, *words: f"<phrase>{items}<words>{''.join(words)}</words></phrase>", ITEMS, WORD, WORD), max_size=2))
def test_no_phrase_surprises_the_reader(phrases: list[str]) -> None:
    with suppress(RefusedError):
        assert read_flextext(document(*phrases), Options()).tables[0].rows
