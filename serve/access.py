"""Who may ask, and how often: API keys, of which only digests are kept, and a rate for each of them.

A key file holds a line for each key, ``NAME SHA256``, and ``seshat api-key NAME`` writes one. Keys are 256 random bits, so a plain digest
is enough: there is nothing to guess that a slow hash would protect.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from fastapi import Request

from serve.requests import RefusedError
from seshat.errors import ConfigError
from seshat.serving import Serving

SCHEMES = ("bearer ", "deepl-auth-key ")
"""How clients of OpenAI and DeepL send their key."""
NOBODY = "anybody"
"""Who asks where no keys are needed."""
KEYS = "keys.txt"
"""The key file of a workspace, if the settings name no other."""
MOST_CLIENTS = 10_000
"""Whose rates are remembered; the least recent is forgotten first."""


@dataclass(slots=True)
class _Bucket:
    """A token bucket: full at first, and a request takes one out."""

    left: float
    since: float


class Access:
    """Says who asks, or that they may not."""

    def __init__(self, serving: Serving, clock: Callable[[], float] = time.monotonic) -> None:
        self._keys = read_keys(serving.keys) if serving.keys else {}
        self._open = not serving.keys
        self._rate = serving.rate_per_minute
        self._clock = clock
        self._buckets: dict[str, _Bucket] = {}

    def check(self, request: Request, key: str = "", *, status: int = 403) -> str:
        """The name of whoever sends a key, in a header or as the body has it; ``status`` is what a wrong one gets.

        Raises:
            RefusedError: If a key is needed and this is none, or if it was used too often.
        """
        name = self._name(key or sent_key(request))
        if name is None:
            raise RefusedError(status, "This service needs an API key that it knows: ask whoever runs it.")
        self._take(name if name != NOBODY else f"{NOBODY} {request.client.host if request.client else ''}")
        return name

    def _name(self, key: str) -> str | None:
        if self._open:
            return NOBODY
        found = None
        digest = digest_of(key)
        for name, known in self._keys.items():  # all of them, so that the time says nothing
            if hmac.compare_digest(digest, known):
                found = name
        return found

    def _take(self, who: str) -> None:
        if not self._rate:
            return
        now = self._clock()
        bucket = self._buckets.pop(who, None) or _Bucket(self._rate, now)
        bucket.left = min(self._rate, bucket.left + (now - bucket.since) * self._rate / 60)
        bucket.since = now
        self._buckets[who] = bucket
        if len(self._buckets) > MOST_CLIENTS:
            del self._buckets[next(iter(self._buckets))]
        if bucket.left < 1:
            wait = int((1 - bucket.left) * 60 / self._rate) + 1
            raise RefusedError(429, f"At most {self._rate} requests a minute. Try again in {wait} seconds.", wait)
        bucket.left -= 1


def sent_key(request: Request) -> str:
    """The key in the headers; empty if there is none."""
    sent: str = request.headers.get("authorization", "")
    for scheme in SCHEMES:
        if sent.lower().startswith(scheme):
            return sent[len(scheme) :].strip()
    return ""


def digest_of(key: str) -> str:
    """How a key is kept."""
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


def read_keys(path: str) -> Mapping[str, str]:
    """The digests of a key file by name.

    Raises:
        ConfigError: If it is not there, holds no key, or has a line that is none.
    """
    cure = "write it with 'seshat api-key NAME'"
    try:
        with open(path, encoding="utf-8") as lines:
            written = [(number, line.split()) for number, line in enumerate(lines, 1) if line.strip() and not line.startswith("#")]
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"serving.keys: {path} cannot be read ({error}): {cure}") from None
    for number, parts in written:
        if len(parts) != 2 or len(parts[1]) != 64 or set(parts[1]) - set("0123456789abcdef"):
            raise ConfigError(f"{path}:{number}: not 'NAME SHA256': {cure}")
    if not written:
        raise ConfigError(f"serving.keys: {path} holds no key: {cure}")
    return {name: digest for _, (name, digest) in written}


def add_key(path: str, name: str) -> str:
    """Make a key and add its digest to a key file, which only its owner may read.

    Raises:
        ConfigError: If the name is no word, has a key already, or the file cannot be written.
    """
    if not name.isprintable() or len(name.split()) != 1 or name.startswith("#"):
        raise ConfigError(f"{name!r}: a key's name is one word, such as the person or program that will use it")
    if os.path.exists(path) and name in read_keys(path):
        raise ConfigError(f"{path} has a key for {name!r}: delete its line first, or take another name")
    key = f"seshat-{secrets.token_urlsafe(32)}"
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "a", encoding="utf-8") as file:
            file.write(f"{name} {digest_of(key)}\n")
    except OSError as error:
        raise ConfigError(f"serving.keys: {path} cannot be written ({error.strerror})") from None
    return key
