"""The models that are served, and what can be asked of them. Ray does not come in here."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from serve.library import Library
from serve.models import Served, context_of, load
from serve.turns import Turns
from seshat.engines.decoding import Decoding
from seshat.prompts import Card
from seshat.serving import Serving
from seshat.translate import Translation, Translator

BUDGET = {"llamacpp": 0, "transformers": 4096}
"""Tokens of prompts and answers that an engine works on together; 0: it batches by itself, prompt by prompt."""
DRAWS = 3
"""How many samples are drawn for each alternative that is asked for: several say the same."""
WARM = "1."


class TooLongError(Exception):
    """A message has more tokens than the model reads."""

    def __init__(self, most: int) -> None:
        super().__init__(most)
        self.most = most


@dataclass(frozen=True, slots=True)
class Made:
    """What became of a request's texts."""

    translations: list[Translation]
    tokens: int
    """How many the model said, for counting."""


class Backend(Protocol):
    """What does the work behind the interface. Work of who goes away (a cancelled call) is dropped."""

    @property
    def cards(self) -> Sequence[Card]:
        """The models that are served, the one that answers by default first; none as long as none is ready."""
        ...

    def library(self, model: str) -> Library | None:
        """What is known of the texts that a model learnt from; None if they are not on this machine."""
        ...

    async def translate(self, texts: Sequence[str], source: str, target: str, model: str, *, alternatives: int = 0) -> Made:
        """The translations in order, between two ISO 639-3 codes of a model; raises BusyError if the queue is full."""
        ...

    def translate_stream(self, text: str, source: str, target: str, model: str) -> AsyncGenerator[str]:
        """A translation sentence by sentence, as they are made; joined, they are what ``translate`` says."""
        ...

    def answer(self, message: str, system: str, model: str) -> AsyncGenerator[str]:
        """What a model says to a message, piece by piece."""
        ...


@dataclass(frozen=True, slots=True)
class _Loaded:
    served: Served
    translator: Translator
    turns: Turns
    library: Library | None


class Models:
    """Models in this process, each behind a queue of its own."""

    def __init__(self, serving: Serving) -> None:
        self._serving = serving
        self._loaded: dict[str, _Loaded] = {}

    @property
    def cards(self) -> Sequence[Card]:
        """See ``Backend``."""
        return [one.served.card for one in self._loaded.values()]

    async def serve(self, models: Sequence[Served]) -> None:
        """Serve these models from now on. Those that are served already stay; who is being answered by another is not disturbed."""
        found: dict[str, _Loaded] = {}
        for served in models:
            known = self._loaded.get(served.card.name)
            if known is None or known.served != served:
                known = await asyncio.to_thread(self._load, served)
            found[served.card.name] = known
        self._loaded = found

    def library(self, model: str) -> Library | None:
        """See ``Backend``."""
        return self._loaded[model].library

    async def translate(self, texts: Sequence[str], source: str, target: str, model: str, *, alternatives: int = 0) -> Made:
        """See ``Backend``."""
        one = self._loaded[model]
        prepared = await asyncio.to_thread(one.translator.prepare, texts, source, target)
        said = [found for [found] in await one.turns.complete(prepared.requests)]
        made, tokens = prepared.read(said), sum(len(found.ids) for found in said)
        if alternatives and said:
            drawing = Decoding(method="mbr", samples=max(2, DRAWS * alternatives), temperature=1.0)
            drawn = await one.turns.complete(prepared.requests, drawing)
            others = [prepared.read([samples[place] for samples in drawn]) for place in range(drawing.samples)]
            made = [_with_others(best, [other[place] for other in others], alternatives) for place, best in enumerate(made)]
            tokens += sum(len(found.ids) for samples in drawn for found in samples)
        return Made(made, tokens)

    async def translate_stream(self, text: str, source: str, target: str, model: str) -> AsyncGenerator[str]:
        """See ``Backend``."""
        one = self._loaded[model]
        pieces = one.translator.pieces(text, source)
        asked = await asyncio.to_thread(lambda: [one.translator.prepare([piece], source, target) for piece, _ in pieces])
        said = one.turns.answers([request for prepared in asked for request in prepared.requests])
        async with contextlib.aclosing(said):
            for prepared, (_, between) in zip(asked, pieces, strict=True):
                heard = [found for _ in prepared.requests for found in await anext(said)]
                yield prepared.read(heard)[0].text + between

    async def answer(self, message: str, system: str, model: str) -> AsyncGenerator[str]:
        """See ``Backend``."""
        one = self._loaded[model]
        request = one.translator.message(message, system)
        room = context_of(one.served, self._serving)
        if len(request.ids) + request.limit > room:
            raise TooLongError(room - request.limit)
        stream = one.turns.stream(request, one.translator.tokenizer.decode)
        async with contextlib.aclosing(stream):
            async for piece in stream:
                yield piece

    def _load(self, served: Served) -> _Loaded:
        translator = load(served, self._serving)
        language = served.card.language
        translator.translate([WARM], language.bridge.code, language.code)  # the first request waits no longer than others
        turns = Turns(
            translator.model,
            (translator.tokenizer.end,),
            slots=self._serving.max_ongoing_requests if served.engine == "llamacpp" else 1,
            budget=BUDGET[served.engine] if self._serving.max_ongoing_requests > 1 else 0,
            most=self._serving.max_ongoing_requests + self._serving.max_queued_requests,
        )
        return _Loaded(served, translator, turns, Library.of(served, public=self._serving.public))


def _with_others(best: Translation, drawn: Sequence[Translation], number: int) -> Translation:
    """A translation with the likeliest others that say something else."""
    others = {one.text: one for one in sorted(drawn, key=lambda one: one.confidence) if one.finished and one.text != best.text}
    likeliest = sorted(others.values(), key=lambda one: -one.confidence)[:number]
    return replace(best, alternatives=tuple(one.text for one in likeliest))
