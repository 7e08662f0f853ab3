"""Meanings said in Tamuri: agglutinative, suffixing, adjectives before nouns, the verb at the end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from seshat.sample.lexicon import SUFFIXES, Concept, Verb
from seshat.sample.meaning import CASE_OF, Argument, Case, Clause, Meaning, NounPhrase, Quality

_PERSON_GLOSS = ("1SG", "2SG", "3SG", "1PL", "2PL", "3PL")
_POSSESSOR_GLOSS = ("1SG", "2SG", "3", "1PL", "2PL", "3")
_PRONOUN = {0: "yo", 1: "tú", 3: "nosotros", 4: "vosotros"}
_ORDER = (Case.DATIVE, Case.ABLATIVE, Case.LOCATIVE, Case.INSTRUMENTAL)
_COPULAS = {"ser": "COP", "estar": "estar", "haber": "haber"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """A word in morphemes, before the sandhi: forms and their glosses side by side."""

    forms: tuple[str, ...]
    glosses: tuple[str, ...]


class Tamuri:
    """The word order (time, question word, subject, object, the other cases, verb) and the morphology.

    ``words`` are the pronouns, particles and determiners by their Spanish lemma.
    """

    def __init__(self, words: Mapping[str, Concept]) -> None:
        self._words = words

    def words(self, meaning: Meaning) -> Iterator[Word | str]:
        """The words of a sentence in order, and ``","`` after a subordinate clause."""
        match meaning.link:
            case None:
                yield from self._clause(meaning.main)
            case "y":
                assert meaning.other
                yield from self._clause(meaning.main)
                yield self._word("y")
                yield from self._clause(meaning.other)
            case link:
                assert meaning.other
                yield from self._clause(meaning.other, "WHEN" if link == "cuando" else "BECAUSE")
                yield ","
                yield from self._clause(meaning.main)

    def _clause(self, clause: Clause, subordinator: str = "") -> Iterator[Word]:
        if clause.time:
            yield _plain(clause.time)
        yield from self._question(clause)
        yield from self._subject(clause)
        if clause.frequency:
            yield _plain(clause.frequency)
        if clause.manner:
            yield _plain(clause.manner)
        yield from self._predicate(clause.predicate)
        if clause.object:
            yield from self._phrase(clause.object, Case.ACCUSATIVE)
        for argument in sorted(clause.arguments, key=_place):
            yield from self._phrase(argument.phrase, CASE_OF[argument.preposition])
        yield from self._verb(clause, subordinator)

    def _subject(self, clause: Clause) -> Iterator[Word]:
        if clause.silent:
            return
        if isinstance(clause.subject, NounPhrase):
            yield from self._phrase(clause.subject, Case.NOMINATIVE)
        elif clause.emphatic and clause.subject is not None:
            yield self._word(_PRONOUN[clause.subject])

    def _phrase(self, phrase: NounPhrase, case: Case) -> Iterator[Word]:
        if phrase.owner:
            yield from self._phrase(phrase.owner, Case.GENITIVE)
        if phrase.determiner:
            yield _plain(phrase.determiner)
        if phrase.very:
            yield self._word("muy")
        if phrase.adjective:
            yield _plain(phrase.adjective)
        suffixes = ["PL"] if phrase.plural else []
        if phrase.possessor is not None:
            suffixes.append(f"POSS.{_POSSESSOR_GLOSS[phrase.possessor]}")
        if case.value:
            suffixes.append(case.value)
        yield _inflected(phrase.noun, *suffixes)
        if phrase.also:
            yield self._word("y")
            yield from self._phrase(phrase.also, case)

    def _predicate(self, predicate: NounPhrase | Quality | None) -> Iterator[Word]:
        if isinstance(predicate, NounPhrase):
            yield from self._phrase(predicate, Case.NOMINATIVE)
        elif predicate:
            if predicate.than:
                yield from self._phrase(predicate.than, Case.ABLATIVE)
                yield self._word("más")
            elif predicate.very:
                yield self._word("muy")
            yield _plain(predicate.adjective)

    def _question(self, clause: Clause) -> Iterator[Word]:
        if isinstance(clause.question, Concept):
            yield _inflected(clause.question, *(["ACC"] if clause.question.lemma == "qué" else []))

    def _verb(self, clause: Clause, subordinator: str) -> Iterator[Word]:
        finite = clause.modal or clause.verb
        if clause.modal:
            yield _inflected(clause.verb, "INF")
        suffixes = ["NEG"] if clause.negated else []
        suffixes += [clause.tense.value, _PERSON_GLOSS[clause.person]]
        if clause.question:
            suffixes.append("Q")
        if subordinator:
            suffixes.append(subordinator)
        yield _inflected(finite, *suffixes)

    def _word(self, lemma: str) -> Word:
        return _plain(self._words[lemma])


def _place(argument: Argument) -> int:
    return _ORDER.index(CASE_OF[argument.preposition])


def _plain(concept: Concept) -> Word:
    return _inflected(concept)


def _inflected(concept: Concept, *suffixes: str) -> Word:
    return Word(
        forms=(concept.root, *(SUFFIXES[suffix] for suffix in suffixes)),
        glosses=(_gloss(concept), *suffixes),
    )


def _gloss(concept: Concept) -> str:
    lemma = concept.lemma
    if isinstance(concept, Verb):
        lemma = f"{lemma} {concept.complement}".strip()
    return _COPULAS.get(lemma, lemma).replace(" ", ".")
