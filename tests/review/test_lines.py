"""The sheet of doubtful lines from a real workspace: pictures, page, table, and what an engine learns from the answers."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import pytest

from seshat.data.ingest import Ingest
from seshat.data.ingest import step as ingest_step
from seshat.data.line_guards import LineGuards
from seshat.data.ocr import Ocr
from seshat.data.ocr import step as ocr_step
from seshat.errors import StoreError
from seshat.review.lines import LINES, write_answered, write_lines
from seshat.store import Store
from seshat.training.ocr_lines import read_lines
from tests.data.test_ocr import TAMURI, encoded, printed

OCR = Ocr(engine="fake", page_seconds=0)


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """Two pages of which every line is doubtful, and their sheet."""
    monkeypatch.setattr(LineGuards, "doubt", lambda *_, **__: "words: these look like no words")
    scans = tmp_path / "data" / "raw" / "scans"
    scans.mkdir(parents=True)
    (scans / "a.pdf").write_bytes(encoded(printed(["uno dos", "tres"]), "PDF", [printed(["cuatro"])]))
    store = Store(str(tmp_path))
    ocr_step(OCR, TAMURI, str(tmp_path / "data" / "raw")).run(store)
    outcome = write_lines(OCR, TAMURI, store, str(tmp_path / "data" / "raw"), most=0)
    assert (outcome.rows_in, outcome.kept) == (3, 3)
    return store


def answer(store: Store, filled: bytes) -> None:
    """Put a filled table into the raw folder, and ingest it."""
    sheet = Path(store.path("data/raw/corrections/lines.csv"))
    sheet.parent.mkdir(exist_ok=True)
    sheet.write_bytes(filled)
    ingest_step(Ingest(), TAMURI, store.path("data/raw")).run(store)


def test_answered_lines_are_not_asked_again_and_an_engine_can_learn_from_them(workspace: Store, tmp_path: Path) -> None:
    rows = list(csv.reader(io.StringIO(workspace.read(f"{LINES}/lines.csv").decode("utf-8-sig"))))
    for row, said in zip(rows[1:], ("uno dos", "-", ""), strict=True):
        row[-1] = said
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    answer(workspace, text.getvalue().encode())
    again = write_lines(OCR, TAMURI, workspace, workspace.path("data/raw"), most=0)
    assert again.kept == 1
    outcome = write_answered(OCR, workspace, workspace.path("data/raw"), str(tmp_path / "lines"))
    assert outcome.kept == 1
    [line] = read_lines(str(tmp_path / "lines"))
    assert line.text == "uno dos"


def test_without_scans_the_sheet_says_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="make ocr"):
        write_lines(OCR, TAMURI, Store(str(tmp_path)), str(tmp_path), most=0)


@pytest.mark.browser
def test_a_reader_answers_in_the_browser_and_saves_what_ingest_reads(chromium: Any, workspace: Store) -> None:
    address = f"file://{workspace.path(LINES)}/index.html"
    context = chromium.new_context(viewport={"width": 390, "height": 800})
    page = context.new_page()
    troubles: list[str] = []
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("request", lambda sent: troubles.append(sent.url) if not sent.url.startswith((address, "blob:", "data:")) else None)
    page.goto(address)
    assert page.locator(".line img").count() == 3
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.fill("#text-1", "uno dos")
    page.click(".line:nth-of-type(2) [data-answer=right]")
    page.click(".line:nth-of-type(3) [data-answer=nothing]")
    assert page.inner_text("#answered") == "3"
    page.reload()
    assert page.input_value("#text-1") == "uno dos", "answers stay in the browser"
    page.click("[data-words=en][lang=en]")
    assert "It is no text" in page.inner_text("body")
    with page.expect_download() as saved:
        page.click("#save")
    answer(workspace, Path(saved.value.path()).read_bytes())
    assert troubles == []
    outcome = write_lines(OCR, TAMURI, workspace, workspace.path("data/raw"), most=0)
    assert outcome.note == "no line is doubtful that nobody has answered"
    context.close()
