"""What every request goes through before anything reads it, and every reply on its way out. Plain ASGI, which costs next to nothing."""

from __future__ import annotations

import ipaddress
import time
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serve.service import Meter
from seshat.serving import Serving

SECURITY = {
    "content-security-policy": "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'self'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
}
READING = ("GET", "HEAD", "OPTIONS")


def refusal(status: int, message: str, headers: dict[str, str] | None = None) -> JSONResponse:
    """An error as every client gets it: one sentence, under the names by which different clients look for it."""
    return JSONResponse({"error": message, "message": message}, status, SECURITY | (headers or {}))


class Watched:
    """Puts the headers of security on every reply, and counts it."""

    def __init__(self, app: ASGIApp, meter: Meter) -> None:
        self._app, self._meter = app, meter

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, begun = time.perf_counter(), False

        def count(status: int) -> None:
            self._meter.request(getattr(scope.get("route"), "path", "other"), status, time.perf_counter() - started)

        async def secured(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                headers = MutableHeaders(scope=message)
                for name, value in SECURITY.items():
                    headers.setdefault(name, value)
                count(message["status"])
            await send(message)

        try:
            await self._app(scope, receive, secured)
        except Exception:
            if not begun:
                count(500)  # what the outermost handler will answer
            raise


class Guarded:
    """Refuses what comes from other web pages by way of the browser of somebody who may ask.

    On this machine, a name that leads here from elsewhere is not answered (DNS rebinding), and nothing is changed for a page of another
    origin, even where the browser would not let it read the answer (cross-site request forgery).
    """

    def __init__(self, app: ASGIApp, serving: Serving) -> None:
        self._app, self._serving = app, serving

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        if scope["type"] == "http" and (problem := self._problem(scope["method"], Headers(scope=scope))):
            await problem(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _problem(self, method: str, headers: Headers) -> JSONResponse | None:
        host = headers.get("host", "")
        if not self._serving.public and not is_local(host):
            return refusal(400, "This name is not one of this machine's.")
        origin = headers.get("origin", "")
        if method in READING or not origin or origin in self._serving.origins or _place(origin) == host:
            return None
        return refusal(403, "A page of another origin may not ask this; whoever runs the service can name it in serving.origins.")


def is_local(host: str) -> bool:
    """True for a name of this machine alone, with or without a port: ``localhost:8000``, ``[::1]``, ``127.0.0.2``."""
    try:
        name = urlsplit(f"//{host}").hostname or ""
        return name == "localhost" or ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def _place(origin: str) -> str:
    """The host and port of an origin; empty if it is none."""
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return ""
