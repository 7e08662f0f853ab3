"""Whole documents, translated in the background: sent once, asked after, fetched when they are done.

A document is a folder of the model's workspace: what was sent, what it is, and each translation as soon as it is made. Its name is the
digest of text, direction and model, so one that is sent again, or asked after when the service has been started anew, goes on where it
was. Whoever works on it locks it, for there may be several replicas. It is deleted when it is asked to be, or a week after it was sent.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
import logging
import os
import shutil
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, Field

from serve.requests import RefusedError
from serve.service import Direction, Service, short
from serve.structure import Structure, read_structure
from serve.turns import BusyError
from seshat.confidence import card_key
from seshat.config import Section
from seshat.data.readers.content import RefusedError as UnreadableError
from seshat.records import digest
from seshat.store import Store

log = logging.getLogger(__name__)
FOLDER = "serving/documents"
SOURCE, ABOUT, ANSWERS, FAILED, LOCK = "source", "about.json", "answers.jsonl", "failed", "lock"
MOST_TEXTS = 20_000
MOST_WAITING = 100
"""Documents of a workspace that are not done."""
WORKERS = 1
"""Documents that a replica works on at once: people who wait for a sentence come first."""
TOGETHER, CHARACTERS = 16, 4_000
"""Texts that are translated, and written to disk, at once, and how many characters of them."""
KEPT_SECONDS = 7 * 24 * 3600
SWEEP_SECONDS = 3600
WAIT = 0.5
"""Seconds before a document asks again where the queue is full."""
State = Literal["working", "done", "failed", "stopped"]


class About(Section):
    """``about.json``."""

    name: str
    model: str
    card: str
    """The digest of the model's card."""
    source: str
    target: str
    total: int


class DocumentResponse(BaseModel):
    """A document and how far it is."""

    id: str
    name: str
    source: str
    target: str
    state: State = Field(description="`stopped`: its model is not served any more; send it again for another to translate it.")
    done: int = Field(description="Paragraphs, lines or cells that are translated.")
    total: int


class Documents:
    """The documents of a service."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._working: dict[str, asyncio.Task[None]] = {}
        self._workers = asyncio.Semaphore(WORKERS)

    async def send(self, name: str, data: bytes, direction: Direction) -> DocumentResponse:
        """Begin to translate a document, or go on with it.

        Raises:
            RefusedError: If it cannot be read, is too long, or too many wait.
        """
        home = self._service.home(direction.card)
        if home is None:
            raise RefusedError(404, "This model lies in no workspace, so there is nowhere to keep documents.")
        id, folder = await asyncio.to_thread(_keep_source, Path(home.path(FOLDER)), name, data, direction)
        return await self._going_on(id, folder)

    async def find(self, id: str) -> DocumentResponse:
        """A document that was sent; one that stood still goes on.

        Raises:
            RefusedError: If there is none.
        """
        return await self._going_on(id, await asyncio.to_thread(self._folder, id))

    async def translation(self, id: str) -> tuple[DocumentResponse, bytes]:
        """A document that is done, translated.

        Raises:
            RefusedError: If there is none, or it is not done.
        """
        told = await self.find(id)
        if told.state != "done":
            raise RefusedError(404, "The document is not translated yet.")
        return told, await asyncio.to_thread(_rebuilt, self._folder(id), told.name)

    async def delete(self, id: str) -> None:
        """Forget a document and its translation, whichever model it was sent to."""
        folder = await asyncio.to_thread(self._folder, id)
        if task := self._working.pop(id, None):
            task.cancel()
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)

    async def sweep(self) -> None:
        """Delete what was sent long ago, now and then."""
        while True:
            for home in self._homes():
                await asyncio.to_thread(_clear, Path(home.path(FOLDER)))
            await asyncio.sleep(SWEEP_SECONDS)

    async def _going_on(self, id: str, folder: Path) -> DocumentResponse:
        about, done = await asyncio.to_thread(lambda: (_about(folder), len(_answers(folder))))
        direction = self._direction(about)
        state: State = "done" if done >= about.total else "failed" if (folder / FAILED).exists() else "working" if direction else "stopped"
        if state == "working" and direction and id not in self._working:
            task = asyncio.get_running_loop().create_task(self._work(folder, about, direction))
            self._working[id] = task
            task.add_done_callback(lambda _: self._working.pop(id, None))
        return DocumentResponse(id=id, state=state, done=done, **about.model_dump(include={"name", "source", "target", "total"}))

    async def _work(self, folder: Path, about: About, direction: Direction) -> None:
        """Translate what is left, some texts at a time, unless another replica does."""
        async with self._workers:
            with _locked(folder) as mine:
                if not mine:
                    return
                try:
                    texts = (await asyncio.to_thread(_structure, folder, about.name)).texts
                    while folder.is_dir() and (done := len(_answers(folder))) < len(texts):
                        await self._some(folder, _batch(texts[done:]), done, direction)
                except Exception as error:
                    log.error("serve: a document could not be translated (%s)", type(error).__name__, exc_info=error)
                    with contextlib.suppress(FileNotFoundError):  # deleted while it was worked on
                        (folder / FAILED).touch()

    async def _some(self, folder: Path, texts: Sequence[str], done: int, direction: Direction) -> None:
        service = self._service
        try:
            made = await service.backend.translate(texts, direction.source, direction.target, direction.card.name)
        except BusyError:
            await asyncio.sleep(WAIT)
            return
        said = [text if service.abstains(one) else one.text for text, one in zip(texts, made.translations, strict=True)]
        await asyncio.to_thread(_keep, folder, done, said)

    def _direction(self, about: About) -> Direction | None:
        """The model that a document was sent to; None if it is not served any more."""
        for card in self._service.backend.cards:
            if card.name == about.model and card_key(card) == about.card:
                language = card.language
                return Direction(card, language.called(about.source), language.called(about.target))
        return None

    def _homes(self) -> list[Store]:
        found = [self._service.home(card) for card in self._service.backend.cards]
        return list({home.root: home for home in found if home}.values())

    def _folder(self, id: str) -> Path:
        if len(id) == 20 and set(id) <= set("0123456789abcdef"):
            for home in self._homes():
                folder = Path(home.path(FOLDER)) / id
                if (folder / ABOUT).is_file():
                    return folder
        raise RefusedError(404, "There is no such document; it may have been deleted.")


def _keep_source(root: Path, name: str, data: bytes, direction: Direction) -> tuple[str, Path]:
    """The folder of a document, made if it is not there; a failure of before is forgotten."""
    card = direction.card
    id = digest("document", card_key(card), direction.source, direction.target, name, data.hex())
    folder = root / id
    with contextlib.suppress(FileNotFoundError):
        (folder / FAILED).unlink()
    if folder.is_dir():
        return id, folder
    structure = _read(name, data)
    if sum(map(_waits, _folders(root))) >= MOST_WAITING:
        raise RefusedError(429, f"{MOST_WAITING} documents are waiting. Try again later.", 60)
    source, target = (short(card, code) for code in (direction.source, direction.target))
    about = About(name=name, model=card.name, card=card_key(card), source=source, target=target, total=len(structure.texts))
    draft = root / f".{id}.partial"
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    (draft / SOURCE).write_bytes(data)
    (draft / ABOUT).write_text(about.model_dump_json(), encoding="utf-8")
    draft.rename(folder)
    return id, folder


def _waits(folder: Path) -> bool:
    with contextlib.suppress(FileNotFoundError):  # deleted meanwhile
        return not (folder / FAILED).exists() and len(_answers(folder)) < _about(folder).total
    return False


def _read(name: str, data: bytes) -> Structure:
    try:
        structure = read_structure(name, data)
    except UnreadableError as error:
        raise RefusedError(400, f"The document cannot be read: {error}.") from None
    if len(structure.texts) > MOST_TEXTS:
        raise RefusedError(413, f"At most {MOST_TEXTS} paragraphs, lines or cells; cut the document.")
    return structure


def _structure(folder: Path, name: str) -> Structure:
    return _read(name, (folder / SOURCE).read_bytes())


def _rebuilt(folder: Path, name: str) -> bytes:
    return _structure(folder, name).rebuilt(_answers(folder))


def _about(folder: Path) -> About:
    return About.model_validate_json((folder / ABOUT).read_text(encoding="utf-8"))


def _batch(texts: Sequence[str]) -> list[str]:
    """The first texts that are translated together: at least one."""
    chosen = [texts[0]]
    for text in texts[1:TOGETHER]:
        if sum(map(len, chosen)) + len(text) > CHARACTERS:
            break
        chosen.append(text)
    return chosen


def _keep(folder: Path, first: int, said: Sequence[str]) -> None:
    """Write translations; each begins with the line break, so that it stands alone even after half a line."""
    with open(folder / ANSWERS, "a", encoding="utf-8") as stream:
        stream.write("".join(f"\n{json.dumps([first + number, text])}" for number, text in enumerate(said)))


def _answers(folder: Path) -> list[str]:
    """What is translated already; a line that a killed process left half-written, and all behind it, is translated again."""
    found: list[str] = []
    with contextlib.suppress(FileNotFoundError), open(folder / ANSWERS, encoding="utf-8", errors="replace") as stream:
        for line in stream:
            try:
                place, text = json.loads(line)
            except ValueError:  # the empty first line, or half of one
                continue
            if place == len(found):
                found.append(text)
    return found


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[bool]:
    """Whether nobody else works on a document, who then waits until this is over; False if it was deleted."""
    with contextlib.ExitStack() as stack:
        try:
            stream = stack.enter_context(open(folder / LOCK, "w"))
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            mine = True
        except (FileNotFoundError, BlockingIOError):
            mine = False
        yield mine


def _folders(root: Path) -> list[Path]:
    return [folder for folder in root.iterdir() if (folder / ABOUT).is_file()] if root.is_dir() else []


def _clear(root: Path) -> None:
    for folder in root.iterdir() if root.is_dir() else ():
        with contextlib.suppress(FileNotFoundError):
            if time.time() - os.stat(folder / SOURCE if (folder / SOURCE).exists() else folder).st_mtime > KEPT_SECONDS:
                shutil.rmtree(folder, ignore_errors=True)
