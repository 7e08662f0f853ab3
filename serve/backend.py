"""The models that are served, and what can be asked of them. Ray does not come in here."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import Protocol

from serve.corpus import Corpus
from serve.models import Served
from serve.voices import Made, Voice, speak
from seshat.prompts import Card
from seshat.serving import Serving
from seshat.translate import Translation


class Backend(Protocol):
    """What does the work behind the interface, by the name of a model; see ``serve.voices.Voice``."""

    @property
    def cards(self) -> Sequence[Card]:
        """The models that are served, the one that answers by default first; none as long as none is ready."""
        ...

    @property
    def waiting(self) -> int:
        """How many requests are here, at work or in a queue."""
        ...

    def corpus(self, model: str) -> Corpus | None:
        """What is known of the texts that a model learnt from; None if they are not on this machine."""
        ...

    async def translate(self, texts: Sequence[str], source: str, target: str, model: str, *, alternatives: int = 0) -> Made:
        """The translations in order."""
        ...

    def translate_stream(self, text: str, source: str, target: str, model: str) -> AsyncGenerator[Translation]:
        """A translation sentence by sentence."""
        ...

    def answer(self, message: str, system: str, model: str) -> AsyncGenerator[str]:
        """What a model says to a message, piece by piece."""
        ...


@dataclass(frozen=True, slots=True)
class _Loaded:
    voice: Voice
    corpus: Corpus | None


class Models:
    """Models in this process."""

    def __init__(self, serving: Serving) -> None:
        self._serving = serving
        self._loaded: dict[str, _Loaded] = {}

    @property
    def cards(self) -> Sequence[Card]:
        """See ``Backend``."""
        return [one.voice.served.card for one in self._loaded.values()]

    @property
    def waiting(self) -> int:
        """See ``Backend``."""
        return sum(one.voice.places.taken for one in self._loaded.values())

    async def serve(self, models: Sequence[Served]) -> None:
        """Serve these models from now on. Those that are served already stay; who is being answered by another is not disturbed."""
        found: dict[str, _Loaded] = {}
        for served in models:
            known = self._loaded.get(served.card.name)
            if known is None or known.voice.served != served:
                known = await asyncio.to_thread(self._load, served)
            found[served.card.name] = known
        self._loaded = found

    def corpus(self, model: str) -> Corpus | None:
        """See ``Backend``."""
        return self._loaded[model].corpus

    async def translate(self, texts: Sequence[str], source: str, target: str, model: str, *, alternatives: int = 0) -> Made:
        """See ``Backend``."""
        return await self._loaded[model].voice.translate(texts, source, target, alternatives)

    def translate_stream(self, text: str, source: str, target: str, model: str) -> AsyncGenerator[Translation]:
        """See ``Backend``."""
        return self._loaded[model].voice.translate_stream(text, source, target)

    def answer(self, message: str, system: str, model: str) -> AsyncGenerator[str]:
        """See ``Backend``."""
        return self._loaded[model].voice.answer(message, system)

    def _load(self, served: Served) -> _Loaded:
        return _Loaded(speak(served, self._serving), Corpus.of(served, public=self._serving.public))
