"""Phrases that are served in place of a language model."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from serve.api import build_api
from serve.backend import Models
from serve.models import find
from serve.turns import BusyError
from seshat.errors import ConfigError, StoreError
from seshat.examples import to_line
from seshat.export.phrases import export_phrases
from seshat.rights import Consent, Rights, Source
from seshat.serving import Serving
from seshat.store import Store
from tests.serve.test_api import HERE
from tests.serve.test_lookup import EXAMPLES
from tests.tiny_model import LANGUAGE

PHRASES = Serving(engine="phrases", max_ongoing_requests=1, max_queued_requests=0)
RIGHTS = Rights(sources={"stories": Source(consent=Consent(serve_public=True)), "dictionary": Source()})


@pytest.fixture
def store(tmp_path: Path) -> Store:
    found = Store(str(tmp_path))
    found.write("data/training/train.jsonl", "".join(f"{to_line(one)}\n" for one in EXAMPLES).encode())
    return found


def test_what_the_pairs_say_is_said_and_lines_stay_lines(store: Store) -> None:
    outcome = export_phrases(store, LANGUAGE, RIGHTS)
    assert not outcome.done_before
    assert export_phrases(store, LANGUAGE, RIGHTS).done_before
    models = Models(PHRASES)
    asyncio.run(models.serve([find(PHRASES, store)]))
    client = TestClient(build_api(models, PHRASES), base_url=HERE)
    asked = {"q": "El perro corre. La abuela teje.\n\nYo bebo agua.", "source": "es", "target": "qtm"}
    made = client.post("/translate", json=asked).json()
    assert made["translatedText"] == "Allku pawa. Awitsa awa.\n\nNoka yaku upya."
    assert made["confidence"] is None, "nobody has measured it"
    assert client.post("/translate", json={"q": "Inti ñawpa lluqsi.", "source": "qtm", "target": "es"}).json()["translatedText"] == (
        "El sol sale temprano."
    )
    message = [{"role": "user", "content": asked["q"]}]
    chat = client.post("/v1/chat/completions", json={"model": "phrases:spa-qtm", "messages": message}).json()
    assert chat["choices"][0]["message"]["content"] == made["translatedText"]
    refused = client.post("/v1/chat/completions", json={"model": "phrases", "messages": message})
    assert (refused.status_code, "only translates" in refused.json()["error"]) == (400, True)
    assert client.get("/v1/info").json()["corpus"] is True
    assert models.cards[0].rights.refusal("serve_public"), "the strictest source decides"


def test_its_queue_is_bounded(store: Store) -> None:
    export_phrases(store, LANGUAGE, RIGHTS)

    async def run() -> None:
        models = Models(PHRASES)
        await models.serve([find(PHRASES, store)])
        first = asyncio.create_task(models.translate(["El perro corre."] * 50, "spa", "qtm", "phrases"))
        await asyncio.sleep(0)
        with pytest.raises(BusyError):
            await models.translate(["a"], "spa", "qtm", "phrases")
        first.cancel()
        await asyncio.wait([first])
        assert (await models.translate(["El perro corre."], "spa", "qtm", "phrases")).translations[0].text == "Allku pawa."

    asyncio.run(run())


def test_what_may_not_be_learnt_from_is_not(store: Store) -> None:
    closed = Rights(sources={"stories": Source(consent=Consent(train=False))})
    with pytest.raises(ConfigError, match="stories forbids training"):
        export_phrases(store, LANGUAGE, closed)
    with pytest.raises(StoreError, match="run 'seshat phrases' first"):
        find(PHRASES, store)
