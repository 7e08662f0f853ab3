"""The application on Ray Serve with the real engine, over real HTTP, with the client package that people use."""

from __future__ import annotations

import contextlib
import json
import shutil
import socket
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from serve.access import add_key
from serve.models import find
from seshat.errors import ConfigError, EngineError
from seshat.serving import Serving
from seshat.store import Store
from seshat.withdrawals import Withdrawal, Withdrawals, write_withdrawals
from tests.tiny_model import PAIRS, exported_workspace

pytestmark = pytest.mark.ray


@pytest.fixture(scope="module")
def address(ray_session: None) -> Iterator[str]:
    """The served tiny model, with room for one request at work and two that wait."""
    from ray import serve

    from serve.app import build, start

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    serving = Serving(port=port, max_ongoing_requests=1, max_queued_requests=2, cpus_per_replica=0.5)
    start(serving, build(serving, Store(str(exported_workspace()))))
    yield f"http://127.0.0.1:{port}"
    serve.shutdown()


def ask(address: str, **fields: object) -> tuple[int, dict[str, object], str]:
    """Status, answer and Retry-After of a request for a translation."""
    body = json.dumps({"q": "El perro corre.", "source": "es", "target": "qtm", **fields}).encode()
    request = urllib.request.Request(f"{address}/translate", body, {"content-type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=60) as reply:
            return reply.status, json.load(reply), ""
    except urllib.error.HTTPError as error:
        return error.code, json.load(error), error.headers.get("retry-after", "")


def test_a_curl_command_gets_a_translation(address: str) -> None:
    status, answer, _ = ask(address)
    assert (status, answer["translatedText"]) == (200, "Allku pawa.")
    assert ask(address, q=list(PAIRS.values()), source="qtm", target="spa")[1]["translatedText"] == list(PAIRS)
    assert ask(address, q="\ud800")[0] == 400


@pytest.mark.parametrize("path", ["/", "/languages", "/health", "/ready", "/v1/info", "/page/page.js", "/openapi.json"])
def test_every_page_and_status_is_there(address: str, path: str) -> None:
    with urllib.request.urlopen(address + path, timeout=60) as reply:
        assert reply.status == 200


def test_libretranslates_own_client_works_unchanged(address: str) -> None:
    from libretranslatepy import LibreTranslateAPI

    client = LibreTranslateAPI(f"{address}/")
    assert client.translate("La abuela teje.", "es", "qtm") == "Awitsa awa."
    assert [language["code"] for language in client.languages()] == ["es", "qtm"]


def test_openais_own_client_works_unchanged(address: str) -> None:
    from openai import NotFoundError, OpenAI

    client = OpenAI(base_url=f"{address}/v1", api_key="any", max_retries=0)
    assert [model.id for model in client.models.list()] == ["tiny", "tiny:spa-qtm", "tiny:qtm-spa"]
    asked = [{"role": "user", "content": "El perro corre. La abuela teje.\nYo bebo agua."}]
    answer = client.chat.completions.create(model="tiny:spa-qtm", messages=asked)  # type: ignore[arg-type]
    assert answer.choices[0].message.content == "Allku pawa. Awitsa awa.\nNoka yaku upya."
    stream = client.chat.completions.create(model="tiny:spa-qtm", messages=asked, stream=True)  # type: ignore[arg-type]
    pieces = [chunk.choices[0].delta.content or "" for chunk in stream]
    assert "".join(pieces) == answer.choices[0].message.content
    assert len(pieces) > 3
    prompt = [{"role": "user", "content": "Traduce del español al tamo: El perro corre."}]
    told = client.chat.completions.create(model="tiny", messages=prompt, stream=True)  # type: ignore[arg-type]
    assert "".join(chunk.choices[0].delta.content or "" for chunk in told) == "Allku pawa."
    with pytest.raises(NotFoundError):
        client.chat.completions.create(model="gpt-9", messages=asked)  # type: ignore[arg-type]


def test_deepls_own_client_works_unchanged(address: str) -> None:
    import deepl

    client = deepl.DeepLClient("any", server_url=address)
    made = client.translate_text(["La abuela teje.", "Yo bebo agua."], source_lang="ES", target_lang="QTM")
    assert [(one.text, one.detected_source_lang) for one in made] == [("Awitsa awa.", "ES"), ("Noka yaku upya.", "ES")]  # type: ignore[union-attr]
    assert client.translate_text("Awitsa awa.", target_lang="ES").text == "La abuela teje."  # type: ignore[union-attr]
    assert [language.code for language in client.get_source_languages()] == ["ES", "QTM"]
    assert not client.get_usage().any_limit_reached
    with pytest.raises(deepl.DeepLException, match="not a language of this service"):
        client.translate_text("a", source_lang="ES", target_lang="TLH")


def test_alternatives_differ_from_the_best(address: str) -> None:
    answer = ask(address, q=["El perro come pescado y bebe.", "El perro corre."], alternatives=2)[1]
    for best, others in zip(answer["translatedText"], answer["alternatives"], strict=True):  # type: ignore[arg-type]
        assert best not in others
        assert len(set(others)) == len(others) <= 2


def test_who_hangs_up_frees_the_place(address: str) -> None:
    body = json.dumps({"q": "\n".join(f"El hombre número {number} come pescado" for number in range(90)), "source": "es", "target": "qtm"})
    head = f"POST /translate HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {len(body.encode())}\r\n\r\n"
    for _ in range(3):  # as many as there is room for
        with socket.create_connection(("127.0.0.1", int(address.rpartition(":")[2]))) as line:
            line.sendall(head.encode() + body.encode())
            time.sleep(0.05)
    deadline = time.monotonic() + 5
    while ask(address)[0] != 200:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_thousand_idle_connections_keep_nobody_out(address: str) -> None:
    port = int(address.rpartition(":")[2])
    with contextlib.ExitStack() as stack:
        for _ in range(1_000):
            stack.enter_context(socket.create_connection(("127.0.0.1", port)))
        assert ask(address)[0] == 200
        half = stack.enter_context(socket.create_connection(("127.0.0.1", port)))
        half.sendall(b"POST /translate HTTP/1.1\r\nhost: localhost\r\ncontent-length: 100\r\n\r\n{")
        assert ask(address)[0] == 200


def test_a_newer_model_is_taken_up_without_a_dropped_request(address: str) -> None:
    store = Store(str(exported_workspace()))
    statuses: list[int] = []
    done = threading.Event()

    def keep_asking() -> None:
        while not done.is_set():
            statuses.append(ask(address)[0])

    def wait_for(name: str) -> None:
        deadline = time.monotonic() + 30
        while served(address) != name:
            assert time.monotonic() < deadline
            time.sleep(0.1)

    asking = threading.Thread(target=keep_asking)
    asking.start()
    newer = Path(store.path("models/gguf/newer"))
    try:
        shutil.copytree(store.path("models/gguf/tiny"), newer)
        card = newer / "seshat.json"
        card.write_text(card.read_text().replace('"name":"tiny"', '"name":"newer"').replace('"name": "tiny"', '"name": "newer"'))
        (newer / "manifest.json").touch()
        wait_for("newer")
    finally:
        shutil.rmtree(newer, ignore_errors=True)
        wait_for("tiny")
        done.set()
        asking.join()
    assert set(statuses) == {200}
    assert len(statuses) > 10


def test_what_is_withdrawn_is_not_served_any_more(address: str) -> None:
    store = Store(str(exported_workspace()))

    def wait_for(status: int) -> None:
        deadline = time.monotonic() + 30
        while ask(address)[0] != status:
            assert time.monotonic() < deadline
            time.sleep(0.1)

    try:
        write_withdrawals(store, Withdrawals(sources=(Withdrawal(source="dictionary"),)))
        wait_for(503)
    finally:
        write_withdrawals(store, Withdrawals())
        wait_for(200)


def served(address: str) -> str:
    """The name of the model that answers."""
    with urllib.request.urlopen(f"{address}/v1/info", timeout=60) as reply:
        return str(json.load(reply)["model"])


def test_too_many_requests_are_refused_with_a_time_to_come_back(address: str) -> None:
    text = "\n".join(f"{line} {number}" for number in range(20) for line in ("El perro corre", "La casa es grande"))
    replies: list[tuple[int, dict[str, object], str]] = []
    callers = [threading.Thread(target=lambda: replies.append(ask(address, q=text))) for _ in range(24)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    counts = Counter(status for status, *_ in replies)
    assert set(counts) == {200, 429}, counts
    assert {after for status, _, after in replies if status == 429} == {"2"}
    assert ask(address)[0] == 200, "it serves again when the rush is over"


def test_a_taken_port_is_named_before_anything_starts() -> None:
    from serve.app import announcement, start

    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        serving = Serving(port=other.getsockname()[1])
        with pytest.raises(ConfigError, match=f"set serving.port={serving.port + 1}"):
            start(serving, None)  # type: ignore[arg-type]
    text = announcement(serving, find(serving, Store(str(exported_workspace()))))
    assert f"curl -s http://127.0.0.1:{serving.port}/translate" in text


def test_a_model_that_may_not_be_public_is_not_built_for_the_public(tmp_path: Path) -> None:
    from serve.app import build

    store = Store(str(exported_workspace()))
    keys = str(tmp_path / "keys.txt")
    add_key(keys, "radio")
    serving = Serving(host="0.0.0.0", keys=keys)
    build(serving, store)  # its one source allows it
    with pytest.raises(ConfigError, match=r"serving\.keys is empty: write a key with 'seshat api-key NAME'"):
        build(Serving(host="0.0.0.0"), store)
    path = "models/gguf/tiny/seshat.json"
    before = store.read(path)
    try:
        store.write(path, before.replace(b'"serve_public": true', b'"serve_public": false'))
        with pytest.raises(ConfigError, match="the owners of dictionary have not allowed that"):
            build(serving, store)
    finally:
        store.write(path, before)


def test_a_model_that_cannot_be_loaded_is_said_in_a_sentence(ray_session: None, tmp_path: Path) -> None:
    from serve.app import build, start

    folder = tmp_path / "models" / "gguf" / "tiny"
    shutil.copytree(exported_workspace() / "models" / "gguf" / "tiny", folder)
    for file in folder.glob("*.gguf"):
        file.write_bytes(b"GGUF but not really")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    serving = Serving(port=port, cpus_per_replica=0.5)
    with pytest.raises(EngineError, match=r"the service did not start: .*cannot be loaded by llama\.cpp"):
        start(serving, build(serving, Store(str(tmp_path))))
