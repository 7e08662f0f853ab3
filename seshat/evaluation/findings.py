"""What an evaluation found beside its scores, for the people who go on: rates, exact scores, weak areas, and what to do.

All of it derives from the answers (``samples.jsonl``) and the data, so no model is asked again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from seshat.config import Section
from seshat.evaluation.advice import NO_SETTINGS, Advice, Evidence, Habit, TrainingSettings, advise
from seshat.evaluation.exact import Exact, exact, senses_of
from seshat.evaluation.floors import System
from seshat.evaluation.forgetting import Forgetting
from seshat.evaluation.gaps import Gaps, gaps
from seshat.evaluation.known import Known
from seshat.evaluation.limits import limits
from seshat.evaluation.metrics import sentence_scores
from seshat.evaluation.morphemes import Lacking, lacking
from seshat.evaluation.rates import Invented, Rates, invented, rate
from seshat.evaluation.results import Sample
from seshat.evaluation.shares import Share
from seshat.evaluation.weak import Case, FileQuality, Group, cases, groups
from seshat.examples import OF_WORDS, texts_of
from seshat.hints import dictionary
from seshat.identify import Identifier
from seshat.language import Language, words
from seshat.records import Example

Speaker = Literal["reference", System]
Key = tuple[str, str]
"""Direction and task."""
EXACT = ("dictionary", "morphology")


class RateRow(Section):
    """What one system, or people, did in one direction and task."""

    direction: str
    task: str
    speaker: Speaker
    rates: Rates


class InventedWords(Section):
    """The words that our model made up in one direction and task."""

    direction: str
    task: str
    words: tuple[Invented, ...]


class ExactRow(Section):
    """The exact scores of one direction and task."""

    direction: str
    task: str
    exact: Exact


class Findings(Section):
    """``findings.json``."""

    key: str = ""
    """A digest of all that it rests on."""
    rates: tuple[RateRow, ...] = ()
    invented: tuple[InventedWords, ...] = ()
    exact: tuple[ExactRow, ...] = ()
    forgetting: Forgetting | None = None
    gaps: tuple[Gaps, ...] = ()
    """Of the bridge language, then of the taught one."""
    lacking: tuple[Lacking, ...] = ()
    groups: tuple[Group, ...] = ()
    files: tuple[FileQuality, ...] = ()
    limits: tuple[str, ...] = ()
    """What the model cannot do, sentence by sentence."""
    advice: tuple[Advice, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """What findings rest on beside the answers."""

    language: Language
    training: Sequence[Example]
    test_set: str
    ended: Mapping[Key, Share]
    """How many of our answers ended by themselves, where that was measured."""
    bridge_texts: Sequence[str] = ()
    """In the bridge language, as its readers write it: their words should be known."""
    files: Sequence[FileQuality] = ()
    settings: TrainingSettings = NO_SETTINGS
    forgetting: Forgetting | None = None
    not_better_than: str = ""
    """An earlier run that this one is not better than."""


def find(samples: Iterable[Sample], material: Material) -> Findings:
    """All that was found; our model answered every sample."""
    language = material.language
    parts: dict[Key, list[Sample]] = {}
    for sample in samples:
        parts.setdefault((sample.direction, sample.task), []).append(sample)
    texts = texts_of(material.training)
    trained = {code: Counter(word for text in found for word in words(text)) for code, found in texts.items()}
    known = {code: Known(counts) for code, counts in trained.items()}
    identifier = Identifier.of_sample(texts)
    rows = tuple(row for part in parts.values() for row in _rates(part, known, identifier, material.ended))
    found_groups = groups((case for part in parts.values() for case in _cases(part)), material.training)
    found_gaps = tuple(_gaps(code, parts, material, trained.get(code, {})) for code in (language.bridge.code, language.code))
    forward = parts.get((f"{language.bridge.code}-{language.code}", "translation"), [])
    pieces = lacking([one.reference for one in forward], _ours(forward), trained.get(language.code, {}))
    evidence = Evidence(
        language=language,
        habits=_habits(rows),
        groups=found_groups,
        gaps=found_gaps[0],
        lacking=pieces,
        files=material.files,
        training=material.settings,
        not_better_than=material.not_better_than,
    )
    return Findings(
        rates=rows,
        invented=tuple(_invented(part, known) for (_, task), part in parts.items() if task in OF_WORDS),
        exact=tuple(_exact(part, material.training) for (_, task), part in parts.items() if task in EXACT),
        forgetting=material.forgetting,
        gaps=found_gaps,
        lacking=pieces,
        groups=found_groups,
        files=tuple(material.files),
        limits=limits(evidence, material.forgetting, material.test_set),
        advice=advise(evidence),
    )


def _rates(
    part: Sequence[Sample], known: Mapping[str, Known], identifier: Identifier | None, ended: Mapping[Key, Share]
) -> Iterator[RateRow]:
    """A row for the references, then one for each system that was asked."""
    direction, task = part[0].direction, part[0].task
    target = _target(direction)
    said: dict[Speaker, list[tuple[Sample, str]]] = {"reference": [(one, one.reference) for one in part]}
    for one in part:
        for system, text in one.hypotheses.items():
            said.setdefault(system, []).append((one, text))
    for speaker, answers in said.items():
        found = rate(
            task,
            target,
            [one.source for one, _ in answers],
            [text for _, text in answers],
            [one.reference for one, _ in answers],
            known=known.get(target),
            identifier=identifier,
            ended=ended.get((direction, task)) if speaker == "ours" else None,
        )
        yield RateRow(direction=direction, task=task, speaker=speaker, rates=found)


def _cases(part: Sequence[Sample]) -> list[Case]:
    return cases(part, sentence_scores("chrf++", _ours(part), [one.reference for one in part]))


def _habits(rows: Iterable[RateRow]) -> list[Habit]:
    by_part: dict[Key, dict[Speaker, Rates]] = {}
    for row in rows:
        by_part.setdefault((row.direction, row.task), {})[row.speaker] = row.rates
    return [Habit(direction, task, found["ours"], found["reference"]) for (direction, task), found in by_part.items()]


def _invented(part: Sequence[Sample], known: Mapping[str, Known]) -> InventedWords:
    direction, task = part[0].direction, part[0].task
    found = known.get(_target(direction))
    made_up = invented(found, [one.source for one in part], _ours(part)) if found else ()
    return InventedWords(direction=direction, task=task, words=made_up)


def _exact(part: Sequence[Sample], training: Iterable[Example]) -> ExactRow:
    direction, task = part[0].direction, part[0].task
    entries = [(one.source, one.answer) for one in training if (one.task, one.direction) == ("dictionary", direction)]
    entries += [(one.source, one.reference) for one in part]
    sources, references = [one.source for one in part], [one.reference for one in part]
    return ExactRow(direction=direction, task=task, exact=exact(task, sources, _ours(part), references, senses_of(entries)))


def _gaps(code: str, parts: Mapping[Key, Sequence[Sample]], material: Material, trained: Mapping[str, int]) -> Gaps:
    """Of the sentences that were to be translated from a language, and of the texts that the user gave."""
    bridge = code == material.language.bridge.code
    direction = f"{code}-{material.language.code if bridge else material.language.bridge.code}"
    texts = dict.fromkeys(one.source for one in parts.get((direction, "translation"), ()))
    given = material.bridge_texts if bridge else ()
    return gaps(code, dict.fromkeys([*texts, *given]), trained, dictionary(material.training, direction).keys())


def _ours(part: Iterable[Sample]) -> list[str]:
    return [one.hypotheses["ours"] for one in part]


def _target(direction: str) -> str:
    source, _, target = direction.partition("-")
    return target or source
