"""Interlinear examples and sentence pairs in plain text, as they stand in papers and come from aligners, in an invented language."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seshat.data.columns import Columns, find_columns
from seshat.data.ingest import ReadFile
from seshat.data.readers import Content, Options, RefusedError
from seshat.data.readers.delimited import read_delimited
from seshat.data.readers.glossing import Morph, grouped, interlinear, join_words
from seshat.data.readers.interlinear import is_interlinear, parse_interlinear, read_interlinear
from seshat.data.readers.separated import separated_table, with_first_row
from seshat.data.readers.txt import read_text
from seshat.errors import SeshatError
from seshat.language import Language
from seshat.records import RawFile, SentencePair
from seshat.stage import guarded

TAMA = Language(code="qta", name="tama")
FOUR = """\
(1) Mirusi dabo.
    miru-si  da=bo
    perro-PL va=EV
    'Los perros se van.' (MAR 001)
"""
THREE = """\
2.  Miru-si da-∅.
    perro-PL ir-PRS
    “Los perros dijeron
    que van.”
"""


def values(text: str) -> list[dict[str, str]]:
    (table,) = parse_interlinear(text).tables
    return [dict(row.values) for row in table.rows]


# Interlinear examples


def test_an_example_has_four_lines_or_three() -> None:
    content = parse_interlinear(f"{FOUR}\n\n{THREE}")
    assert values(f"{FOUR}\n\n{THREE}") == [
        {
            "text": "Mirusi dabo.",
            "morphemes": "miru-si da=bo",
            "gloss": "perro-PL va=EV",
            "translation": "Los perros se van.",
            "note": "MAR 001",
        },
        {"text": "Mirusi da.", "morphemes": "Miru-si da-∅.", "gloss": "perro-PL ir-PRS", "translation": "Los perros dijeron que van."},
    ]
    assert [row.place for row in content.tables[0].rows] == ["line=1", "line=7"]
    assert content.remarks == ()


def test_an_example_becomes_a_sentence_pair(tmp_path: Path) -> None:
    (tmp_path / "x").write_text(FOUR)
    file = RawFile(origin="transcriptions/x.igt", collection="x", path=str(tmp_path / "x"), sha256="")
    (pair,) = guarded(ReadFile(language=TAMA), [file])
    assert isinstance(pair, SentencePair)
    assert (pair.text, pair.translation, pair.rejected) == ("Mirusi dabo.", "Los perros se van.", "")
    assert (pair.morphemes, pair.gloss, pair.note) == ("miru-si da=bo", "perro-PL va=EV", "MAR 001")


@pytest.mark.parametrize("number", ["(12)", "12.", "12)", "(12a)", "[3]", "(iv)", "(1) a.", "(1)\n", "(1)\n\n"])
def test_numbers_are_no_text(number: str) -> None:
    assert values(FOUR.replace("(1)", number))[0]["text"] == "Mirusi dabo."


@pytest.mark.parametrize("said", ["‘Va.’", "“Va.”", '"Va."', "«Va.»", "`Va.'", "'Va.'.", "Va.", "'Va.' [p. 3]"])
def test_quotation_marks_are_no_translation(said: str) -> None:
    assert values(FOUR.replace("'Los perros se van.' (MAR 001)", said))[0]["translation"] == "Va."


def test_a_gloss_with_other_parts_is_left_out_and_named() -> None:
    content = parse_interlinear(FOUR.replace("va=EV", "va") + "\n" + THREE.replace("perro-PL", "perro"))
    four, three = (dict(row.values) for row in content.tables[0].rows)
    assert (four["morphemes"], "gloss" in four) == ("miru-si da=bo", False)
    assert (three["text"], "gloss" in three, "morphemes" in three) == ("Miru-si da-∅.", False, False)
    assert content.remarks == ("2 glosses left out, with other parts than their morphemes (Leipzig Glossing Rules, rule 2): lines 1, 6",)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (FOUR.replace("Mirusi", "*Mirusi"), "ungrammatical"),
        (FOUR.replace("Mirusi", "??Mirusi"), "ungrammatical"),
        (FOUR.replace("Mirusi", "¿Mirusi"), ""),
        ("(1) Mirusi dabo.\n'Van.'\n", "lines"),
        (f"Ejemplos de Tama\nde 1999\n{FOUR}", "lines"),
    ],
)
def test_what_is_no_example_is_a_row_with_its_problem(text: str, problem: str) -> None:
    (row,) = parse_interlinear(text).tables[0].rows
    assert row.problem.partition(":")[0] == problem
    assert row.values["text"]


def test_a_file_without_examples_is_refused() -> None:
    with pytest.raises(RefusedError, match="empty: the file holds no examples"):
        parse_interlinear(" \n\n")


PROSE = "La comunidad se reunió ayer.\nTodos fueron al río.\nComieron pescado.\n\n"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (f"{FOUR}\n{THREE}", True),
        (f"{FOUR}\n{THREE}\n{FOUR}\n{FOUR}\n(5) Da.\n", True),
        (FOUR, False),
        (f"{FOUR}\n{PROSE}\n{THREE}", False),
        (PROSE * 5, False),
        ("miru – perro\nda – ir\nbo – evidencial\n\n" * 5, False),
        ("1. miru\n2. da\n3. 'bo'\n\n" * 5, False),
        ("(1) ¿Quién va allá?\nNadie ha venido hoy.\n'Eso dijo el hombre.'\n\n" * 5, False),
        ("(1) Dijo que sí.\nDijo que no.\n'Dijo que sí.'\n\n" * 5, False),
        (f"{FOUR}\n{THREE}".replace("(1)", "").replace("2.", ""), False),
        ("", False),
    ],
)
def test_only_a_text_of_examples_is_interlinear(text: str, found: bool) -> None:
    assert is_interlinear(text) is found


@settings(max_examples=500, deadline=None)
@given(st.one_of(st.binary(max_size=300), st.text("(1). \n'-=*aØ“”", max_size=80).map(str.encode)))
def test_no_bytes_surprise_the_reader(data: bytes) -> None:
    with suppress(SeshatError):
        assert isinstance(read_interlinear(data, Options()), Content)
    is_interlinear(data.decode("latin-1"))


# Morphemes and glosses


@pytest.mark.parametrize(
    ("morphs", "lines"),
    [
        ([("miru", "perro"), ("-si", "PL"), ("da", "ir"), ("=bo", "EV")], ("miru-si da=bo", "perro-PL ir=EV")),
        ([("ka-", "NEG"), ("da", "ir")], ("ka-da", "NEG-ir")),
        ([("da~", "RED"), ("da", "ir")], ("da~da", "RED~ir")),
        ([("=bo", "=EV")], ("=bo", "=EV")),
        ([("da", "ir lejos")], ("da", "ir.lejos")),
        ([("da", "ir"), ("-si", "")], ("da-si", "")),
        ([("-", "guion")], ("-", "guion")),
    ],
)
def test_glosses_have_the_boundaries_of_their_morphemes(morphs: list[tuple[str, str]], lines: tuple[str, str]) -> None:
    assert interlinear(grouped(Morph(form, gloss) for form, gloss in morphs)) == lines


def test_punctuation_stands_where_it_belongs() -> None:
    assert join_words(["¿", "Da", ",", "miru", "?", '"', "Da", '"', "(", "bo", ")", "."]) == '¿Da, miru? "Da" (bo).'


# A sentence and its translation on each line


def named(cells: Sequence[str]) -> bool:
    try:
        return bool(find_columns(cells, ("text", "bridge"), ("text", "bridge"), Columns(), TAMA))
    except RefusedError:
        return False


def separated(text: str) -> list[dict[str, str]] | None:
    table = separated_table(read_text(text.encode(), Options()).lines, named)
    return None if table is None else [dict(row.values) for row in table.rows]


@pytest.mark.parametrize("separator", [" ||| ", "|||", "\t"])
@pytest.mark.parametrize("header", ["", "qta|es\n", "texto|traducción\n"])
def test_lines_with_a_separator_are_pairs(separator: str, header: str) -> None:
    text = f"{header}Da.|Va.\nMiru.|Es un perro.\n".replace("|", separator)
    found = separated(text)
    assert found is not None
    assert [list(one.values()) for one in found] == [["Da.", "Va."], ["Miru.", "Es un perro."]]


@pytest.mark.parametrize("text", [PROSE, "Da.\tVa.\n", "Da. | Va.\n" * 3, "Da.\tVa.\nMiru.\nDa.\n", "\n", "a ||| \nb ||| \nc ||| \n"])
def test_other_texts_are_no_pairs(text: str) -> None:
    with suppress(RefusedError):
        assert separated(text) is None


def test_one_line_without_separator_is_a_row_with_its_problem() -> None:
    table = separated_table(read_text(("Da. ||| Va.\n" * 20 + "Miru.\n").encode(), Options()).lines, named)
    assert table is not None
    assert (table.rows[-1].place, table.rows[-1].problem.partition(":")[0]) == ("line=21", "separator")


@pytest.mark.parametrize(
    ("text", "columns", "num_rows"),
    [
        ("Da.\tVa.\nMiru.\tPerro.\n", ("text", "translation"), 2),
        ("qta\tes\nMiru.\tPerro.\n", ("qta", "es"), 1),
        ("qta\tcastelano\nMiru.\tPerro.\n", ("qta", "castelano"), 1),
        ("Da.\tVa.\tx\nMiru.\tPerro.\ty\n", ("Da.", "Va.", "x"), 1),
    ],
)
def test_a_header_that_is_a_sentence_is_a_row(text: str, columns: tuple[str, ...], num_rows: int) -> None:
    (table,) = read_delimited(text.encode(), Options()).tables
    found = with_first_row(table, named)
    assert (found.columns, len(found.rows)) == (columns, num_rows)
