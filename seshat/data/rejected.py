"""What a stage rejected, to be read by people: nothing is lost, so all of it is there with its reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from seshat.config import Section, did_you_mean
from seshat.data.withdraw import READABLE
from seshat.errors import ConfigError
from seshat.records import KINDS, Record
from seshat.store import Slice, Store


class Rejected(Section):
    """One record that did not pass."""

    reason: str
    """The whole of it; it begins with the word by which records are counted."""
    id: str
    origin: str
    says: str
    """What the record says, in one line."""

    def __str__(self) -> str:
        return "\t".join((self.reason, self.origin, self.says, self.id))


def rejected(store: Store, stage: str, *, reason: str = "", most: int = 0) -> Iterator[Rejected]:
    """The records that a finished stage did not keep, with at most ``most`` for each word of a reason (0: all), or for ``reason`` alone.

    Raises:
        ConfigError: If there is no such stage, or nothing was rejected for that reason.
        StoreError: If the stage was not finished.
    """
    if stage not in READABLE:
        raise ConfigError(f"rejected: no stage {stage!r}{did_you_mean(stage, READABLE)}")
    parts = store.require(stage, needed_by="rejected").parts
    known = list(dict.fromkeys(word for part in parts for word in part.rejected))
    if reason and reason not in known:
        raise ConfigError(f"rejected: {stage} rejected nothing for {reason!r}; its reasons are {', '.join(known) or 'none'}")
    shown: Counter[str] = Counter()
    for part in parts:
        for file in part.files if part.rejected else ():
            for record in store.slice(Slice(file), KINDS[file.kind]):
                if record.rejected and reason in ("", record.reason) and (not most or shown[record.reason] < most):
                    shown[record.reason] += 1
                    yield Rejected(reason=_line(record.rejected), id=record.id, origin=record.origin, says=_says(record))


def _says(record: Record) -> str:
    values = (getattr(record, name) for name in record.content)
    return _line(" | ".join(" / ".join(map(str, value)) if isinstance(value, tuple) else str(value) for value in values if value))


def _line(text: str) -> str:
    return " ".join(text.split())
