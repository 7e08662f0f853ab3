"""Requests that come at the same time go to the replica in one call: Ray Serve takes more for a call than a short translation does.

``Joining`` stands in the proxy. A request that finds others at work waits a moment for company, and all that have come by then are sent
together, with their bodies, in the ASGI scope of one call, which nobody can write over HTTP. ``Joined`` stands in the replica, takes them
apart, and lets the application answer each as if it had come alone: with its own key, limits, errors and time-out. An answer goes back as
soon as it is there. Who goes away while others are at work is told to the replica, which drops that request alone.

Calls are joined only as long as the replica says that it is the only one (``ALONE``): of several, each has to be found by itself.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = logging.getLogger(__name__)
PATHS = frozenset({"/translate", "/v2/translate"})
"""Where one answer is one message; others may go on for long."""
ALONE = b"x-seshat-alone"
"""A header between replica and proxy: there is no other replica. The proxy takes it away."""
WAIT = 0.0015
"""Seconds that a request waits for others, for each that is at work: what waits longer anyhow can wait for more company."""
MOST = 64
"""Requests in a call."""
LONGEST = 65_536
"""Bytes of a body; a longer one goes alone."""
REQUESTS, ANSWERS, GONE = "seshat.requests", "seshat.answers", "seshat.gone"
"""Keys in the scope of a call, in its messages to the proxy, and in those to the replica."""
_SORRY = b'{"error":"An unexpected error.","message":"An unexpected error."}'
_HEADERS = [(b"content-type", b"application/json"), (b"content-length", str(len(_SORRY)).encode())]
BROKEN: Sequence[Message] = (
    {"type": "http.response.start", "status": 500, "headers": _HEADERS},
    {"type": "http.response.body", "body": _SORRY},
)
"""The answer to a request whose call broke off, as when the replica dies."""


@dataclass(eq=False)
class _Waiting:
    """A request in the proxy."""

    scope: Scope
    body: bytes
    answer: asyncio.Future[Sequence[Message]]


@dataclass(eq=False)
class _Call:
    """Requests that were sent together."""

    requests: list[_Waiting]
    news: asyncio.Queue[Message] = field(default_factory=asyncio.Queue)
    """For the replica."""


class Joining:
    """ASGI, in the proxy."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._alone = False
        self._at_work: set[object] = set()
        self._waiting: list[_Waiting] = []
        self._calls: set[asyncio.Task[None]] = set()
        self._by_request: dict[_Waiting, _Call] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        if scope["type"] != "http" or scope["method"] != "POST" or scope["path"] not in PATHS:
            await self._app(scope, receive, send)
            return
        read = [await receive()]
        while read[-1]["type"] == "http.request" and read[-1].get("more_body") and sum(map(_size, read)) <= LONGEST:
            read.append(await receive())
        whole = read[-1]["type"] == "http.request" and not read[-1].get("more_body")
        at_work = object()
        company = len(self._at_work)
        self._at_work.add(at_work)

        async def hear(message: Message) -> None:
            if message["type"] == "http.response.body" and not message.get("more_body"):
                self._at_work.discard(at_work)  # now, because whoever gets the end of an answer may ask at once
            await send(self._heard(message))

        try:
            if whole and self._alone and company and sum(map(_size, read)) <= LONGEST:
                await self._together(_Waiting(dict(scope), b"".join(map(_body, read)), _future()), receive, hear)
            else:
                await self._app(scope, _after(read, receive), hear)
        finally:
            self._at_work.discard(at_work)

    async def _together(self, request: _Waiting, receive: Receive, send: Send) -> None:
        if not self._waiting:
            asyncio.get_running_loop().call_later(WAIT * len(self._at_work), self._start)
        self._waiting.append(request)
        if len(self._waiting) == MOST:
            self._start()
        leaving = asyncio.create_task(_gone(receive))
        try:
            await asyncio.wait((request.answer, leaving), return_when=asyncio.FIRST_COMPLETED)
            if request.answer.done():
                for message in request.answer.result():
                    await send(message)
        finally:
            leaving.cancel()
            self._forget(request)

    def _start(self) -> None:
        """Send those that wait."""
        if not self._waiting:
            return
        call = _Call(self._waiting)
        self._waiting = []
        self._by_request.update((request, call) for request in call.requests)
        task = asyncio.create_task(self._ask(call))
        self._calls.add(task)
        task.add_done_callback(self._calls.discard)

    async def _ask(self, call: _Call) -> None:
        """One call of the replica; what it says beside answers is an error, and goes to all that have none."""
        said: list[Message] = []

        async def hear(message: Message) -> None:
            if ANSWERS not in message:
                said.append(message)
            for place, messages in message.get(ANSWERS, ()):
                if not call.requests[place].answer.done():
                    call.requests[place].answer.set_result(messages)

        first = call.requests[0].scope
        scope = {**first, REQUESTS: [(one.scope, one.body) for one in call.requests]}
        try:
            await self._app(scope, call.news.get, hear)
        except Exception as error:
            log.error("serve: a call of the replica broke off (%s)", type(error).__name__, exc_info=error)
        for one in call.requests:
            self._by_request.pop(one, None)
            if not one.answer.done():
                one.answer.set_result(said if len(said) > 1 and said[0].get("status", 200) >= 400 else BROKEN)

    def _forget(self, request: _Waiting) -> None:
        """It has its answer, or whoever sent it has gone away."""
        if request in self._waiting:
            self._waiting.remove(request)
        elif not request.answer.done() and (call := self._by_request.pop(request, None)):
            request.answer.cancel()
            call.news.put_nowait({"type": "http.request", "body": b"", "more_body": True, GONE: call.requests.index(request)})

    def _heard(self, message: Message) -> Message:
        """A message of the replica as clients get it."""
        if message["type"] != "http.response.start":
            return message
        headers = list(message["headers"])
        kept = [pair for pair in headers if pair[0].lower() != ALONE]
        if message["status"] < 500:
            self._alone = len(kept) < len(headers)
        return {**message, "headers": kept}


class Joined:
    """ASGI, in the replica."""

    def __init__(self, app: ASGIApp, alone: bool) -> None:
        """``alone``: there is no other replica, and there will be none."""
        self._app, self._alone = app, alone

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        if REQUESTS in scope:
            await self._take_apart(scope[REQUESTS], receive, send)
        elif scope["type"] == "http" and self._alone:
            await self._app(scope, receive, lambda message: send(_marked(message)))
        else:
            await self._app(scope, receive, send)

    async def _take_apart(self, requests: Sequence[tuple[Scope, bytes]], receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        tasks = {asyncio.create_task(self._answer(*one)): place for place, one in enumerate(requests)}
        listening = asyncio.create_task(_listen(receive, list(tasks)))
        left = set(tasks)
        try:
            while left:
                await asyncio.wait(left, return_when=asyncio.FIRST_COMPLETED)
                done = {task for task in left if task.done()}
                left -= done
                answers = [(tasks[task], task.result()) for task in done if not task.cancelled()]
                await send({"type": "http.response.body", "body": b"", "more_body": bool(left), ANSWERS: answers})
        finally:
            for task in (listening, *left):
                task.cancel()

    async def _answer(self, scope: Scope, body: bytes) -> Sequence[Message]:
        said: list[Message] = []

        async def hear(message: Message) -> None:
            said.append(_marked(message))

        try:
            await self._app(scope, _after([{"type": "http.request", "body": body}], _never), hear)
        except Exception as error:
            log.error("serve: %s", type(error).__name__, exc_info=error)
            return BROKEN
        return said


async def _listen(receive: Receive, tasks: Sequence[asyncio.Task[Sequence[Message]]]) -> None:
    """Drop the work of those who go away."""
    while (news := await receive())["type"] == "http.request":
        if GONE in news:
            tasks[news[GONE]].cancel()
    for task in tasks:  # nobody is there any more
        task.cancel()


def _marked(message: Message) -> Message:
    return {**message, "headers": [*message["headers"], (ALONE, b"1")]} if message["type"] == "http.response.start" else message


def _after(read: Sequence[Message], receive: Receive) -> Receive:
    """What was read already, and then what comes."""
    left = iter(read)

    async def give() -> Message:
        message = next(left, None)
        return await receive() if message is None else message

    return give


async def _never() -> Message:
    await asyncio.Event().wait()
    return {"type": "http.disconnect"}


async def _gone(receive: Receive) -> None:
    """Come back when the client has gone away."""
    while (await receive())["type"] != "http.disconnect":
        pass


def _future() -> asyncio.Future[Any]:
    return asyncio.get_running_loop().create_future()


def _body(message: Message) -> bytes:
    found: bytes = message.get("body", b"")
    return found


def _size(message: Message) -> int:
    return len(_body(message))
