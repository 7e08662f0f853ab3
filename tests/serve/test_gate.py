"""The gate says for the replica that the queue is full, exactly as long as it is."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import pytest
from starlette.types import Message, Receive, Scope, Send

from serve.gate import FULL, Gate

ROOM = 2


@dataclass
class Replica:
    """Holds requests until it is told to let them go; more than there is room for are refused."""

    says: bool = True
    held: list[asyncio.Event] = field(default_factory=list)
    asked: int = 0
    inside: int = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        while (await receive()).get("more_body"):
            pass
        self.asked += 1
        if self.inside >= ROOM:
            told = [(FULL, str(ROOM).encode())] if self.says else []
            await send({"type": "http.response.start", "status": 429, "headers": [(b"retry-after", b"2"), *told]})
            await send({"type": "http.response.body", "body": b"full"})
            return
        self.inside += 1
        self.held.append(asyncio.Event())
        try:
            await self.held[-1].wait()
        finally:
            self.inside -= 1
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"done"})


async def whole() -> Message:
    return {"type": "http.request", "body": b"{}", "more_body": False}


async def ask(
    gate: Gate, receive: Receive = whole, path: str = "/translate", method: str = "POST"
) -> tuple[int, bytes, dict[bytes, bytes]]:
    said: list[Message] = []

    async def send(message: Message) -> None:
        said.append(message)

    await gate({"type": "http", "method": method, "path": path}, receive, send)
    return said[0]["status"], said[1]["body"], dict(said[0]["headers"])


def play(scene: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(scene())  # type: ignore[arg-type]


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


def test_it_refuses_as_the_replica_did_without_asking_it_again() -> None:
    counted: list[str] = []

    async def scene() -> None:
        replica = Replica()
        gate = Gate(replica, count=counted.append)
        first = [asyncio.create_task(ask(gate)) for _ in range(ROOM)]
        await settle()
        expected = (429, b"full", {b"retry-after": b"2"})
        assert await ask(gate) == expected, "of the replica, without the header that is not for clients"
        for one in replica.held:
            one.set()
        assert [(await one)[0] for one in first] == [200, 200]
        second = [asyncio.create_task(ask(gate)) for _ in range(ROOM)]
        await settle()
        asked = replica.asked
        assert [await ask(gate) for _ in range(5)] == [expected] * 5
        assert (replica.asked, counted) == (asked, ["/translate"] * 5)
        replica.held[2].set()
        assert (await second[0])[0] == 200
        third = asyncio.create_task(ask(gate))
        await settle()
        assert replica.asked == asked + 1, "there is room again"
        for one in replica.held:
            one.set()
        await asyncio.gather(third, *second)

    play(scene)


def test_who_goes_away_makes_room() -> None:
    async def scene() -> None:
        replica = Replica()
        gate = Gate(replica)
        gate._refusals["/translate"], gate._inside["/translate"], gate._room = [], 0, ROOM
        tasks = [asyncio.create_task(ask(gate)) for _ in range(ROOM)]
        await settle()
        tasks[0].cancel()
        with pytest.raises(asyncio.CancelledError):
            await tasks[0]
        assert gate._inside == {"/translate": 1}
        tasks[1].cancel()

    play(scene)


def test_one_that_sends_slowly_takes_no_room() -> None:
    async def scene() -> None:
        replica = Replica()
        gate = Gate(replica)
        gate._refusals["/translate"], gate._inside["/translate"], gate._room = [], 0, 1
        never = asyncio.Event()

        async def slow() -> Message:
            await never.wait()
            return await whole()

        tasks = [asyncio.create_task(ask(gate, slow)) for _ in range(5)]
        await settle()
        asked = asyncio.create_task(ask(gate))
        await settle()
        assert replica.inside == 1, "it passed"
        for one in (*tasks, asked):
            one.cancel()

    play(scene)


def test_other_paths_and_methods_pass() -> None:
    async def scene() -> None:
        gate = Gate(Replica())
        gate._refusals["/translate"], gate._inside["/translate"], gate._room = [], 9, 1
        for asked in (ask(gate, path="/feedback"), ask(gate, method="GET")):
            task = asyncio.create_task(asked)
            await settle()
            assert not task.done(), "the replica works on it"
            task.cancel()

    play(scene)


def test_a_refusal_is_not_believed_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scene() -> None:
        replica = Replica()
        gate = Gate(replica)
        tasks = [asyncio.create_task(ask(gate)) for _ in range(ROOM)]
        await settle()
        await ask(gate)
        gate._inside["/translate"] = ROOM  # those who came before it was refused are not counted
        asked = replica.asked
        await ask(gate)
        assert replica.asked == asked
        replica.says = False  # it serves two models now
        monkeypatch.setattr("serve.gate.time.monotonic", lambda: gate._until + 1)
        assert [(await ask(gate))[0] for _ in range(3)] == [429] * 3
        assert replica.asked == asked + 3
        for one in tasks:
            one.cancel()

    play(scene)


def test_a_replica_that_says_nothing_is_always_asked() -> None:
    async def scene() -> None:
        replica = Replica(says=False)
        gate = Gate(replica)
        tasks = [asyncio.create_task(ask(gate)) for _ in range(ROOM)]
        await settle()
        for _ in range(3):
            assert (await ask(gate))[0] == 429
        assert replica.asked == ROOM + 3
        for one in tasks:
            one.cancel()

    play(scene)
