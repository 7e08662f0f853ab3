"""Meanings said in Spanish: articles, agreement, prepositions, the personal a, verb forms, question marks."""

from __future__ import annotations

from collections.abc import Iterator

from seshat.sample.conjugation import SpanishTense, conjugate
from seshat.sample.lexicon import Concept, Noun
from seshat.sample.meaning import Argument, Clause, Meaning, NounPhrase, Quality, Tense
from seshat.sample.spanish import Gender, agree, article, conjunction, contract, one

_PRONOUN = {0: "yo", 1: "tú", 3: "nosotros", 4: "vosotros"}
_CLITIC = ("me", "te", "se", "nos", "os", "se")
_POSSESSIVE = ("mi", "tu", "su", "nuestro", "vuestro", "su")
_DEMONSTRATIVE = {
    "este": {("m", False): "este", ("f", False): "esta", ("m", True): "estos", ("f", True): "estas"},
    "ese": {("m", False): "ese", ("f", False): "esa", ("m", True): "esos", ("f", True): "esas"},
}
_BEFORE_THE_OBJECT = ("bien", "mal", "muy bien", "mucho", "poco", "demasiado")
"""Cuenta bien la historia; other manners follow: come pan despacio."""
_ORDER = ("a", "de", "por", "en", "sobre", "con")


def say(meaning: Meaning) -> str:
    """The words of the sentence, without capital and final mark."""
    main = " ".join(_clause(meaning.main))
    if not meaning.other:
        return main
    other = " ".join(_clause(meaning.other))
    match meaning.link:
        case "cuando":
            return f"cuando {other}, {main}"
        case "porque":
            return f"{main} porque {other}"
        case _:
            return f"{main} {conjunction(other)} {other}"


def _clause(clause: Clause) -> Iterator[str]:
    subject = " ".join(_subject(clause))
    asked = isinstance(clause.question, Concept)
    if clause.time:
        yield clause.time.lemma
    if isinstance(clause.question, Concept):
        yield clause.question.lemma
    elif subject and clause.verb.lemma != "haber":
        yield subject
    if clause.frequency:
        yield clause.frequency.lemma
    yield from _verb(clause)
    if asked and subject:
        yield subject
    early = clause.manner is not None and clause.manner.lemma in _BEFORE_THE_OBJECT
    if clause.manner and early:
        yield clause.manner.lemma
    yield from _complements(clause)
    if clause.manner and not early:
        yield clause.manner.lemma


def _subject(clause: Clause) -> Iterator[str]:
    if clause.silent:
        return
    if isinstance(clause.subject, NounPhrase):
        yield noun_phrase(clause.subject)
    elif clause.emphatic and clause.subject is not None:
        yield _PRONOUN[clause.subject]


def _complements(clause: Clause) -> Iterator[str]:
    if clause.verb.lemma == "haber" and isinstance(clause.subject, NounPhrase):
        yield noun_phrase(clause.subject)
    if clause.predicate:
        yield _predicate(clause.predicate, clause)
    if clause.object:
        yield _object(clause.object, personal=clause.verb.lemma != "tener")
    for argument in sorted(clause.arguments, key=lambda a: _ORDER.index(a.preposition)):
        yield _argument(argument)


def _verb(clause: Clause) -> Iterator[str]:
    if clause.negated:
        yield "no"
    finite = clause.modal or clause.verb
    tense = _spanish_tense(clause.tense, state=finite.state)
    person = 2 if clause.verb.lemma == "haber" else clause.person
    lemma = clause.predicate.adjective.copula if isinstance(clause.predicate, Quality) else finite.lemma
    form = conjugate(lemma, tense, person)
    clitic = _CLITIC[person] if clause.verb.reflexive else ""
    if clause.modal:
        yield form
        yield clause.verb.lemma.removesuffix("se") + clitic
    else:
        yield f"{clitic} {form}" if clitic else form
    if clause.verb.complement:
        yield clause.verb.complement


def _spanish_tense(tense: Tense, *, state: bool) -> SpanishTense:
    match tense:
        case Tense.PRESENT:
            return SpanishTense.PRESENT
        case Tense.FUTURE:
            return SpanishTense.FUTURE
        case Tense.PAST:
            return SpanishTense.IMPERFECT if state else SpanishTense.PRETERITE


def _predicate(predicate: NounPhrase | Quality, clause: Clause) -> str:
    if isinstance(predicate, NounPhrase):
        return noun_phrase(predicate)
    gender, many = _agreement(clause.subject)
    form = agree(predicate.adjective.lemma, gender, many=many)
    if predicate.than:
        return f"más {form} que {noun_phrase(predicate.than)}"
    return f"muy {form}" if predicate.very else form


def _agreement(subject: NounPhrase | int | None) -> tuple[Gender, bool]:
    """Gender and number; a person without noun is masculine, and so is a group with one masculine."""
    if not isinstance(subject, NounPhrase):
        return "m", subject in (3, 4, 5)
    if subject.also:
        return ("f" if subject.noun.gender == subject.also.noun.gender == "f" else "m"), True
    return subject.noun.gender, subject.plural


def _object(phrase: NounPhrase, *, personal: bool) -> str:
    text = noun_phrase(phrase, as_object=True)
    return contract("a", text) if personal and phrase.noun.human else text


def _argument(argument: Argument) -> str:
    return contract(argument.preposition, noun_phrase(argument.phrase, as_object=argument.preposition == "con"))


def noun_phrase(phrase: NounPhrase, *, as_object: bool = False) -> str:
    """A noun phrase; as an object, a mass noun without determiner has no article (come pan)."""
    words = [*_determiner(phrase, bare=phrase.bare or (as_object and phrase.noun.mass))]
    words.append(phrase.noun.plural if phrase.plural else phrase.noun.lemma)
    if phrase.very:
        words.append("muy")
    if phrase.adjective:
        words.append(agree(phrase.adjective.lemma, phrase.noun.gender, many=phrase.plural))
    if phrase.owner:
        words.append(contract("de", noun_phrase(phrase.owner)))
    if phrase.also:
        also = noun_phrase(phrase.also, as_object=as_object)
        words += [conjunction(also), also]
    return " ".join(words)


def _determiner(phrase: NounPhrase, *, bare: bool) -> Iterator[str]:
    noun, many = phrase.noun, phrase.plural
    if phrase.determiner:
        if phrase.determiner.lemma == "todo":
            yield agree("todo", noun.gender, many=many)
            yield _article(noun, many=many)
        else:
            yield _quantity(phrase.determiner, noun, many=many)
    elif phrase.possessor is not None:
        yield agree(_POSSESSIVE[phrase.possessor], noun.gender, many=many)
    elif not bare or phrase.owner:
        yield _article(noun, many=many)


def _quantity(determiner: Concept, noun: Noun, *, many: bool) -> str:
    if determiner.lemma == "uno":
        return one(noun.gender, stressed_a=noun.stressed_a)
    if determiner.lemma in _DEMONSTRATIVE:
        return _DEMONSTRATIVE[determiner.lemma][noun.gender, many]
    if determiner.part == "numeral":
        return determiner.lemma
    return agree(determiner.lemma, noun.gender, many=many)


def _article(noun: Noun, *, many: bool) -> str:
    return article(noun.gender, many=many, stressed_a=noun.stressed_a)
