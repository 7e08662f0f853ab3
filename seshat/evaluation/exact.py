"""Exact scores for tasks that have right answers: dictionary entries and words cut into morphemes."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from seshat.config import Section
from seshat.evaluation.shares import Share
from seshat.hints import senses
from seshat.language import clean_spaces


class Exact(Section):
    """How many answers of a task are right."""

    exact: Share
    """Of the answers: the reference, letter by letter but for case and spaces."""
    accepted: Share | None = None
    """Of the answers to dictionary questions: the reference, or begin with any sense that an entry gives for the word."""
    words: Share | None = None
    """Of the words to cut into morphemes: cut as in the reference."""


def exact(
    task: str, sources: Sequence[str], answers: Sequence[str], references: Sequence[str], entries: Mapping[str, Collection[str]]
) -> Exact:
    """The exact scores of a task's answers; ``entries`` has the senses of each word (``senses_of``)."""
    right = [same(answer, reference) for answer, reference in zip(answers, references, strict=True)]
    first = [next(iter(senses(answer)), "") for answer in answers]
    known = [entries.get(_plain(source), ()) for source in sources]
    return Exact(
        exact=Share.counted(right),
        accepted=Share.counted(one or said in any_of for one, said, any_of in zip(right, first, known, strict=True))
        if task == "dictionary"
        else None,
        words=Share.clustered(map(_cut_right, answers, references)) if task == "morphology" else None,
    )


def senses_of(entries: Iterable[tuple[str, str]]) -> dict[str, set[str]]:
    """The short senses that dictionary entries of one direction, as (word, answer), give for each word.

    Give it those of the test and of training: a word whose senses are several entries has an answer for each.
    """
    found: dict[str, set[str]] = {}
    for word, answer in entries:
        found.setdefault(_plain(word), set()).update(senses(answer))
    return found


def same(answer: str, reference: str) -> bool:
    """Whether two answers are the same but for case and spaces."""
    return _plain(answer) == _plain(reference)


def _cut_right(answer: str, reference: str) -> tuple[int, int]:
    """How many words of a reference the answer cuts in the same way, in the same place, and how many there are."""
    said, wanted = _plain(answer).split(" "), _plain(reference).split(" ")
    return sum(one == other for one, other in zip(said, wanted, strict=False)), len(wanted)


def _plain(text: str) -> str:
    return clean_spaces(text).lower()
