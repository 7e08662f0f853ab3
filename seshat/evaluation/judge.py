"""Ask the systems, and judge what they said: the middle of an evaluation, without files or scores."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass

from seshat.evaluation.cases import Cases, Part, sentence_key
from seshat.evaluation.floors import SYSTEMS, Floors, System
from seshat.evaluation.measured import Measured, Spoken, case_of
from seshat.evaluation.results import PartDetails, Sample, Surprise
from seshat.language import clean_spaces
from seshat.translate import Prepared, Translation, Translator

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a system said to one test case."""

    text: str
    confidence: float | None = None
    """A model's mean probability of a token; None where nobody measured it."""
    finished: bool | None = None
    """It ended by itself; None where nobody measured it."""
    expected: float | None = None
    """The sentence chrF++ that a calibrated model expects of itself; None without calibration."""


@dataclass(frozen=True, slots=True)
class Trained:
    """What training saw, as far as a test case can be told by it."""

    sentences: Set[str]
    """Keys of whole sentences: a test case with one of them leaked."""
    words: Mapping[str, Set[str]]
    """By the code of their language."""


NOTHING = Trained(frozenset(), {})
Answers = Mapping[int, Answer]
"""What a system said to the cases of a part, by their places; a system may be asked for a few of them only."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is known about one direction and task when all systems have spoken."""

    measured: Measured
    details: PartDetails
    samples: tuple[Sample, ...]


def prepare(translator: Translator, part: Part, places: Sequence[int]) -> Prepared:
    """What a model is asked about some cases of a part; translations come as they do in serving."""
    examples = [part.examples[place] for place in places]
    if part.task != "translation":
        return translator.prepare_messages([example.prompt for example in examples])
    source, _, target = part.direction.partition("-")
    return translator.prepare([example.source for example in examples], source, target)


def heard(part: Part, places: Sequence[int], said: Sequence[Translation]) -> Answers:
    """What a model said to these cases."""
    if part.task != "translation":
        return {place: Answer(one.text) for place, one in zip(places, said, strict=True)}
    return {place: Answer(one.text, one.confidence, one.finished) for place, one in zip(places, said, strict=True)}


def guess(floors: Floors, part: Part) -> dict[System, Answers]:
    """What the floors make of a part."""
    texts = floors.translate([example.source for example in part.examples])
    return {system: dict(enumerate(map(Answer, said))) for system, said in texts.items()}


def surprise(system: System, translator: Translator, cases: Cases) -> Surprise | None:
    """The perplexity of a model on the monolingual text; None without text, or if the model tells no logits."""
    if not cases.monolingual:
        return None
    logits = getattr(translator.model, "logits", None)
    if logits is None:
        log.warning("eval: %s tells no logits, so its perplexity is not measured", type(translator.model).__name__)
        return None
    from seshat.evaluation.perplexity import perplexity  # torch

    found = perplexity(logits, translator.tokenizer, cases.monolingual)
    return Surprise(
        system=system,
        num_texts=found.num_texts,
        per_token=found.per_token,
        bits_per_character=found.bits_per_character,
    )


def judge(part: Part, said: Mapping[System, Answers], trained: Trained = NOTHING) -> Verdict:
    """Measure every system that spoke; the details are about ours, which must have answered every case."""
    systems = {}
    for system in (system for system in SYSTEMS if said.get(system)):
        places = sorted(said[system])
        texts = [said[system][place].text for place in places]
        systems[system] = Spoken.of(places, texts, [part.examples[place].answer for place in places])
    cases = tuple(case_of(example, trained.words) for example in part.examples)
    samples = tuple(_sample(part, place, said) for place in range(len(part.examples)))
    return Verdict(Measured(part.direction, part.task, cases, systems), _details(part, said["ours"], trained.sentences), samples)


def _sample(part: Part, place: int, said: Mapping[System, Answers]) -> Sample:
    example = part.examples[place]
    return Sample(
        direction=part.direction,
        task=part.task,
        source=example.source,
        reference=example.answer,
        hypotheses={system: answers[place].text for system, answers in said.items() if place in answers},
        confidence=said["ours"][place].confidence,
        expected=said["ours"][place].expected,
        origin=example.origin,
    )


def _details(part: Part, ours: Answers, trained: Set[str]) -> PartDetails:
    both = [(ours[place], example.answer) for place, example in enumerate(part.examples)]
    sentences = part.examples if part.task == "translation" else ()
    ends = [answer.finished for answer, _ in both if answer.finished is not None]
    return PartDetails(
        direction=part.direction,
        task=part.task,
        num_available=part.num_available,
        num_scored=len(both),
        num_leaked=sum(bool(trained & {sentence_key(one.source), sentence_key(one.answer)}) for one in sentences),
        exact=sum(_same(answer.text, reference) for answer, reference in both) / len(both),
        unfinished=ends.count(False) / len(ends) if ends else None,
        length_ratio=sum(len(answer.text) for answer, _ in both) / max(1, sum(len(reference) for _, reference in both)),
    )


def _same(answer: str, reference: str) -> bool:
    return clean_spaces(answer).lower() == clean_spaces(reference).lower()
