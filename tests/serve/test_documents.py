"""Documents: what stays as it is, what is translated, and what becomes of them when something dies."""

from __future__ import annotations

import io
import json
import time
import zipfile
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from serve.api import build_api
from serve.documents import FOLDER, KEPT_SECONDS, MOST_WAITING, TOGETHER
from serve.structure import read_structure
from serve.turns import BusyError
from seshat.data.readers.content import RefusedError
from seshat.serving import Serving
from seshat.store import Store
from tests.serve.test_api import CARD, HERE, Upper


def upper(name: str, data: bytes) -> bytes:
    found = read_structure(name, data)
    return found.rebuilt([text.upper() for text in found.texts])


def word() -> bytes:
    """A document with a heading, bold letters, a table, a header, an empty paragraph and a number."""
    import docx

    document = docx.Document()
    document.sections[0].header.paragraphs[0].text = "cabecera"
    document.add_heading("título", 1)
    paragraph = document.add_paragraph("El perro ")
    paragraph.add_run("corre").bold = True
    paragraph.add_run(" mucho.")
    document.add_paragraph("")
    document.add_paragraph("2026")
    table = document.add_table(1, 2)
    table.cell(0, 0).text, table.cell(0, 1).text = "uno", "12"
    stream = io.BytesIO()
    document.save(stream)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        ("a.txt", "Uno.\r\n\r\n  dos \n3\n", "UNO.\r\n\r\n  DOS \n3\n"),
        ("a.MD", "# uno\n\ndos", "# UNO\n\nDOS"),
        ("a.txt", "\ufeffuno", "UNO"),
        ("a.csv", 'es;nota\n"uno; dos";1\ntres;"a ""b"""\n', 'es;nota\n"UNO; DOS";1\nTRES;"A ""B"""\n'),
        ("a.tsv", "es\tn\r\nuno\t1\r\n", "es\tn\r\nUNO\t1\r\n"),
        ("a.csv", "solo", "SOLO\n"),
    ],
)
def test_text_and_tables_keep_what_is_no_text(name: str, before: str, after: str) -> None:
    assert upper(name, before.encode()).decode() == after


def test_other_encodings_are_read() -> None:
    assert upper("a.txt", "año".encode("cp1252")).decode() == "AÑO"


def test_word_documents_keep_their_form() -> None:
    import docx

    made = docx.Document(io.BytesIO(upper("a.docx", word())))
    assert [one.text for one in made.paragraphs] == ["TÍTULO", "EL PERRO CORRE MUCHO.", "", "2026"]
    assert made.paragraphs[0].style.name == "Heading 1"
    assert [cell.text for cell in made.tables[0].rows[0].cells] == ["UNO", "12"]
    assert made.sections[0].header.paragraphs[0].text == "CABECERA"


def test_words_beside_a_tab_or_a_new_line_stay_apart() -> None:
    import docx

    document = docx.Document()
    document.add_paragraph("Nombre:\tAna")
    document.add_paragraph("una línea\notra línea")
    document.paragraphs[0].paragraph_format.tab_stops.add_tab_stop(914400)
    stream = io.BytesIO()
    document.save(stream)
    assert read_structure("a.docx", stream.getvalue()).texts == ("Nombre: Ana", "una línea otra línea")


def test_links_are_translated_with_their_paragraph() -> None:
    import docx
    from docx.oxml import parse_xml

    names = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
    document = docx.Document()
    for before, after in (("Vea ", " ahora."), ("", "")):
        paragraph = document.add_paragraph(before)
        paragraph._p.append(parse_xml(f"<w:hyperlink {names}><w:r><w:t>este enlace</w:t></w:r></w:hyperlink>"))
        paragraph.add_run(after)
    stream = io.BytesIO()
    document.save(stream)
    made = docx.Document(io.BytesIO(upper("a.docx", stream.getvalue())))
    assert [one.text for one in made.paragraphs] == ["VEA ESTE ENLACE AHORA.", "ESTE ENLACE"]


def test_a_broken_document_is_not_repeated() -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(word())) as whole, zipfile.ZipFile(stream, "w") as archive:
        for name in whole.namelist():
            archive.writestr(name, b"<w:document><SECRETO></w:document>" if name == "word/document.xml" else whole.read(name))
    with pytest.raises(RefusedError, match=r"^unreadable: not a Word document;") as raised:
        read_structure("a.docx", stream.getvalue())
    assert "SECRETO" not in str(raised.value)


def bomb() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("word/document.xml", b"0" * (300 << 20))
    return stream.getvalue()


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("a.pdf", b"%PDF", "format:"),
        ("a", b"uno", "format:"),
        ("a.txt", b"", "empty:"),
        ("a.csv", b"1;2\n3;4\n", "empty:"),
        ("a.csv", b'es\n"uno\n', "quotes:"),
        ("a.docx", b"PK\x03\x04 no", "unreadable:"),
        ("a.docx", bomb(), "archive:"),
    ],
)
def test_what_cannot_be_read_is_refused_with_what_to_do(name: str, data: bytes, reason: str) -> None:
    with pytest.raises(RefusedError, match=f"^{reason}"):
        read_structure(name, data)


class Patient(Upper):
    """Is busy for a while, then answers in capitals; counts the texts."""

    def __init__(self, busy: int = 0, **more: Any) -> None:
        super().__init__(**more)
        self.busy, self.texts = busy, 0

    async def translate(self, texts: Any, *arguments: Any, **more: Any) -> Any:
        self.busy -= 1
        if self.busy >= 0:
            raise BusyError
        self.texts += len(texts)
        return await super().translate(texts, *arguments, **more)


def service(home: Path, backend: Upper) -> TestClient:
    return TestClient(build_api(backend, Serving(), home=lambda card: Store(str(home))), base_url=HERE)


def send(client: TestClient, data: bytes, name: str = "cuento.txt") -> Any:
    return client.post("/v1/documents", params={"name": name, "source": "es", "target": "qtm"}, content=data)


def wait(client: TestClient, id: str) -> dict[str, Any]:
    deadline = time.monotonic() + 20
    while (told := client.get(f"/v1/documents/{id}").json())["state"] == "working":
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return dict(told)


LINES = "".join(f"línea {'x' * number}\n" for number in range(50))


def test_a_document_is_translated_in_the_background_and_fetched(tmp_path: Path) -> None:
    with service(tmp_path, Patient(busy=1)) as client:
        sent = send(client, LINES.encode(), "C:\\mi cuento ñ.txt")
        assert (sent.status_code, sent.json()["total"], sent.json()["name"]) == (202, 50, "mi cuento ñ.txt")
        told = wait(client, sent.json()["id"])
        assert (told["state"], told["done"]) == ("done", 50)
        file = client.get(f"/v1/documents/{told['id']}/file")
        assert file.text == LINES.upper()
        assert file.headers["content-disposition"] == 'attachment; filename="mi cuento _.qtm.txt"'
        assert client.delete(f"/v1/documents/{told['id']}").status_code == 204
        assert client.get(f"/v1/documents/{told['id']}").status_code == 404
    assert list((tmp_path / FOLDER).iterdir()) == []


def test_the_same_document_is_not_translated_twice(tmp_path: Path) -> None:
    backend = Patient()
    with service(tmp_path, backend) as client:
        first = send(client, LINES.encode()).json()["id"]
        wait(client, first)
        assert send(client, LINES.encode()).json() == {**client.get(f"/v1/documents/{first}").json()}
        assert backend.texts == 50
        assert send(client, LINES.encode() + b"a").json()["id"] != first


def test_after_a_restart_it_goes_on_where_it_was(tmp_path: Path) -> None:
    with service(tmp_path, Patient()) as client:
        id = send(client, LINES.encode()).json()["id"]
        wait(client, id)
    answers = tmp_path / FOLDER / id / "answers.jsonl"
    lines = answers.read_text().splitlines(keepends=True)
    answers.write_text("".join(lines[:21]) + lines[21][:7])
    backend = Patient()
    with service(tmp_path, backend) as client:
        assert wait(client, id)["state"] == "done"
        assert client.get(f"/v1/documents/{id}/file").text == LINES.upper()
    assert backend.texts == 30
    assert [json.loads(line)[0] for line in answers.read_text().splitlines() if line.endswith("]")][-1] == 49


def test_a_document_that_fails_says_so_and_may_be_sent_again(tmp_path: Path) -> None:
    backend = Upper(ValueError("no"))
    with service(tmp_path, backend) as client:
        id = send(client, b"uno").json()["id"]
        assert wait(client, id)["state"] == "failed"
        assert client.get(f"/v1/documents/{id}/file").status_code == 404
        backend.failure = None
        send(client, b"uno")
        assert wait(client, id)["state"] == "done"


def test_a_model_that_was_trained_again_translates_again_and_the_old_document_can_be_fetched_and_deleted(tmp_path: Path) -> None:
    newer = CARD.model_copy(update={"data": {"train.jsonl": "1" * 64}})
    with service(tmp_path, Patient()) as client:
        old = send(client, LINES.encode()).json()["id"]
        wait(client, old)
        answers = tmp_path / FOLDER / old / "answers.jsonl"
    backend = Patient(cards=[newer])
    with service(tmp_path, backend) as client:
        assert client.get(f"/v1/documents/{old}/file").text == LINES.upper()
        fresh = send(client, LINES.encode()).json()["id"]
        assert fresh != old
        wait(client, fresh)
        answers.unlink()
        assert client.get(f"/v1/documents/{old}").json()["state"] == "stopped"
        assert client.delete(f"/v1/documents/{old}").status_code == 204
    assert backend.texts == 50


def test_another_replica_does_not_do_the_same_work(tmp_path: Path) -> None:
    first, second = Patient(busy=10**9), Patient()
    with service(tmp_path, first) as one, service(tmp_path, second) as other:
        id = send(one, LINES.encode()).json()["id"]
        time.sleep(0.3)
        assert other.get(f"/v1/documents/{id}").json()["state"] == "working"
        time.sleep(0.3)
        assert second.texts == 0
        first.busy = 0
        assert wait(other, id)["state"] == "done"
    assert (first.texts, second.texts) == (50, 0)


def test_only_so_many_documents_wait(tmp_path: Path) -> None:
    with service(tmp_path, Patient(busy=10**9)) as client:
        codes = [send(client, f"uno {number}".encode()).status_code for number in range(MOST_WAITING + 1)]
    assert codes == [202] * MOST_WAITING + [429]


def test_documents_that_failed_keep_nobody_out(tmp_path: Path) -> None:
    with service(tmp_path, Upper(ValueError("no"))) as client:
        for number in range(MOST_WAITING):
            wait(client, send(client, f"uno {number}".encode()).json()["id"])
        assert send(client, b"dos").status_code == 202


def test_batches_are_bounded_by_their_characters_too(tmp_path: Path) -> None:
    backend = Patient()
    with service(tmp_path, backend) as client:
        wait(client, send(client, "".join(f"{'a' * 3_000}\n" for _ in range(3)).encode()).json()["id"])
        wait(client, send(client, LINES.encode()).json()["id"])
    assert [len(texts) for texts, *_ in backend.asked][:3] == [1, 1, 1]
    assert max(len(texts) for texts, *_ in backend.asked) == TOGETHER


def test_what_is_wrong_with_a_document_is_said(tmp_path: Path) -> None:
    client = service(tmp_path, Upper())
    assert send(client, b"x", "a.pdf").json()["error"].startswith("The document cannot be read: format: ")
    assert send(client, b"x" * (6 << 20)).status_code == 413
    assert send(client, b"uno\n" * 20_001).status_code == 413
    assert client.get("/v1/documents/../../etc/passwd").status_code == 404
    assert client.get("/v1/documents/0123456789abcdef0123").status_code == 404
    nowhere = TestClient(build_api(Upper(), Serving()), base_url=HERE)
    assert send(nowhere, b"uno").status_code == 404
    assert nowhere.get("/v1/info").json()["documents"] is False


def test_what_was_sent_long_ago_is_deleted(tmp_path: Path) -> None:
    import os

    old = tmp_path / FOLDER / ("0" * 20)
    old.mkdir(parents=True)
    os.utime(old, (0, time.time() - KEPT_SECONDS - 60))
    with service(tmp_path, Upper()) as client:
        send(client, b"uno")
    assert not old.exists()
