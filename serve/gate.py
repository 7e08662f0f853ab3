"""The gate before the replica, in Ray Serve's HTTP proxy: while the queue is known to be full, it says so in the replica's place.

A refusal that goes through Ray Serve to the replica and back takes as long as everything else that waits there, and costs the processor
time that translations need. The replica says with its first refusal how many requests it has room for (``FULL``); from then on the
gate counts those that are inside, and gives the same refusal to whoever comes while there are so many. It knows no limit of its own:
what it lets pass, the replica may still refuse.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from starlette.middleware import Middleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serve.joined import Joining

FULL = b"x-seshat-full"
"""A header between replica and gate: how many requests find room. The gate takes it away."""


def before_replicas() -> list[Middleware]:
    """What Ray Serve's proxy puts before its replicas, the innermost first."""
    from ray.util.metrics import Counter

    refused = Counter("seshat_refused", "Requests that were refused at the gate, because the queue was full.", tag_keys=("path",))
    return [Middleware(Joining), Middleware(Gate, count=lambda path: refused.inc(1, {"path": path}))]


BELIEVED = 5.0
"""Seconds that a refusal of the replica is believed: then it is asked again, because it may serve other models by now."""


class Gate:
    """ASGI, for a single replica: several have a queue each, and say nothing of it."""

    def __init__(self, app: ASGIApp, count: Callable[[str], object] = lambda path: None) -> None:
        self._app, self._count = app, count
        self._room, self._until = 0, 0.0
        self._inside: dict[str, int] = {}
        """How many requests wait or are answered, by the paths that were refused once: others need no room in the queue."""
        self._refusals: dict[str, list[Message]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        if scope["type"] != "http" or scope["method"] != "POST":
            await self._app(scope, receive, send)
        elif scope["path"] in self._refusals and sum(self._inside.values()) >= self._room and time.monotonic() < self._until:
            self._count(scope["path"])
            for message in self._refusals[scope["path"]]:
                await send(message)
        else:
            await self._pass(scope, receive, send)

    async def _pass(self, scope: Scope, receive: Receive, send: Send) -> None:
        path, counted = scope["path"], False
        refusal: list[Message] = []

        async def take() -> Message:
            """Who is inside is counted when all of the request is here: one that sends slowly takes no room from others."""
            nonlocal counted
            message = await receive()
            if message["type"] == "http.request" and not message.get("more_body") and path in self._inside and not counted:
                counted = True
                self._inside[path] += 1
            return message

        async def listen(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = list(message["headers"])
                told = [value for name, value in headers if name.lower() == FULL]
                if told:
                    self._room = int(told[0])
                    message = {**message, "headers": [pair for pair in headers if pair[0].lower() != FULL]}
                    refusal.append(message)
            elif refusal:
                refusal.append(message)
            await send(message)

        try:
            await self._app(scope, take, listen)
        finally:
            if counted:
                self._inside[path] -= 1
        if refusal:
            self._inside.setdefault(path, 0)
            self._refusals[path] = refusal
            self._until = time.monotonic() + BELIEVED
