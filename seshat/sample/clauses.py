"""Clauses drawn at random: somebody does something, something is so, something is there, questions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from seshat.sample.lexicon import Adjunct, Lexicon, Verb
from seshat.sample.meaning import Argument, Clause, NounPhrase, Person, Quality, Tense
from seshat.sample.phrases import Draw, Phrases, Scene

_TENSES = {"present": Tense.PRESENT, "past": Tense.PAST, "future": Tense.FUTURE}
_TIME_OF = {tense: name for name, tense in _TENSES.items()}


class Clauses:
    """Draws clauses of every kind."""

    def __init__(self, lexicon: Lexicon, draw: Draw) -> None:
        self._lexicon = lexicon
        self._draw = draw
        self._group = lexicon.groups
        self._phrases = Phrases(lexicon, draw)
        self.actions = [verb for verb in lexicon.verbs if any(noun.human for noun in verb.subjects)]
        """The verbs that people do."""

    def clause(self) -> Clause:
        """Any clause that can stand alone."""
        kind = self._draw.kind(
            action=51,
            quality=18,
            whereabouts=4,
            existence=4,
            feeling=3,
            weather=2,
            profession=2,
            wish=9,
            question=9,
        )
        match kind:
            case "quality":
                return self._quality(self.tense())
            case "whereabouts":
                return self.at_times(self._whereabouts(self.tense()), 0.25)
            case "existence":
                return self._existence(self.tense())
            case "feeling":
                return self.at_times(self.feeling(self.tense()), 0.3)
            case "weather":
                return self.at_times(self.weather(self.tense(), place=0.7), 0.6)
            case "profession":
                return self._profession(self.tense())
            case "wish":
                return self.at_times(self._wish(self.tense()), 0.2)
            case "question":
                return self._question()
            case _:
                return self._with_circumstances(self.action(self._draw.pick(self._lexicon.verbs), self.tense()))

    def action(self, verb: Verb, tense: Tense, *, subject: NounPhrase | Person | None = None, most: int = 2) -> Clause:
        """A verb with what it needs, and perhaps an adjunct or a manner; ``most``: how many phrases beside the subject."""
        if subject is None:
            subject = self._phrases.subject(verb.subjects)
        scene = Scene(tense, subject)
        clause = Clause(
            verb=verb,
            tense=tense,
            subject=subject,
            emphatic=self._emphatic(subject),
            object=self._object(verb, scene),
            arguments=tuple(self._argument(adjunct, scene) for adjunct in self._adjuncts(verb, scene, most)),
        )
        if verb.manners and not clause.arguments and self._draw.chance(0.35):
            return replace(clause, manner=self._draw.pick(verb.manners))
        return clause

    def _quality(self, tense: Tense) -> Clause:
        copula = self._draw.kind(ser=60, estar=40)
        adjective = self._draw.pick([a for a in self._lexicon.adjectives if a.copula == copula])
        human = any(noun.human for noun in adjective.nouns)
        subject = self._phrases.subject(adjective.nouns, person=0.4 if human else 0.0)
        than = None
        if adjective.copula == "ser" and isinstance(subject, NounPhrase) and self._draw.chance(0.18):
            subject = replace(subject, also=None)
            than = self._phrases.than(adjective, subject.noun)
        clause = Clause(
            verb=self.copula("ser"),
            tense=tense,
            subject=unqualified(subject),
            emphatic=self._emphatic(subject),
            predicate=Quality(adjective=adjective, very=than is None and adjective.gradable and self._draw.chance(0.2), than=than),
            negated=self._draw.chance(0.1),
        )
        return self.at_times(clause, 0.3) if adjective.copula == "estar" else clause

    def _whereabouts(self, tense: Tense) -> Clause:
        subject = self._phrases.subject(self._group["portable"], person=0.2)
        place = self._phrases.place(self._group["somewhere"], Scene(tense, subject))
        return Clause(
            verb=self.copula("estar"),
            tense=tense,
            subject=subject,
            emphatic=self._emphatic(subject),
            arguments=(Argument(preposition="en", phrase=place),),
            negated=self._draw.chance(0.12),
        )

    def _existence(self, tense: Tense) -> Clause:
        noun = self._draw.pick([noun for noun in self._group["found"] if not noun.unique])
        subject = self._phrases.with_adjective(self._phrases.new(noun), 0.25)
        place = self._phrases.place(self._group["somewhere"], Scene(tense, 2))
        return Clause(
            verb=self.copula("haber"),
            tense=tense,
            subject=subject,
            arguments=(Argument(preposition="en", phrase=place),),
            negated=not subject.determiner and self._draw.chance(0.3),
        )

    def feeling(self, tense: Tense, known: NounPhrase | Person | None = None) -> Clause:
        """Somebody is hungry; ``known`` from the other clause, or new."""
        subject = self._phrases.subject(self._group["sentient"]) if known is None else known
        return Clause(
            verb=self._draw.pick(self._lexicon.feelings),
            tense=tense,
            subject=subject,
            emphatic=known is None and self._emphatic(subject),
            silent=known is not None,
            negated=self._draw.chance(0.15),
        )

    def weather(self, tense: Tense, *, place: float = 0.15) -> Clause:
        """It rains, with some probability somewhere."""
        verb = self._draw.pick(self._lexicon.sky_verbs)
        arguments: tuple[Argument, ...] = ()
        if verb.lemma not in ("amanecer", "anochecer") and self._draw.chance(place):
            phrase = NounPhrase(noun=self._draw.pick(self._group["open_air"]))
            arguments = (Argument(preposition="en", phrase=phrase),)
        negated = bool(arguments) and self._draw.chance(0.15)
        return Clause(verb=verb, tense=tense, arguments=arguments, negated=negated)

    def _profession(self, tense: Tense) -> Clause:
        noun = self._draw.pick(self._group["trade"])
        kin = [n for n in self._group["kin"] if n.gender == noun.gender]
        subject: NounPhrase | Person = self._phrases.whose(self._draw.pick(kin))
        if noun.gender == "m" and self._draw.chance(0.3):
            subject = self._draw.rng.choice((0, 1, 3))
        clause = Clause(verb=self.copula("ser"), tense=tense, subject=subject, emphatic=self._emphatic(subject))
        predicate = NounPhrase(noun=noun, plural=clause.person > 2, bare=True)
        return replace(clause, predicate=predicate, negated=self._draw.chance(0.1))

    def _wish(self, tense: Tense) -> Clause:
        verb = self._draw.pick([verb for verb in self.actions if not verb.state])
        subject = self._phrases.subject([noun for noun in verb.subjects if noun.human])
        modal = self._draw.pick(self._lexicon.modals)
        return replace(self.action(verb, tense, subject=subject), modal=modal, negated=self._draw.chance(0.2))

    # -- questions

    def _question(self) -> Clause:
        tense = self.tense()
        if self._draw.chance(0.4):
            clause = self._whereabouts(tense) if self._draw.chance(0.2) else self._quality_or_action(tense)
            return replace(clause, question="yes-no", time=None)
        word = self._draw.pick([self._lexicon.others[w] for w in ("qué", "quién", "dónde", "cuándo", "por qué")])
        match word.lemma:
            case "qué":
                verbs = [verb for verb in self.actions if verb.objects and not verb.objects[0].human]
                clause = replace(self.action(self._draw.pick(verbs), tense, most=1), object=None)
            case "quién":
                clause = replace(self.action(self._draw.pick(self.actions), tense, subject=2, most=1), emphatic=False)
            case "dónde":
                clause = replace(self._where(tense), arguments=(), negated=False)
            case _:
                clause = self.action(self._draw.pick(self.actions), tense, most=1)
        return replace(clause, question=word, manner=None)

    def _quality_or_action(self, tense: Tense) -> Clause:
        if self._draw.chance(0.3):
            return self._quality(tense)
        return self.action(self._draw.pick(self._lexicon.verbs), tense)

    def _where(self, tense: Tense) -> Clause:
        if self._draw.chance(0.5):
            return self._whereabouts(tense)
        verbs = [verb for verb in self.actions if any(adjunct.preposition == "en" for adjunct in verb.adjuncts)]
        return self.action(self._draw.pick(verbs), tense, most=0)

    # -- parts of a clause

    def _object(self, verb: Verb, scene: Scene) -> NounPhrase | None:
        if not verb.objects or not (verb.object_needed or self._draw.chance(0.4)):
            return None
        noun = self._draw.pick(scene.others(verb.objects))
        if verb.lemma == "tener":
            return self._phrases.with_adjective(self._phrases.new(noun, bare=False), 0.2)
        return self._phrases.known(noun, scene)

    def _adjuncts(self, verb: Verb, scene: Scene, most: int) -> Sequence[Adjunct]:
        """Those that the verb needs, and perhaps one more. Animals do nothing with people."""
        chosen = [adjunct for adjunct in verb.adjuncts if adjunct.needed]
        animal = isinstance(scene.subject, NounPhrase) and not scene.subject.noun.human
        optional = [a for a in verb.adjuncts if not a.needed and not (animal and a.nouns[0].human)]
        room = most - len(chosen) - bool(verb.objects)
        if optional and most and self._draw.chance(0.4 if room > 0 else 0.12) and len(chosen) < 2:
            chosen.append(self._draw.rng.choice(optional))
        return chosen

    def _argument(self, adjunct: Adjunct, scene: Scene) -> Argument:
        return Argument(preposition=adjunct.preposition, phrase=self._phrases.place(adjunct.nouns, scene))

    def _with_circumstances(self, clause: Clause) -> Clause:
        """The clause with a time, a frequency or a negation, or as it is."""
        kind = self._draw.kind(time=17, frequency=9, negation=11, plain=63)
        if kind == "frequency":
            lasting = clause.tense is Tense.PRESENT or (clause.tense is Tense.PAST and clause.verb.state)
            fitting = [f for f in self._lexicon.frequencies if lasting or f.lemma in ("también", "nunca")]
            return replace(clause, frequency=self._draw.pick(fitting))
        return self.at_times(clause, float(kind == "time")) if kind != "negation" else replace(clause, negated=True)

    def at_times(self, clause: Clause, probability: float) -> Clause:
        """The clause, with some probability with a time that fits its tense."""
        if not self._draw.chance(probability):
            return clause
        times = self._lexicon.times
        return replace(clause, time=self._draw.pick((*times["any"], *times[_TIME_OF[clause.tense]])))

    def tense(self) -> Tense:
        """Half of all is told in the present."""
        return _TENSES[self._draw.kind(present=50, past=32, future=18)]

    def _emphatic(self, subject: NounPhrase | Person | None) -> bool:
        return isinstance(subject, int) and subject in (0, 1, 3, 4) and self._draw.chance(0.22)

    def copula(self, lemma: str) -> Verb:
        """One of the verbs of being: ser, estar, haber."""
        verb = self._lexicon.others[lemma]
        assert isinstance(verb, Verb)
        return verb


def unqualified(subject: NounPhrase | Person) -> NounPhrase | Person:
    """The subject of a quality is known and has no other: la canción es alegre, not una canción hermosa es alegre."""
    if not isinstance(subject, NounPhrase):
        return subject
    kept = subject.determiner if subject.determiner and subject.determiner.lemma in ("este", "ese", "todo") else None
    return replace(subject, adjective=None, very=False, determiner=kept)
