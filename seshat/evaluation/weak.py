"""Which of the test sentences are answered worse than the others: task types, files (domains), lengths.

Each group is compared with the rest of its kind by the rank test of Mann and Whitney (1947) on the scores of single sentences. So many
groups are looked at that some would seem weak by chance: a share of 5 % of those named may (Benjamini and Hochberg, 1995).
"""

from __future__ import annotations

import posixpath
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from statistics import fmean
from typing import Literal

from seshat.config import Section
from seshat.evaluation.results import Sample
from seshat.origins import SIDES
from seshat.records import Example

FEWEST = 10
"""Sentences of a group that something is said about."""
FALSE = 0.05
WORSE = 2.0
"""Points of chrF++ below the rest that a reader should care about."""
BANDS = ((0, 5), (6, 10), (11, 20), (21, 40), (41, 10_000))
"""Words of a source sentence, from and to."""
OPEN = ("completion",)
"""Tasks with many right answers, which one reference cannot tell from wrong ones."""
DOUBTFUL = 0.5
"""An aligned pair of which the aligner is less sure is doubtful."""
Kind = Literal["task", "file", "length"]


@dataclass(frozen=True, slots=True)
class Case:
    """One test case as far as weak areas need it."""

    direction: str
    task: str
    file: str
    """What it came from (``file_of``): material of one file is of one domain."""
    num_words: int
    """Of the source."""
    score: float
    """chrF++ of our answer, from 0 to 100."""


class Group(Section):
    """Test cases that have something in common, beside the others of their kind."""

    kind: Kind
    name: str
    direction: str
    num: int
    score: float
    """The mean chrF++ of its sentences."""
    rest: float
    """That of the others: of the same direction, or of all tasks."""
    trained: int
    """Training examples of the group."""
    weak: bool
    """Worse than the others beyond chance, by at least ``WORSE`` points. Translation as a task never is: all else serves it."""


class FileQuality(Section):
    """How clean the pairs of one file are."""

    file: str
    num_pairs: int
    rejected: dict[str, int]
    """By reason, the most frequent first."""
    num_aligned: int
    """Kept pairs that a program, not a person, put side by side ..."""
    num_doubtful: int
    """... and those of them of which it was not sure."""

    @property
    def doubt(self) -> float:
        """The share of pairs that were rejected or are doubtful."""
        return (sum(self.rejected.values()) + self.num_doubtful) / max(1, self.num_pairs)


def cases(samples: Sequence[Sample], scores: Sequence[float]) -> list[Case]:
    """The cases of one direction and task, with the scores of our answers; files with few of them are taken together by their folder."""
    files = Counter(file_of(one.origin) for one in samples)
    return [
        Case(one.direction, one.task, _with_others(file_of(one.origin), files), len(one.source.split()), score)
        for one, score in zip(samples, scores, strict=True)
    ]


def _with_others(file: str, files: Counter[str]) -> str:
    folder = posixpath.dirname(file)
    return file if files[file] >= FEWEST or not folder else f"{folder}/ (small files)"


def file_of(origin: str) -> str:
    """The file behind a record, without what follows its first full stop: both sides of a document have one."""
    return _stem(origin.partition(SIDES)[0].partition("#")[0])


@lru_cache
def _stem(path: str) -> str:
    folder, name = posixpath.split(path)
    return posixpath.join(folder, name.partition(".")[0])


def groups(found: Iterable[Case], training: Iterable[Example]) -> tuple[Group, ...]:
    """All groups that are large enough, the worst of each kind first; one that is alone in its kind has nothing to be compared with."""
    made = [group for group in _compared(list(found), _trained(training)) if group]
    p_values = [p for _, p in made]
    chance = _adjusted(p_values)
    judged = [
        group.model_copy(update={"weak": p <= FALSE and group.rest - group.score >= WORSE and group.name != "translation"})
        for (group, _), p in zip(made, chance, strict=True)
    ]
    return tuple(sorted(judged, key=lambda one: (one.kind, one.direction, one.score - one.rest, one.name)))


def _compared(found: Sequence[Case], trained: Mapping[tuple[Kind, str, str], int]) -> Iterator[tuple[Group, float]]:
    from scipy.stats import mannwhitneyu  # heavy

    translations = [one for one in found if one.task == "translation"]
    rooms: list[tuple[Kind, Sequence[Case]]] = [("task", [one for one in found if one.task not in OPEN])]
    for direction in dict.fromkeys(one.direction for one in translations):
        of_direction = [one for one in translations if one.direction == direction]
        rooms += [("file", of_direction), ("length", of_direction)]
    for kind, room in rooms:
        for name, direction in dict.fromkeys((_name(kind, one), one.direction) for one in room):
            inside = [one.score for one in room if (_name(kind, one), one.direction) == (name, direction)]
            outside = [one.score for one in room if (_name(kind, one), one.direction) != (name, direction)]
            if min(len(inside), len(outside)) >= FEWEST:
                group = Group(
                    kind=kind,
                    name=name,
                    direction=direction,
                    num=len(inside),
                    score=fmean(inside),
                    rest=fmean(outside),
                    trained=trained.get((kind, direction, name), 0),
                    weak=False,
                )
                yield group, float(mannwhitneyu(inside, outside, alternative="less", method="asymptotic").pvalue)


def _adjusted(p_values: Sequence[float]) -> list[float]:
    if not p_values:
        return []
    from scipy.stats import false_discovery_control  # heavy

    return [float(one) for one in false_discovery_control(p_values)]


def _trained(training: Iterable[Example]) -> dict[tuple[Kind, str, str], int]:
    """How many training examples each group has."""
    counts: dict[tuple[Kind, str, str], int] = {}
    for one in training:
        keys: list[tuple[Kind, str, str]] = [("task", one.direction, one.task)]
        if one.task == "translation":
            keys += [("file", one.direction, file_of(one.origin)), ("length", one.direction, band(len(one.source.split())))]
        for key in keys:
            counts[key] = counts.get(key, 0) + 1
    return counts


def _name(kind: Kind, case: Case) -> str:
    return {"task": case.task, "file": case.file, "length": band(case.num_words)}[kind]


def band(num_words: int) -> str:
    """What sentences of this length are called: ``6-10 words``."""
    low, high = next(one for one in BANDS if num_words <= one[1])
    return f"{low}-{high} words" if high < BANDS[-1][1] else f"{low} words and more"


def qualities(pairs: Iterable[tuple[str, str, bool, float]]) -> tuple[FileQuality, ...]:
    """How clean each file is, the one with most doubt first.

    ``pairs`` has of every pair, rejected ones too, its fields ``origin``, ``rejected``, ``aligned`` and ``score``.
    """
    by_file: dict[str, list[tuple[str, bool, float]]] = {}
    for origin, rejected, aligned, score in pairs:
        by_file.setdefault(file_of(origin), []).append((rejected.partition(":")[0], aligned, score))
    made = []
    for file, found in by_file.items():
        reasons = Counter(reason for reason, _, _ in found if reason)
        scores = [score for reason, aligned, score in found if aligned and not reason]
        made.append(
            FileQuality(
                file=file,
                num_pairs=len(found),
                rejected=dict(sorted(reasons.items(), key=lambda item: (-item[1], item[0]))),
                num_aligned=len(scores),
                num_doubtful=sum(score < DOUBTFUL for score in scores),
            )
        )
    return tuple(sorted(made, key=lambda one: (-one.doubt, one.file)))
