"""What its owners have withdrawn: ``data/withdrawn.yaml`` of the workspace.

The verbs that read raw files leave it out, training refuses data that still holds it, and a model that learnt from it is
neither exported nor served. A withdrawal names no date, so that equal material gives equal bytes.
"""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import Field

from seshat.config import Section, load_text, to_yaml
from seshat.errors import StoreError
from seshat.examples import SPLITS, TRAINING, parse_lines
from seshat.prompts import Card
from seshat.records import RawFile
from seshat.rights import AND
from seshat.store import Store

FILE = "data/withdrawn.yaml"
SPEECH_CARD = "speech-card.json"
"""The file beside a recogniser that was taught here: it names every recording and table behind it."""


class Withdrawal(Section):
    """One source that its owners have taken back."""

    source: str = Field(min_length=1)
    """A folder with all that is below it, or one file; relative to the raw folder, as in ``Record.origin``."""
    why: str = ""

    def covers(self, origin: str) -> bool:
        """True for what comes from the source, if only one side of an aligned pair does."""
        origins = f"{AND}{origin}{AND}"
        return any(f"{AND}{self.source}{end}" in origins for end in ("/", "#", AND))

    def touches(self, collection: str) -> bool:
        """True if records of a collection may come from the source."""
        return f"{collection}/".startswith(f"{self.source}/") or f"{self.source}/".startswith(f"{collection}/")

    def __str__(self) -> str:
        return f"{self.source} ({self.why})" if self.why else self.source


class Withdrawals(Section):
    """All of a workspace."""

    sources: tuple[Withdrawal, ...] = ()

    def covers(self, origin: str) -> bool:
        """True for what comes from any of them."""
        return any(one.covers(origin) for one in self.sources)

    def sift(self, files: Iterable[RawFile]) -> tuple[list[RawFile], str]:
        """The files that are left, and a note on how many are not."""
        files = list(files)
        left = [file for file in files if not self.covers(file.origin)]
        return left, f"{len(files) - len(left)} files withdrawn" if len(left) < len(files) else ""

    def refuse_examples(self, store: Store) -> None:
        """Stop if the examples of the workspace hold what was withdrawn."""
        for one in self.sources:
            for split in SPLITS:
                if _holds(store, f"{TRAINING}/{split}.jsonl", one):
                    raise StoreError(
                        f"{store.path(TRAINING)}/{split}.jsonl holds what was withdrawn, {one}: run 'seshat withdraw {one.source}' "
                        "again, which makes the data without it"
                    )

    def refuse_model(self, card: Card, store: Store, folder: str) -> None:
        """Stop if a model learnt from what was withdrawn, or if that cannot be ruled out."""
        for one in self.sources:
            if learnt_from(card, one, store):
                raise StoreError(
                    f"{folder} learnt from what was withdrawn, {one}: train it again without it (make train, make export-gguf), "
                    f"or take the withdrawal back with 'seshat withdraw {one.source} --undo'"
                )


NOTHING = Withdrawals()


def read_withdrawals(store: Store) -> Withdrawals:
    """The withdrawals of a workspace; most have none."""
    if store.size(FILE) < 0:
        return NOTHING
    return load_text(Withdrawals, store.read(FILE).decode("utf-8", "replace"), store.path(FILE))


def write_withdrawals(store: Store, withdrawals: Withdrawals) -> None:
    """Put the list in place; readers look at it before every run."""
    store.write(FILE, to_yaml(withdrawals).encode())


def learnt_from(card: Card, withdrawal: Withdrawal, store: Store) -> bool:
    """Whether a model saw a source; True if the data it saw is gone and its collections do not rule it out."""
    if withdrawal.source in card.without or not any(withdrawal.touches(name) for name in card.rights.sources):
        return False
    names = [f"{TRAINING}/{name}" for name in sorted(card.data)]
    still_here = bool(names) and all(
        store.size(name) >= 0 and store.vouch(name).sha256 == card.data[name.rpartition("/")[2]] for name in names
    )
    return any(_holds(store, name, withdrawal) for name in names) if still_here else True


def _holds(store: Store, name: str, withdrawal: Withdrawal) -> bool:
    if store.size(name) < 0:
        return False
    lines = store.read(name).decode("utf-8").split("\n")
    return any(withdrawal.covers(example.origin) for example in parse_lines(lines, store.path(name)))
