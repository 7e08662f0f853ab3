"""What speaks: a language model behind its queue, or phrases. Work of who goes away (a cancelled call) is dropped."""

from __future__ import annotations

import asyncio
import contextlib
import os
import unicodedata
from collections.abc import AsyncGenerator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Protocol

from serve.models import Served, context_of, load
from serve.turns import Places, Turns
from seshat.engines.decoding import GREEDY, Decoding
from seshat.examples import read_examples
from seshat.export.phrases import PAIRS
from seshat.language import clean_spaces
from seshat.rounds.engines import PhraseEngine
from seshat.serving import Serving
from seshat.translate import Translation

CONTINUOUS = ("llamacpp", "vllm")
"""The engines that take prompt by prompt, and batch them by themselves."""
BUDGET = 4096
"""Tokens of prompts and answers that are given to any other together."""
DRAWS = 3
"""How many samples are drawn for each alternative that is asked for: several say the same."""
WARM = "1."


class TooLongError(Exception):
    """A message has more tokens than the model reads."""

    def __init__(self, most: int) -> None:
        super().__init__(most)
        self.most = most


class OnlyTranslatesError(Exception):
    """What is served can translate and nothing else."""


@dataclass(frozen=True, slots=True)
class Made:
    """What became of a request's texts."""

    translations: list[Translation]
    tokens: int
    """How many the model said, for counting."""


class Voice(Protocol):
    """A model that is loaded and warm. All of it raises BusyError if its queue is full."""

    served: Served
    places: Places
    """Its queue."""

    async def translate(self, texts: Sequence[str], source: str, target: str, alternatives: int) -> Made:
        """The translations in order, between the two ISO 639-3 codes of the model."""
        ...

    def translate_stream(self, text: str, source: str, target: str) -> AsyncGenerator[Translation]:
        """A translation sentence by sentence, as they are made; their texts, joined, are what ``translate`` says."""
        ...

    def answer(self, message: str, system: str) -> AsyncGenerator[str]:
        """What it says to a message, piece by piece.

        Raises:
            TooLongError: If the message is too long.
            OnlyTranslatesError: If it cannot be spoken to.
        """
        ...


def speak(served: Served, serving: Serving) -> Voice:
    """Load what was found, and let it say something, so that the first request waits no longer than others."""
    return PhraseVoice(served, serving) if served.engine == "phrases" else ModelVoice(served, serving)


class ModelVoice:
    """A language model; see ``Voice``."""

    def __init__(self, served: Served, serving: Serving) -> None:
        self.served = served
        self._translator = load(served, serving)
        language, continuous = served.card.language, served.engine in CONTINUOUS
        self._translator.translate([WARM], language.bridge.code, language.code)
        self._room = context_of(served, serving)
        self._turns = Turns(
            self._translator.model,
            (self._translator.tokenizer.end,),
            slots=serving.max_ongoing_requests if continuous else 1,
            budget=BUDGET if not continuous and serving.max_ongoing_requests > 1 else 0,
            most=serving.max_ongoing_requests + serving.max_queued_requests,
        )
        self.places = self._turns.places

    async def translate(self, texts: Sequence[str], source: str, target: str, alternatives: int) -> Made:
        """See ``Voice``."""
        prepared = await asyncio.to_thread(self._translator.prepare, texts, source, target)
        drawing = Decoding(method="mbr", samples=max(2, DRAWS * alternatives), temperature=1.0)
        heard = await self._turns.complete(prepared.requests, GREEDY, *([drawing] if alternatives else []))
        tokens = sum(len(found.ids) for several in heard for found in several)
        number = len(prepared.requests)
        made = prepared.read([found for [found] in heard[:number]])
        if alternatives:
            others = [prepared.read([samples[place] for samples in heard[number:]]) for place in range(drawing.samples)]
            made = [_with_others(best, [other[place] for other in others], alternatives) for place, best in enumerate(made)]
        return Made(made, tokens)

    async def translate_stream(self, text: str, source: str, target: str) -> AsyncGenerator[Translation]:
        """See ``Voice``."""
        pieces = self._translator.pieces(text, source)
        asked = await asyncio.to_thread(lambda: [self._translator.prepare([piece], source, target) for piece, _ in pieces])
        said = self._turns.answers([request for prepared in asked for request in prepared.requests])
        async with contextlib.aclosing(said):
            for prepared, (_, between) in zip(asked, pieces, strict=True):
                heard = [found for _ in prepared.requests for found in await anext(said)]
                made = prepared.read(heard)[0]
                yield replace(made, text=made.text + between)

    async def answer(self, message: str, system: str) -> AsyncGenerator[str]:
        """See ``Voice``."""
        request = self._translator.message(message, system)
        if len(request.ids) + request.limit > self._room:
            raise TooLongError(self._room - request.limit)
        stream = self._turns.stream(request, self._translator.tokenizer.decode)
        async with contextlib.aclosing(stream):
            async for piece in stream:
                yield piece


class PhraseVoice:
    """Phrase-based translation, which learns both directions from its pairs when it is loaded; see ``Voice``."""

    def __init__(self, served: Served, serving: Serving) -> None:
        self.served = served
        self._engine = PhraseEngine(list(read_examples(os.path.join(served.folder, PAIRS))))
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="phrases")
        self.places = Places(serving.max_ongoing_requests + serving.max_queued_requests)
        language = served.card.language
        for source, target in ((language.bridge.code, language.code), (language.code, language.bridge.code)):
            self._engine.say([WARM], source, target)

    async def translate(self, texts: Sequence[str], source: str, target: str, alternatives: int) -> Made:
        """See ``Voice``; there is one way to say it."""
        made = []
        with self.places.one():
            for text in texts:
                said = [await self._said(piece, source, target) + between for piece, between in self._pieces(text, source)]
                made.append(Translation(text="".join(said), confidence=1.0, finished=True))
        return Made(made, sum(len(one.text.split()) for one in made))

    async def translate_stream(self, text: str, source: str, target: str) -> AsyncGenerator[Translation]:
        """See ``Voice``."""
        with self.places.one():
            for piece, between in self._pieces(text, source):
                yield Translation(text=await self._said(piece, source, target) + between, confidence=1.0, finished=True)

    async def answer(self, message: str, system: str) -> AsyncGenerator[str]:
        """See ``Voice``."""
        raise OnlyTranslatesError
        yield ""

    async def _said(self, sentence: str, source: str, target: str) -> str:
        if not sentence:
            return ""
        [said] = await asyncio.get_running_loop().run_in_executor(self._thread, self._engine.say, [sentence], source, target)
        return said.text

    def _pieces(self, text: str, source: str) -> Iterator[tuple[str, str]]:
        """The sentences of a text, each with what stands between it and the next."""
        language = self.served.card.language
        bridge = source == language.bridge.code
        for line in text.splitlines(keepends=True):
            bare = line.rstrip("\r\n")
            clean = clean_spaces(unicodedata.normalize("NFC", bare)) if bridge else language.normalize(bare)
            sentences = language.sentences(clean, bridge=bridge) or [""]
            ends = [" "] * (len(sentences) - 1) + [line[len(bare) :]]
            yield from zip(sentences, ends, strict=True)


def _with_others(best: Translation, drawn: Sequence[Translation], number: int) -> Translation:
    """A translation with the likeliest others that say something else."""
    others = {one.text: one for one in sorted(drawn, key=lambda one: one.confidence) if one.finished and one.text != best.text}
    likeliest = sorted(others.values(), key=lambda one: -one.confidence)[:number]
    return replace(best, alternatives=tuple(one.text for one in likeliest))
