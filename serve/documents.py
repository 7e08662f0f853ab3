"""Whole documents, translated in the background: sent once, asked after, fetched when they are done.

What was translated is on disk at once, under the digest of document, direction and model. So a document that is sent again, or asked
after when the service has been started anew, goes on where it was. It is deleted when it is asked to be, or a week after it was sent.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import regex
from fastapi import FastAPI, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field

from serve.requests import RefusedError, read_body
from serve.service import Direction, Service, short
from serve.structure import Structure, read_structure
from serve.turns import BusyError
from seshat.data.readers.content import RefusedError as UnreadableError
from seshat.records import digest

log = logging.getLogger(__name__)
FOLDER = "serving/documents"
MOST_BYTES = 5 << 20
MOST_TEXTS = 20_000
KEPT_SECONDS = 7 * 24 * 3600
TOGETHER = 16
"""Texts that are translated, and written to disk, at once."""
WAIT = 0.5
"""Seconds before a document asks again where the queue is full: people who wait for a sentence come first."""
ID = regex.compile(r"[0-9a-f]{20}")
State = Literal["working", "done", "failed"]


class DocumentResponse(BaseModel):
    """A document and how far it is."""

    id: str
    name: str
    source: str
    target: str
    state: State
    done: int = Field(description="Paragraphs, lines or cells that are translated.")
    total: int


@dataclass
class _Job:
    """A document that is being translated, or was."""

    folder: Path
    name: str
    direction: Direction
    structure: Structure
    done: list[str] = field(default_factory=list)
    failed: bool = False

    @property
    def total(self) -> int:
        return len(self.structure.texts)

    @property
    def state(self) -> State:
        return "failed" if self.failed else "done" if len(self.done) == self.total else "working"


class Documents:
    """The documents of a service."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._jobs: dict[str, _Job] = {}
        """Those that are being translated, or could not be."""
        self._tasks: set[asyncio.Task[None]] = set()

    def send(self, name: str, data: bytes, structure: Structure, direction: Direction) -> tuple[str, _Job]:
        """Begin to translate a document, or go on with it.

        Raises:
            RefusedError: If there is nowhere to keep it.
        """
        root = self._root(direction)
        _clear(root)
        id = digest("document", direction.card.name, direction.source, direction.target, os.path.splitext(name)[1], data.hex())
        folder = root / id
        if not folder.is_dir():
            draft = root / f".{id}.partial"
            shutil.rmtree(draft, ignore_errors=True)
            draft.mkdir(parents=True)
            (draft / "source").write_bytes(data)
            about = {"name": name, "model": direction.card.name, "source": direction.source, "target": direction.target}
            (draft / "about.json").write_text(json.dumps(about, ensure_ascii=False), encoding="utf-8")
            draft.rename(folder)
        return id, self._going_on(id, _Job(folder, name, direction, structure, _answers(folder)))

    def find(self, id: str) -> _Job:
        """A document that was sent; one that stood still goes on.

        Raises:
            RefusedError: If there is none.
        """
        if id in self._jobs and self._jobs[id].folder.is_dir():
            return self._jobs[id]
        for card in self._service.backend.cards if ID.fullmatch(id) else ():
            home = self._service.home(card)
            folder = Path(home.path(FOLDER)) / id if home else None
            if folder is not None and (folder / "about.json").is_file():
                about = json.loads((folder / "about.json").read_text(encoding="utf-8"))
                direction = self._service.direction(about["source"], about["target"], about["model"])
                structure = _read(about["name"], (folder / "source").read_bytes())
                return self._going_on(id, _Job(folder, about["name"], direction, structure, _answers(folder)))
        raise RefusedError(404, "There is no such document; it may have been deleted.")

    def delete(self, id: str) -> None:
        """Forget a document and its translation."""
        job = self.find(id)
        self._jobs.pop(id, None)
        shutil.rmtree(job.folder, ignore_errors=True)

    def _going_on(self, id: str, job: _Job) -> _Job:
        known = self._jobs.get(id)
        if known is not None and not known.failed and known.folder.is_dir():
            return known
        self._jobs.pop(id, None)
        if job.state == "working":
            self._jobs[id] = job
            task = asyncio.get_running_loop().create_task(self._work(id, job))
            self._tasks.add(task)  # the loop itself would forget it
            task.add_done_callback(self._tasks.discard)
        return job

    async def _work(self, id: str, job: _Job) -> None:
        """Translate what is left, some texts at a time."""
        direction = job.direction
        try:
            while job.state == "working" and self._jobs.get(id) is job:  # until it is done, or deleted
                texts = job.structure.texts[len(job.done) : len(job.done) + TOGETHER]
                try:
                    made = await self._service.backend.translate(texts, direction.source, direction.target, direction.card.name)
                except BusyError:
                    await asyncio.sleep(WAIT)
                    continue
                said = [one.text for one in made.translations]
                if job.folder.is_dir():
                    _keep(job.folder, len(job.done), said)
                job.done += said
            self._jobs.pop(id, None)  # from now on it is read from the disk
        except Exception as error:
            job.failed = True
            log.error("serve: a document could not be translated (%s)", type(error).__name__, exc_info=error)

    def _root(self, direction: Direction) -> Path:
        home = self._service.home(direction.card)
        if home is None:
            raise RefusedError(404, "This model lies in no workspace, so there is nowhere to keep documents.")
        return Path(home.path(FOLDER))


def add(app: FastAPI, service: Service, errors: dict[int | str, dict[str, Any]]) -> None:
    """Add documents to an application."""
    documents = Documents(service)
    binary = {"content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}}

    def told(id: str, job: _Job) -> DocumentResponse:
        card = job.direction.card
        source, target = (short(card, code) for code in (job.direction.source, job.direction.target))
        return DocumentResponse(id=id, name=job.name, source=source, target=target, state=job.state, done=len(job.done), total=job.total)

    @app.post("/v1/documents", status_code=202, responses=errors, openapi_extra={"requestBody": {"required": True, **binary}})
    async def send(
        request: Request,
        name: str = Query(max_length=200, description="The file's name; its ending says what it is: .txt .md .csv .tsv .docx"),
        source: str = Query(max_length=20),
        target: str = Query(max_length=20),
        model: str = Query("", max_length=200),
    ) -> DocumentResponse:
        """Send a document as the body of the request, to be translated in the background."""
        service.access.check(request)
        direction = service.direction(source, target, model)
        data = await read_body(request, MOST_BYTES)
        file = os.path.basename(name.replace("\\", "/"))
        structure = await asyncio.to_thread(_read, file, data)
        return told(*documents.send(file, data, structure, direction))

    @app.get("/v1/documents/{id}", responses=errors)
    async def progress(id: str, request: Request) -> DocumentResponse:
        """How far it is."""
        service.access.check(request)
        return told(id, documents.find(id))

    @app.get("/v1/documents/{id}/file", responses={**errors, 200: {"content": {"application/octet-stream": {}}}}, response_model=None)
    async def fetch(id: str, request: Request) -> Response:
        """The translated document, when it is done."""
        service.access.check(request)
        job = documents.find(id)
        if job.state != "done":
            raise RefusedError(404, "The document is not translated yet.")
        data = await asyncio.to_thread(job.structure.rebuilt, job.done)
        stem, ending = os.path.splitext(job.name)
        ascii_stem = regex.sub(r"[^A-Za-z0-9 _.-]", "_", stem)
        file = f'attachment; filename="{ascii_stem}.{short(job.direction.card, job.direction.target)}{ending}"'
        return Response(data, media_type="application/octet-stream", headers={"content-disposition": file})

    @app.delete("/v1/documents/{id}", status_code=204, responses=errors, response_model=None)
    async def delete(id: str, request: Request) -> Response:
        """Delete it and its translation from the service."""
        service.access.check(request)
        documents.delete(id)
        return Response(status_code=204)


def _read(name: str, data: bytes) -> Structure:
    try:
        structure = read_structure(name, data)
    except UnreadableError as error:
        raise RefusedError(400, f"The document cannot be read: {error}.") from None
    if len(structure.texts) > MOST_TEXTS:
        raise RefusedError(413, f"At most {MOST_TEXTS} paragraphs, lines or cells; cut the document.")
    return structure


def _keep(folder: Path, first: int, said: list[str]) -> None:
    """Write translations; each begins with the line break, so that it stands alone even after half a line."""
    with open(folder / "answers.jsonl", "a", encoding="utf-8") as stream:
        stream.write("".join(f"\n{json.dumps([first + number, text], ensure_ascii=False)}" for number, text in enumerate(said)))


def _answers(folder: Path) -> list[str]:
    """What is translated already; a line that a killed process left half-written, and all behind it, is translated again."""
    found: list[str] = []
    for place, text in _lines(folder / "answers.jsonl"):
        if place == len(found):
            found.append(text)
    return found


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    with contextlib.suppress(FileNotFoundError), open(path, encoding="utf-8", errors="replace") as stream:
        for line in stream:
            try:
                place, text = json.loads(line)
            except ValueError:  # the empty first line, or half of one
                continue
            yield place, text


def _clear(root: Path) -> None:
    """Delete what was sent long ago."""
    for folder in root.iterdir() if root.is_dir() else ():
        with contextlib.suppress(FileNotFoundError):
            if time.time() - folder.stat().st_mtime > KEPT_SECONDS:
                shutil.rmtree(folder, ignore_errors=True)
