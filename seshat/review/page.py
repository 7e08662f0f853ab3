"""What speakers write on the page in place of a translation of ours: kept in ``data/raw/corrections``, which ``make ingest`` reads.

One line of JSON is one version of one person's translation of one sentence, with who, when, and that they allowed its use; without
that nothing is kept. A later version supersedes an earlier one of the same person, and speakers may approve or reject what others
wrote. No line is ever deleted but by ``seshat withdraw``: what is not used any more says so (``review status``).
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import secrets
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Literal

from pydantic import Field, ValidationError

from seshat.config import Section
from seshat.errors import DataError
from seshat.language import Language, clean_spaces
from seshat.rights import CORRECTIONS
from seshat.store import Store

FILE = f"{CORRECTIONS}/page.jsonl"
ENOUGH = 2
"""How many speakers must agree that a correction is good, or that it is not, before it is asked about no more."""
LINE_ENDS = re.compile("[\x85\u2028\u2029]")
"""Characters at which some readers end a line; JSON has other ways to write them."""
Status = Literal["pending", "approved", "rejected", "superseded"]
OPEN: tuple[Status, ...] = ("pending", "approved")
"""Those that are used."""


class Correction(Section):
    """A version of somebody's translation of a sentence."""

    id: str
    version: int
    source: str
    """The sentence that was to be translated."""
    source_language: str
    target_language: str
    """ISO 639-3 codes."""
    correction: str
    """What the speaker wrote."""
    instead_of: str
    """What the model had said."""
    model: str
    reviewer: str
    """The name that they gave, which may be empty."""
    author: str
    """Who wrote it, as far as a browser can be told from another: by it versions follow one another, and nobody votes for himself."""
    when: str
    """In UTC, ISO 8601."""
    approved_by: tuple[str, ...] = ()
    rejected_by: tuple[str, ...] = ()
    """The authors who judged it."""
    status: Status = "pending"


class Given(Section):
    """What somebody sent."""

    source: str = Field(min_length=1)
    source_language: str
    target_language: str
    correction: str = Field(min_length=1)
    instead_of: str = ""
    model: str = ""
    reviewer: str = Field("", max_length=100)
    author: str = Field("", max_length=100)


class Question(Section):
    """A sentence and what speakers wrote for it: one correction to be judged, or several that contradict each other."""

    source: str
    source_language: str
    target_language: str
    corrections: tuple[Correction, ...]


class Corrections:
    """The corrections of a workspace. Several processes may write."""

    def __init__(self, raw: Store, language: Language, *, lock: str = "") -> None:
        """``raw`` is the raw folder; where that is in an object store, ``lock`` is a folder of this machine, the only one that writes."""
        self._raw, self._language, self._lock = raw, language, lock or raw.path(CORRECTIONS)

    def add(self, given: Given) -> Correction:
        """Keep a correction. If the person's last one for the sentence was the same, it is that; if another's is, they find that good."""
        given = given.model_copy(update={"source": clean_spaces(given.source), "correction": clean_spaces(given.correction)})
        with self._changed() as all_of_them:
            before = [one for one in all_of_them if given.author and one.author == given.author and _same_sentence(one, given)]
            if before and before[-1].status in OPEN and before[-1].correction == given.correction:
                return before[-1]
            for place, one in enumerate(all_of_them):
                if one in before:
                    all_of_them[place] = one.model_copy(update={"status": "superseded"})
            others = [place for place, one in enumerate(all_of_them) if _same_sentence(one, given) and one.status in OPEN]
            same = next((place for place in others if all_of_them[place].correction == given.correction), -1)
            if same >= 0 and given.author and all_of_them[same].author:
                all_of_them[same] = _judged(all_of_them[same], given.author, good=True)
                return all_of_them[same]
            made = Correction(
                **given.model_dump(), id=secrets.token_hex(8), version=len(before) + 1, when=datetime.now(UTC).isoformat(timespec="seconds")
            )
            all_of_them.append(made)
        return made

    def judge(self, id: str, author: str, *, good: bool) -> Correction | None:
        """Note that somebody finds a correction good, or not; None if there is no such correction, or it is their own."""
        with self._changed() as all_of_them:
            place = next((place for place, one in enumerate(all_of_them) if one.id == id), -1)
            if place < 0 or all_of_them[place].author == author or not author:
                return None
            all_of_them[place] = _judged(all_of_them[place], author, good=good)
            return all_of_them[place]

    def questions(self, author: str = "") -> list[Question]:
        """What is to be judged and this author has neither written nor judged, contradictions first, then the oldest."""
        groups: dict[tuple[str, str], list[Correction]] = {}
        for one in self.all():
            if one.status in OPEN:
                groups.setdefault((one.source_language, one.source), []).append(one)
        asked = []
        for (code, source), found in groups.items():
            conflict = len({one.correction for one in found}) > 1
            open_ = [one for one in found if one.status == "pending" or conflict]
            if any(author not in (one.author, *one.approved_by, *one.rejected_by) for one in open_):
                question = Question(source=source, source_language=code, target_language=found[0].target_language, corrections=tuple(open_))
                asked.append((not conflict, found[0].when, question))
        return [question for *_, question in sorted(asked, key=lambda one: one[:2])]

    def all(self) -> list[Correction]:
        """All versions of all corrections, in the order in which they came.

        Raises:
            DataError: If the file holds a line that is no correction of the page.
        """
        if self._raw.size(FILE) < 0:
            return []
        lines = self._raw.read(FILE).decode("utf-8").split("\n")
        return [self._parsed(line, number) for number, line in enumerate(lines, 1) if line.strip()]

    @contextlib.contextmanager
    def _changed(self) -> Iterator[list[Correction]]:
        """All corrections, to be changed by one process at a time; written at the end, whole."""
        os.makedirs(self._lock, exist_ok=True)
        with open(os.path.join(self._lock, ".page.lock"), "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            before = self.all()
            after = list(before)
            yield after
            if after != before:
                self._raw.write(FILE, "".join(f"{self._line(one)}\n" for one in after).encode())

    def _line(self, one: Correction) -> str:
        """With both sides under the codes of their languages and the columns of a bilingual table, as ingest reads it."""
        sides = {one.source_language: one.source, one.target_language: one.correction}
        table = {
            **{code: sides[code] for code in (self._language.code, self._language.bridge.code)},
            "corrected side": one.target_language,
            "review status": one.status,
        }
        about = one.model_dump(mode="json", exclude={"source", "correction", "target_language", "status"})
        line = json.dumps(table | {"consent": True} | about, ensure_ascii=False)
        return LINE_ENDS.sub(lambda found: f"\\u{ord(found.group()):04x}", line)

    def _parsed(self, line: str, number: int) -> Correction:
        try:
            fields = json.loads(line)
            target = fields.pop("corrected side")
            sides = {code: fields.pop(code) for code in (self._language.code, self._language.bridge.code)}
            fields.pop("consent")
            return Correction(
                **fields | {"status": fields.pop("review status")},
                target_language=target,
                source=sides[fields["source_language"]],
                correction=sides[target],
            )
        except (ValueError, KeyError, AttributeError, TypeError, ValidationError) as error:
            kind = type(error).__name__
            raise DataError(
                f"{self._raw.path(FILE)}:{number}: not a line that the page wrote ({kind}): mend it, or move the file out of {CORRECTIONS}"
            ) from None


def _judged(one: Correction, author: str, *, good: bool) -> Correction:
    """A correction with what somebody thinks of it, in place of what they thought before."""
    approved = {*one.approved_by} - {author} | ({author} if good else set())
    rejected = {*one.rejected_by} - {author} | (set() if good else {author})
    status = one.status if one.status == "superseded" else _status(len(approved), len(rejected))
    return one.model_copy(update={"approved_by": tuple(sorted(approved)), "rejected_by": tuple(sorted(rejected)), "status": status})


def _status(approved: int, rejected: int) -> Status:
    if rejected >= ENOUGH and rejected > approved:
        return "rejected"
    return "approved" if approved >= ENOUGH and approved > rejected else "pending"


def _same_sentence(one: Correction, given: Given) -> bool:
    return (one.source, one.source_language, one.target_language) == (given.source, given.source_language, given.target_language)
