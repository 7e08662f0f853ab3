"""The page of a review sheet in headless Chromium, opened from disk as a reviewer does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from seshat.review.handouts import page as review_page
from seshat.review.returned import read_returned
from seshat.review.settings import Review
from seshat.review.sheet import Sheet, make_sheet
from tests.review.conftest import LANGUAGE, sample, samples

pytestmark = pytest.mark.browser
HOSTILE = sample("spa-qtm", "translation", "</script><b>Hola</b>", "x", "=1+1", "", 0.5)
CONTRASTS = """() => {
  const light = (colour) => {
    const [r, g, b] = colour.match(/[\\d.]+/g).map((part) => part / 255).map((c) => c <= .03928 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4);
    return .2126 * r + .7152 * g + .0722 * b;
  };
  const ground = (element) => {
    for (; element; element = element.parentElement) {
      const colour = getComputedStyle(element).backgroundColor;
      if (!/rgba\\(.*, 0\\)|transparent/.test(colour)) return colour;
    }
    return "rgb(255, 255, 255)";
  };
  const found = [];
  for (const element of document.querySelectorAll("body *")) {
    const said = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
    if (!said || !element.checkVisibility({ visibilityProperty: true }) || ["SCRIPT", "NOSCRIPT"].includes(element.tagName)) continue;
    const [one, other] = [getComputedStyle(element).color, ground(element)].map(light);
    found.push([(Math.max(one, other) + .05) / (Math.min(one, other) + .05), element.tagName, element.className, element.textContent]);
  }
  return found;
}"""


@pytest.fixture(scope="module")
def sheet() -> Sheet:
    return make_sheet([*samples(4), HOSTILE], Review(), LANGUAGE)


@pytest.fixture
def page(chromium: Any, sheet: Sheet, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Any]:
    """The page, opened as the test's parameter says; errors and requests to anywhere fail the test."""
    (tmp_path / "review.html").write_bytes(review_page(sheet))
    address = f"file://{tmp_path}/review.html"
    context = chromium.new_context(**getattr(request, "param", {"locale": "es-PE"}))
    page = context.new_page()
    troubles: list[str] = []
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("console", lambda message: troubles.append(message.text) if message.type == "error" else None)
    page.on("request", lambda sent: troubles.append(sent.url) if not sent.url.startswith((address, "blob:")) else None)
    page.goto(address)
    yield page
    context.close()
    assert troubles == []


def expect(thing: Any) -> Any:
    from playwright.sync_api import expect

    return expect(thing)


def row(page: Any, number: int) -> Any:
    return page.locator(".row").nth(number)


def test_what_is_marked_is_kept_and_comes_back_as_csv(page: Any, sheet: Sheet, tmp_path: Path) -> None:
    hostile = next(number for number, one in enumerate(sheet.rows) if one.answer == "=1+1")
    expect(row(page, hostile).locator("dd").first).to_have_text("</script><b>Hola</b>")
    page.locator("#reviewer").fill("Ana María")
    page.locator("#consent").check()
    row(page, hostile).get_by_role("radiogroup", name="Exactitud").get_by_role("radio", name="4").check()
    expect(row(page, hostile).get_by_text("Lo mismo con otras palabras")).to_be_visible()
    row(page, hostile).get_by_label("Palabras inventadas").fill("waka, sia")
    row(page, hostile).get_by_label("Mejor así").fill('-Waka, "sia".')
    row(page, 0).get_by_label("Palabras inventadas").fill("-")
    row(page, 0).get_by_label("Comentario").fill("- dos\n- líneas")
    expect(page.locator("#marked")).to_have_text("2")
    page.reload()
    expect(page.locator("#marked")).to_have_text("2")
    expect(row(page, hostile).get_by_role("radio", name="4").first).to_be_checked()
    with page.expect_download() as download:
        page.get_by_role("button", name="Guardar CSV").first.click()
    assert download.value.suggested_filename == f"review-{sheet.id}-ana-maría.csv"
    download.value.save_as(tmp_path / "back" / "ana.csv")
    returned = read_returned(str(tmp_path / "back"), {sheet.id: sheet})
    one, other = sorted(returned.marked, key=lambda one: not one.marks)
    assert (other.row, other.invented, other.comment) == (sheet.rows[0].id, (), "- dos\n- líneas")
    assert one.model_dump(include={"row", "reviewer", "marks", "invented", "correction", "consent"}) == {
        "row": sheet.rows[hostile].id,
        "reviewer": "Ana María",
        "marks": {"accuracy": 4},
        "invented": ("waka", "sia"),
        "correction": '-Waka, "sia".',
        "consent": True,
    }
    assert (returned.rejected, returned.num_empty) == ((), len(sheet.rows) - 2)
    assert "\u200b-Waka" in (tmp_path / "back" / "ana.csv").read_text(encoding="utf-8-sig"), "a spreadsheet would run it"


@pytest.mark.parametrize("page", [{"locale": "en-GB"}], indirect=True)
def test_everything_works_by_keyboard_and_in_english(page: Any, sheet: Sheet) -> None:
    expect(page.get_by_role("heading", level=1)).to_contain_text("Language review")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.keyboard.press("Control+Enter")
    for _ in range(2):
        page.keyboard.press("Space")
        page.keyboard.press("ArrowRight")
        page.keyboard.press("Tab")
    expect(row(page, 0).get_by_role("radiogroup", name="Accuracy").get_by_role("radio", name="2")).to_be_checked()
    expect(row(page, 0).get_by_role("radiogroup", name="Word forms").get_by_role("radio", name="2")).to_be_checked()
    page.keyboard.press("Control+Enter")
    page.keyboard.press("Space")
    expect(row(page, 1).get_by_role("radiogroup", name="Accuracy").get_by_role("radio", name="1")).to_be_checked()
    expect(page.locator("#marked")).to_have_text("2")


def test_a_mark_can_be_taken_back_and_all_be_cleared(page: Any) -> None:
    marks = row(page, 0).get_by_role("radiogroup", name="Exactitud")
    marks.get_by_role("radio", name="5").check()
    marks.get_by_role("radio", name="sin nota").check()
    expect(page.locator("#marked")).to_have_text("0")
    row(page, 1).get_by_label("Comentario").fill("Bien.")
    expect(page.locator("#marked")).to_have_text("1")
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Borrar todo").click()
    expect(row(page, 1).get_by_label("Comentario")).to_have_value("")
    page.reload()
    expect(page.locator("#marked")).to_have_text("0")


def test_letters_that_a_keyboard_lacks_are_one_click_away(page: Any, sheet: Sheet) -> None:
    into = next(number for number, one in enumerate(sheet.rows) if one.direction == "spa-qtm")
    out = next(number for number, one in enumerate(sheet.rows) if one.direction == "qtm-spa")
    row(page, into).get_by_label("Mejor así").fill("sia")
    row(page, into).get_by_role("button", name="ʼ").click()
    expect(row(page, into).get_by_label("Mejor así")).to_have_value("siaʼ")
    expect(row(page, out).locator(".letters")).to_have_count(0)


@pytest.mark.parametrize("page", [{"viewport": {"width": 360, "height": 740}, "is_mobile": True, "has_touch": True}], indirect=True)
def test_a_phone_shows_all_of_it_without_scrolling_sideways(page: Any) -> None:
    row(page, 0).locator(".scale label").nth(2).tap()
    expect(page.locator("#marked")).to_have_text("1")
    assert page.evaluate("() => document.documentElement.scrollWidth <= window.innerWidth")
    touched = page.locator(".row").first.locator(".scale label, input[type=text], textarea, button").all() + page.locator(".button").all()
    boxes = [one.bounding_box() for one in touched]
    assert len(boxes) > 20
    assert all(box["x"] >= 0 and box["x"] + box["width"] <= 360 and box["height"] >= 40 for box in boxes), "fingers need room"


@pytest.mark.parametrize("page", [{"color_scheme": "light"}, {"color_scheme": "dark"}], indirect=True)
def test_all_text_has_contrast(page: Any) -> None:
    row(page, 0).locator(".scale label").nth(2).click()
    page.locator("summary").click()
    contrasts = page.evaluate(CONTRASTS)
    assert len(contrasts) > 100
    assert [found for found in contrasts if found[0] < 4.5] == [], "WCAG AA"
