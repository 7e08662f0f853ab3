"""A review sheet: which answers are on it, and the key that says whose they are.

The key is all that is known about a sheet. It is kept apart from the files for reviewers (``reports/review``), because in a blind
review it would give the answer away; filled sheets are read against it, so the key of an older sheet must stay.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

import regex
from pydantic import ValidationError

from seshat.config import Section
from seshat.errors import StoreError
from seshat.evaluation.results import FOLDER, Sample
from seshat.language import Language
from seshat.prompts import TASKS
from seshat.records import digest
from seshat.review.form import TASK_WORDS
from seshat.review.settings import Review
from seshat.store import Store

SHEETS, KEYS = f"{FOLDER}/review", f"{FOLDER}/review-keys"
Author = Literal["ours", "reference", "gloss"]
BANDS = 3
"""Of confidence, from which equally many answers are drawn."""
_CONTROLS = regex.compile(r"[\p{Cc}\p{Cs}--\n]", regex.VERSION1)
"""What no spreadsheet takes."""


class Row(Section):
    """One answer to be marked."""

    id: str
    """The sheet and a number: ``s4f2a91-007``."""
    direction: str
    task: str
    source: str
    answer: str
    reference: str
    authors: tuple[Author, ...]
    """Whose answer it is: more than one where a blind sheet would show the same text twice."""
    confidence: float | None = None
    origin: str = ""


class Sheet(Section):
    """All that stands on a sheet, and what reviewers must not know."""

    id: str
    """A digest of its content."""
    name: str
    """Of the adapter that was evaluated; empty if the samples do not say it."""
    language: Language
    shows_reference: bool
    blind: bool
    rows: tuple[Row, ...]

    def called(self, direction: str) -> str:
        """A direction with the names of its languages: ``español → shipibo-konibo``."""
        names = {self.language.code: self.language.name, self.language.bridge.code: self.language.bridge.name}
        return " → ".join(names.get(code, code) for code in direction.split("-"))

    def shown(self, row: Row) -> dict[str, str]:
        """What a reviewer sees of a row, by column."""
        seen = {
            "id": row.id,
            "direction": self.called(row.direction),
            "task": str(TASK_WORDS[row.task]) if row.task in TASK_WORDS else row.task,
            "source": row.source,
            "answer": row.answer,
        }
        return {**seen, "reference": row.reference} if self.shows_reference else seen


def make_sheet(samples: Iterable[Sample], review: Review, language: Language, name: str = "") -> Sheet:
    """Draw the answers of every direction and task and put them on a sheet; equal samples give an equal sheet."""
    parts: dict[tuple[str, str], list[Sample]] = {}
    for sample in samples:
        if sample.source.strip() and "ours" in sample.hypotheses:
            parts.setdefault((sample.task, sample.direction), []).append(sample)
    drafts: list[Row] = []
    for task, direction in sorted(parts, key=lambda part: [part[0] != known for known in TASKS]):
        chosen = draw(parts[task, direction], review.sentences if task == "translation" else review.others)
        rows = [row for sample in chosen for row in _rows(sample, blind=review.blind)]
        drafts += sorted(rows, key=lambda row: digest(row.source, row.answer))  # so that no order tells whose it is
    content = (row.model_dump_json() for row in drafts)
    sheet_id = "s" + digest("review", name, review.reference, review.blind, *content)[:6]
    return Sheet(
        id=sheet_id,
        name=name,
        language=language,
        shows_reference=review.reference,
        blind=review.blind,
        rows=tuple(row.model_copy(update={"id": f"{sheet_id}-{number:03}"}) for number, row in enumerate(drafts, 1)),
    )


def draw(samples: Sequence[Sample], number: int) -> list[Sample]:
    """A number of samples, spread evenly over confidence and, within each band of it, over length.

    Systematic sampling from an ordered list (Cochran, 1977, "Sampling Techniques", chapter 8), which stratifies in proportion: the
    mean over what is drawn is that of all.
    """
    by_confidence = sorted(samples, key=lambda one: (one.confidence or 0.0, digest(one.source, one.reference)))
    bands = [by_confidence[len(samples) * band // BANDS : len(samples) * (band + 1) // BANDS] for band in range(BANDS)]
    ordered = [one for band in bands for one in sorted(band, key=lambda one: (len(one.source), digest(one.source, one.reference)))]
    number = min(number, len(ordered))
    return [ordered[(2 * place + 1) * len(ordered) // (2 * number)] for place in range(number)]


def _rows(sample: Sample, *, blind: bool) -> Iterable[Row]:
    said: Mapping[Author, str | None] = {
        "ours": sample.hypotheses["ours"],
        "reference": sample.reference if blind else None,
        "gloss": sample.hypotheses.get("gloss") if blind else None,
    }
    authors: dict[str, list[Author]] = {}
    for author, text in said.items():
        if text is not None:
            authors.setdefault(_clean(text), []).append(author)
    for text, names in authors.items():
        yield Row(
            id="",
            direction=sample.direction,
            task=sample.task,
            source=_clean(sample.source),
            answer=text,
            reference=_clean(sample.reference),
            authors=tuple(names),
            confidence=sample.confidence if "ours" in names else None,
            origin=sample.origin,
        )


def _clean(text: str) -> str:
    return _CONTROLS.sub("", text).strip()


def read_samples(store: Store, name: str) -> list[Sample]:
    """The samples of a file of the workspace.

    Raises:
        StoreError: If the file is not there, or a line of it is no sample.
    """
    if store.size(name) < 0:
        raise StoreError(f"{store.path(name)} is not there: run 'make eval' first, or set review.samples")
    found = []
    for number, line in enumerate(store.read(name).splitlines(), 1):
        try:
            found.append(Sample.model_validate_json(line))
        except ValidationError as error:
            raise StoreError(f"{store.path(name)}:{number}: not a sample ({error.error_count()} errors): run 'make eval' again") from None
    return found


def read_keys(store: Store) -> dict[str, Sheet]:
    """The keys of all sheets that were ever written here, by the sheet's id."""
    found = {}
    for name in store.names(KEYS):
        try:
            sheet = Sheet.model_validate_json(store.read(name))
        except ValidationError as error:
            raise StoreError(
                f"{store.path(name)} is not the key of a sheet ({error.error_count()} errors): put back the one that was there"
            ) from None
        found[sheet.id] = sheet
    return found
