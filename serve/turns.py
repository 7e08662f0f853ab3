"""Prompts of many requests take turns at one model: fairly, within bounds, and not for those who have gone away.

Requests are served round robin, a prompt of each at a time, so a long document does not keep a short sentence waiting. An engine with
continuous batching gets one prompt for each of its slots; any other gets prompts of one limit together, up to a budget of tokens.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
from collections import deque
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from seshat.engines.decoding import GREEDY, Decoding
from seshat.engines.model import CandidateModel, Completion, LanguageModel, Request
from seshat.errors import EngineError


class BusyError(Exception):
    """The queue is full."""


class Places:
    """A bounded queue: how many requests may be here at once, at work or waiting."""

    def __init__(self, most: int) -> None:
        self._most = most
        self.taken = 0

    @contextlib.contextmanager
    def one(self) -> Iterator[None]:
        """A place for as long as a request is here.

        Raises:
            BusyError: If there is none.
        """
        if self.taken >= self._most:
            raise BusyError
        self.taken += 1
        try:
            yield
        finally:
            self.taken -= 1


@runtime_checkable
class StreamingModel(Protocol):
    """A language model that tells an answer while it makes it."""

    def stream(self, prompt: Sequence[int], *, max_new_tokens: int, stop: Sequence[int], tell: Callable[[str], bool]) -> None:
        """Tell a greedy answer piece by piece; ``tell`` says whether to go on."""
        ...


@dataclass(frozen=True, slots=True)
class _Prompt:
    request: Request
    decoding: Decoding
    answer: asyncio.Future[list[Completion]]
    tell: Callable[[str], bool] | None = None
    """Hears the answer piece by piece."""


class Turns:
    """A model behind a queue, for one event loop; the model works in threads."""

    def __init__(self, model: LanguageModel, stop: Sequence[int], *, slots: int = 1, budget: int = 0, most: int = 64) -> None:
        """``slots`` batches are at work at once, each of at most ``budget`` tokens of prompts and answers; 0: one prompt.

        ``most`` is how many requests may be here at once, at work or waiting.
        """
        self._model, self._stop, self._budget = model, tuple(stop), budget
        self._jobs: deque[deque[_Prompt]] = deque()
        self._threads = ThreadPoolExecutor(max_workers=slots, thread_name_prefix="turns")
        self._free = slots
        self.places = Places(most)

    async def complete(self, requests: Sequence[Request], *decodings: Decoding) -> list[list[Completion]]:
        """What the model says to each prompt, in order: one completion, or all samples. Cancelled, it takes no more turns.

        With several ways of decoding all prompts are answered by the first, then all by the next; with none, greedily.

        Raises:
            BusyError: If too many requests are here already.
        """
        return [said async for said in self.answers(requests, *decodings)]

    async def answers(self, requests: Sequence[Request], *decodings: Decoding) -> AsyncGenerator[list[Completion]]:
        """``complete``, each as soon as it and all before it are there."""
        loop = asyncio.get_running_loop()
        ways = decodings or (GREEDY,)
        prompts = [_Prompt(request, decoding, loop.create_future()) for decoding in ways for request in requests]
        with self.places.one():
            self._jobs.append(deque(prompts))
            self._start()
            try:
                for prompt in prompts:
                    yield await prompt.answer
            finally:
                for prompt in prompts:
                    if not prompt.answer.cancel() and not prompt.answer.cancelled():
                        prompt.answer.exception()  # seen, or asyncio would complain of those behind the first failure

    async def stream(self, request: Request, decode: Callable[[Sequence[int]], str]) -> AsyncGenerator[str]:
        """The greedy answer to a prompt piece by piece; in one piece, by ``decode``, if the model can do no better."""
        if not isinstance(self._model, StreamingModel):
            [[completion]] = await self.complete([request])
            yield decode(completion.ids)
            return
        loop, heard, gone = asyncio.get_running_loop(), asyncio.Queue[str | None](), asyncio.Event()

        def tell(piece: str) -> bool:
            loop.call_soon_threadsafe(heard.put_nowait, piece)
            return not gone.is_set()

        prompt = _Prompt(request, GREEDY, loop.create_future(), tell)
        prompt.answer.add_done_callback(lambda _: heard.put_nowait(None))
        with self.places.one():
            self._jobs.append(deque([prompt]))
            self._start()
            try:
                while (piece := await heard.get()) is not None:
                    yield piece
                await prompt.answer
            finally:
                gone.set()
                if not prompt.answer.cancel() and not prompt.answer.cancelled():
                    prompt.answer.exception()

    def _start(self) -> None:
        while self._free and (batch := self._next()):
            self._free -= 1
            working = asyncio.get_running_loop().run_in_executor(self._threads, self._ask, batch)
            working.add_done_callback(functools.partial(self._hear, batch))

    def _next(self) -> list[_Prompt]:
        """The prompts whose turn it is: of each request the first, as long as they go together and fit."""
        batch: list[_Prompt] = []
        tokens = 0
        while self._jobs:
            job = self._jobs.popleft()
            while job and job[0].answer.done():  # whoever asked has gone away
                job.popleft()
            if not job:
                continue
            head = job[0]
            cost = len(head.request.ids) + head.request.limit
            alike = not batch or (head.tell is None and _kind(head) == _kind(batch[0]))
            if batch and (not alike or tokens + cost > self._budget):
                self._jobs.appendleft(job)
                break
            batch.append(job.popleft())
            tokens += cost
            if job:
                self._jobs.append(job)
        return batch

    def _ask(self, batch: Sequence[_Prompt]) -> dict[int, list[Completion] | Exception]:
        """What is said to each, or what went wrong; of a batch that fails each is asked alone, so that one does not fail the others."""
        try:
            return dict(self._said(batch))
        except Exception as error:
            if len(batch) == 1:
                return {0: error}
            return {place: self._ask([prompt])[0] for place, prompt in enumerate(batch)}

    def _said(self, batch: Sequence[_Prompt]) -> dict[int, list[Completion]]:
        prompts, limit = [prompt.request.ids for prompt in batch], batch[0].request.limit
        if (tell := batch[0].tell) and isinstance(self._model, StreamingModel):
            self._model.stream(prompts[0], max_new_tokens=limit, stop=self._stop, tell=tell)
            return {0: []}
        if batch[0].decoding.method == "greedy":
            said = self._model.generate(prompts, max_new_tokens=limit, stop=self._stop)
            return {place: [one] for place, one in enumerate(said)}
        if not isinstance(self._model, CandidateModel):
            raise EngineError(f"{type(self._model).__name__} draws no samples")
        return dict(self._model.candidates(prompts, max_new_tokens=limit, stop=self._stop, decoding=batch[0].decoding))

    def _hear(self, batch: Sequence[_Prompt], working: asyncio.Future[dict[int, list[Completion] | Exception]]) -> None:
        answers = working.result()
        for place, prompt in enumerate(batch):
            said = answers.get(place, EngineError("the model answered fewer prompts than it was asked"))
            if prompt.answer.done():  # cancelled
                continue
            if isinstance(said, Exception):
                prompt.answer.set_exception(said)
            else:
                prompt.answer.set_result(said)
        self._free += 1
        self._start()


def _kind(prompt: _Prompt) -> tuple[int, Decoding, bool]:
    """What prompts have in common that can be answered together."""
    return prompt.request.limit, prompt.decoding, prompt.tell is None
