"""ELAN files, as ELAN, FLEx and SayMore write them, in an invented language; and every way in which one can be wrong."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seshat.data.ingest import ReadFile
from seshat.data.readers import Content, Options, RefusedError
from seshat.data.readers.elan import read_elan
from seshat.errors import SeshatError
from seshat.language import Language
from seshat.records import RawFile, SentencePair
from seshat.stage import guarded

TAMA = Language(code="qta", name="tama")
TYPES = """
    <LINGUISTIC_TYPE GRAPHIC_REFERENCES="false" LINGUISTIC_TYPE_ID="default-lt" TIME_ALIGNABLE="true"/>
    <LINGUISTIC_TYPE CONSTRAINTS="Symbolic_Association" GRAPHIC_REFERENCES="false" LINGUISTIC_TYPE_ID="assoc" TIME_ALIGNABLE="false"/>
    <LINGUISTIC_TYPE CONSTRAINTS="Symbolic_Subdivision" GRAPHIC_REFERENCES="false" LINGUISTIC_TYPE_ID="parts" TIME_ALIGNABLE="false"/>
    <LINGUISTIC_TYPE CONSTRAINTS="Time_Subdivision" GRAPHIC_REFERENCES="false" LINGUISTIC_TYPE_ID="time" TIME_ALIGNABLE="true"/>
    <CONSTRAINT DESCRIPTION="1-1 association with a parent annotation" STEREOTYPE="Symbolic_Association"/>"""


def at(name: str, first: int, last: int, value: str) -> str:
    """An annotation between two time slots; slot n is at n hundred milliseconds."""
    return (
        f'<ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID="{name}" TIME_SLOT_REF1="ts{first}" TIME_SLOT_REF2="ts{last}">'
        f"<ANNOTATION_VALUE>{value}</ANNOTATION_VALUE></ALIGNABLE_ANNOTATION></ANNOTATION>"
    )


def ref(name: str, to: str, value: str, after: str = "") -> str:
    previous = f' PREVIOUS_ANNOTATION="{after}"' if after else ""
    return (
        f'<ANNOTATION><REF_ANNOTATION ANNOTATION_ID="{name}" ANNOTATION_REF="{to}"{previous}>'
        f"<ANNOTATION_VALUE>{value}</ANNOTATION_VALUE></REF_ANNOTATION></ANNOTATION>"
    )


def tier(name: str, *annotations: str, parent: str = "", kind: str = "", more: str = "") -> str:
    above = f' PARENT_REF="{parent}"' if parent else ""
    kind = kind or ("assoc" if parent else "default-lt")
    return f'<TIER LINGUISTIC_TYPE_REF="{kind}"{above} TIER_ID="{name}"{more}>{"".join(annotations)}</TIER>'


def document(*tiers: str, types: str = TYPES) -> bytes:
    slots = "".join(f'<TIME_SLOT TIME_SLOT_ID="ts{number}" TIME_VALUE="{number * 100}"/>' for number in range(1, 100))
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<ANNOTATION_DOCUMENT AUTHOR="" DATE="2024-05-01T10:00:00" FORMAT="3.0" VERSION="3.0" '
        'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:noNamespaceSchemaLocation="http://www.mpi.nl/tools/elan/EAFv3.0.xsd">'
        '<HEADER MEDIA_FILE="" TIME_UNITS="milliseconds"><MEDIA_DESCRIPTOR MEDIA_URL="cuento.wav" MIME_TYPE="audio/x-wav"/></HEADER>'
        f'<TIME_ORDER>{slots}<TIME_SLOT TIME_SLOT_ID="u1"/></TIME_ORDER>{"".join(tiers)}{types}'
        '<LANGUAGE LANG_DEF="" LANG_ID="spa" LANG_LABEL="Spanish (spa)"/></ANNOTATION_DOCUMENT>\n'
    ).encode()


def values(data: bytes) -> list[dict[str, str]]:
    (table,) = read_elan(data, Options()).tables
    return [dict(row.values) for row in table.rows]


def places(data: bytes) -> list[str]:
    return [row.place for row in read_elan(data, Options()).tables[0].rows]


def ingested(folder: Path, data: bytes) -> list[SentencePair | RawFile]:
    (folder / "x").write_bytes(data)
    file = RawFile(origin="transcriptions/cuento.eaf", collection="transcriptions", path=str(folder / "x"), sha256="")
    found = list(guarded(ReadFile(language=TAMA), [file]))
    assert all(isinstance(one, SentencePair | RawFile) for one in found)
    return found  # type: ignore[return-value]


TOOLBOX = document(
    tier("ref@MAR", at("a1", 12, 34, "cuento.001"), at("a2", 34, 50, "cuento.002")),
    tier("tx@MAR", ref("a3", "a1", "Mirusi dabo."), ref("a4", "a2", "Miru."), parent="ref@MAR"),
    tier(
        "mb@MAR",
        *(ref("a5", "a3", "miru"), ref("a8", "a3", "=bo", "a7"), ref("a7", "a3", "da", "a6"), ref("a6", "a3", "-si", "a5")),
        *(ref("a9", "a4", "miru"),),
        parent="tx@MAR",
        kind="parts",
    ),
    tier(
        "ge@MAR",
        *(ref("a10", "a5", "perro"), ref("a11", "a6", "-PL"), ref("a12", "a7", "ir lejos"), ref("a13", "a8", "=EV")),
        parent="mb@MAR",
    ),
    tier("ps@MAR", ref("a14", "a5", "s"), parent="mb@MAR"),
    tier("ft@MAR", ref("a15", "a1", "Los perros se van."), ref("a16", "a2", "Es el perro."), parent="ref@MAR"),
    tier("nt@MAR", ref("a17", "a1", "riéndose"), parent="ref@MAR"),
)
SIMPLE = [tier("tx", at("a1", 12, 34, "Dabo.")), tier("ft", ref("a2", "a1", "Se va."), parent="tx")]


def test_tiers_as_toolbox_names_them_are_one_row_for_each_stretch() -> None:
    found = read_elan(TOOLBOX, Options())
    (table,) = found.tables
    assert table.columns == ("text", "morphemes", "gloss", "free", "note", "speaker")
    assert [row.place for row in table.rows] == ["second=1.20..3.40", "second=3.40..5.00"]
    assert dict(table.rows[0].values) == {
        "text": "Mirusi dabo.",
        "morphemes": "miru-si da=bo",
        "gloss": "perro-PL ir.lejos=EV",
        "free": "Los perros se van.",
        "note": "riéndose",
        "speaker": "MAR",
    }
    assert found.remarks == (
        "tiers not read: ps@MAR",
        "1 rows without gloss, as it is not there for each of their morphemes (Leipzig Glossing Rules, rule 2)",
    )


def test_a_stretch_becomes_a_sentence_pair(tmp_path: Path) -> None:
    pair, other = ingested(tmp_path, TOOLBOX)
    assert isinstance(pair, SentencePair)
    assert (pair.text, pair.translation, pair.rejected) == ("Mirusi dabo.", "Los perros se van.", "")
    assert (pair.morphemes, pair.gloss, pair.note) == ("miru-si da=bo", "perro-PL ir.lejos=EV", "riéndose")
    assert pair.origin == "transcriptions/cuento.eaf#second=1.20..3.40"
    assert isinstance(other, SentencePair)
    assert (other.text, other.morphemes, other.gloss) == ("Miru.", "miru", "")


@pytest.mark.parametrize(
    ("text", "translation"),
    [
        (tier("tx@SP1"), "ft@SP1"),
        (tier("A_phrase-txt-qta", more=' PARTICIPANT="A"'), "A_phrase-gls-es"),
        (tier("Transcription"), "Phrase Free Translation"),
        (tier("transcripción"), "traducción"),
        (tier("tx"), "translation-es"),
        (tier("tx_JUAN"), "ft_JUAN"),
        (tier("María"), "Español"),
        (tier("K-Spch"), "K-es"),
        (tier("qta"), "castellano"),
    ],
)
def test_the_names_of_tiers_say_what_they_hold(tmp_path: Path, text: str, translation: str) -> None:
    name = text.partition('TIER_ID="')[2].partition('"')[0]
    data = document(
        text.replace("</TIER>", at("a1", 12, 34, "Dabo.") + "</TIER>"), tier(translation, ref("a2", "a1", "Se va."), parent=name)
    )
    assert [(one.text, one.translation) for one in ingested(tmp_path, data) if isinstance(one, SentencePair)] == [("Dabo.", "Se va.")]


def test_the_type_or_the_language_of_a_tier_says_what_its_name_does_not(tmp_path: Path) -> None:
    types = '<LINGUISTIC_TYPE CONSTRAINTS="Symbolic_Association" LINGUISTIC_TYPE_ID="translation-es" TIME_ALIGNABLE="false"/>'
    by_type = document(
        tier("Ana", at("a1", 1, 2, "Dabo.")), tier("Ana-b", ref("a2", "a1", "Va."), parent="Ana", kind="translation-es"), types=types
    )
    by_language = document(
        tier("Ana", at("a1", 1, 2, "Dabo.")), tier("Ana-b", ref("a2", "a1", "Va."), parent="Ana", more=' LANG_REF="spa"')
    )
    assert values(by_type) == [{"text": "Dabo.", "free es": "Va."}]
    assert values(by_language) == [{"text": "Dabo.", "spa": "Va."}]
    for data in (by_type, by_language):
        assert [one.rejected for one in ingested(tmp_path, data)] == [""]


def test_words_and_subdivisions_are_joined_in_order() -> None:
    data = document(
        tier("A_phrase-segnum-en", at("a1", 12, 34, "1"), more=' PARTICIPANT="***"'),
        tier(
            "A_word-txt-qta",
            ref("w2", "a1", "dabo", "w1"),
            ref("w1", "a1", "Mirusi"),
            ref("w3", "a1", ".", "w2"),
            parent="A_phrase-segnum-en",
            kind="parts",
        ),
        tier(
            "A_morph-txt-qta",
            ref("m1", "w1", "miru"),
            ref("m2", "w1", "-si", "m1"),
            ref("m3", "w2", "dabo"),
            parent="A_word-txt-qta",
            kind="parts",
        ),
        tier("A_morph-gls-es", ref("g1", "m1", "perro"), ref("g2", "m2", "PL"), ref("g3", "m3", "va"), parent="A_morph-txt-qta"),
        tier("A_morph-cf-qta", ref("c1", "m1", "miru"), parent="A_morph-txt-qta"),
        tier("A_phrase-gls-es", ref("f1", "a1", "Van."), parent="A_phrase-segnum-en"),
    )
    assert values(data) == [{"text": "Mirusi dabo.", "morphemes": "miru-si dabo", "gloss": "perro-PL va", "free es": "Van."}]


def test_a_translation_that_divides_the_time_is_joined() -> None:
    parts = at("b1", 12, 20, "Los perros").replace('"ts20"', '"u1"') + at("b2", 20, 34, "se van.").replace('"ts20"', '"u1"')
    data = document(
        tier("tx", at("a1", 12, 34, "Mirusi dabo."), at("a2", 34, 40, "Da.")),
        tier("ft", parts, at("b3", 34, 40, "Va."), parent="tx", kind="time"),
    )
    assert [row["free"] for row in values(data)] == ["Los perros se van.", "Va."]


def test_whole_lines_of_glosses_are_kept_if_their_parts_match() -> None:
    tiers = [tier("tx", at("a1", 1, 2, "Mirusi da."), at("a2", 2, 3, "Dabo.")), tier("ft", ref("f1", "a1", "Van."), parent="tx")]
    morphs = tier("mb", ref("m1", "a1", "miru-si da"), ref("m2", "a2", "da=bo"), parent="tx")
    gloss = tier("gl", ref("g1", "a1", "perro-PL va"), ref("g2", "a2", "va EV"), parent="tx")
    assert [(row["morphemes"], row.get("gloss", "")) for row in values(document(*tiers, morphs, gloss))] == [
        ("miru-si da", "perro-PL va"),
        ("da=bo", ""),
    ]


def test_speakers_are_kept_apart_and_take_turns() -> None:
    data = document(
        tier("tx@ANA", at("a1", 10, 20, "¿Da?"), at("a2", 40, 50, "Miru.")),
        tier("ft@ANA", ref("b1", "a1", "¿Va?"), ref("b2", "a2", "Perro."), parent="tx@ANA"),
        tier("tx@BEN", at("a3", 20, 30, "Dabo."), more=' PARTICIPANT="Ben"'),
        tier("ft@BEN", ref("b3", "a3", "Va."), parent="tx@BEN"),
    )
    assert [(row["speaker"], row["text"], row["free"]) for row in values(data)] == [
        ("ANA", "¿Da?", "¿Va?"),
        ("Ben", "Dabo.", "Va."),
        ("ANA", "Miru.", "Perro."),
    ]
    assert places(data)[:2] == ["tier=tx@ANA&second=1.00..2.00", "tier=tx@BEN&second=2.00..3.00"]


def test_a_translation_on_a_tier_of_its_own_goes_by_the_times() -> None:
    data = document(
        tier("tx@ANA", at("a1", 10, 20, "Da."), at("a2", 20, 30, "Miru.")),
        tier("tx@BEN", at("a3", 10, 20, "Dabo.")),
        tier("ft@ANA", at("b1", 10, 20, "Va."), at("b2", 41, 42, "Perro.")),
    )
    assert [(row["text"], row.get("free", "")) for row in values(data)[:3]] == [("Da.", "Va."), ("Dabo.", ""), ("Miru.", "")]
    lost = read_elan(data, Options()).tables[0].rows[-1]
    assert (dict(lost.values), lost.problem.partition(":")[0]) == ({"free": "Perro.", "speaker": "ANA"}, "reference")


def test_two_languages_on_tiers_without_other_names_are_columns_by_name(tmp_path: Path) -> None:
    data = document(tier("Castellano", at("b1", 10, 20, "Va.")), tier("tama", at("a1", 10, 20, "Da.")))
    assert [(one.text, one.translation) for one in ingested(tmp_path, data) if isinstance(one, SentencePair)] == [("Da.", "Va.")]


def test_tiers_of_gestures_are_left_out_and_named() -> None:
    found = read_elan(document(*SIMPLE, tier("gestures", at("g1", 1, 2, "nods"))), Options())
    assert [dict(row.values) for row in found.tables[0].rows] == [{"text": "Dabo.", "free": "Se va."}]
    assert found.remarks == ("tiers not read: gestures",)


def test_empty_stretches_are_passed_over_and_half_ones_are_rejected_alone(tmp_path: Path) -> None:
    data = document(
        tier("tx", at("a1", 1, 2, ""), at("a2", 2, 3, "Da."), at("a3", 3, 4, "Miru.")), tier("ft", ref("b1", "a3", "Perro."), parent="tx")
    )
    assert [one.reason for one in ingested(tmp_path, data)] == ["empty", ""]


def test_an_annotation_whose_parent_is_missing_is_a_row_with_its_problem(tmp_path: Path) -> None:
    broken = document(*SIMPLE, tier("nt", ref("a3", "a99", "riéndose"), parent="tx"))
    assert [(row.place, row.problem.partition(":")[0]) for row in read_elan(broken, Options()).tables[0].rows] == [
        ("second=1.20..3.40", ""),
        ("annotation=a3", "reference"),
    ]
    assert [one.reason for one in ingested(tmp_path, broken)] == ["", "reference"]


BOMB = b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;">]><ANNOTATION_DOCUMENT>&b;</ANNOTATION_DOCUMENT>'


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (TOOLBOX[:3000], "syntax: line .*not whole and well-formed XML"),
        (b"\x00\x01\x02", "syntax: "),
        (b"<document/>", "unreadable: no ELAN file, as it begins with <document>, not with <ANNOTATION_DOCUMENT>"),
        (BOMB, "entity: "),
        (document(), "empty: the file holds no transcription"),
        (document(tier("tx", at("a1", 1, 2, " "))), "empty: "),
        (document(tier("a", parent="b"), tier("b", parent="a")), "tiers: the tier 'a' depends on itself"),
        (document(tier("tx"), tier("tx")), "tiers: two tiers have the same name"),
        (document(*(tier(f"t{number}", parent=f"t{number + 1}") for number in range(3000))), "tiers: "),
    ],
)
def test_a_bad_file_is_refused_with_what_to_do(data: bytes, said: str) -> None:
    with pytest.raises(RefusedError, match=said):
        read_elan(data, Options())


@settings(max_examples=500, deadline=None)
@given(st.one_of(st.binary(max_size=300), st.integers(0, len(TOOLBOX)).map(lambda end: TOOLBOX[:end])), st.binary(max_size=20))
def test_no_bytes_surprise_the_reader(data: bytes, more: bytes) -> None:
    with suppress(SeshatError):
        assert isinstance(read_elan(data + more, Options()), Content)


NAME = st.sampled_from(["tx", "ft", "mb", "ge", "A_word-txt-qta", "ref", "Ana", "es", "x"])
SOME = st.sampled_from(["a1", "a2", "a3", "a4", ""])
SAID = st.sampled_from(["", "a", "-a", "=", "a b", "."])
ANNOTATION = st.one_of(st.builds(at, SOME, st.integers(0, 5), st.integers(0, 5), SAID), st.builds(ref, SOME, SOME, SAID, SOME))
TIER = st.builds(
    lambda name, found, parent, kind: tier(name, *found, parent=parent, kind=kind),
    NAME,
    st.lists(ANNOTATION, max_size=4),
    st.one_of(st.just(""), NAME),
    st.sampled_from(["", "default-lt", "assoc", "parts", "time"]),
)


@pytest.mark.heavy
@settings(max_examples=500, deadline=None)
@given(st.lists(TIER, max_size=6, unique_by=lambda one: one.partition('TIER_ID="')[2].partition('"')[0]))
def test_no_tiers_surprise_the_reader(tiers: list[str]) -> None:
    with suppress(RefusedError):
        assert read_elan(document(*tiers), Options()).tables[0].rows
