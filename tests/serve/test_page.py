"""The page in headless Chromium, with the real model behind it: typed, translated, read; by keyboard and on a phone."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from serve.api import build_api
from serve.models import find, load
from seshat.serving import Serving
from seshat.store import Store
from seshat.translate import Translation, Translator
from tests.tiny_model import exported_workspace

pytestmark = pytest.mark.browser


class Local:
    """The model in this process, without Ray."""

    def __init__(self, translator: Translator) -> None:
        self._translator = translator

    async def translate(self, texts: Any, source: str, target: str) -> list[Translation]:
        return self._translator.translate(texts, source, target)

    async def ready(self) -> bool:
        return True


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    import uvicorn

    serving = Serving()
    served = find(serving, Store(str(exported_workspace())))
    app = build_api(Local(load(served, serving)), served.card, serving)
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="warning"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        thread.join(0.05)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}/"
    server.should_exit = True
    thread.join()


@pytest.fixture
def page(chromium: Any, address: str, request: pytest.FixtureRequest) -> Iterator[Any]:
    """The page, opened as the test's parameter says; errors and requests to elsewhere fail the test."""
    context = chromium.new_context(**getattr(request, "param", {"locale": "es-PE"}))
    page = context.new_page()
    troubles: list[str] = []
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("console", lambda message: troubles.append(message.text) if message.type == "error" else None)
    page.on("request", lambda sent: troubles.append(sent.url) if not sent.url.startswith(address) else None)
    page.goto(address)
    yield page
    context.close()
    assert troubles == []


def expect(thing: Any) -> Any:
    from playwright.sync_api import expect

    return expect(thing)


def test_a_text_is_typed_translated_and_read(page: Any) -> None:
    expect(page.locator("#title")).to_have_text("Traduce entre español y tamo")
    page.get_by_role("textbox", name="Español").fill("El niño duerme en la casa.\nLa abuela teje.")
    page.get_by_role("button", name="Traducir").click()
    expect(page.locator("#result")).to_have_text("Wawë wasipi puñu.\nAwitsa awa.")
    expect(page.locator("#sure-word")).to_have_text("No se ha medido cuánto fiarse de este modelo")


@pytest.mark.parametrize(
    ("answer", "words", "dots"),
    [
        ({"confidence": 62.4, "band": "green"}, "Suele ser correcta (62 de 100)", 3),
        ({"confidence": 40.0, "band": "yellow"}, "Da la idea; conviene revisarla (40 de 100)", 2),
        ({"confidence": 12.0, "band": "red"}, "A menudo es errónea (12 de 100)", 1),
        ({"confidence": 3.0, "band": "red", "abstained": True}, "El modelo no traduce este texto: saldría demasiado mal", 1),
    ],
)
def test_confidence_is_shown_in_words_and_dots_and_colour(page: Any, answer: dict[str, Any], words: str, dots: int) -> None:
    reply = {"translatedText": "" if "abstained" in answer else "Wasi.", "abstained": False, **answer}
    page.route("**/translate", lambda route: route.fulfill(json=reply))
    page.locator("#text").fill("Casa.")
    page.locator("#go").click()
    expect(page.locator("#sure-word")).to_have_text(words)
    colours = page.evaluate("() => [...document.querySelectorAll('#sure i')].map((dot) => getComputedStyle(dot).backgroundColor)")
    assert sum(colour != "rgba(0, 0, 0, 0)" for colour in colours) == dots
    page.locator("#text").fill("")
    page.locator("#go").click()
    expect(page.locator("#sure")).to_be_hidden()


@pytest.mark.parametrize("page", [{"locale": "en-GB"}], indirect=True)
def test_everything_works_by_keyboard_and_in_english(page: Any) -> None:
    expect(page.locator("#title")).to_have_text("Translate between Spanish and Tamo")
    page.locator("#text").focus()
    page.keyboard.type("El perro corre.")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#result")).to_have_text("Allku pawa.")
    for _ in range(10):
        page.keyboard.press("Tab")
        if page.evaluate("() => document.activeElement.id") == "swap":
            break
    page.keyboard.press("Enter")
    expect(page.locator("#source-name")).to_have_text("Tamo")
    expect(page.locator("#text")).to_have_value("Allku pawa.")
    expect(page.locator("#result")).to_have_text("El perro corre.")


def test_the_language_of_the_page_changes_and_is_remembered(page: Any) -> None:
    page.get_by_role("button", name="English").click()
    expect(page.get_by_role("button", name="Translate")).to_be_visible()
    page.reload()
    expect(page.get_by_role("button", name="Translate")).to_be_visible()
    assert page.evaluate("() => document.documentElement.lang") == "en"


@pytest.mark.parametrize("page", [{"viewport": {"width": 360, "height": 740}, "is_mobile": True, "has_touch": True}], indirect=True)
def test_a_phone_shows_all_of_it_without_scrolling_sideways(page: Any) -> None:
    page.locator("#text").fill("Yo bebo agua.")
    page.locator("#go").tap()
    expect(page.locator("#result")).to_have_text("Noka yaku upya.")
    assert page.evaluate("() => document.documentElement.scrollWidth <= window.innerWidth")
    boxes = [page.locator(name).bounding_box() for name in ("#text", "#result", "#go", "#swap", "#clear", "#copy")]
    assert all(box["x"] >= 0 and box["x"] + box["width"] <= 360 for box in boxes)
    assert all(box["height"] >= 40 for box in boxes[2:]), "fingers need room"
    assert boxes[1]["y"] > boxes[0]["y"] + boxes[0]["height"], "the translation is below the text"


def test_letters_that_a_keyboard_lacks_are_one_click_away(page: Any) -> None:
    expect(page.locator("#letters")).to_be_hidden()
    page.locator("#swap").click()
    page.locator("#text").fill("Waru sia")
    page.evaluate("() => document.getElementById('text').setSelectionRange(7, 7)")
    page.locator("#letters button", has_text="ʼ").click()
    expect(page.locator("#text")).to_have_value("Waru siʼa")


def test_markup_stays_text_and_a_text_that_is_too_long_is_explained(page: Any) -> None:
    page.locator("#text").fill("<img src=x onerror=alert(1)> El perro corre.")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#result")).not_to_be_empty()
    assert page.locator("#result img").count() == 0
    page.locator("#text").fill("a" * 4001)
    expect(page.locator("#count")).to_have_class("small over")
