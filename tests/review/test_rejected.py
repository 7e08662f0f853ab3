"""The page on which people browse what was rejected: offline, in two languages, searchable, on a phone."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from seshat.language import Language
from seshat.review.rejected import PAGE, write_rejected
from seshat.store import Store
from tests.make import finish, pair

LANGUAGE = Language(code="qtm", name="tamuri")


@pytest.fixture
def page(tmp_path: Path) -> Path:
    store = Store(str(tmp_path))
    bad = [
        pair(f"palabra {number}", "<script>alert(1)</script>", origin=f"a.csv#row={number}").reject("ratio: too long")
        for number in range(7)
    ]
    odd = pair("wapuye", "es dulce", origin="b.csv#row=1").reject("copy: both sides are the same")
    store.write("data/raw/b.csv", b"x")
    finish(store, "align", [pair("bueno", "good"), *bad, odd])
    outcome = write_rejected(store, LANGUAGE, most=5)
    assert "8 rejected" in outcome.note
    return tmp_path / PAGE


def test_every_reason_is_counted_and_some_records_are_shown(page: Path) -> None:
    html = page.read_text()
    assert re.search(r"<h3>ratio</h3> <span>7, 77\.8 %: a\.csv \(5\)", html)
    assert html.count("<tr data-text") == 6, "five of one reason, one of the other"
    assert "seshat rejected align --reason ratio --most 0" in html
    assert "<script>alert" not in html
    assert '<a class="origin" href="../raw/b.csv">b.csv#row=1</a>' in html
    assert 'href="../raw/a.csv' not in html, "that file is gone"
    assert not re.search(r"(?:src|href)=\"http", html)


def test_it_is_searched_in_a_browser(page: Path, chromium: Any) -> None:
    tab = chromium.new_page(viewport={"width": 390, "height": 800})
    asked: list[str] = []
    tab.on("request", lambda request: asked.append(request.url))
    tab.goto(page.as_uri())
    assert tab.locator("h1 .es").is_visible()
    tab.get_by_role("button", name="English").click()
    assert tab.locator("h1 .en").is_visible()
    tab.get_by_role("searchbox").fill("wapuye")
    assert tab.locator("tr[data-text]:visible").count() == 1
    assert tab.locator("#found").inner_text() == "1"
    assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert asked == [page.as_uri()]
