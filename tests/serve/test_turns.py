"""Who gets the model when, and what becomes of those who go away."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator, Sequence

import pytest

from serve.turns import BusyError, Turns
from seshat.engines.decoding import Decoding
from seshat.engines.model import Completion, Request
from seshat.errors import EngineError

SAMPLES = Decoding(method="mbr", samples=3)


class Echo:
    """Says its prompt; waits for leave if it is told to, and remembers what it was asked together."""

    def __init__(self, leave: threading.Event | None = None) -> None:
        self.leave = leave
        self.batches: list[list[int]] = []

    def generate(self, prompts: Sequence[Sequence[int]], *, max_new_tokens: int, stop: Sequence[int]) -> list[Completion]:
        if self.leave:
            assert self.leave.wait(10)
        self.batches.append([prompt[0] for prompt in prompts])
        if any(prompt[0] == 666 for prompt in prompts):
            raise EngineError("no")
        return [Completion(tuple(prompt), True, -0.5) for prompt in prompts]

    def candidates(
        self, prompts: Sequence[Sequence[int]], *, max_new_tokens: int, stop: Sequence[int], decoding: Decoding
    ) -> Iterator[tuple[int, list[Completion]]]:
        for place in reversed(range(len(prompts))):
            yield place, [Completion((*prompts[place], one), True, -1.0) for one in range(decoding.num_samples)]


class Spelling(Echo):
    """Tells its prompt number by number until it is stopped."""

    told = 0

    def stream(self, prompt: Sequence[int], *, max_new_tokens: int, stop: Sequence[int], tell: Callable[[str], bool]) -> None:
        for number in prompt:
            self.told += 1
            if not tell(str(number)):
                return
            assert self.leave is None or self.leave.wait(10)


def asked(*numbers: int, limit: int = 8) -> list[Request]:
    return [Request((number,), limit) for number in numbers]


async def others() -> None:
    """Let everybody else on the loop get on."""
    for _ in range(20):
        await asyncio.sleep(0)


def test_answers_come_in_the_order_of_the_prompts() -> None:
    async def run() -> None:
        turns = Turns(Echo(), (), slots=3)
        said = await turns.complete(asked(*range(50)))
        assert [one.ids[0] for [one] in said] == list(range(50))
        drawn = await turns.complete(asked(7, 8), SAMPLES)
        assert [[one.ids for one in samples] for samples in drawn] == [[(7, 0), (7, 1), (7, 2)], [(8, 0), (8, 1), (8, 2)]]
        assert await turns.complete([]) == []

    asyncio.run(run())


def test_a_short_request_is_not_kept_waiting_by_a_long_one() -> None:
    async def run() -> None:
        leave = threading.Event()
        model = Echo(leave)
        turns = Turns(model, ())
        long = asyncio.create_task(turns.complete(asked(*range(100))))
        await others()
        short = asyncio.create_task(turns.complete(asked(777)))
        await others()
        leave.set()
        await asyncio.gather(long, short)
        assert model.batches.index([777]) <= 2

    asyncio.run(run())


def test_a_batch_has_prompts_of_one_limit_within_the_budget() -> None:
    async def run() -> None:
        leave = threading.Event()
        model = Echo(leave)
        turns = Turns(model, (), budget=40)
        first = asyncio.create_task(turns.complete(asked(0)))
        await others()
        rest = [asyncio.create_task(turns.complete([*asked(one, one + 1), *asked(one + 2, limit=16)])) for one in (10, 20, 30)]
        await others()
        leave.set()
        await asyncio.gather(first, *rest)
        assert model.batches == [[0], [10, 20, 30, 11], [21, 31], [12, 22], [32]]

    asyncio.run(run())


def test_who_goes_away_takes_no_more_turns_and_leaves_the_queue() -> None:
    async def run() -> None:
        leave = threading.Event()
        model = Echo(leave)
        turns = Turns(model, (), most=2)
        staying = asyncio.create_task(turns.complete(asked(1)))
        going = asyncio.create_task(turns.complete(asked(*range(100, 200))))
        await others()
        with pytest.raises(BusyError):
            await turns.complete(asked(3))
        going.cancel()
        await others()
        assert turns.places.taken == 1
        leave.set()
        assert [one.ids for [one] in await staying] == [(1,)]
        await turns.complete(asked(4))
        assert model.batches == [[1], [4]], "nothing of the cancelled request was asked"

    asyncio.run(run())


def test_a_failure_reaches_who_asked_and_nobody_else() -> None:
    async def run() -> None:
        turns = Turns(Echo(), ())
        bad, good = await asyncio.gather(turns.complete(asked(666, 5)), turns.complete(asked(6)), return_exceptions=True)
        assert isinstance(bad, EngineError)
        assert not isinstance(good, BaseException)
        assert turns.places.taken == 0

    asyncio.run(run())


def test_a_prompt_that_fails_a_batch_fails_alone() -> None:
    async def run() -> None:
        model = Echo()
        turns = Turns(model, (), budget=1000)
        taken, bad, good = await asyncio.gather(*(turns.complete(asked(one)) for one in (1, 666, 6)), return_exceptions=True)
        assert isinstance(bad, EngineError)
        assert [[one.ids for [one] in said] for said in (taken, good) if not isinstance(said, BaseException)] == [[(1,)], [(6,)]]
        assert model.batches == [[1], [666, 6], [666], [6]]

    asyncio.run(run())


def test_a_stream_tells_pieces_and_stops_when_nobody_listens() -> None:
    async def run() -> None:
        leave = threading.Event()
        leave.set()
        model = Spelling(leave)
        turns = Turns(model, ())
        said = [piece async for piece in turns.stream(Request((1, 2, 3), 8), str)]
        assert said == ["1", "2", "3"]
        leave.clear()
        model.told = 0
        stream = turns.stream(Request(tuple(range(100)), 8), str)
        assert await anext(stream) == "0"
        await stream.aclose()
        leave.set()
        await turns.complete(asked(1))
        assert model.told <= 2
        assert turns.places.taken == 0

    asyncio.run(run())


def test_a_model_that_cannot_stream_tells_all_at_once() -> None:
    async def run() -> None:
        said = [piece async for piece in Turns(Echo(), ()).stream(Request((4, 2), 8), lambda ids: "-".join(map(str, ids)))]
        assert said == ["4-2"]

    asyncio.run(run())


def test_streams_take_turns_and_those_that_nobody_hears_are_not_begun() -> None:
    async def run() -> None:
        leave = threading.Event()
        model = Spelling(leave)
        turns = Turns(model, (), most=8)
        working = asyncio.create_task(turns.complete(asked(1)))
        await others()
        streams = [asyncio.create_task(anext(turns.stream(Request((5, 6), 8), str))) for _ in range(6)]
        await others()
        with pytest.raises(BusyError):
            await asyncio.gather(turns.complete(asked(2)), turns.complete(asked(3)))
        for stream in streams:
            stream.cancel()
        await others()
        leave.set()
        await working
        await turns.complete(asked(4))
        assert model.told == 0
        assert turns.places.taken == 0

    asyncio.run(run())
