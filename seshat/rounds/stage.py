"""Sentences of people in, sentences with a translation of ours out, each judged by all that is known without a person."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from typing import ClassVar

from pydantic import Field

from seshat.evaluation.metrics import sentence_scores
from seshat.examples import read_examples
from seshat.language import Language
from seshat.records import BackTranslation, Document, Example, digest
from seshat.rounds.checks import Checks
from seshat.rounds.engines import Engine, Speaker
from seshat.stage import Resources, Stage


class Translate(Stage[Document, BackTranslation]):
    """Translate sentences, translate them back, and reject what does not come back or is not its source's translation."""

    loads_engine: ClassVar[bool] = True

    resources: Resources = Resources(batch=100_000)  # a part as a whole: an engine is quicker with many
    language: Language
    round: int
    lengths: float
    copied: float
    lexicon: float
    round_trip: float
    """As in the settings."""
    speaker: Speaker = Field(exclude=True)
    train: str = Field(exclude=True)
    """The path of the training examples."""
    train_sha256: str
    guarded: frozenset[str] = Field(frozenset(), exclude=True)
    """Bare texts that no translation may be."""

    @property
    def depends_on(self) -> str:
        """Who translates, and what must not come out."""
        return digest(self.speaker.identity, *sorted(self.guarded))

    @cached_property
    def _engine(self) -> Engine:
        return self.speaker.load()

    @cached_property
    def _training(self) -> list[Example]:
        return list(read_examples(self.train))

    @cached_property
    def _checks(self) -> dict[str, Checks]:
        return {}

    def __call__(self, records: Iterable[Document]) -> Iterator[BackTranslation]:
        sentences = list(records)
        for code in dict.fromkeys(one.language for one in sentences):
            yield from self._translated(code, [one for one in sentences if one.language == code])

    def _translated(self, code: str, sentences: Sequence[Document]) -> Iterator[BackTranslation]:
        other = self.language.bridge.code if code == self.language.code else self.language.code
        checks = self._checks_of(f"{code}-{other}")
        texts = [one.paragraphs[0] for one in sentences]
        made = []
        for one, said in zip(sentences, self._engine.say(texts, code, other), strict=True):
            reason = checks.why_not(one.paragraphs[0], said.text, self.guarded) if said.finished else "unfinished: cut at its limit"
            made.append(self._made(one, said.text, other).reject(reason))
        places = [place for place, one in enumerate(made) if not one.rejected]
        there = [texts[place] for place in places]
        back = self._engine.say([self._said(made[place]) for place in places], other, code)
        for place, score in zip(places, sentence_scores("chrf++", [one.text for one in back], there), strict=True):
            reason = f"round-trip: chrF++ {score:.1f}" if score < self.round_trip else ""
            made[place] = replace(made[place], round_trip=score, rejected=reason)
        yield from made

    def _checks_of(self, direction: str) -> Checks:
        if direction not in self._checks:
            limits = {"lengths": self.lengths, "copied": self.copied, "lexicon": self.lexicon}
            self._checks[direction] = Checks(self._training, direction, **limits)
        return self._checks[direction]

    def _made(self, sentence: Document, said: str, synthetic: str) -> BackTranslation:
        text, translation = sentence.paragraphs[0], said
        if synthetic == self.language.code:
            text, translation = translation, text
        return BackTranslation(
            text=text,
            translation=translation,
            language=self.language.code,
            bridge=self.language.bridge.code,
            origin=sentence.origin,
            collection=sentence.collection,
            synthetic=synthetic,
            model=self.speaker.name,
            round=self.round,
        )

    def _said(self, made: BackTranslation) -> str:
        return made.text if made.synthetic == self.language.code else made.translation
