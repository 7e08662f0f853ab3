"""``reports/rounds.json``: what every round of back-translation made, and what came of it on the validation part."""

from __future__ import annotations

from pydantic import ValidationError

from seshat.config import Section
from seshat.errors import StoreError
from seshat.evaluation.significance import Comparison
from seshat.store import Store

FILE = "reports/rounds.json"


class Outturn(Section):
    """The model that learnt from a round, against the one that wrote its sentences."""

    name: str
    identity: str
    scores: dict[str, float]
    """chrF++ on val, by direction."""
    comparisons: dict[str, Comparison]
    """With the one before, on the sentences of val that both were asked for."""


class Round(Section):
    """One round."""

    number: int
    """From 1."""
    engine: str
    """Who translated."""
    identity: str
    data: str
    """SHA-256 of the ``train.jsonl`` that it had learnt from."""
    directions: tuple[str, ...]
    """Which ones its sentences teach."""
    kept: int
    rejected: dict[str, int]
    scores: dict[str, float]
    """chrF++ of the engine on val, by direction."""
    measured: str
    """The file with its translations of val."""
    outturn: Outturn | None = None
    """None until a model that learnt from other data is measured."""
    dropped: bool = False

    @property
    def fell(self) -> list[str]:
        """The directions in which val became worse, beyond chance."""
        return [direction for direction, one in self.outturn.comparisons.items() if one.verdict == "worse"] if self.outturn else []

    def __str__(self) -> str:
        lines = [f"round {self.number}: {self.kept:,} sentences by {self.engine}{', dropped' if self.dropped else ''}"]
        if self.outturn:
            lines += [
                f"  {direction}: chrF++ on val {self.scores.get(direction, 0.0):.1f} -> {self.outturn.scores[direction]:.1f} ({one})"
                for direction, one in self.outturn.comparisons.items()
            ]
        return "\n".join(lines)


class Ledger(Section):
    """All rounds of a workspace, in order."""

    rounds: tuple[Round, ...] = ()

    @property
    def last(self) -> Round | None:
        """The last one."""
        return self.rounds[-1] if self.rounds else None

    def put(self, one: Round) -> Ledger:
        """With a round in its place."""
        return Ledger(rounds=(*(other for other in self.rounds if other.number < one.number), one))


def read_ledger(store: Store) -> Ledger:
    """The rounds so far."""
    if store.size(FILE) < 0:
        return Ledger()
    try:
        return Ledger.model_validate_json(store.read(FILE))
    except ValidationError as error:
        raise StoreError(f"{store.path(FILE)} is not a record of rounds ({error.error_count()} errors): move it away") from None


def write_ledger(store: Store, ledger: Ledger) -> None:
    """Put ``reports/rounds.json`` in place."""
    store.write(FILE, ledger.model_dump_json(indent=1).encode())
