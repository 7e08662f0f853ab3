"""What to do after an evaluation, in the order in which it pays: data first, settings of the training after it.

The guide's rule is that a round which does not improve is held back by its data, not by the size of its model. So every weakness that
was measured is answered with data where data can answer it, and the settings come last, from the cheapest to the dearest.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import ConfigDict

from seshat.config import Section
from seshat.evaluation.gaps import Gaps
from seshat.evaluation.morphemes import Lacking
from seshat.evaluation.rates import Rates
from seshat.evaluation.shares import Share
from seshat.evaluation.weak import FileQuality, Group, band
from seshat.language import Language

Kind = Literal["data", "training"]
SELDOM_TRAINED = 50
"""Training words with a piece below which bringing more of them is what helps."""
MANY_GAPS = 0.01
"""The share of lacking words from which they are worth a list."""
TO_SHOW = 8
NOISY = 0.2
"""A file with a larger share of rejected and doubtful pairs is noisy."""
LENGTHS = {
    band(1): ": conversations, sentences of a dictionary, captions",
    band(30): ": whole documents have them",
    band(50): ": whole documents have them; what is longer than `training.max_seq_length` is left out of training",
}
"""Where the shortest and the longest sentences are found."""
ENDED = 0.95
"""Answers that should end by themselves, at least."""


TRUSTED = ("translation", "dictionary")
"""Tasks whose references show what is usual."""
HABITS: tuple[tuple[str, str, Kind, str], ...] = (
    (
        "invented",
        "It writes words that are in no text or dictionary",
        "data",
        "Show the dictionary to the model while it learns and while it works (`hints.words=8`, `hints.examples=1`, then `make format` and "
        "`make train`), and bring more text.",
    ),
    (
        "copied",
        "Answers are the source again",
        "data",
        "Look for pairs whose sides are the same or in the wrong language (`make data-stats`; `clean.language=true` rejects them).",
    ),
    (
        "wrong_language",
        "Answers are in the wrong language",
        "data",
        "Look for files whose sides are exchanged or mixed (`make data-stats`; `clean.language=true` rejects such lines).",
    ),
    (
        "repeated",
        "Answers go round in circles",
        "training",
        "Bring more varied text; then lower `training.learning_rate` or `training.lora.r`.",
    ),
)
"""Of each habit its name among the rates, what it is, and what to do."""


class LoraSettings(Section):
    """Of the adapter."""

    model_config = ConfigDict(extra="ignore")
    r: int = 0


class TrainingSettings(Section):
    """What of a run's settings advice speaks of; the rest is passed over."""

    model_config = ConfigDict(extra="ignore")
    model: str = ""
    num_train_epochs: float = 0.0
    learning_rate: float = 0.0
    lora: LoraSettings = LoraSettings()


NO_SETTINGS = TrainingSettings()


class Advice(Section):
    """One thing to do."""

    kind: Kind
    what: str
    """What was measured, with its numbers."""
    do: str
    """What to add or change, with the settings' keys."""


@dataclass(frozen=True, slots=True)
class Habit:
    """What our model did in one direction and task, beside what the references do."""

    direction: str
    task: str
    ours: Rates
    references: Rates


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """All that advice rests on."""

    language: Language
    habits: Sequence[Habit] = ()
    groups: Sequence[Group] = ()
    gaps: Gaps | None = None
    """Of the bridge language."""
    lacking: Sequence[Lacking] = ()
    files: Sequence[FileQuality] = ()
    training: TrainingSettings = NO_SETTINGS
    not_better_than: str = ""
    """An earlier run that this one is not better than beyond chance; empty if it is, or if there is none."""


def advise(evidence: Evidence) -> tuple[Advice, ...]:
    """What to do, the most useful first."""
    found = [
        *_no_progress(evidence),
        *_words(evidence),
        *_noise(evidence),
        *_habits(evidence),
        *_pieces(evidence),
        *_weak(evidence),
        *_training(evidence.training),
    ]
    return tuple(sorted(found, key=lambda one: one.kind != "data"))


def _no_progress(evidence: Evidence) -> Iterator[Advice]:
    if evidence.not_better_than:
        noisy = _noisy(evidence.files)
        where = f" Look first at {listed(map(_doubt, noisy))}." if noisy else ""
        yield Advice(
            kind="data",
            what=f"This run is not better than {evidence.not_better_than} beyond chance.",
            do="When a round does not improve, the usual cause is the quality of the data, not the size of the model: read the rejected "
            f"rows (`seshat rejected align`) and the worst translations before anything else is changed.{where}",
        )


def _words(evidence: Evidence) -> Iterator[Advice]:
    found = evidence.gaps
    if found and found.share >= MANY_GAPS and found.words:
        shown = listed(gap.word for gap in found.words[:TO_SHOW])
        yield Advice(
            kind="data",
            what=f"{found.share:.0%} of the words of the sentences in {evidence.language.bridge.name} have no dictionary entry and hardly "
            f"ever stand in training: {found.num_words:,} different ones, such as {shown}.",
            do="Add dictionary entries for the words of the list below to `data/raw/dictionary`, and have speakers translate the sentences "
            "that `seshat next` chooses; both reach the model with `make ingest`, `make align`, `make format` and `make train`.",
        )


def _pieces(evidence: Evidence) -> Iterator[Advice]:
    rare = [one for one in evidence.lacking if one.trained < SELDOM_TRAINED]
    known = [one for one in evidence.lacking if one.trained >= SELDOM_TRAINED]
    if rare:
        yield Advice(
            kind="data",
            what=f"The model seldom writes {listed(one.piece for one in rare)}, and has hardly seen them "
            f"({listed(f'{one.trained:,} words' for one in rare)} in training).",
            do="Bring texts or example sentences with these forms; interlinear text (morphemes and glosses) teaches them fastest.",
        )
    if known:
        yield Advice(
            kind="data",
            what=f"The model seldom writes {listed(one.piece for one in known)}, though training has them often.",
            do="Ask a linguist when these forms are obligatory, and add short sentence pairs that differ in nothing else; then train "
            "longer (`training.num_train_epochs`).",
        )


def _weak(evidence: Evidence) -> Iterator[Advice]:
    """One piece of advice for each weak task, file and length, with all directions that show it."""
    found: dict[tuple[str, str], list[Group]] = {}
    for group in evidence.groups:
        if group.weak:
            found.setdefault((group.kind, group.name), []).append(group)
    for (kind, name), groups in found.items():
        shown = listed(f"{one.direction} {one.score:.0f} chrF++ a sentence, elsewhere {one.rest:.0f} ({one.num:,} cases)" for one in groups)
        trained = f"({max(one.trained for one in groups):,} in training)"
        if kind == "task":
            do = f"Bring more examples of it {trained}, or let each count more: `format.task_weights.{name}`."
            yield Advice(kind="data", what=f"The task {name} is weak: {shown}.", do=do)
        elif kind == "file":
            do = f"Bring more text of this kind {trained}, and look whether its pairs are right (`make data-stats` shows doubtful ones)."
            yield Advice(kind="data", what=f"Sentences from {name} are translated worse: {shown}.", do=do)
        else:
            do = f"Bring sentences of this length {trained}{LENGTHS.get(name, '')}."
            yield Advice(kind="data", what=f"Sentences of {name} are translated worse: {shown}.", do=do)


def _habits(evidence: Evidence) -> Iterator[Advice]:
    """One piece of advice for each habit that people do not have, with all directions that show it."""
    for name, what, kind, do in HABITS:
        shown = [
            f"{of_100(ours)} of 100 ({one.task}, {one.direction}; people: {of_100(people)})"
            for one in evidence.habits
            if one.task in TRUSTED
            and (ours := getattr(one.ours, name))
            and (people := getattr(one.references, name))
            and _above(ours, people)
        ]
        if shown:
            yield Advice(kind=kind, what=f"{what}: {listed(shown)}.", do=do)
    unended = [(one, one.ours.ended) for one in evidence.habits if one.ours.ended and one.ours.ended.high < ENDED]
    if unended:
        shown = [f"{of_100(share)} of 100 ({one.task}, {one.direction})" for one, share in unended]
        yield Advice(
            kind="training",
            what=f"Too few answers end by themselves: {listed(shown)}.",
            do="Train longer (`training.num_train_epochs`); if that does not help, compare a line of train.jsonl with the model's chat "
            "template, whose end of turn must follow every answer.",
        )


def _noise(evidence: Evidence) -> Iterator[Advice]:
    noisy = _noisy(evidence.files)
    if noisy and not evidence.not_better_than:
        yield Advice(
            kind="data",
            what=f"In some files many pairs are rejected or doubtful: {listed(map(_doubt, noisy))}.",
            do="Look whether their two sides are the same text (`seshat rejected align`; `align.modes` for a document that is aligned in "
            "the wrong way); repaired, they are the cheapest new data.",
        )


def _training(now: TrainingSettings) -> Iterator[Advice]:
    steps = (
        ("`training.num_train_epochs`", f"{now.num_train_epochs:g}" if now.num_train_epochs else ""),
        ("`training.learning_rate`", f"{now.learning_rate:g}" if now.learning_rate else ""),
        ("`training.lora.r` with `training.lora.alpha`", f"{now.lora.r}" if now.lora.r else ""),
        ("`training.model`, a larger one", now.model),
    )
    yield Advice(
        kind="training",
        what="Settings come after the data, one at a time.",
        do=f"In this order: {'; '.join(f'{key} (now {value})' if value else key for key, value in steps)}. `make tune` searches the first "
        "three; `seshat diff` says whether the next run is better beyond chance.",
    )


def _noisy(files: Sequence[FileQuality]) -> list[FileQuality]:
    return sorted((one for one in files if one.doubt > NOISY), key=lambda one: -one.doubt * one.num_pairs)[:3]


def _doubt(one: FileQuality) -> str:
    return f"{one.file} ({one.doubt:.0%} of {one.num_pairs:,} pairs rejected or doubtful)"


def _above(ours: Share, people: Share) -> bool:
    """Beyond chance: the intervals do not touch."""
    return ours.low > people.high


def of_100(share: Share) -> str:
    """How many of a hundred, as people say it."""
    return f"{100 * share.share:.0f}" if share.share >= 0.1 else f"{100 * share.share:.1f}"


def listed(texts: Iterable[str]) -> str:
    """Texts in one line."""
    return ", ".join(texts)
