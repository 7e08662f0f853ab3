"""Filled sheets as they come back: from any spreadsheet, whole or half filled, and with everything that people get wrong."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from seshat.errors import StoreError
from seshat.review.form import columns
from seshat.review.returned import Marked, Returned, read_returned
from seshat.review.sheet import Sheet, read_keys
from seshat.store import Store
from tests.review.conftest import fill_workbook, filled_table, return_table, translations

FILLED = {
    "accuracy": "4",
    "forms": "2",
    "culture": "-",
    "invented": "Waka, «ʼsia»; Waka",
    "correction": "Waka ʼsia puñun.",
    "comment": "Casi.",
    "reviewer": "Ana",
    "consent": "sí",
}


def back(store: Store) -> Returned:
    return read_returned(store.path("data/raw/reviews"), read_keys(store))


def said(one: Marked) -> dict[str, object]:
    return one.model_dump(exclude={"sheet", "row", "file", "place"})


EXPECTED = {
    "reviewer": "Ana",
    "marks": {"accuracy": 4, "forms": 2},
    "invented": ("Waka", "ʼsia"),
    "correction": "Waka ʼsia puñun.",
    "comment": "Casi.",
    "consent": True,
}


def test_a_workbook_comes_back_as_it_was_filled_in(written: Callable[..., Sheet], store: Store) -> None:
    sheet = written()
    row = sheet.rows[3].id
    fill_workbook(store, sheet, {row: {key: int(text) if text.isdigit() else text for key, text in FILLED.items()}}, "ana.xlsx")
    returned = back(store)
    [one] = returned.marked
    assert (one.row, one.sheet, one.file, one.place) == (row, sheet.id, "ana.xlsx", "sheet=Revisión - Review&row=5")
    assert said(one) == EXPECTED
    assert (returned.rejected, returned.num_empty) == ((), len(sheet.rows) - 1)


@pytest.mark.parametrize(
    ("delimiter", "encoding"), [(",", "utf-8-sig"), (";", "utf-8"), ("\t", "utf-16"), (";", "utf-16"), ("|", "utf-8-sig")]
)
def test_a_table_comes_back_from_any_spreadsheet(written: Callable[..., Sheet], store: Store, delimiter: str, encoding: str) -> None:
    sheet = written(others=0)
    text = filled_table(sheet, {sheet.rows[0].id: FILLED}, delimiter=delimiter)
    store.write("data/raw/reviews/ana.tsv" if delimiter == "\t" else "data/raw/reviews/ana.csv", text.encode(encoding))
    returned = back(store)
    assert [said(one) for one in returned.marked] == [EXPECTED]
    assert returned.rejected == ()


def test_answers_of_several_lines_come_back(written: Callable[..., Sheet], store: Store) -> None:
    sheet = written()
    grammar = sheet.rows[-1]
    assert "\n" in grammar.answer
    return_table(store, sheet, {grammar.id: {"explanation": "3", "comment": "Una línea.\nOtra."}})
    [one] = back(store).marked
    assert (one.marks, one.comment, one.reviewer) == ({"explanation": 3}, "Una línea.\nOtra.", "ana.csv")


@pytest.mark.parametrize("empty", ["", "no", "Ninguna", "-", "0"])
def test_no_invented_words_can_be_said_in_several_ways(written: Callable[..., Sheet], store: Store, empty: str) -> None:
    sheet = written()
    return_table(store, sheet, {sheet.rows[0].id: {"accuracy": "5", "invented": empty}})
    [one] = back(store).marked
    assert (one.invented, one.consent) == ((), False)


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        ({"accuracy": "6"}, "mark: 'Exactitud (1-5) · Accuracy (1-5)' is '6'; write a whole number from 1 to 5"),
        ({"accuracy": "0"}, "mark: "),
        ({"forms": "3,5"}, "mark: "),
        ({"forms": "bien"}, "mark: "),
        ({"accuracy": "3", "source": "Otra frase."}, "edited: 'Original · Source' is 'Otra frase.' and was"),
        ({"accuracy": "3", "answer": "Waka ʼsia, mejor."}, "edited: 'Respuesta · Answer' is 'Waka ʼsia, mejor.' and was"),
        ({"accuracy": "3", "answer": ""}, "edited: "),
        ({"accuracy": "3", "id": "s000000-001"}, "id: 's000000-001' is on no sheet that was written here"),
        ({"accuracy": "3", "id": ""}, "id: '' is on no sheet"),
        ({"correction": "#¿NOMBRE?"}, "formula: the spreadsheet took a text for a formula"),
        ({"comment": "#NAME?"}, "formula: "),
    ],
)
def test_a_bad_row_is_kept_with_its_place_and_reason_and_costs_no_other(
    written: Callable[..., Sheet], store: Store, cells: dict[str, str], reason: str
) -> None:
    sheet = written()
    return_table(store, sheet, {sheet.rows[0].id: cells, sheet.rows[1].id: {"accuracy": "4,0"}})
    returned = back(store)
    [bad] = returned.rejected
    assert str(bad).startswith(f"ana.csv#line=2: {reason}")
    assert cells.items() <= bad.cells.items()
    assert [(one.row, one.marks) for one in returned.marked] == [(sheet.rows[1].id, {"accuracy": 4})]


def test_letters_that_were_lost_on_the_way_are_not_taken_for_text(written: Callable[..., Sheet], store: Store) -> None:
    sheet = written()
    row = translations(sheet, "qtm-spa")[0]
    store.write("data/raw/reviews/ana.csv", filled_table(sheet, {row.id: FILLED}).encode("cp1252", "replace"))
    returned = back(store)
    assert [one.reason.partition(":")[0] for one in returned.rejected] == ["edited"]
    assert "must save as XLSX or CSV UTF-8" in returned.rejected[0].reason


def test_what_is_neither_yes_nor_no_is_no_consent_and_the_marks_count(written: Callable[..., Sheet], store: Store) -> None:
    sheet = written()
    return_table(store, sheet, {sheet.rows[0].id: {**FILLED, "consent": "quizás"}})
    returned = back(store)
    assert said(returned.marked[0]) == {**EXPECTED, "consent": False}
    assert [str(one) for one in returned.rejected] == [
        "ana.csv#line=2: consent: 'quizás' is neither sí nor no, so the marks count and the correction is not used"
    ]


def test_one_reviewer_counts_once_and_two_count_twice(written: Callable[..., Sheet], store: Store) -> None:
    sheet = written()
    row = sheet.rows[0].id
    for name, reviewer in (("a.csv", "Ana"), ("b.csv", " ana "), ("c.csv", "Luz"), ("d.csv", "")):
        return_table(store, sheet, {row: {"accuracy": "3", "reviewer": reviewer}}, name)
    returned = back(store)
    assert [one.reviewer for one in returned.marked] == ["Ana", "Luz", "d.csv"]
    assert [str(one) for one in returned.rejected] == ["b.csv#line=2: repeated: Ana marked this row in a.csv#line=2 already"]


def test_sheets_of_earlier_rounds_are_read_against_their_own_keys(written: Callable[..., Sheet], store: Store) -> None:
    first, second = written(sentences=3), written(sentences=4)
    return_table(store, first, {first.rows[0].id: {"accuracy": "1"}}, "old.csv")
    return_table(store, second, {second.rows[0].id: {"accuracy": "2"}}, "new.csv")
    assert {one.sheet: one.marks["accuracy"] for one in back(store).marked} == {first.id: 1, second.id: 2}


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("ana.ods", b"PK", "ana.ods: format: .ods is not read"),
        ("ana.xlsx", b"PK", "ana.xlsx: "),
        ("ana.csv", b"", "ana.csv: empty: "),
        ("ana.csv", b"a,b\n1,2\n", "ana.csv: columns: no table with the column 'Fila"),
        ("ana.csv", b"id,source\ns1-001,x\n", "ana.csv: columns: 'Respuesta · Answer' is not there; put it back"),
    ],
)
def test_a_file_that_is_no_sheet_costs_no_other(written: Callable[..., Sheet], store: Store, name: str, data: bytes, reason: str) -> None:
    sheet = written()
    return_table(store, sheet, {sheet.rows[0].id: {"accuracy": "5"}}, "luz.csv")
    store.write(f"data/raw/reviews/{name}", data)
    returned = back(store)
    assert len(returned.marked) == 1
    assert [str(one)[: len(reason)] for one in returned.rejected] == [reason]


def test_one_file_may_be_named_and_an_empty_folder_is_said(written: Callable[..., Sheet], store: Store) -> None:
    sheet = written()
    with pytest.raises(StoreError, match=r"data/raw/reviews holds no filled sheets: put them there"):
        back(store)
    for name in ("ana.csv", "luz.csv"):
        return_table(store, sheet, {sheet.rows[0].id: {"accuracy": "5"}}, name)
    assert len(read_returned(store.path("data/raw/reviews/luz.csv"), read_keys(store)).marked) == 1


def test_columns_are_known_by_either_language_and_in_any_order(written: Callable[..., Sheet], store: Store) -> None:
    sheet = written()
    row = sheet.rows[0]
    header = "Accuracy (1-5);fila;ORIGINAL;Answer;Notas mías"
    store.write("data/raw/reviews/ana.csv", f"{header}\n5;{row.id};{row.source};{row.answer};x\n".encode())
    assert [one.marks for one in back(store).marked] == [{"accuracy": 5}]
    assert len(columns(reference=True)) == 15
