"""The page in headless Chromium, with the real model behind it: typed, translated, read; by keyboard and on a phone."""

from __future__ import annotations

import asyncio
import json
import shutil
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from serve.api import build_api
from serve.backend import Models
from serve.corpus import TRAIN
from serve.models import find
from seshat.examples import to_line
from seshat.prompts import CARD, Card
from seshat.review.page import FILE
from seshat.serving import Serving
from seshat.store import Store
from tests.serve.test_lookup import EXAMPLES
from tests.tiny_model import exported_workspace

pytestmark = pytest.mark.browser
SMALL = """() => [...document.querySelectorAll("a, button, summary, select, input")]
    .filter((one) => one.offsetParent && (one.closest("label") ?? one).offsetHeight < 24).map((one) => one.outerHTML)"""
"""What fingers can hardly hit (WCAG 2.5.8)."""


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    """A workspace whose model knows what it learnt from: the tiny one, with its pairs and an entry beside it."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        shutil.copytree(exported_workspace() / "models" / "gguf", root / "models" / "gguf")
        file = Store(folder).write(TRAIN, "".join(f"{to_line(one)}\n" for one in EXAMPLES).encode())
        card = root / "models/gguf/tiny" / CARD
        found = Card.model_validate_json(card.read_text())
        card.write_text(found.model_copy(update={"data": {"train.jsonl": file.sha256}}).model_dump_json())
        yield root


@pytest.fixture(scope="module")
def address(home: Path) -> Iterator[str]:
    import uvicorn

    serving = Serving()
    models = Models(serving)
    app = build_api(models, serving, home=lambda card: Store(str(home)))
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="warning"))

    async def run() -> None:
        await models.serve([find(serving, Store(str(home)))])
        await server.serve()

    thread = threading.Thread(target=lambda: asyncio.run(run()), daemon=True)
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


def test_a_text_is_translated_as_it_is_typed(page: Any) -> None:
    page.locator("#text").press_sequentially("Yo bebo agua.")
    expect(page.locator("#result")).to_have_text("Noka yaku upya.")


def test_a_reader_sees_why_and_finds_the_word_in_the_dictionary(page: Any) -> None:
    page.locator("#text").fill("El perro duerme en la casa.")
    page.get_by_text("¿Por qué?").click()
    expect(page.locator("#why-body")).to_contain_text("Wawë wasipi puñu.")
    page.get_by_role("link", name="perro", exact=True).click()
    expect(page.get_by_role("heading", name="Palabras y textos en tamo")).to_be_visible()
    expect(page.locator("#found")).to_have_text("Resultados: 2")
    expect(page.locator("#lines")).to_contain_text("dictionary/a.csv#row=1")
    page.locator("#task").select_option("translation")
    expect(page.locator("#found")).to_have_text("Resultados: 1")


def test_a_speaker_corrects_and_another_one_reviews(page: Any, home: Path, chromium: Any, address: str) -> None:
    page.locator("#text").fill("El sol sale temprano.")
    page.get_by_text("Hablo esta lengua: corregir").click()
    page.get_by_label("¿Cómo lo dirías tú?").fill("Inti ñawpa lluqsin <b>.")
    page.get_by_role("button", name="Enviar").click()
    assert not (home / "data/raw" / FILE).exists(), "consent is asked for"
    page.get_by_label("Tu nombre, si quieres darlo").fill("Doña Rosa")
    page.get_by_label("Se puede guardar").check()
    page.get_by_role("button", name="Enviar").click()
    expect(page.locator("#sent")).to_contain_text("Gracias")
    [line] = (home / "data/raw" / FILE).read_text().splitlines()
    assert json.loads(line)["reviewer"] == "Doña Rosa"
    other = chromium.new_context(locale="en-GB").new_page()
    other.goto(f"{address}#review")
    expect(other.locator("#questions")).to_contain_text("Inti ñawpa lluqsin <b>.")
    other.get_by_role("button", name="It is good", exact=True).click()
    expect(other.locator("#questions")).to_contain_text("Thank you: it is good.")
    assert len(json.loads((home / "data/raw" / FILE).read_text())["approved_by"]) == 1
    other.reload()
    expect(other.locator("#waiting")).to_have_text("Nothing waits for review. Thank you.")
    other.context.close()


def test_questions_are_asked_in_the_form_that_the_model_knows(page: Any) -> None:
    page.get_by_role("link", name="Preguntar").click()
    page.get_by_role("button", name="Explica la gramática en tamo: …").click()
    expect(page.locator("#question")).to_have_value("Explica la gramática en tamo: …")
    page.locator("#question").fill("Traduce del español al tamo: La abuela teje.")
    page.keyboard.press("Enter")
    expect(page.locator("#talk .card")).to_have_text("Awitsa awa.")


@pytest.mark.parametrize("page", [{"viewport": {"width": 360, "height": 740}, "is_mobile": True, "has_touch": True}], indirect=True)
def test_every_view_fits_a_phone(page: Any) -> None:
    page.locator("#text").fill("El perro corre.")
    page.locator("#why summary").tap()
    page.locator("#correct summary").tap()
    for view in ("translate", "library", "review", "ask"):
        page.locator(f'.tabs [href="#{view}"]').tap()
        expect(page.locator(f"#{view}")).to_be_visible()
        assert page.evaluate("() => document.documentElement.scrollWidth <= window.innerWidth"), view
        small = page.evaluate(SMALL)
        assert small == [], view


def test_a_document_is_translated_and_downloaded(page: Any) -> None:
    file = {"name": "cuento.txt", "mimeType": "text/plain", "buffer": b"El perro corre.\n\nLa abuela teje.\n"}
    page.locator("#file").set_input_files(file)
    link = page.get_by_role("link", name="cuento.qtm.txt")
    with page.expect_download() as download:
        link.click()
    assert Path(download.value.path()).read_text() == "Allku pawa.\n\nAwitsa awa.\n"
