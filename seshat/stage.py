"""What a stage is: parameters, one pure method, the resources it asks for, and a fingerprint of what its results depend on."""

from __future__ import annotations

import itertools
import json
import logging
from abc import abstractmethod
from collections.abc import Iterable, Iterator
from typing import Any, ClassVar, Generic, TypeVar

from pydantic import Field

from seshat.config import Section
from seshat.errors import ConfigError, DataError, EngineError, StoreError
from seshat.records import Record, digest

log = logging.getLogger(__name__)
In = TypeVar("In", bound=Record)
Out = TypeVar("Out", bound=Record)


PATIENCE = 50.0
"""Seconds that a node may take to come that has what a stage needs."""


class Resources(Section):
    """What one worker of a stage needs. Never part of a fingerprint: results do not depend on it."""

    cpus: float = Field(1.0, gt=0)
    gpus: float = Field(0.0, ge=0)
    workers: int = Field(0, ge=0, description="0: as many as the cluster has room for")
    batch: int = Field(1, ge=1, description="records that are given to an engine at once")


class Stage(Section, Generic[In, Out]):
    """A frozen set of parameters with one method from records to records.

    The method reads no clock, environment or file (readers apart) and uses no global randomness. A record that does not
    pass is yielded with ``reject``; a surprise is an exception, which ``guarded`` turns into a rejection of that record.
    """

    version: ClassVar[int] = 1
    """Raised when the meaning of the stage changes."""
    loads_engine: ClassVar[bool] = False
    """True if the stage holds something dear in a ``cached_property``: it then runs in actors, loaded once for each."""
    whole: ClassVar[bool] = False
    """True if the records of a batch belong together, so that one that cannot be used takes the others with it."""

    resources: Resources = Resources()

    @abstractmethod
    def __call__(self, records: Iterable[In]) -> Iterator[Out]:
        """Yield the results of each record, in order."""

    @property
    def name(self) -> str:
        """What the dashboard shows."""
        return type(self).__name__

    @property
    def depends_on(self) -> str:
        """A digest of what results depend on beside the parameters: engine version, weights, a lexicon."""
        return ""

    @property
    def fingerprint(self) -> str:
        """The name of everything that results of this stage depend on, except its input."""
        parameters = self.model_dump(mode="json", exclude={"resources"})
        return digest(self.name, self.version, json.dumps(parameters, sort_keys=True), self.depends_on)

    def __getstate__(self) -> dict[Any, Any]:
        """Leave loaded engines behind when the stage travels to a worker."""
        state = super().__getstate__()
        state["__dict__"] = {key: value for key, value in state["__dict__"].items() if key in type(self).model_fields}
        return state


def guarded(stage: Stage[Any, Any], records: Iterable[Record]) -> Iterator[Record]:
    """Run a stage so that one bad record never stops it: what raises is rejected with the reason, alone.

    Records that an earlier stage rejected pass by untouched. A missing engine, a wrong setting
    or an input that is not what it was still stops the run.
    """
    for rejected, group in itertools.groupby(records, key=lambda record: bool(record.rejected)):
        if rejected:
            yield from group
            continue
        while batch := list(itertools.islice(group, stage.resources.batch)):
            yield from _attempt(stage, batch)


def _attempt(stage: Stage[Any, Any], batch: list[Record]) -> Iterator[Record]:
    try:
        results = list(stage(batch))
    except (ConfigError, EngineError, StoreError):
        raise
    except Exception as error:  # the one guard: a parser's surprise becomes a rejected record
        if len(batch) > 1 and not stage.whole:
            for record in batch:
                yield from _attempt(stage, [record])
            return
        if not isinstance(error, DataError):
            log.debug("%s: %s", stage.name, batch[0].origin, exc_info=error)
        reason = f"unreadable: {error}" if isinstance(error, DataError) else f"error: {stage.name}: {error!r}"
        yield from (record.reject(reason) for record in batch)
    else:
        yield from results
