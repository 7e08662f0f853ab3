"""What an evaluation found beside its scores, for the people who go on: rates, exact scores, forgetting, weak areas, and what to do.

``reports/findings.json``; the report shows it (``seshat.evaluation.findings_view``).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from seshat.config import Section
from seshat.evaluation.advice import NO_SETTINGS, Advice, Evidence, Habit, TrainingSettings, advise
from seshat.evaluation.cases import Part
from seshat.evaluation.exact import Exact, exact, senses_of
from seshat.evaluation.floors import System
from seshat.evaluation.forgetting import Forgetting
from seshat.evaluation.gaps import Gaps, gaps
from seshat.evaluation.judge import Answers
from seshat.evaluation.known import Known
from seshat.evaluation.limits import limits
from seshat.evaluation.morphemes import Lacking, lacking
from seshat.evaluation.rates import Invented, Rates, invented, rate
from seshat.evaluation.weak import FileQuality, Group, cases, groups
from seshat.examples import texts_of
from seshat.hints import dictionary
from seshat.identify import Identifier
from seshat.language import Language, words
from seshat.records import Example

Speaker = Literal["reference", System]
EXACT = ("dictionary", "morphology")


class RateRow(Section):
    """What one system, or people, did in one direction and task."""

    direction: str
    task: str
    speaker: Speaker
    num: int
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


@dataclass(frozen=True, slots=True)
class Spoken:
    """A part of the test with what was said to it, and how our answers scored."""

    part: Part
    said: Mapping[System, Answers]
    """Ours to every case."""
    scores: Sequence[float]
    """chrF++ of each of our answers, from 0 to 100."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """What else findings rest on."""

    language: Language
    training: Sequence[Example]
    test_set: str
    bridge_texts: Sequence[str] = ()
    """In the bridge language, as its readers write it: their words should be known."""
    files: Sequence[FileQuality] = ()
    settings: TrainingSettings = NO_SETTINGS
    forgetting: Forgetting | None = None
    not_better_than: str = ""
    """An earlier run that this one is not better than."""


def find(spoken: Sequence[Spoken], material: Material) -> Findings:
    """All that was found."""
    language = material.language
    texts = texts_of(material.training)
    identifier = Identifier.of_sample(texts)
    trained = {code: Counter(word for text in found for word in words(text)) for code, found in texts.items()}
    known = {code: Known(counts) for code, counts in trained.items()}
    rows = tuple(row for one in spoken for row in _rates(one, known, identifier))
    found_groups = groups((case for one in spoken for case in cases(one.part, one.scores)), material.training)
    found_gaps = tuple(_gaps(code, spoken, material, trained.get(code, Counter())) for code in (language.bridge.code, language.code))
    pieces = _lacking(spoken, language, trained.get(language.code, Counter()))
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
        invented=tuple(_invented(one, known) for one in spoken if one.part.task in ("translation", "dictionary")),
        exact=tuple(_exact(one, spoken, material.training) for one in spoken if one.part.task in EXACT),
        forgetting=material.forgetting,
        gaps=found_gaps,
        lacking=pieces,
        groups=found_groups,
        files=tuple(material.files),
        limits=limits(evidence, material.forgetting, material.test_set),
        advice=advise(evidence),
    )


def _target(part: Part) -> str:
    source, _, target = part.direction.partition("-")
    return target or source


def _rates(one: Spoken, known: Mapping[str, Known], identifier: Identifier | None) -> Iterable[RateRow]:
    """A row for the references, then one for each system that was asked."""
    part, target = one.part, _target(one.part)
    sources, references = [example.source for example in part.examples], [example.answer for example in part.examples]

    def row(speaker: Speaker, places: Sequence[int], texts: Sequence[str], ended: Sequence[bool | None]) -> RateRow:
        rates = rate(
            part.task,
            target,
            [sources[place] for place in places],
            texts,
            [references[place] for place in places],
            known=known.get(target),
            identifier=identifier,
            ended=ended,
        )
        return RateRow(direction=part.direction, task=part.task, speaker=speaker, num=len(texts), rates=rates)

    yield row("reference", range(len(references)), references, ())
    for system, answers in one.said.items():
        places = sorted(answers)
        yield row(system, places, [answers[place].text for place in places], [answers[place].finished for place in places])


def _habits(rows: Iterable[RateRow]) -> list[Habit]:
    by_part: dict[tuple[str, str], dict[Speaker, Rates]] = {}
    for row in rows:
        by_part.setdefault((row.direction, row.task), {})[row.speaker] = row.rates
    return [Habit(direction, task, found["ours"], found["reference"]) for (direction, task), found in by_part.items() if "ours" in found]


def _invented(one: Spoken, known: Mapping[str, Known]) -> InventedWords:
    part, target = one.part, _target(one.part)
    sources = [example.source for example in part.examples]
    found = invented(known[target], sources, _ours(one)) if target in known else ()
    return InventedWords(direction=part.direction, task=part.task, words=found)


def _exact(one: Spoken, spoken: Iterable[Spoken], training: Sequence[Example]) -> ExactRow:
    part = one.part
    entries = senses_of([*training, *(example for other in spoken for example in other.part.examples)], part.direction)
    sources, references = [example.source for example in part.examples], [example.answer for example in part.examples]
    return ExactRow(direction=part.direction, task=part.task, exact=exact(part.task, sources, _ours(one), references, entries))


def _gaps(code: str, spoken: Iterable[Spoken], material: Material, trained: Mapping[str, int]) -> Gaps:
    """Of the sentences that were to be translated from a language, and of the texts that the user gave."""
    bridge = code == material.language.bridge.code
    other = material.language.code if bridge else material.language.bridge.code
    parts = (one.part for one in spoken if one.part.task == "translation" and one.part.direction == f"{code}-{other}")
    texts = dict.fromkeys(example.source for part in parts for example in part.examples)
    extra = material.bridge_texts if bridge else ()
    return gaps(code, dict.fromkeys([*texts, *extra]), trained, dictionary(material.training, f"{code}-{other}").keys())


def _lacking(spoken: Iterable[Spoken], language: Language, trained: Mapping[str, int]) -> tuple[Lacking, ...]:
    forward = f"{language.bridge.code}-{language.code}"
    one = next((one for one in spoken if (one.part.task, one.part.direction) == ("translation", forward)), None)
    return lacking([example.answer for example in one.part.examples], _ours(one), trained) if one else ()


def _ours(one: Spoken) -> list[str]:
    return [one.said["ours"][place].text for place in range(len(one.part.examples))]
