"""What can be looked up, and by whom."""

from __future__ import annotations

from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from serve.api import build_api
from serve.corpus import Corpus
from serve.models import Served
from seshat.examples import to_line
from seshat.prompts import Card
from seshat.records import Example
from seshat.rights import Consent, Rights, Source
from seshat.serving import Serving
from seshat.store import Store
from tests.serve.test_api import HERE, Upper
from tests.tiny_model import LANGUAGE, PAIRS


def example(source: str, answer: str, task: str, *, direction: str = "spa-qtm", collection: str = "stories", **more: str) -> Example:
    return Example(
        origin=f"{collection}/a.csv#row=1", collection=collection, task=task, direction=direction, prompt=source, answer=answer,
        source=source, group="g", split="train", parent="p", **more,
    )  # fmt: skip


EXAMPLES = [
    *(example(spanish, ours, "translation") for spanish, ours in PAIRS.items()),
    *(example(ours, spanish, "translation", direction="qtm-spa") for spanish, ours in PAIRS.items()),
    example("perro", "allku", "dictionary", collection="dictionary"),
    example("allku", "perro", "dictionary", direction="qtm-spa", collection="dictionary"),
    example("Inventado.", "Yalsu.", "translation", synthetic="round-1"),
    example("¿Qué es?", "Una regla.", "grammar", direction="qtm"),
]
CORPUS = Corpus(EXAMPLES, LANGUAGE)


@pytest.fixture
def client() -> TestClient:
    return TestClient(build_api(Upper(cards=[Card(name="tiny", language=LANGUAGE, base="b")], corpus=CORPUS), Serving()), base_url=HERE)


def test_lines_are_found_on_either_side_and_say_where_they_are_from(client: TestClient) -> None:
    found = client.get("/v1/search", params={"q": "ALLKU"}).json()
    assert [(line["text"], line["translation"]) for line in found["lines"]] == [("allku", "perro"), ("Allku pawa.", "El perro corre.")]
    assert found["total"] == 2, "a line is one line, though both directions were trained"
    assert found["lines"][0]["origin"] == "dictionary/a.csv#row=1"
    assert client.get("/v1/search", params={"q": "perro", "task": "dictionary"}).json()["total"] == 1
    assert client.get("/v1/search").json()["total"] == len(PAIRS) + 1, "neither grammar nor what a model wrote is here"
    assert len(client.get("/v1/search", params={"start": 10}).json()["lines"]) == 1
    assert client.get("/v1/search", params={"start": -1}).status_code == 422
    assert client.get("/v1/search", params={"task": "nothing"}).json()["error"] == "task: not a value that this parameter can have."


def test_a_text_is_explained_by_entries_and_sentences_like_it(client: TestClient) -> None:
    told = client.post("/v1/explain", json={"q": "El perro duerme en la casa.", "source": "es", "target": "qtm"}).json()
    assert {"word": "perro", "translations": ["allku"]} in told["words"]
    assert told["examples"][0] == {"text": "El niño duerme en la casa.", "translation": "Wawë wasipi puñu."}
    assert told["used"] is False, "this model was trained without hints"


def test_the_language_of_a_text_is_found_out(client: TestClient) -> None:
    [first, second] = client.post("/detect", json={"q": "La abuela bebe agua"}).json()
    assert (first["language"], second["language"]) == ("es", "qtm")
    assert first["confidence"] > 90 > 10 > second["confidence"]
    assert client.post("/detect", json={"q": "123"}).json() == []
    made = client.post("/translate", json={"q": "Awitsa yaku upya", "source": "auto", "target": "es"}).json()
    assert made["detectedLanguage"]["language"] == "qtm"
    assert client.post("/translate", json={"q": ["uno", "dos"], "source": "auto", "target": "qtm"}).json()["detectedLanguage"][1]


def test_without_the_texts_it_says_so_and_translates_all_the_same() -> None:
    client = TestClient(build_api(Upper(), Serving()), base_url=HERE)
    assert client.get("/v1/search").status_code == 404
    assert client.post("/v1/explain", json={"q": "a", "source": "es", "target": "qtm"}).status_code == 404
    assert client.get("/v1/info").json()["corpus"] is False
    assert client.post("/translate", json={"q": "a", "source": "auto", "target": "es"}).json()["detectedLanguage"]["confidence"] == 0


def test_only_what_the_model_learnt_from_is_shown_and_to_others_only_what_its_owners_allow(tmp_path: Path) -> None:
    store = Store(str(tmp_path))
    file = store.write("data/training/train.jsonl", "".join(f"{to_line(one)}\n" for one in EXAMPLES).encode())
    sources = {"stories": Source(consent=Consent(publish_text=True)), "dictionary": Source()}
    card = Card(name="m", language=LANGUAGE, base="b", data={"train.jsonl": file.sha256}, rights=Rights(sources=sources))
    folder = str(tmp_path / "models/gguf/m")
    served = Served(engine="llamacpp", path=f"{folder}/m.gguf", folder=folder, card=card)
    here, elsewhere = Corpus.of(served, public=False), Corpus.of(served, public=True)
    assert here is not None
    assert elsewhere is not None
    assert (here.search("allku")[1], elsewhere.search("allku")[1]) == (2, 1)
    other = served.model_copy(update={"card": card.model_copy(update={"data": {"train.jsonl": "0" * 64}})})
    assert Corpus.of(other, public=False) is None, "the data is not what this model learnt from"
    assert Corpus.of(served.model_copy(update={"folder": str(tmp_path / "m")}), public=False) is None
