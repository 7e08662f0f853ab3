"""A workspace with the samples of an evaluation, and reviewers who fill in the sheets that are made of them."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from seshat.evaluation.results import Sample, write_samples
from seshat.language import Language
from seshat.review.form import columns
from seshat.review.review import write_review
from seshat.review.settings import Review
from seshat.review.sheet import Row, Sheet, read_keys
from seshat.store import Store

LANGUAGE = Language(code="qtm", name="tamo", apostrophe="\u02bc", alphabet="a i k l m n ñ o p r s t u w y ʼ")
Answers = Mapping[str, Mapping[str, str]]
"""What a reviewer writes: by row, by column."""


def samples(number: int = 12) -> list[Sample]:
    """Translations in both directions, with a grammar question at the end."""
    made = []
    for direction in ("spa-qtm", "qtm-spa"):
        for place in range(number):
            asked, said = f"Frase {'larga ' * (place % 4)}{place}.", f"Waka ʼsia {'puñu ' * (place % 4)}{place}."
            source, reference = (asked, said) if direction == "spa-qtm" else (said, asked)
            ours = reference if place == 0 else f"{reference} Ya."
            made.append(sample(direction, "translation", source, reference, ours, "" if place == 1 else f"gloss {place}", place / number))
    return [*made, sample("qtm", "grammar", "wakapi", "waka-pi\ncasa-LOC", "waka-pi\ncasa-NOM", "", None)]


def sample(direction: str, task: str, source: str, reference: str, ours: str, gloss: str, confidence: float | None) -> Sample:
    said = {"ours": ours, "copy": source} | ({"gloss": gloss} if gloss else {})
    origin = f"translations/test.tsv#{source}"
    return Sample(direction=direction, task=task, source=source, reference=reference, hypotheses=said, confidence=confidence, origin=origin)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(str(tmp_path))
    write_samples(store, samples())
    return store


@pytest.fixture
def written(store: Store) -> Callable[..., Sheet]:
    """Writes a sheet as the settings say, and gives its key."""

    def write(**settings: object) -> Sheet:
        before = read_keys(store)
        write_review(Review.model_validate(settings), LANGUAGE, store)
        [made] = [sheet for name, sheet in read_keys(store).items() if name not in before]
        return made

    return write


def translations(sheet: Sheet, direction: str = "spa-qtm") -> list[Row]:
    return [row for row in sheet.rows if row.direction == direction]


def fill_workbook(store: Store, sheet: Sheet, answers: Answers, name: str) -> None:
    """Fill in the workbook as a person does, and put it where filled sheets come back to."""
    import openpyxl

    book = openpyxl.load_workbook(store.path(f"reports/review/review-{sheet.id}.xlsx"))
    rows = book.worksheets[1]
    place = {cell.value: cell.column for cell in rows[1]}
    of_row = {row[0].value: row[0].row for row in rows.iter_rows(min_row=2)}
    for row, cells in answers.items():
        for key, text in cells.items():
            rows.cell(of_row[row], place[columns(reference=True)[key]]).value = text
    stream = io.BytesIO()
    book.save(stream)
    store.write(f"data/raw/reviews/{name}", stream.getvalue())


def filled_table(sheet: Sheet, answers: Answers, *, delimiter: str = ",") -> str:
    """The text of a filled CSV file."""
    stream = io.StringIO()
    headers = columns(reference=sheet.shows_reference)
    writer = csv.writer(stream, delimiter=delimiter, lineterminator="\r\n")
    writer.writerow(headers.values())
    for row in sheet.rows:
        cells = {**sheet.shown(row), **answers.get(row.id, {})}
        writer.writerow([cells.get(key, "") for key in headers])
    return stream.getvalue()


def return_table(store: Store, sheet: Sheet, answers: Answers, name: str = "ana.csv") -> None:
    store.write(f"data/raw/reviews/{name}", filled_table(sheet, answers).encode("utf-8-sig"))
