"""The verb ``diff``: what two evaluated runs were made of, and which of them is better, beyond the noise of the test sentences."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from seshat.config import Section
from seshat.errors import StoreError
from seshat.evaluation.measured import Measured
from seshat.evaluation.metrics import METRICS, NAMES
from seshat.evaluation.results import Sample
from seshat.evaluation.runs import Run
from seshat.evaluation.scoring import MAIN, draws_of
from seshat.evaluation.settings import Evaluation
from seshat.evaluation.significance import Comparison, compare

UNKNOWN = "not known"


class Change(Section):
    """Something that is not the same in both runs."""

    what: str
    before: str
    after: str


class DiffRow(Section):
    """Both runs by one metric; the comparison is of the second against the first."""

    before: float
    after: float
    comparison: Comparison


class Moved(Section):
    """A sentence that gained or lost, with what both runs made of it, and the score of each answer by itself."""

    source: str
    reference: str
    before: str
    after: str
    score_before: float
    score_after: float


class PartDiff(Section):
    """One direction and task."""

    direction: str
    task: str
    num_before: int
    num_after: int
    """Test cases of each run."""
    num_compared: int
    """Those that both have."""
    rows: tuple[DiffRow, ...]
    gained: tuple[Moved, ...]
    lost: tuple[Moved, ...]


class Diff(Section):
    """The second run against the first."""

    before: str
    after: str
    settings: tuple[Change, ...]
    data: tuple[Change, ...]
    parts: tuple[PartDiff, ...]

    def __str__(self) -> str:
        lines = [f"{self.before} -> {self.after}"]
        for title, changes in (("settings that differ", self.settings), ("training data that differ", self.data)):
            lines += ["", f"{title}:{'' if changes else ' none'}", *_aligned(changes)]
        for part in self.parts:
            lines += ["", *self._part(part)]
        return "\n".join(lines)

    def _part(self, part: PartDiff) -> Iterator[str]:
        yield f"{part.direction}, {part.task}: {part.num_compared:,} test cases"
        if not part.num_before == part.num_after == part.num_compared:
            yield f"  only those that both runs have, of {part.num_before:,} of {self.before} and {part.num_after:,} of {self.after}"
        if not part.num_compared:
            return
        yield f"  {'':<8}{'before':>8}{'after':>8}   difference, 95 % interval"
        for row in part.rows:
            yield f"  {NAMES[row.comparison.metric]:<8}{row.before:>8.1f}{row.after:>8.1f}   {row.comparison}"
        for title, moved in (("gained", part.gained), ("lost", part.lost)):
            if moved:
                yield f"  {title} most, by {NAMES[MAIN[0]]} of the sentence:"
            for one in moved:
                yield f"  {one.score_after - one.score_before:>+8.1f}  source     {one.source}"
                yield f"  {'':>8}  reference  {one.reference}"
                yield f"  {one.score_before:>8.1f}  before     {one.before}"
                yield f"  {one.score_after:>8.1f}  after      {one.after}"


def _aligned(changes: Sequence[Change]) -> list[str]:
    width = max((len(change.what) for change in changes), default=0)
    return [f"  {change.what:<{width}}  {change.before} -> {change.after}" for change in changes]


def diff(before: Run, after: Run, evaluation: Evaluation, *, num_sentences: int = 10) -> Diff:
    """Compare two runs on the test cases that both have, with the draws of these settings.

    Raises:
        StoreError: If they have no test case in common, or were scored by other versions of a metric.
    """
    for metric in before.signatures.keys() & after.signatures.keys():
        if before.signatures[metric] != after.signatures[metric]:
            raise StoreError(
                f"{before.label} is scored by {before.signatures[metric]} and {after.label} by {after.signatures[metric]}: "
                "such scores do not compare; delete the folder of the older one under reports/runs and run 'make eval' for it again"
            )
    first, second = ({(part.direction, part.task): part for part in run.parts} for run in (before, after))
    parts = [
        _part(before, first.get(key, Measured(*key, (), {})), after, second.get(key, Measured(*key, (), {})), evaluation, num_sentences)
        for key in dict.fromkeys([*first, *second])
    ]
    if not any(part.num_compared for part in parts):
        raise StoreError(f"{before.label} and {after.label} have no test case in common, so there is nothing to compare")
    return Diff(
        before=before.label,
        after=after.label,
        settings=tuple(_settings(before, after)),
        data=tuple(_data(before, after)),
        parts=tuple(parts),
    )


def _part(before: Run, one: Measured, after: Run, other: Measured, evaluation: Evaluation, num_sentences: int) -> PartDiff:
    """One direction and task; a run that has none of its test cases counts as one with 0."""
    place_in_other = {key: place for place, key in enumerate(other.keys())}
    pairs = [(place, place_in_other[key]) for place, key in enumerate(one.keys()) if key in place_in_other]
    facts = {"direction": one.direction, "task": one.task, "num_before": len(one.cases), "num_after": len(other.cases)}
    if not pairs:
        return PartDiff(**facts, num_compared=0, rows=(), gained=(), lost=())
    first, second = [place for place, _ in pairs], [place for _, place in pairs]
    ours, new = (
        {metric: found.at(places) for metric, found in part.systems["ours"].statistics.items()}
        for part, places in ((one, first), (other, second))
    )
    draws = draws_of(evaluation)
    rows = [
        DiffRow(before=ours[metric].corpus(), after=new[metric].corpus(), comparison=compare(new[metric], ours[metric], **draws))
        for metric in METRICS
    ]
    scores = (ours[MAIN[0]].sentences(), new[MAIN[0]].sentences())
    change = scores[1] - scores[0]
    up, down = ((sign * change).argsort(kind="stable").tolist() for sign in (-1, 1))
    said = (before.samples[one.direction, one.task], after.samples[one.direction, one.task])

    def moved(row: int) -> Moved:
        return _moved(said[0][first[row]], said[1][second[row]], float(scores[0][row]), float(scores[1][row]))

    return PartDiff(
        **facts,
        num_compared=len(pairs),
        rows=tuple(rows),
        gained=tuple(moved(row) for row in up[:num_sentences] if change[row] > 0),
        lost=tuple(moved(row) for row in down[:num_sentences] if change[row] < 0),
    )


def _moved(before: Sample, after: Sample, score_before: float, score_after: float) -> Moved:
    return Moved(
        source=before.source,
        reference=before.reference,
        before=before.hypotheses["ours"],
        after=after.hypotheses["ours"],
        score_before=score_before,
        score_after=score_after,
    )


# What they were made of


def _settings(before: Run, after: Run) -> Iterator[Change]:
    first, second = (run.made.settings | {f"evaluation.{key}": value for key, value in run.evaluation.items()} for run in (before, after))
    yield from _changes(first, second)


def _data(before: Run, after: Run) -> Iterator[Change]:
    if before.made.num_examples != after.made.num_examples:
        yield Change(what="examples", before=f"{before.made.num_examples:,}", after=f"{after.made.num_examples:,}")
    first, second = ({name: sha[:12] for name, sha in run.made.inputs.items()} for run in (before, after))
    yield from _changes(first, second)
    if before.made.examples and after.made.examples:
        first, second = ({name: f"{count:,}" for name, count in run.made.examples.items()} for run in (before, after))
        yield from _changes(first, second, absent="0")


def _changes(before: Mapping[str, str], after: Mapping[str, str], absent: str = UNKNOWN) -> Iterator[Change]:
    for key in sorted(before.keys() | after.keys()):
        old, new = before.get(key, absent), after.get(key, absent)
        if old != new:
            yield Change(what=key, before=old, after=new)
