"""OpenAI's and DeepL's shapes around a stand-in for the model."""

from __future__ import annotations

import json
from typing import Any

import pytest
from fastapi.testclient import TestClient

from serve.api import build_api
from serve.turns import BusyError
from serve.voices import TooLongError
from seshat.language import Bridge
from seshat.prompts import Card
from seshat.serving import Serving
from tests.serve.test_api import CARD, HERE, SERVING, Upper, client
from tests.tiny_model import LANGUAGE


def asked(text: str = "hola. adiós", model: str = "tiny", **more: Any) -> dict[str, Any]:
    return {"model": model, "messages": [{"role": "user", "content": text}], **more}


def events(text: str) -> list[str]:
    """What a stream of events says."""
    return [line.removeprefix("data: ") for line in text.split("\n\n") if line]


def test_a_direction_translates_what_the_user_said_last() -> None:
    messages = [
        {"role": "system", "content": "You are a translator."},
        {"role": "user", "content": "no"},
        {"role": "assistant", "content": "NO"},
        {"role": "user", "content": [{"type": "text", "text": "uno"}, {"type": "text", "text": "dos"}]},
    ]
    reply = client().post("/v1/chat/completions", json={"model": "tiny:spa-qtm", "messages": messages, "temperature": 0.3}).json()
    assert reply["choices"] == [{"index": 0, "message": {"role": "assistant", "content": "UNO\nDOS"}, "finish_reason": "stop"}]
    assert (reply["object"], reply["model"]) == ("chat.completion", "tiny:spa-qtm")


def test_a_model_is_spoken_to_after_what_the_system_says() -> None:
    reply = client().post(
        "/v1/chat/completions", json={"model": "tiny", "messages": [{"role": "system", "content": "S"}, *asked()["messages"]]}
    )
    assert reply.json()["choices"][0]["message"]["content"] == "Shola. adiós!"


def test_a_stream_tells_pieces_and_ends() -> None:
    reply = client().post("/v1/chat/completions", json=asked(stream=True, model="tiny:spa-qtm"))
    assert reply.headers["content-type"].startswith("text/event-stream")
    *told, done = events(reply.text)
    assert done == "[DONE]"
    deltas = [json.loads(one)["choices"][0] for one in told]
    assert [one["delta"].get("content") for one in deltas] == ["HOLA", "ADIÓS", None]
    assert [one["finish_reason"] for one in deltas] == [None, None, "stop"]


@pytest.mark.parametrize(
    ("failure", "status"), [(BusyError(), 429), (TooLongError(90), 413), (TimeoutError(), 504)], ids=["busy", "long", "late"]
)
@pytest.mark.parametrize("stream", [False, True])
def test_what_is_refused_is_refused_before_anything_is_told(failure: Exception, status: int, stream: bool) -> None:
    assert client(failure).post("/v1/chat/completions", json=asked(stream=stream)).status_code == status


@pytest.mark.parametrize(
    ("question", "status"),
    [
        (asked(model="gpt-9"), 404),
        (asked(model="tiny:spa-tlh"), 404),
        ({"model": "tiny", "messages": []}, 400),
        ({"model": "tiny", "messages": [{"role": "assistant", "content": "x"}]}, 400),
        ({"model": "tiny", "messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {}}]}]}, 400),
        ({"model": "tiny", "messages": [{"role": "user", "content": "\ud800"}]}, 400),
        (asked("x" * 201), 413),
        ({"model": "tiny", "messages": [{"role": "system", "content": "x" * 201}, *asked()["messages"]]}, 413),
    ],
)
def test_wrong_questions_are_explained(question: dict[str, Any], status: int) -> None:
    reply = client().post("/v1/chat/completions", content=json.dumps(question), headers={"content-type": "application/json"})
    assert (reply.status_code, list(reply.json())) == (status, ["error", "message"])


def test_models_are_listed_with_their_directions() -> None:
    listed = client().get("/v1/models").json()
    assert [one["id"] for one in listed["data"]] == ["tiny", "tiny:spa-qtm", "tiny:qtm-spa"]
    assert client().get("/v1/models/tiny:qtm-spa").json()["object"] == "model"
    assert client().get("/v1/models/nothing").status_code == 404


def test_deepls_shape() -> None:
    reply = client().post("/v2/translate", json={"text": ["uno", "tres"], "source_lang": "ES", "target_lang": "QTM"}).json()
    assert [(one["text"], one["detected_source_language"], one["confidence"]) for one in reply["translations"]] == [
        ("UNO", "ES", 62.0),
        ("TRES", "ES", 12.0),
    ]
    form = client().post("/v2/translate", data={"text": ["uno", "dos"], "source_lang": "ES", "target_lang": "QTM"}).json()
    assert [one["text"] for one in form["translations"]] == ["UNO", "DOS"]
    assert client().post("/v2/translate", json={"text": ["x"] * 5, "target_lang": "QTM"}).status_code == 413
    assert client().post("/v2/translate", json={"text": ["x"], "target_lang": "TLH"}).json()["message"].startswith("target: not a language")


def test_several_models_share_a_service_and_languages_say_which_answers() -> None:
    other = Card(name="other", language=LANGUAGE.model_copy(update={"code": "quy", "name": "chanca", "bridge": Bridge()}), base="b")
    backend = Upper(cards=[CARD, other])
    service = TestClient(build_api(backend, SERVING), base_url=HERE)

    def ask(**more: Any) -> int:
        return service.post("/translate", json={"q": "a", "source": "es", **more}).status_code

    assert [ask(target="qtm"), ask(target="quy"), ask(target="quy", model="tiny"), ask(target="quy", model="x")] == [200, 200, 400, 404]
    assert [model for *_, model in backend.asked] == ["tiny", "other"]
    assert [(one["code"], one["targets"]) for one in service.get("/languages").json()] == [
        ("es", ["qtm", "quy"]),
        ("qtm", ["es"]),
        ("quy", ["es"]),
    ]
    assert (
        service.post("/translate", json={"q": "a", "source": "qtm", "target": "quy"}).json()["error"].startswith("No model here translates")
    )
    assert service.get("/v1/info").json()["others"] == ["other"]
    assert Serving().others == ()
