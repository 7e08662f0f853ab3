"""Who may ask, and how often."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any

import pytest
from fastapi import Request
from fastapi.testclient import TestClient

from serve.access import Access, add_key, read_keys
from serve.api import build_api
from serve.requests import RefusedError
from seshat.errors import ConfigError
from seshat.serving import Serving
from tests.serve.test_api import HERE, Upper, body

GUARDED = {
    ("POST", "/translate"): 403,
    ("POST", "/detect"): 403,
    ("POST", "/v1/chat/completions"): 401,
    ("GET", "/v1/models"): 401,
    ("POST", "/v2/translate"): 403,
    ("GET", "/v2/languages"): 403,
    ("GET", "/v2/usage"): 403,
    ("POST", "/v1/explain"): 403,
    ("GET", "/v1/search"): 403,
    ("GET", "/report"): 403,
    ("POST", "/v1/documents"): 403,
    ("GET", "/v1/documents/x"): 403,
    ("GET", "/v1/documents/x/file"): 403,
    ("DELETE", "/v1/documents/x"): 403,
    ("POST", "/feedback"): 403,
    ("GET", "/v1/review"): 403,
    ("POST", "/v1/review"): 403,
}
BODIES: dict[str, dict[str, Any]] = {
    "/translate": body(),
    "/detect": {"q": "hola"},
    "/v1/chat/completions": {"model": "tiny", "messages": [{"role": "user", "content": "hola"}]},
    "/v2/translate": {"text": ["hola"], "target_lang": "QTM", "source_lang": "ES"},
    "/v1/explain": body(),
    "/feedback": {**body(), "source_text": "a", "correction": "b", "consent": True},
    "/v1/review": {"id": "x", "author": "y", "good": True},
}


@pytest.fixture
def keys(tmp_path: Path) -> tuple[str, str]:
    """A key file and a key of it."""
    path = str(tmp_path / "keys.txt")
    add_key(path, "other")
    return path, add_key(path, "radio")


def test_only_digests_are_kept_and_only_for_the_owner(keys: tuple[str, str]) -> None:
    path, key = keys
    text = Path(path).read_text()
    assert key not in text
    assert list(read_keys(path)) == ["other", "radio"]
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    with pytest.raises(ConfigError, match="has a key for 'radio'"):
        add_key(path, "radio")


@pytest.mark.parametrize("name", ["two words", "", "#x", "a\nb"])
def test_a_name_is_one_word(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError, match="one word"):
        add_key(str(tmp_path / "keys.txt"), name)


@pytest.mark.parametrize(
    ("text", "match"), [("radio abc\n", "keys.txt:1: not 'NAME SHA256'"), ("# nothing\n\n", "holds no key"), (None, "cannot be read")]
)
def test_a_wrong_key_file_is_explained(tmp_path: Path, text: str | None, match: str) -> None:
    path = tmp_path / "keys.txt"
    if text is not None:
        path.write_text(text)
    with pytest.raises(ConfigError, match=match):
        Access(Serving(keys=str(path)))


@pytest.mark.parametrize(("request_", "status"), GUARDED.items(), ids=lambda one: " ".join(one) if isinstance(one, tuple) else str(one))
def test_every_door_that_does_work_is_locked_where_keys_are_configured(
    keys: tuple[str, str], request_: tuple[str, str], status: int
) -> None:
    client = TestClient(build_api(Upper(), Serving(keys=keys[0])), base_url=HERE)
    method, path = request_
    sent = {"json": BODIES[path]} if path in BODIES and method == "POST" else {"content": b"uno"} if method == "POST" else {}
    path += "?name=a.txt&source=es&target=qtm" if path == "/v1/documents" else ""
    assert client.request(method, path, **sent).status_code == status
    assert client.request(method, path, **sent, headers={"authorization": "Bearer wrong"}).status_code == status
    assert client.request(method, path, **sent, headers={"authorization": f"Bearer {keys[1]}"}).status_code in (200, 404, 422)


def test_every_route_is_locked_or_known_to_be_open() -> None:
    open_ = {"/health", "/ready", "/languages", "/v1/info"}
    app = build_api(Upper(), Serving())
    paths = {(method.upper(), path) for path, methods in app.openapi()["paths"].items() for method in methods}
    named = {(method, path.replace("{id}", "x")) for method, path in paths if path not in open_ and "{name}" not in path}
    assert named == set(GUARDED)


def test_keys_come_as_each_client_sends_them(keys: tuple[str, str]) -> None:
    path, key = keys
    client = TestClient(build_api(Upper(), Serving(keys=path)), base_url=HERE)
    assert client.post("/translate", json=body(api_key=key)).status_code == 200
    assert client.post("/translate", data=body(api_key=key)).status_code == 200
    assert client.post("/translate", json=body(), headers={"authorization": f"DeepL-Auth-Key {key}"}).status_code == 200
    assert client.post("/translate", json=body(), headers={"authorization": key}).status_code == 403
    assert client.get("/v1/info").json()["keys"] is True


def test_without_configured_keys_any_or_none_will_do() -> None:
    client = TestClient(build_api(Upper(), Serving()), base_url=HERE)
    for key in ("", "anything", "ñ\ud800".encode("utf-8", "surrogatepass").decode("latin-1")):
        assert client.post("/translate", json=body(api_key=key)).status_code == 200


def test_a_rate_is_a_bucket_for_each_key(keys: tuple[str, str]) -> None:
    now = [0.0]
    access = Access(Serving(keys=keys[0], rate_per_minute=2), clock=lambda: now[0])
    asking = Request({"type": "http", "headers": [(b"authorization", f"Bearer {keys[1]}".encode())], "client": ("1.2.3.4", 5)})

    def ask() -> int:
        try:
            access.check(asking)
        except RefusedError as error:
            return error.retry_after
        return 0

    assert [ask() for _ in range(3)] == [0, 0, 31]
    now[0] = 30.0
    assert [ask(), ask()] == [0, 31]


def test_other_pages_may_not_ask_unless_they_are_named() -> None:
    asking = {"origin": "https://example.org"}
    closed = TestClient(build_api(Upper(), Serving()), base_url=HERE).post("/translate", json=body(), headers=asking)
    assert "access-control-allow-origin" not in closed.headers
    named = TestClient(build_api(Upper(), Serving(origins=("https://example.org",))), base_url=HERE)
    assert named.post("/translate", json=body(), headers=asking).headers["access-control-allow-origin"] == "https://example.org"
    form = {"content-type": "application/x-www-form-urlencoded"}
    assert (
        TestClient(build_api(Upper(), Serving()), base_url=HERE).post("/feedback", content="consent=true", headers=form).status_code == 415
    )


def test_a_name_that_leads_here_from_elsewhere_is_not_answered() -> None:
    client = TestClient(build_api(Upper(), Serving()), base_url=HERE)
    assert client.get("/v1/info", headers={"host": "evil.example"}).status_code == 400
    assert client.get("/v1/info", headers={"host": "localhost:8000"}).status_code == 200
