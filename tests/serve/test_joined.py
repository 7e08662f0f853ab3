"""Requests that come together go to the replica in one call, and nobody notices: each is answered as if it had come alone."""

from __future__ import annotations

import asyncio
import json
import pickle
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send

from serve.joined import ALONE, LONGEST, MOST, REQUESTS, Joined, Joining

Said = tuple[int, Any, dict[bytes, bytes]]


@dataclass
class Translator:
    """An application: says its text in capitals when it is let go; ``bad`` is refused, ``crash`` is a bug."""

    held: dict[str, asyncio.Event] = field(default_factory=dict)
    dropped: list[str] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = b""
        while True:
            message = await receive()
            body += message["body"]
            if not message.get("more_body"):
                break
        text = json.loads(body)["q"]
        self.keys += [value.decode() for name, value in scope["headers"] if name == b"x-api-key"]
        try:
            if text in self.held:
                await self.held[text].wait()
        except asyncio.CancelledError:
            self.dropped.append(text)
            raise
        if text == "crash":
            raise ZeroDivisionError
        await send({"type": "http.response.start", "status": 400 if text == "bad" else 200, "headers": [(b"content-type", b"text/plain")]})
        await send({"type": "http.response.body", "body": text.upper()[:2].encode(), "more_body": True})
        await send({"type": "http.response.body", "body": text.upper()[2:].encode()})


@dataclass
class Ray:
    """Carries calls to a replica as Ray Serve does: everything is pickled on its way."""

    replica: Joined
    calls: list[int] = field(default_factory=list)
    """How many requests each held."""
    breaks: str = ""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.calls.append(len(scope.get(REQUESTS, [1])))

        async def hear() -> Message:
            message: Message = pickle.loads(pickle.dumps(await receive()))
            return message

        async def tell(message: Message) -> None:
            await send(pickle.loads(pickle.dumps(message)))

        if self.breaks == "dead":
            raise ConnectionError("the replica is gone")
        if self.breaks == "refuses":
            await send({"type": "http.response.start", "status": 503, "headers": []})
            await send({"type": "http.response.body", "body": b"no replica"})
            return
        await self.replica(pickle.loads(pickle.dumps(scope)), hear, tell)


class World:
    """Proxy, Ray and replica."""

    def __init__(self, *held: str, alone: bool = True) -> None:
        self.app = Translator({text: asyncio.Event() for text in held})
        self.ray = Ray(Joined(self.app, alone))
        self.proxy = Joining(self.ray)

    async def ask(
        self, text: str, path: str = "/translate", key: str = "", pieces: int = 1, method: str = "POST", gone: asyncio.Event | None = None
    ) -> Said:
        body = json.dumps({"q": text}).encode()
        size = -(-len(body) // pieces)
        left = [body[start : start + size] for start in range(0, len(body), size)]
        said: list[Message] = []

        async def receive() -> Message:
            if left:
                return {"type": "http.request", "body": left.pop(0), "more_body": bool(left)}
            await (gone or asyncio.Event()).wait()
            return {"type": "http.disconnect"}

        async def send(message: Message) -> None:
            said.append(message)

        headers = [(b"x-api-key", key.encode())] if key else []
        await self.proxy({"type": "http", "method": method, "path": path, "headers": headers}, receive, send)
        if not said:
            return 0, b"", {}
        return said[0]["status"], b"".join(one["body"] for one in said[1:]).decode(), dict(said[0]["headers"])

    async def begin(self, *texts: str, **more: Any) -> list[asyncio.Task[Said]]:
        """Ask, and wait until all that can happen has happened."""
        tasks = [asyncio.create_task(self.ask(text, **more)) for text in texts]
        await asyncio.sleep(0.08)
        return tasks

    async def joined(self, *texts: str) -> list[asyncio.Task[Said]]:
        """Ask while something else, which was held, is at work."""
        await self.ask("first")  # from its answer the proxy learns that the replica is alone
        return [*await self.begin("held"), *await self.begin(*texts)]


def play(scene: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(scene())  # type: ignore[arg-type]


async def answers(tasks: Sequence[asyncio.Task[Said]]) -> list[tuple[int, str]]:
    return [(await task)[:2] for task in tasks]


def test_who_comes_together_goes_together_and_each_gets_its_own_answer() -> None:
    async def scene() -> None:
        world = World("held")
        first, *tasks = await world.joined("uno", "dos", "bad", "tres")
        assert world.ray.calls == [1, 1, 4]
        assert await answers(tasks) == [(200, "UNO"), (200, "DOS"), (400, "BAD"), (200, "TRES")]
        headers = [(await task)[2] for task in tasks]
        assert headers == [{b"content-type": b"text/plain"}] * 4, "without the header that is not for clients"
        world.app.held["held"].set()
        assert await answers([first]) == [(200, "HELD")]

    play(scene)


def test_one_client_alone_never_waits() -> None:
    async def scene() -> None:
        world = World()
        for text in ("uno", "dos", "tres"):
            assert (await world.ask(text))[:2] == (200, text.upper())
        assert world.ray.calls == [1, 1, 1]
        assert not world.proxy._waiting

    play(scene)


def test_a_bug_in_one_is_that_one_s_alone() -> None:
    async def scene() -> None:
        world = World("held")
        _, *tasks = await world.joined("uno", "crash", "dos")
        assert [status for status, _ in await answers(tasks)] == [200, 500, 200]

    play(scene)


def test_a_slow_one_holds_nobody() -> None:
    async def scene() -> None:
        world = World("held", "slow")
        _, slow, fast = await world.joined("slow", "fast")
        assert await answers([fast]) == [(200, "FAST")]
        assert not slow.done()
        world.app.held["slow"].set()
        assert await answers([slow]) == [(200, "SLOW")]

    play(scene)


def test_of_several_replicas_each_is_found_by_itself() -> None:
    async def scene() -> None:
        world = World("held", alone=False)
        _, *tasks = await world.joined("uno", "dos")
        assert world.ray.calls == [1, 1, 1, 1]
        assert await answers(tasks) == [(200, "UNO"), (200, "DOS")]

    play(scene)


def test_the_work_of_who_goes_away_is_dropped_and_no_other() -> None:
    async def scene() -> None:
        world = World("held", "slow", "other")
        await world.ask("first")
        gone = asyncio.Event()
        [_] = await world.begin("held")
        leaving = asyncio.create_task(world.ask("slow", gone=gone))
        [other] = await world.begin("other")
        assert world.ray.calls == [1, 1, 2]
        gone.set()
        await asyncio.sleep(0.05)
        assert world.app.dropped == ["slow"]
        assert (await leaving)[0] == 0, "nobody is there to be told"
        world.app.held["other"].set()
        assert await answers([other]) == [(200, "OTHER")]

    play(scene)


def test_who_goes_away_before_the_call_is_not_in_it() -> None:
    async def scene() -> None:
        world = World("held")
        await world.ask("first")
        [_] = await world.begin("held")
        gone = asyncio.Event()
        gone.set()
        leaving = asyncio.create_task(world.ask("never", gone=gone))
        [other] = await world.begin("other")
        assert (await leaving)[0] == 0
        assert world.ray.calls == [1, 1, 1]
        assert await answers([other]) == [(200, "OTHER")]

    play(scene)


@pytest.mark.parametrize(("breaks", "status", "said"), [("dead", 500, "unexpected"), ("refuses", 503, "no replica")])
def test_a_call_that_breaks_off_is_an_error_for_all_in_it(breaks: str, status: int, said: str) -> None:
    async def scene() -> None:
        world = World("held")
        await world.ask("first")
        await world.begin("held")
        world.ray.breaks = breaks
        tasks = await world.begin("uno", "dos")
        assert [found for found, _ in await answers(tasks)] == [status, status]
        assert all(said in text for _, text in await answers(tasks))
        world.ray.breaks = ""
        assert (await world.ask("tres"))[:2] == (200, "TRES")

    play(scene)


def test_long_bodies_other_paths_and_methods_go_alone() -> None:
    async def scene() -> None:
        world = World("held")
        long = "x" * LONGEST
        await world.joined("uno")
        before = len(world.ray.calls)
        asked = [
            world.ask(long, pieces=7),
            world.ask("a", path="/feedback"),
            world.ask("b", path="/v1/chat/completions"),
            world.ask("c", method="PUT"),
        ]
        assert [text for _, text, _ in await asyncio.gather(*asked)] == [long.upper(), "A", "B", "C"]
        assert world.ray.calls[before:] == [1] * 4

    play(scene)


def test_a_body_in_pieces_is_put_together() -> None:
    async def scene() -> None:
        world = World("held")
        await world.joined()
        tasks = await world.begin("pieces", "of", pieces=3)
        assert world.ray.calls[-1] == 2
        assert await answers(tasks) == [(200, "PIECES"), (200, "OF")]

    play(scene)


def test_everybody_keeps_the_key_that_was_sent() -> None:
    async def scene() -> None:
        world = World("held")
        await world.joined()
        await asyncio.gather(*(world.ask(text, key=f"key-{text}") for text in ("uno", "dos")))
        assert world.app.keys == ["key-uno", "key-dos"]
        assert world.ray.calls[-1] == 2

    play(scene)


def test_a_call_holds_only_so_many() -> None:
    async def scene() -> None:
        world = World("held")
        await world.joined()
        tasks = await world.begin(*(f"t{number}" for number in range(MOST + 3)))
        assert await answers(tasks) == [(200, f"T{number}") for number in range(MOST + 3)]
        assert world.ray.calls[2:] == [MOST, 3]

    play(scene)


def test_nobody_can_put_requests_into_a_call_over_http() -> None:
    """Of what a client sends, only bytes come into the scope: no header or path is one of our keys."""

    async def scene() -> None:
        world = World()
        said = await world.ask("uno", key=REQUESTS)
        assert said[:2] == (200, "UNO")
        assert ALONE not in said[2]
        assert world.ray.calls == [1]

    play(scene)
