"""Stages that are small and real: what they do shows where and how often they ran."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import ClassVar

from seshat.errors import ConfigError, DataError, EngineError, StoreError
from seshat.records import RawFile, SentencePair
from seshat.stage import Resources, Stage
from tests.make import pair

ERRORS = {error.__name__: error for error in (ConfigError, DataError, EngineError, StoreError, KeyError, ZeroDivisionError)}


class ReadWords(Stage[RawFile, SentencePair]):
    """A pair for each word of a raw file's name."""

    def __call__(self, records: Iterable[RawFile]) -> Iterator[SentencePair]:
        for file in records:
            for number, word in enumerate(file.origin.split()):
                yield pair(word, word, origin=f"{file.origin}#{number}", collection=file.collection)


class Shout(Stage[SentencePair, SentencePair]):
    """The text in capitals, with a suffix."""

    suffix: str = "!"
    resources: Resources = Resources(batch=3)

    def __call__(self, records: Iterable[SentencePair]) -> Iterator[SentencePair]:
        for record in records:
            yield pair(record.text.upper() + self.suffix, record.translation, origin=record.origin, collection=record.collection)


class Stumble(Stage[SentencePair, SentencePair]):
    """Raises an error at a text; every other record passes."""

    at: str = "bad"
    error: str = "ZeroDivisionError"
    resources: Resources = Resources(batch=4)

    def __call__(self, records: Iterable[SentencePair]) -> Iterator[SentencePair]:
        for record in records:
            if record.text == self.at:
                raise ERRORS[self.error](f"cannot say {record.text}")
            yield record


class StumbleTogether(Stumble):
    """The same, where the records of a batch belong together."""

    whole: ClassVar[bool] = True


class Swallow(Stage[SentencePair, SentencePair]):
    """Loses every record: what no stage may do that conserves."""

    def __call__(self, records: Iterable[SentencePair]) -> Iterator[SentencePair]:
        for _ in records:
            yield from ()


class Engine(Stage[SentencePair, SentencePair]):
    """Loads something dear, and leaves a line in ``log`` whenever it does."""

    loads_engine: ClassVar[bool] = True
    log: str

    @cached_property
    def _engine(self) -> str:
        with open(self.log, "a", encoding="utf-8") as stream:
            stream.write(f"{os.getpid()}\n")
        return "engine"

    def __call__(self, records: Iterable[SentencePair]) -> Iterator[SentencePair]:
        for record in records:
            yield pair(f"{record.text} {self._engine}", record.translation, origin=record.origin, collection=record.collection)


class Slow(Stage[SentencePair, SentencePair]):
    """Takes its time, and leaves a line in ``log`` for every record it works on: its process and the text."""

    seconds: float
    log: str

    def __call__(self, records: Iterable[SentencePair]) -> Iterator[SentencePair]:
        for record in records:
            with open(self.log, "a", encoding="utf-8") as stream:
                stream.write(f"{os.getpid()} {record.text}\n")
            time.sleep(self.seconds)
            yield record
