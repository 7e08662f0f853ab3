"""Noun phrases drawn at random, each word often enough to be learnt."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from seshat.sample.lexicon import Adjective, Concept, Lexicon, Noun
from seshat.sample.meaning import NounPhrase, Person, Tense

C = TypeVar("C", bound=Concept)

_FLOOR = 0.0009
"""Share of all draws below which no word shall fall: about a dozen times in 4,000 sentences."""
_CATCH_UP = 0.6
"""How often a word below the floor is taken when it could be."""
_PERSON_WEIGHTS = (30, 18, 15, 16, 6, 15)


class Draw:
    """Random choices that remember how often each word was used."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self._used: Counter[str] = Counter()
        self._num_draws = 0

    def pick(self, items: Sequence[C]) -> C:
        """One word by its rank in ``items`` (Zipf's law), or the least used if that is too rare to be learnt."""
        self._num_draws += 1
        least = min(self._used[item.root] for item in items)
        if least < self._num_draws * _FLOOR and self.chance(_CATCH_UP):
            item = self.rng.choice([item for item in items if self._used[item.root] == least])
        else:
            item = self.rng.choices(items, [1 / (rank + 1) for rank in range(len(items))])[0]
        self._used[item.root] += 1
        return item

    def chance(self, probability: float) -> bool:
        """True with this probability."""
        return self.rng.random() < probability

    def kind(self, **weights: int) -> str:
        """One of the names, by weight."""
        return self.rng.choices(list(weights), list(weights.values()))[0]


@dataclass(frozen=True, slots=True)
class Scene:
    """What the parts of a clause share."""

    tense: Tense
    subject: NounPhrase | Person | None

    @property
    def possessor(self) -> Person:
        """The subject as an owner: mi, tu, su."""
        return self.subject if isinstance(self.subject, int) and self.subject not in (2, 5) else 2

    def others(self, nouns: Sequence[Noun]) -> Sequence[Noun]:
        """The nouns without the subject itself: nobody visits himself here."""
        if not isinstance(self.subject, NounPhrase):
            return nouns
        return [noun for noun in nouns if noun != self.subject.noun] or nouns


class Phrases:
    """Draws noun phrases for the places that a clause has."""

    def __init__(self, words: Lexicon, draw: Draw) -> None:
        self._draw = draw
        self._word = words.others
        self._adjectives = {noun: [a for a in words.adjectives if noun in a.nouns] for noun in words.nouns}
        self._numerals = [word for word in words.others.values() if word.part == "numeral"]
        self._owned = frozenset(words.groups["owned"])  # mi perro, but not mi jaguar
        self._people = words.groups["human"]

    def person(self) -> Person:
        """Somebody who is told by the verb's ending alone."""
        return self._draw.rng.choices(range(6), _PERSON_WEIGHTS)[0]

    def subject(self, nouns: Sequence[Noun], *, person: float = 0.38) -> NounPhrase | Person:
        """Who or what does it; two now and then."""
        if any(noun.human for noun in nouns) and self._draw.chance(person):
            return self.person()
        phrase = self.known(self._draw.pick(nouns))
        if phrase.noun.human and not phrase.owner and self._draw.chance(0.07):
            other = self._draw.pick([noun for noun in nouns if noun.human])
            if other != phrase.noun:
                phrase = replace(phrase, also=replace(self.known(other), owner=None))
        return phrase

    def known(self, noun: Noun, scene: Scene | None = None, *, adjective: float = 0.15) -> NounPhrase:
        """Any noun phrase that fits a noun, mostly definite."""
        if noun.word_class == "kin":
            return self.whose(noun, scene)
        if noun.word_class == "body":
            return NounPhrase(noun=noun, plural=noun.lemma in ("mano", "pie", "brazo"))
        if noun.unique or noun.mass:
            return self.with_adjective(NounPhrase(noun=noun), adjective * 0.6)
        kind = self._draw.kind(the=52, one=12, this=7, numeral=6, much=4, all=3, other=2, whose=12, owned=3)
        phrase = NounPhrase(noun=noun, plural=self._draw.chance(0.22))
        if kind == "whose" and noun in self._owned:
            phrase = replace(phrase, possessor=self._possessor(scene))
        elif kind == "owned" and noun in self._owned:
            return replace(phrase, owner=self._owner())
        elif kind == "this":
            phrase = replace(phrase, determiner=self._this())
        elif kind in ("one", "numeral", "much", "all", "other"):
            phrase = self._counted(noun, kind)
        return self.with_adjective(phrase, adjective)

    def new(self, noun: Noun, *, bare: bool = True) -> NounPhrase:
        """Something of which the hearer did not know: un pez, dos peces, muchos peces, (mucha) agua."""
        if noun.mass:
            much = self._word[self._draw.kind(mucho=2, poco=1)] if self._draw.chance(0.5) else None
            return NounPhrase(noun=noun, determiner=much, bare=True)
        return self._counted(noun, self._draw.kind(one=35, numeral=25, much=25, bare=15 if bare else 0))

    def whose(self, noun: Noun, scene: Scene | None = None) -> NounPhrase:
        """A noun with a possessor, as kin always has: mi madre."""
        many = not noun.unique and self._draw.chance(0.18)
        possessor = self._possessor(scene)
        shared = possessor > 2 and noun.lemma in ("esposo", "esposa")
        return NounPhrase(noun=noun, plural=many, possessor=0 if shared else possessor)

    def place(self, nouns: Sequence[Noun], scene: Scene) -> NounPhrase:
        """Where, with what or with whom: mostly a plain definite phrase."""
        noun = self._draw.pick(scene.others(nouns))
        if noun.word_class == "kin":
            return self.whose(noun, scene)
        kind = self._draw.kind(the=70, whose=12, this=6, known=12)
        if kind == "whose" and noun in self._owned:
            return NounPhrase(noun=noun, possessor=self._possessor(scene))
        if kind == "this" and not noun.unique and not noun.mass:
            return NounPhrase(noun=noun, determiner=self._this())
        return self.known(noun, scene) if kind == "known" else NounPhrase(noun=noun)

    def than(self, adjective: Adjective, noun: Noun) -> NounPhrase | None:
        """What a noun may be compared with: another of its kind, if there is one."""
        others = [n for n in adjective.nouns if n != noun and n.word_class == noun.word_class and not n.mass]
        if not others:
            return None
        other = self._draw.pick(others)
        return self.whose(other) if other.word_class == "kin" else NounPhrase(noun=other)

    def with_adjective(self, phrase: NounPhrase, probability: float) -> NounPhrase:
        """The phrase, with some probability with an adjective that goes with its noun."""
        fitting = self._adjectives[phrase.noun]
        if not fitting or not self._draw.chance(probability):
            return phrase
        adjective = self._draw.pick(fitting)
        return replace(phrase, adjective=adjective, very=adjective.gradable and self._draw.chance(0.1))

    def _counted(self, noun: Noun, kind: str) -> NounPhrase:
        match kind:
            case "one":
                return NounPhrase(noun=noun, determiner=self._word["uno"])
            case "numeral":
                return NounPhrase(noun=noun, plural=True, determiner=self._draw.pick(self._numerals))
            case "much":
                return NounPhrase(noun=noun, plural=True, determiner=self._word[self._draw.kind(mucho=2, poco=1)])
            case "all":
                return NounPhrase(noun=noun, plural=True, determiner=self._word["todo"])
            case "other":
                return NounPhrase(noun=noun, plural=self._draw.chance(0.3), determiner=self._word["otro"])
            case _:
                return NounPhrase(noun=noun, plural=True, bare=True)

    def _this(self) -> Concept:
        return self._word[self._draw.kind(este=3, ese=2)]

    def _possessor(self, scene: Scene | None) -> Person:
        if scene and self._draw.chance(0.65):
            return scene.possessor
        return self._draw.rng.choices(range(5), (45, 20, 15, 15, 5))[0]

    def _owner(self) -> NounPhrase:
        noun = self._draw.pick(self._people)
        return self.whose(noun) if noun.word_class == "kin" else NounPhrase(noun=noun, plural=self._draw.chance(0.2))
