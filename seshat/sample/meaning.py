"""What a sentence means, before it is said in either language.

Tamuri and Spanish are two functions of these values, so that translation has one right answer in both directions.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Literal

from seshat.sample.lexicon import Adjective, Concept, Noun, Verb

Person = int
"""0 to 5: yo, tú, él or ella, nosotros, vosotros, ellos."""


class Tense(Enum):
    """The three tenses of Tamuri; the value is the gloss."""

    PRESENT = "PRS"
    PAST = "PST"
    FUTURE = "FUT"


class Case(Enum):
    """The cases of Tamuri; the value is the gloss, and the nominative has no suffix."""

    NOMINATIVE = ""
    ACCUSATIVE = "ACC"
    DATIVE = "DAT"
    LOCATIVE = "LOC"
    ABLATIVE = "ABL"
    INSTRUMENTAL = "INS"
    GENITIVE = "GEN"


CASE_OF = {
    "a": Case.DATIVE,
    "con": Case.INSTRUMENTAL,
    "de": Case.ABLATIVE,
    "en": Case.LOCATIVE,
    "por": Case.LOCATIVE,
    "sobre": Case.LOCATIVE,
}
"""The case that stands for a Spanish preposition. Where three share the locative, the verb or noun decides."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NounPhrase:
    """A noun and what stands around it."""

    noun: Noun
    plural: bool = False
    determiner: Concept | None = None
    possessor: Person | None = None
    """Whose it is; third person without number (su)."""
    adjective: Adjective | None = None
    very: bool = False
    owner: NounPhrase | None = None
    also: NounPhrase | None = None
    """A second phrase joined by ``y``."""
    bare: bool = False
    """Without an article in Spanish: hay peces, es pescador."""

    @property
    def person(self) -> Person:
        """The person that a verb agrees with."""
        return 5 if self.plural or self.also else 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Argument:
    """A phrase with the Spanish preposition that it takes."""

    preposition: str
    phrase: NounPhrase


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """What a copula says of its subject: (muy) grande, or más grande que another."""

    adjective: Adjective
    very: bool = False
    than: NounPhrase | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Clause:
    """One verb and what belongs to it."""

    verb: Verb
    tense: Tense
    subject: NounPhrase | Person | None = None
    """A person without a noun is told by the verb's ending alone; None: a verb without subject, as llover."""
    emphatic: bool = False
    """Say the pronoun: yo, tú, nosotros, vosotros."""
    silent: bool = False
    """The subject is that of the other clause and is not said again."""
    object: NounPhrase | None = None
    arguments: tuple[Argument, ...] = ()
    predicate: NounPhrase | Quality | None = None
    time: Concept | None = None
    frequency: Concept | None = None
    manner: Concept | None = None
    modal: Verb | None = None
    negated: bool = False
    question: Concept | Literal["yes-no"] | None = None
    """A question word, or a question about the whole."""

    @property
    def person(self) -> Person:
        """The person of the verb."""
        if isinstance(self.subject, NounPhrase):
            return self.subject.person
        return 2 if self.subject is None else self.subject


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """A sentence: one clause, or two and how they are linked; the second is the subordinate one."""

    main: Clause
    link: Literal["y", "cuando", "porque"] | None = None
    other: Clause | None = None

    @property
    def question(self) -> bool:
        """Whether it asks."""
        return self.main.question is not None
