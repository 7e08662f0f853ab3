"""Which answers are on a sheet, and what reviewers must not see of them."""

from __future__ import annotations

import io
from collections.abc import Callable

import openpyxl
import pytest

from seshat.errors import StoreError
from seshat.review.handouts import page, table
from seshat.review.review import write_review
from seshat.review.settings import Review
from seshat.review.sheet import Sheet, draw, make_sheet, read_samples
from seshat.review.workbook import ROWS, workbook
from seshat.store import Store
from tests.review.conftest import LANGUAGE, sample, samples, translations


def test_a_draw_is_spread_over_confidence_and_over_length() -> None:
    pool = [sample("spa-qtm", "translation", "x" * (1 + place % 10), str(place), "", "", place / 90) for place in range(90)]
    chosen = draw(pool, 9)
    bands = sorted(int((one.confidence or 0) * 3) for one in chosen)
    assert bands == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    for band in range(3):
        lengths = sorted(len(one.source) for one in chosen if int((one.confidence or 0) * 3) == band)
        assert lengths[0] <= 3
        assert 4 <= lengths[1] <= 7
        assert lengths[2] >= 8
    assert draw(pool[::-1], 9) == chosen, "the order of the samples does not matter"
    assert len(draw(pool[:4], 9)) == 4


def test_every_direction_and_task_has_its_number_and_translations_come_first() -> None:
    sheet = make_sheet(samples(), Review(sentences=5, others=3), LANGUAGE)
    assert [(row.task, row.direction) for row in sheet.rows[::5]] == [
        ("translation", "spa-qtm"),
        ("translation", "qtm-spa"),
        ("grammar", "qtm"),
    ]
    assert [row.id for row in sheet.rows] == [f"{sheet.id}-{number:03}" for number in range(1, 12)]
    assert all(row.authors == ("ours",) for row in sheet.rows)


def test_equal_samples_give_equal_files_and_others_another_name() -> None:
    one, same = (make_sheet(samples(), Review(), LANGUAGE, "tiny") for _ in range(2))
    assert (workbook(one), table(one), page(one)) == (workbook(same), table(same), page(same))
    assert make_sheet(samples(11), Review(), LANGUAGE, "tiny").id != one.id


def test_a_blind_sheet_mixes_authors_and_says_equal_answers_once() -> None:
    sheet = make_sheet(samples(), Review(blind=True), LANGUAGE)
    rows = translations(sheet)
    assert sum("ours" in row.authors for row in rows) == sum("reference" in row.authors for row in rows) == 12
    assert [row.authors for row in rows if row.source.endswith(" 0.") and row.answer == row.reference] == [("ours", "reference")]
    assert sum("gloss" in row.authors for row in rows) == 11, "one sentence has no gloss"
    first = [row.authors[0] for row in rows]
    assert first != sorted(first), "no order tells whose an answer is"


def test_nothing_that_reviewers_get_says_whose_an_answer_is(written: Callable[..., Sheet], store: Store) -> None:
    sheet = written(blind=True)
    texts = [row.model_dump_json(exclude={"authors", "confidence", "origin", "reference"}) for row in sheet.rows]
    assert len(set(texts)) == len(texts)
    for name in (f"reports/review/review-{sheet.id}.{ending}" for ending in ("csv", "html")):
        given = store.read(name).decode()
        assert "translations/test.tsv" not in given
        assert '"authors"' not in given
        assert '"gloss"' not in given
    cells = [cell.value for line in openpyxl.load_workbook(store.path(f"reports/review/review-{sheet.id}.xlsx"))[ROWS] for cell in line]
    assert not {"ours", "reference", "gloss"} & set(cells)
    assert store.names("reports/review-keys") == [f"reports/review-keys/{sheet.id}.json"]


def test_the_reference_is_shown_only_on_request() -> None:
    hidden, shown = (make_sheet(samples(), Review(reference=reference), LANGUAGE) for reference in (False, True))
    assert "Referencia" not in table(hidden).decode("utf-8-sig")
    header, first = table(shown).decode("utf-8-sig").split("\r\n")[:2]
    assert header.split(",")[4] == "Referencia · Reference"
    assert first.split(",")[4] == shown.rows[0].reference
    with pytest.raises(ValueError, match="exclude each other"):
        Review(reference=True, blind=True)


def test_the_workbook_guides_who_fills_it_in() -> None:
    sheet = make_sheet([*samples(), sample("spa-qtm", "translation", "=1+1", "x", "=2", "", 0.1)], Review(), LANGUAGE)
    read_me, rows = openpyxl.load_workbook(io.BytesIO(workbook(sheet))).worksheets
    assert "Does it say the same" in " ".join(str(cell.value) for cell in read_me["B"])
    assert "¿Dice lo mismo" in " ".join(str(cell.value) for cell in read_me["A"])
    assert rows.freeze_panes == "B2"
    assert rows["D2"].alignment.wrap_text
    assert rows.column_dimensions["D"].width > 40
    choices = {str(one.sqref)[0]: one.formula1 for one in rows.data_validations.dataValidation}
    assert choices == {**dict.fromkeys("FGHI", '"1,2,3,4,5"'), "N": '"sí,no"'}
    formulas = [cell for line in rows.iter_rows() for cell in line if cell.data_type == "f"]
    assert {cell.column_letter for cell in formulas} == {"M", "N"}, "name and consent follow the first sheet; texts are never formulas"
    assert rows["M2"].value == """=IF('Léame - Read me'!$B$5="","",'Léame - Read me'!$B$5)"""
    assert rows["D2"].protection.locked
    assert not rows["F2"].protection.locked


def test_no_spreadsheet_runs_what_a_model_wrote() -> None:
    sheet = make_sheet([sample("spa-qtm", "translation", "@Ana", "x", '=HYPERLINK("a")', "", 0.1)], Review(), LANGUAGE)
    assert ',\u200b@Ana,"\u200b=HYPERLINK(""a"")",' in table(sheet).decode("utf-8-sig")


def test_control_characters_do_not_stop_a_workbook() -> None:
    sheet = make_sheet([sample("spa-qtm", "translation", "a\x00b", "x", "c\x1b[0m\nd", "", 0.1)], Review(), LANGUAGE)
    assert (sheet.rows[0].source, sheet.rows[0].answer) == ("ab", "c[0m\nd")
    assert workbook(sheet)


def test_without_an_evaluation_the_verb_says_what_to_run(store: Store) -> None:
    store.write("reports/samples.jsonl", b'{"direction": "spa-qtm"}\n')
    with pytest.raises(StoreError, match=r"samples\.jsonl:1: not a sample .* run 'make eval' again"):
        read_samples(store, "reports/samples.jsonl")
    store.write("reports/samples.jsonl", b"")
    with pytest.raises(StoreError, match="holds no answers of ours"):
        write_review(Review(), LANGUAGE, store)
    store.remove("reports/samples.jsonl")
    with pytest.raises(StoreError, match="run 'make eval' first"):
        write_review(Review(), LANGUAGE, store)
