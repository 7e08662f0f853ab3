"""What all interfaces share: which model answers, who may ask, what happens if it takes too long, and what is counted."""

from __future__ import annotations

import asyncio
import contextlib
import functools
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol, TypeVar

from serve.access import Access
from serve.backend import Backend
from serve.requests import RefusedError
from serve.turns import BusyError
from serve.voices import Made, OnlyTranslatesError, TooLongError
from seshat.prompts import Card
from seshat.serving import Serving
from seshat.store import Store
from seshat.translate import Translation

Found = TypeVar("Found")
_LIBRARIAN = ThreadPoolExecutor(max_workers=1, thread_name_prefix="corpus")
AUTO = "auto"
"""In place of the code of a source language: it is found out."""


class Meter(Protocol):
    """Counts what is served."""

    def request(self, path: str, status: int, seconds: float) -> None:
        """A request was answered."""
        ...

    def made(self, made: Made, seconds: float, waiting: int) -> None:
        """Texts were translated; so many requests are here."""
        ...


class NoMeter:
    """Counts nothing."""

    def request(self, path: str, status: int, seconds: float) -> None:
        """See ``Meter``."""

    def made(self, made: Made, seconds: float, waiting: int) -> None:
        """See ``Meter``."""


@dataclass(frozen=True, slots=True)
class Direction:
    """A model and the direction in which it translates, in ISO 639-3 codes."""

    card: Card
    source: str
    target: str
    detected: float | None = None
    """How probable the source language is, if it was found out."""


@dataclass(frozen=True)
class Service:
    """What an interface needs to answer."""

    backend: Backend
    serving: Serving
    access: Access
    meter: Meter
    home: Callable[[Card], Store | None]
    """The workspace that a model lies in; None for one that lies elsewhere."""

    @property
    def alone(self) -> bool:
        """There is one replica, and will be no other."""
        return self.serving.replicas == 1 and not self.serving.max_replicas

    def card(self, model: str = "") -> Card:
        """The model of a name, else the one that answers by default.

        Raises:
            RefusedError: If there is none of that name, or none is ready.
        """
        cards = self.backend.cards
        if not cards:
            raise RefusedError(503, "The model is not ready yet.", 1)
        found = next((card for card in cards if card.name == model), None if model else cards[0])
        if found is None:
            raise RefusedError(404, f"No model has that name here; there is {', '.join(card.name for card in cards)}.")
        return found

    def direction(self, source: str, target: str, model: str = "") -> Direction:
        """The first model that knows both languages, by any of their codes or names.

        Raises:
            RefusedError: If there is none, or a language is not known.
        """
        cards = [self.card(model)] if model else [self.card(), *self.backend.cards[1:]]
        called = [(card, card.language.called(source), card.language.called(target)) for card in cards]
        for card, one, other in called:
            if one and other and one != other:
                return Direction(card, one, other)
        known = ", ".join(dict.fromkeys(code for card in cards for code in codes(card)))
        for name, place in (("source", 1), ("target", 2)):
            if not any(row[place] for row in called):
                raise RefusedError(400, f"{name}: not a language of this service; it knows {known}.")
        same = any(row[1] == row[2] != "" for row in called)
        raise RefusedError(
            400, "source and target are the same language." if same else "No model here translates between these two languages."
        )

    async def detected(self, text: str, target: str, model: str = "") -> Direction:
        """``direction`` into a language, from the one of its model that a text is most probably in, other than the target if it can be."""
        cards = [self.card(model)] if model else [self.card(), *self.backend.cards[1:]]
        card = next((one for one in cards if one.language.called(target)), None)
        if card is None:
            raise RefusedError(400, f"target: not a language of this service; it knows {', '.join(codes(cards[0]))}.")
        code = card.language.called(target)
        found = await self.identify(text, card)
        source = next((one for one in found if one != code), None)
        if source is None:
            source = card.language.bridge.code if code == card.language.code else card.language.code
        return Direction(card, source, code, found.get(source, 0.0))

    async def identify(self, text: str, card: Card) -> dict[str, float]:
        """How probable each language of a model is for a text, the most probable first; empty if the text does not say."""
        corpus = self.backend.corpus(card.name)
        return await self.lookup(corpus.identify, text) if corpus else {}

    async def translate(self, texts: Sequence[str], direction: Direction, *, alternatives: int = 0) -> Made:
        """The translations in order.

        Raises:
            RefusedError: If too many wait, or it takes too long.
        """
        started = asyncio.get_running_loop().time()
        asked = self.backend.translate(texts, direction.source, direction.target, direction.card.name, alternatives=alternatives)
        with self.refusals():
            async with asyncio.timeout(self.serving.timeout):
                made = await asked
        self.meter.made(made, asyncio.get_running_loop().time() - started, self.backend.waiting)
        return made

    def abstains(self, made: Translation) -> bool:
        """True if too little is to be expected of a translation for it to be given."""
        return made.expected is not None and made.expected < self.serving.abstain_below

    def shown(self, made: Translation) -> str:
        """A translation as it is given: empty if too little is to be expected of it."""
        return "" if self.abstains(made) else made.text

    async def translated(self, pieces: AsyncGenerator[Translation]) -> AsyncGenerator[str]:
        """The texts of a stream of translations, as they are given."""
        async with contextlib.aclosing(pieces):
            async for piece in pieces:
                yield self.shown(piece)

    async def lookup(self, work: Callable[..., Found], *arguments: object, **named: object) -> Found:
        """What a corpus finds: one question after the other, apart from translating, for the first one builds an index."""
        return await asyncio.get_running_loop().run_in_executor(_LIBRARIAN, functools.partial(work, *arguments, **named))

    async def spoken(self, pieces: AsyncGenerator[str]) -> AsyncIterator[str]:
        """A stream of the backend within the time limit.

        Raises:
            RefusedError: As ``translate``.
        """
        deadline = asyncio.get_running_loop().time() + self.serving.timeout
        with self.refusals():
            async with contextlib.aclosing(pieces):
                while True:
                    async with asyncio.timeout_at(deadline):  # by piece: whoever listens may be another task than who asked
                        try:
                            piece = await anext(pieces)
                        except StopAsyncIteration:
                            return
                    yield piece

    @contextlib.contextmanager
    def refusals(self) -> Iterator[None]:
        """What the backend cannot do, as clients are told."""
        try:
            yield
        except BusyError:
            one_queue = self.alone and len(self.backend.cards) == 1
            room = self.serving.max_ongoing_requests + self.serving.max_queued_requests if one_queue else 0
            raise RefusedError(429, "Too many requests are waiting. Try again in a moment.", self.serving.retry_after, room) from None
        except TimeoutError:
            raise RefusedError(504, f"The answer took longer than {self.serving.timeout:g} seconds. Try a shorter text.") from None
        except TooLongError as error:
            raise RefusedError(413, f"The message is longer than the {error.most} tokens that this model reads.") from None
        except OnlyTranslatesError:
            raise RefusedError(400, "model: it only translates; ask for NAME:SOURCE-TARGET, see /v1/models.") from None


def codes(card: Card) -> list[str]:
    """What the languages of a model are called, its bridge first."""
    language = card.language
    return [code for code in (language.bridge.code, language.bridge.short, language.code, language.short) if code]


def short(card: Card, code: str) -> str:
    """The shortest code of a language: ``es``."""
    side = card.language if code == card.language.code else card.language.bridge
    return side.short or side.code
