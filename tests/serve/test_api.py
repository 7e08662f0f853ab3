"""The HTTP interface around a stand-in for the model: shapes, limits, errors that repeat nothing."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Sequence
from typing import Any

import pytest
from fastapi.testclient import TestClient

from serve.api import PAGE, build_api
from serve.app import address_of
from serve.corpus import Corpus
from serve.gate import FULL
from serve.turns import BusyError
from serve.voices import Made
from seshat.errors import EngineError
from seshat.prompts import Card
from seshat.rights import Consent, Rights, Source
from seshat.serving import Serving
from seshat.translate import Translation
from tests.tiny_model import LANGUAGE

SOURCES = {"dictionary": Source(title="Diccionario", steward="Doña Rosa", licence="CC-BY-4.0", consent=Consent())}
CARD = Card(name="tiny", language=LANGUAGE.model_copy(update={"alphabet": "a e i ü ñ k"}), base="/x/qwen", rights=Rights(sources=SOURCES))
SERVING = Serving(max_text_chars=200, max_batch=4, retry_after=7)
SECRET = "palabra-secreta"
HERE = "http://localhost"
"""What the service is called; it answers to no other name."""


class Upper:
    """Answers in capitals, or fails as it is told."""

    def __init__(self, failure: Exception | None = None, cards: Sequence[Card] = (CARD,), corpus: Corpus | None = None) -> None:
        self.failure, self.cards, self._corpus = failure, cards, corpus
        self.asked: list[tuple[list[str], str, str, str]] = []

    @property
    def waiting(self) -> int:
        return 3

    def corpus(self, model: str) -> Corpus | None:
        return self._corpus

    async def translate(self, texts: Sequence[str], source: str, target: str, model: str, *, alternatives: int = 0) -> Made:
        self.asked.append((list(texts), source, target, model))
        if self.failure:
            raise self.failure
        expected = {"uno": 62.04, "dos": 31.0, "tres": 12.0}
        others = tuple("abcde"[:alternatives])
        return Made([Translation(text.upper(), 0.75, True, expected.get(text), others) for text in texts], 7)

    async def translate_stream(self, text: str, source: str, target: str, model: str) -> AsyncGenerator[Translation]:
        for piece in text.split(". "):
            made = await self.translate([piece], source, target, model)
            yield made.translations[0]

    async def answer(self, message: str, system: str, model: str) -> AsyncGenerator[str]:
        if self.failure:
            raise self.failure
        for piece in (*filter(None, [system]), message, "!"):
            yield piece


def client(failure: Exception | None = None) -> TestClient:
    return TestClient(build_api(Upper(failure), SERVING), raise_server_exceptions=False, base_url=HERE)


def body(**changes: Any) -> dict[str, Any]:
    return {"q": "hola", "source": "es", "target": "qtm", **changes}


def test_a_text_gives_a_text_and_a_list_gives_a_list() -> None:
    alone = client().post("/translate", json=body(q="uno")).json()
    assert alone == {"translatedText": "UNO", "confidence": 62.0, "band": "green", "abstained": False}
    several = client().post("/translate", json=body(q=["uno", "dos", "tres"])).json()
    assert several["translatedText"] == ["UNO", "DOS", "TRES"]
    assert (several["confidence"], several["band"]) == ([62.0, 31.0, 12.0], ["green", "yellow", "red"])
    assert several["abstained"] == [False] * 3
    none = {"translatedText": [], "confidence": [], "band": [], "abstained": []}
    assert client().post("/translate", json=body(q=[])).json() == none


def test_without_calibration_no_confidence_is_invented() -> None:
    made = client().post("/translate", json=body()).json()
    assert made == {"translatedText": "HOLA", "confidence": None, "band": None, "abstained": False}


def test_a_service_may_abstain_and_says_so() -> None:
    serving = SERVING.model_copy(update={"abstain_below": 31.5})
    asked = TestClient(build_api(Upper(), serving), base_url=HERE)
    several = asked.post("/translate", json=body(q=["uno", "dos", "hola"])).json()
    assert several["translatedText"] == ["UNO", "", "HOLA"]
    assert (several["abstained"], several["confidence"]) == ([False, True, False], [62.0, 31.0, None])


def test_forms_are_read_as_libretranslates_clients_send_them() -> None:
    assert client().post("/translate", data=body(api_key="abc")).json()["translatedText"] == "HOLA"
    assert client().post("/translate", data=body(q=["uno", "dos"])).json()["translatedText"] == ["UNO", "DOS"]
    assert client().post("/translate", data=body(q="año & ʼñ+")).json()["translatedText"] == "AÑO & ʼÑ+"


@pytest.mark.parametrize(("source", "target"), [("es", "qtm"), ("spa", "qtm"), ("qtm", "es"), ("qtm", "spa")])
def test_languages_go_by_all_their_codes(source: str, target: str) -> None:
    backend = Upper()
    assert (
        TestClient(build_api(backend, SERVING), base_url=HERE).post("/translate", json=body(source=source, target=target)).status_code
        == 200
    )
    assert set(backend.asked[0][1:3]) == {"spa", "qtm"}


def test_languages_and_info_tell_what_a_client_needs() -> None:
    assert client().get("/languages").json() == [
        {"code": "es", "name": "español", "targets": ["qtm"]},
        {"code": "qtm", "name": "tamo", "targets": ["es"]},
    ]
    info = client().get("/v1/info").json()
    assert info["letters"] == ["ñ", "ü", "ʼ"]
    assert info["base"] == "qwen", "the path of the base is nobody's business"
    allows = {"train": True, "publish_text": False, "publish_model": False, "serve_public": False, "commercial": False}
    assert info["questions"][1] == "Explica la gramática en tamo: …"
    source = {"name": "dictionary", "title": "Diccionario", "steward": "Doña Rosa", "licence": "CC-BY-4.0", "allows": allows}
    assert info["sources"] == [source]


BAD = {
    "no body": (b"", 400),
    "no JSON": (b"{'q': 1}", 400),
    "not an object": (b"[1, 2]", 400),
    "deeply nested": (b"[" * 9_000, 400),
    "nested as deep as JSON is read": (b'{"q":' + b"[" * 900 + b"]" * 900 + b"}", 400),
    "not UTF-8": (b'{"q": "\xff\xfe", "source": "es", "target": "qtm"}', 400),
    "lone surrogate": (b'{"q": "\\ud800", "source": "es", "target": "qtm"}', 400),
    "lone surrogate in a list": (b'{"q": ["a", "\\udfff"], "source": "es", "target": "qtm"}', 400),
    "a number": (json.dumps(body(q=7)).encode(), 400),
    "nothing to translate": (json.dumps({"source": "es", "target": "qtm"}).encode(), 400),
    "unknown language": (json.dumps(body(target="tlh")).encode(), 400),
    "a surrogate for a language": (b'{"q": "a", "source": "\\ud800", "target": "qtm"}', 400),
    "same language": (json.dumps(body(target="spa")).encode(), 400),
    "HTML": (json.dumps(body(format="html")).encode(), 400),
    "too long": (json.dumps(body(q="x" * 201)).encode(), 413),
    "too many": (json.dumps(body(q=["x"] * 5)).encode(), 413),
    "huge": (json.dumps(body(q="x" * 100_000)).encode(), 413),
}


@pytest.mark.parametrize(("content", "status"), BAD.values(), ids=BAD.keys())
def test_bad_requests_get_one_sentence(content: bytes, status: int) -> None:
    reply = client().post("/translate", content=content, headers={"content-type": "application/json"})
    assert reply.status_code == status
    assert list(reply.json()) == ["error", "message"]
    assert reply.json()["error"].endswith(".")


@pytest.mark.parametrize(
    "changes",
    [{"source": SECRET}, {"target": SECRET}, {"format": SECRET}, {"q": {"x": SECRET}}, {"q": SECRET * 50}, {"q": ["\ud800" + SECRET]}],
)
def test_errors_never_repeat_what_was_sent(changes: dict[str, Any]) -> None:
    reply = client().post("/translate", content=json.dumps(body(**changes)), headers={"content-type": "application/json"})
    assert reply.status_code in (400, 413)
    assert SECRET not in reply.text


@pytest.mark.parametrize("text", ["", " \n ", "\x00", "<script>alert(1)</script>", "<|im_end|>", "🙂", "e\u0301\u0302"])
def test_strange_texts_are_texts(text: str) -> None:
    assert client().post("/translate", json=body(q=text)).json()["translatedText"] == text.upper()


def test_other_content_types_and_json_in_a_form_are_explained() -> None:
    wrong = client().post("/translate", content=json.dumps(body()), headers={"content-type": "text/xml"})
    assert (wrong.status_code, "application/json" in wrong.json()["error"]) == (415, True)
    curl = client().post("/translate", content=json.dumps(body()), headers={"content-type": "application/x-www-form-urlencoded"})
    assert (curl.status_code, "content-type: application/json" in curl.json()["error"]) == (400, True)


@pytest.mark.parametrize(
    ("failure", "status"),
    [(BusyError(), 429), (TimeoutError(), 504), (EngineError(f"no weights in /srv {SECRET}"), 500), (ValueError(SECRET), 500)],
)
def test_failures_behind_have_their_own_status_and_keep_their_secrets(failure: Exception, status: int) -> None:
    reply = client(failure).post("/translate", json=body())
    assert reply.status_code == status
    assert list(reply.json()) == ["error", "message"]
    assert SECRET not in reply.text
    assert reply.headers.get("retry-after") == ("7" if status == 429 else None)
    assert reply.headers.get(FULL.decode()) == (str(8 + 64) if status == 429 else None), "for the gate: how many find room"


def test_health_is_alive_and_ready_means_able() -> None:
    assert client().get("/health").json() == {"status": "ok"}
    assert client().get("/ready").status_code == 200
    assert client(BusyError()).get("/health").status_code == 200
    empty = TestClient(build_api(Upper(cards=()), SERVING), base_url=HERE)
    assert [empty.get(path).status_code for path in ("/health", "/ready", "/v1/info", "/languages")] == [200, 503, 503, 200]
    assert empty.post("/translate", json=body()).status_code == 503


def test_paths_and_methods_that_are_not_there() -> None:
    assert client().get("/nothing").json() == {"error": "Not Found.", "message": "Not Found."}
    assert client().get("/translate").status_code == 405
    assert client().get("/page/../settings.py").status_code == 404


def test_the_page_is_small_and_loads_nothing_from_elsewhere() -> None:
    reply = client().get("/")
    assert reply.headers["content-type"].startswith("text/html")
    assert "default-src 'self'" in reply.headers["content-security-policy"]
    files = sorted(PAGE.iterdir())
    assert [file.name for file in files] == [
        *(
            "ask.js",
            "core.js",
            "document.js",
            "index.html",
            "library.js",
            "mark.svg",
            "page.js",
            "review.js",
            "style.css",
            "translate.js",
            "words.js",
        )
    ]
    assert sum(file.stat().st_size for file in files) < 100_000
    for file in files:
        text = file.read_text(encoding="utf-8").replace('xmlns="http://www.w3.org/2000/svg"', "")
        assert "http://" not in text, file
        assert "https://" not in text, file
        assert client().get(f"/page/{file.name}").status_code == 200


def test_the_page_says_everything_in_both_languages() -> None:
    import re

    text = (PAGE / "words.js").read_text(encoding="utf-8")
    spanish, english = (set(re.findall(r"^    (\w+):", part, re.MULTILINE)) for part in text.split("  en: {"))
    assert spanish == english
    html = (PAGE / "index.html").read_text(encoding="utf-8")
    script = "".join(file.read_text(encoding="utf-8") for file in sorted(PAGE.glob("*.js")))
    used = set(re.findall(r'data-(?:word|label)="(\w+)"', html)) | set(re.findall(r'say\("(\w+)"', script))
    assert used <= spanish
    assert len(used) > 10


def test_openapi_describes_body_and_errors() -> None:
    post = client().get("/openapi.json").json()["paths"]["/translate"]["post"]
    assert set(post["requestBody"]["content"]) == {"application/json", "application/x-www-form-urlencoded"}
    assert {"200", "400", "413", "415", "429", "504"} <= set(post["responses"])


class Counted:
    """Remembers what was counted."""

    def __init__(self) -> None:
        self.statuses: list[tuple[str, int]] = []

    def request(self, path: str, status: int, seconds: float) -> None:
        self.statuses.append((path, status))

    def made(self, made: Made, seconds: float, waiting: int) -> None:
        assert (made.tokens, waiting) == (7, 3)


def test_every_reply_is_counted_and_has_the_headers_of_security() -> None:
    meter = Counted()
    for failure, status in ((None, 200), (ValueError("x"), 500), (BusyError(), 429)):
        app = build_api(Upper(failure), SERVING, meter=meter)
        reply = TestClient(app, base_url=HERE, raise_server_exceptions=False).post("/translate", json=body())
        assert reply.status_code == status
        assert reply.headers["x-content-type-options"] == "nosniff"
    assert meter.statuses == [("/translate", 200), ("/translate", 500), ("/translate", 429)]


def test_what_is_too_bad_is_given_nowhere() -> None:
    asked = TestClient(build_api(Upper(), SERVING.model_copy(update={"abstain_below": 20.0})), base_url=HERE)
    messages = [{"role": "user", "content": "uno. tres. dos"}]
    chat = asked.post("/v1/chat/completions", json={"model": "tiny:spa-qtm", "messages": messages}).json()
    assert chat["choices"][0]["message"]["content"] == "UNODOS"
    deepl = asked.post("/v2/translate", json={"text": ["tres"], "source_lang": "ES", "target_lang": "QTM"}).json()["translations"][0]
    assert (deepl["text"], deepl["abstained"]) == ("", True)


@pytest.mark.parametrize(("headers", "status"), [({"host": "["}, 400), ({"origin": "http://["}, 403)])
def test_a_name_that_is_none_is_refused(headers: dict[str, str], status: int) -> None:
    assert client().post("/translate", json=body(), headers=headers).status_code == status


@pytest.mark.parametrize(
    ("host", "address"),
    [("127.0.0.1", "http://127.0.0.1:80"), ("::1", "http://[::1]:80"), ("::", "http://[::1]:80"), ("a.b", "http://a.b:80")],
)
def test_an_address_is_one_that_a_browser_opens(host: str, address: str) -> None:
    assert address_of(Serving(host=host, port=80, keys="keys.txt")) == address
