"""What there is to say: meanings drawn at random, in everyday proportions."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

from seshat.sample.clauses import Clauses, unqualified
from seshat.sample.conjugation import SpanishTense, conjugate
from seshat.sample.lexicon import Lexicon, Verb
from seshat.sample.meaning import Clause, Meaning, NounPhrase, Person, Quality, Tense
from seshat.sample.phrases import Draw, Phrases

_CAUSES = ("cansado", "contento", "triste", "enfermo", "ocupado", "preocupado")
"""Qualities that explain what somebody does."""
_OCCASIONS = ("llegar", "volver", "entrar", "salir", "dormir", "trabajar", "cantar", "bailar", "pescar", "caminar", "llorar")
"""What others do meanwhile."""


class Composer:
    """Draws meanings. The same lexicon and seed give the same meanings in the same order."""

    def __init__(self, lexicon: Lexicon, seed: int) -> None:
        self._lexicon = lexicon
        self._draw = Draw(random.Random(seed))
        self._phrases = Phrases(lexicon, self._draw)
        self._clauses = Clauses(lexicon, self._draw)

    def meaning(self) -> Meaning:
        """One sentence. What Spanish could not tell from something else is drawn again."""
        while True:
            drawn = self._meaning()
            if not any(clause and _blurred(clause) for clause in (drawn.main, drawn.other)):
                return drawn

    def _meaning(self) -> Meaning:
        """Mostly one clause; two are coordinated or subordinated."""
        match self._draw.kind(one=88, y=5, cuando=3, porque=4):
            case "y":
                return self._and()
            case "cuando":
                return self._when()
            case "porque":
                return self._because()
            case _:
                return Meaning(main=self._clauses.clause())

    def _and(self) -> Meaning:
        tense = self._clauses.tense()
        first = self._clauses.action(self._draw.pick(self._lexicon.verbs), tense, most=1)
        if self._draw.chance(0.4) or isinstance(first.subject, NounPhrase):
            other = self._draw.pick(self._verbs_of(first.subject, besides=first.verb))
            second = replace(self._clauses.action(other, tense, subject=first.subject, most=1), silent=True)
        else:
            second = self._clauses.action(self._draw.pick(self._lexicon.verbs), tense, most=1)
        return Meaning(main=self._clauses.at_times(first, 0.3), link="y", other=replace(second, emphatic=False))

    def _when(self) -> Meaning:
        tense = self._draw.rng.choice((Tense.PRESENT, Tense.PAST))
        main = self._clauses.action(self._draw.pick(self._clauses.actions), tense, most=1)
        match self._draw.kind(weather=35, feeling=20, action=45):
            case "weather":
                other = self._clauses.weather(tense)
            case "feeling":
                if isinstance(main.subject, NounPhrase) and not main.subject.noun.human:
                    main = self._clauses.action(main.verb, tense, subject=self._phrases.person(), most=1)
                other = self._clauses.feeling(tense, main.subject)
            case _:
                verbs = [verb for verb in self._clauses.actions if verb.lemma in _OCCASIONS and verb != main.verb]
                other = self._clauses.action(self._draw.pick(verbs), tense, most=1)
        return Meaning(main=main, link="cuando", other=replace(other, emphatic=False))

    def _because(self) -> Meaning:
        tense = self._clauses.tense()
        verb = self._draw.pick(self._clauses.actions)
        subject = unqualified(self._phrases.subject([noun for noun in verb.subjects if noun.human]))
        main = replace(self._clauses.action(verb, tense, subject=subject, most=1), negated=self._draw.chance(0.35))
        match self._draw.kind(feeling=40, quality=40, weather=20):
            case "feeling":
                other = self._clauses.feeling(tense, subject)
            case "quality":
                adjective = self._draw.pick([a for a in self._lexicon.adjectives if a.lemma in _CAUSES])
                quality = Quality(adjective=adjective, very=self._draw.chance(0.25))
                other = Clause(verb=self._clauses.copula("ser"), tense=tense, subject=subject, predicate=quality, silent=True)
            case _:
                other = self._clauses.weather(tense)
        return Meaning(main=main, link="porque", other=other)

    def _verbs_of(self, subject: NounPhrase | Person | None, *, besides: Verb) -> Sequence[Verb]:
        if not isinstance(subject, NounPhrase):
            return [verb for verb in self._clauses.actions if verb != besides]
        everybody = [subject.noun, *([subject.also.noun] if subject.also else [])]
        verbs = [verb for verb in self._lexicon.verbs if all(noun in verb.subjects for noun in everybody)]
        return [verb for verb in verbs if verb != besides] or [besides]


def _blurred(clause: Clause) -> bool:
    """Whether the Spanish would be ambiguous or odd.

    Cantamos is present and past, so that it needs a time; cantaba is first and third person, so that it needs a pronoun;
    todos no duermen is heard in two ways.
    """
    verb = clause.modal or clause.verb
    if clause.negated and isinstance(clause.subject, NounPhrase) and clause.subject.determiner:
        return clause.subject.determiner.lemma == "todo"
    if clause.tense is not Tense.PAST:
        return False
    if verb.state:
        return clause.subject == 0 and not clause.emphatic and not clause.silent
    same = conjugate(verb.lemma, SpanishTense.PRESENT, 3) == conjugate(verb.lemma, SpanishTense.PRETERITE, 3)
    return clause.person == 3 and same and clause.time is None
