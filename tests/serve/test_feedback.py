"""What speakers write comes back as data of the next round, and not without their leave."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from serve.api import build_api
from seshat.data.ingest import Ingest, step
from seshat.errors import DataError
from seshat.records import SentencePair
from seshat.review.page import FILE, Corrections, Given
from seshat.serving import Serving
from seshat.store import Store
from tests.serve.test_api import HERE, Upper
from tests.tiny_model import LANGUAGE


@pytest.fixture
def home(tmp_path: Path) -> Store:
    return Store(str(tmp_path / "home"))


@pytest.fixture
def raw(home: Store) -> Path:
    return Path(home.path("data/raw"))


@pytest.fixture
def corrections(raw: Path) -> Corrections:
    return Corrections(Store(str(raw)), LANGUAGE)


@pytest.fixture
def client(home: Store) -> TestClient:
    return TestClient(build_api(Upper(), Serving(), home=lambda card: home), base_url=HERE)


def sent(correction: str = "Allku pawan.", **changes: Any) -> dict[str, Any]:
    return {
        "source_text": "El perro corre.", "source": "es", "target": "qtm", "correction": correction, "translation": "Allku pawa.",
        "name": "Doña Rosa", "author": "browser-1", "consent": True, **changes,
    }  # fmt: skip


def given(correction: str, author: str, source: str = "El perro corre.") -> Given:
    return Given(source=source, source_language="spa", target_language="qtm", correction=correction, author=author)


def test_a_correction_is_a_line_that_says_who_when_and_in_place_of_what(client: TestClient, raw: Path) -> None:
    assert client.post("/feedback", json=sent()).json()["version"] == 1
    [line] = (raw / FILE).read_text().splitlines()
    kept = json.loads(line)
    assert (kept["qtm"], kept["spa"], kept["corrected side"]) == ("Allku pawan.", "El perro corre.", "qtm")
    assert (kept["instead_of"], kept["reviewer"], kept["consent"], kept["model"]) == ("Allku pawa.", "Doña Rosa", True, "tiny")
    assert kept["when"].endswith("+00:00")


@pytest.mark.parametrize(
    "changes", [{"consent": False}, {"consent": None}, {"correction": " "}, {"source_text": ""}, {"name": "x" * 101}, {"target": "tlh"}]
)
def test_without_leave_or_text_nothing_is_kept(client: TestClient, raw: Path, changes: dict[str, Any]) -> None:
    reply = client.post("/feedback", json=sent(**changes))
    assert reply.status_code == 400
    assert not (raw / FILE).exists()


@pytest.mark.parametrize(("length", "status"), [(30, 200), (41, 413)])
def test_a_correction_may_be_longer_than_a_text_and_is_no_batch(home: Store, length: int, status: int) -> None:
    narrow = TestClient(build_api(Upper(), Serving(max_batch=1, max_text_chars=10), home=lambda card: home), base_url=HERE)
    assert narrow.post("/feedback", json=sent("a" * length, source_text="perro")).status_code == status


def test_a_later_version_supersedes_that_of_the_same_person_and_no_other(corrections: Corrections) -> None:
    corrections.add(given("Uno.", "ana"))
    corrections.add(given("Otro.", "eva"))
    again = corrections.add(given("Dos.", "ana"))
    assert corrections.add(given(" Dos. ", "ana")) == again, "the same again is no new version"
    assert [(one.correction, one.version, one.status) for one in corrections.all()] == [
        ("Uno.", 1, "superseded"),
        ("Otro.", 1, "pending"),
        ("Dos.", 2, "pending"),
    ]


@pytest.mark.parametrize("field", ["name", "author", "translation", "correction", "source_text"])
@pytest.mark.parametrize("sign", ["\x85", "\u2028", "\u2029", "\n", "\r"])
def test_no_sign_breaks_a_line_in_two(client: TestClient, raw: Path, corrections: Corrections, field: str, sign: str) -> None:
    for _ in range(2):
        assert client.post("/feedback", json=sent(**{field: f"a{sign}b"})).status_code == 200
    assert client.get("/v1/review").status_code == 200
    assert len((raw / FILE).read_text().splitlines()) == len(corrections.all()) == 1


def test_another_page_cannot_write_with_the_browser_of_a_speaker(client: TestClient, raw: Path) -> None:
    elsewhere = {"origin": "https://evil.example"}
    assert client.post("/feedback", json=sent(), headers=elsewhere).status_code == 403
    assert client.post("/feedback", content=json.dumps(sent()), headers={"origin": "http://localhost"}).status_code == 415
    assert not (raw / FILE).exists()
    assert client.post("/feedback", json=sent(), headers={"origin": "http://localhost"}).status_code == 200


def test_who_comes_to_agree_with_another_gives_up_their_own(corrections: Corrections) -> None:
    corrections.add(given("A.", "ana"))
    corrections.add(given("B.", "luis"))
    corrections.add(given("A.", "luis"))
    assert [(one.correction, one.status) for one in corrections.all()] == [("A.", "pending"), ("B.", "superseded")]
    assert corrections.add(given("B.", "luis")).version == 2, "and may change their mind again"


def test_who_writes_the_same_as_another_agrees_with_them(corrections: Corrections) -> None:
    first = corrections.add(given("Uno.", "ana"))
    assert corrections.add(given("Uno.", "eva")).id == first.id
    corrections.add(given("Uno.", "luz"))
    [one] = corrections.all()
    assert (one.approved_by, one.status) == (("eva", "luz"), "approved")


def test_speakers_judge_what_others_wrote_contradictions_first(client: TestClient, corrections: Corrections) -> None:
    alone = corrections.add(given("Inti lluqsi.", "ana", "El sol sale."))
    for text, author in (("Uno.", "ana"), ("Otro.", "eva")):
        corrections.add(given(text, author))
    asked = client.get("/v1/review", params={"author": "luz"}).json()
    assert [[one["correction"] for one in question["corrections"]] for question in asked["questions"]] == [
        ["Uno.", "Otro."],
        ["Inti lluqsi."],
    ]
    assert client.get("/v1/review", params={"author": "ana"}).json()["total"] == 1, "nobody is asked about their own alone"

    def judge(author: str, good: bool, id: str = alone.id) -> int:
        return client.post("/v1/review", json={"id": id, "author": author, "good": good}).status_code

    assert [judge("ana", True), judge("luz", True), judge("luz", True), judge("luz", True, "nothing")] == [404, 200, 200, 404]
    assert corrections.all()[0].status == "pending", "one speaker is not enough"
    judge("eva", True)
    assert corrections.all()[0].status == "approved"
    assert client.get("/v1/review", params={"author": "x"}).json()["total"] == 1
    for author in ("eva", "luz"):
        judge(author, False)
    assert corrections.all()[0].status == "rejected", "they changed their minds"


def test_what_was_superseded_or_rejected_is_read_and_not_used(corrections: Corrections, raw: Path) -> None:
    for text, author in (("Uno.", "ana"), ("Dos.", "ana"), ("Otro.", "eva")):
        corrections.add(given(text, author))
    for author in ("luz", "ana"):
        corrections.judge(corrections.all()[2].id, author, good=False)
    work = step(Ingest(), LANGUAGE, str(raw))
    store = Store(str(raw))
    pairs = [pair for part in work.parts for pair in work.stages[0](part.records(store)) if isinstance(pair, SentencePair)]
    assert [(pair.text, pair.corrected, pair.rejected) for pair in pairs] == [
        ("Uno.", "qtm", "status: superseded"),
        ("Dos.", "qtm", ""),
        ("Otro.", "qtm", "status: rejected"),
    ]
    assert pairs[1].translation == "El perro corre."
    assert pairs[1].origin.startswith("corrections/page.jsonl#line=2")


def test_two_processes_may_write_at_once(tmp_path: Path) -> None:
    def write(author: str) -> None:
        mine = Corrections(Store(str(tmp_path)), LANGUAGE)
        for number in range(10):
            mine.add(given(f"Allku {author} {number}.", author, f"Perro {number}."))

    threads = [threading.Thread(target=write, args=(name,)) for name in ("ana", "eva", "luz")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(Corrections(Store(str(tmp_path)), LANGUAGE).all()) == 30


def test_a_line_of_somebody_else_is_named(corrections: Corrections, raw: Path) -> None:
    corrections.add(given("Uno.", "ana"))
    with open(raw / FILE, "a") as file:
        file.write('{"qtm": "a"}\n')
    with pytest.raises(DataError, match=r"page.jsonl:2: not a line that the page wrote"):
        corrections.all()


def test_a_service_may_take_no_corrections(home: Store) -> None:
    closed = TestClient(build_api(Upper(), Serving(feedback=False), home=lambda card: home), base_url=HERE)
    assert closed.post("/feedback", json=sent()).status_code == 403
    nowhere = TestClient(build_api(Upper(), Serving()), base_url=HERE)
    assert nowhere.post("/feedback", json=sent()).status_code == 404
    assert nowhere.get("/v1/info").json()["feedback"] is False
