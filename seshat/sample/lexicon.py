"""The words of the sample: each concept has a Spanish lemma and a Tamuri root made by the phonology from the seed."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from seshat.sample import verbs, words
from seshat.sample.phonology import roots
from seshat.sample.spanish import Gender, plural

PartOfSpeech = Literal["noun", "verb", "adjective", "adverb", "numeral", "determiner", "pronoun", "question", "particle"]

SUFFIXES: Mapping[str, str] = {
    # nouns
    "PL": "nu", "ACC": "pa", "DAT": "ki", "LOC": "ma", "ABL": "ro", "INS": "wen", "GEN": "shü",
    "POSS.1SG": "ye", "POSS.2SG": "ñi", "POSS.3": "ta", "POSS.1PL": "yeʼ", "POSS.2PL": "ñiʼ",
    # verbs
    "NEG": "cho", "PRS": "ri", "PST": "ka", "FUT": "sho", "INF": "mu", "Q": "hü", "WHEN": "sa", "BECAUSE": "pen",
    "1SG": "ñe", "2SG": "ti", "3SG": "la", "1PL": "ñeʼ", "2PL": "tiʼ", "3PL": "laʼ",
}  # fmt: skip
"""Gloss and form of every suffix; the final glottal stop of the persons marks the plural."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Concept:
    """One meaning: a Spanish lemma and a Tamuri root. A lexicon has each once, so they are compared by identity."""

    lemma: str
    part: PartOfSpeech
    root: str = ""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Noun(Concept):
    """A noun with what Spanish must know of it."""

    gender: Gender
    word_class: str
    plural: str
    mass: bool = False
    stressed_a: bool = False
    unique: bool = False
    """One of its kind, as the sun."""

    @property
    def human(self) -> bool:
        """Whether it takes the personal ``a`` as an object."""
        return self.word_class in ("kin", "child", "adult")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Adjective(Concept):
    """An adjective, the copula that it takes, and the nouns that it goes with."""

    copula: Literal["ser", "estar"]
    nouns: tuple[Noun, ...]
    gradable: bool = True
    """Whether something can be very so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Adjunct:
    """An optional (or needed) phrase beside a verb: the Spanish preposition and the nouns that fit."""

    preposition: str
    nouns: tuple[Noun, ...]
    needed: bool


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Verb(Concept):
    """A verb and its frame: what it goes with."""

    state: bool = False
    """Told in the imperfect, not the preterite."""
    complement: str = ""
    """The bare noun of ``tener hambre``."""
    subjects: tuple[Noun, ...] = ()
    objects: tuple[Noun, ...] = ()
    object_needed: bool = False
    adjuncts: tuple[Adjunct, ...] = ()
    manners: tuple[Concept, ...] = ()

    @property
    def reflexive(self) -> bool:
        """Whether the Spanish verb is reflexive: levantarse."""
        return self.lemma.endswith("se")


@dataclass(frozen=True, slots=True, kw_only=True)
class Lexicon:
    """All concepts, by kind. Build it with `lexicon`."""

    nouns: tuple[Noun, ...]
    groups: Mapping[str, tuple[Noun, ...]]
    """Nouns by class, and by the names that stand for several classes."""
    adjectives: tuple[Adjective, ...]
    verbs: tuple[Verb, ...]
    """Verbs with a frame, the most frequent first."""
    feelings: tuple[Verb, ...]
    sky_verbs: tuple[Verb, ...]
    modals: tuple[Verb, ...]
    times: Mapping[str, tuple[Concept, ...]]
    frequencies: tuple[Concept, ...]
    others: Mapping[str, Concept] = field(repr=False)
    """Copulas, numerals, determiners, pronouns, question words and particles by lemma."""

    def concepts(self) -> Iterator[Concept]:
        """Every concept once."""
        seen: set[str] = set()
        manners = (manner for verb in self.verbs for manner in verb.manners)
        times = (time for group in self.times.values() for time in group)
        groups = (self.nouns, self.verbs, self.adjectives, self.feelings, self.sky_verbs, self.modals)
        for concept in (
            *(c for group in groups for c in group),
            *times,
            *self.frequencies,
            *manners,
            *self.others.values(),
        ):
            if concept.root not in seen:
                seen.add(concept.root)
                yield concept


def lexicon(seed: int = 1) -> Lexicon:
    """The lexicon of the sample. The meanings are always the same; the seed makes the roots."""
    root = _Roots(random.Random(seed))
    nouns = _nouns(root)
    manners = {kind: _concepts(root, line, "adverb", ";") for kind, line in words.MANNERS.items()}
    return Lexicon(
        nouns=tuple(nouns.every.values()),
        groups={name: nouns.named([name]) for name in (*words.NOUNS, *words.CLASSES)},
        adjectives=tuple(_adjectives(root, nouns)),
        verbs=tuple(_verb(root, line, nouns, manners) for line in verbs.VERBS.strip().splitlines()),
        feelings=tuple(
            Verb(lemma="tener", complement=noun, part="verb", root=root(f"tener {noun}"), state=True) for noun in verbs.FEELINGS.split(", ")
        ),
        sky_verbs=tuple(Verb(lemma=lemma, part="verb", root=root(lemma)) for lemma in verbs.SKY_VERBS.split(", ")),
        modals=tuple(Verb(lemma=lemma, part="verb", root=root(lemma), state=True) for lemma in verbs.MODALS.split()),
        times={tense: _concepts(root, line, "adverb", ";") for tense, line in words.TIMES.items()},
        frequencies=_concepts(root, words.FREQUENCIES, "adverb", ";"),
        others=_others(root),
    )


class _Roots:
    """Gives each lemma a new root, and the same lemma of the same part of speech the same one."""

    def __init__(self, rng: random.Random) -> None:
        self._taken: list[str] = []
        self._rng = rng
        self._known: dict[tuple[str, str], str] = {}

    def __call__(self, lemma: str, part: str = "") -> str:
        if (lemma, part) not in self._known:
            (root,) = roots(self._taken, [lemma], self._rng)
            self._taken.append(root)
            self._known[lemma, part] = root
        return self._known[lemma, part]


class _Nouns:
    """Nouns by lemma and by class, to resolve what the tables name."""

    def __init__(self, every: Mapping[str, Noun]) -> None:
        self.every = every

    def named(self, names: Iterable[str]) -> tuple[Noun, ...]:
        """The nouns of classes, of groups of classes, or of lemmas; a name that is none of these is an error."""
        found: dict[str, Noun] = {}
        for name in names:
            if name in words.CLASSES:
                found |= {noun.lemma: noun for noun in self.named(words.CLASSES[name].split())}
            elif name in words.NOUNS:
                found |= {noun.lemma: noun for noun in self.every.values() if noun.word_class == name}
            else:
                found[name] = self.every[name]
        return tuple(found.values())


def _nouns(root: _Roots) -> _Nouns:
    every: dict[str, Noun] = {}
    for word_class, line in words.NOUNS.items():
        for item in line.split(","):
            lemma, marks = item.split()
            assert lemma not in every, lemma
            every[lemma] = Noun(
                lemma=lemma,
                part="noun",
                root=root(lemma),
                gender="f" if marks[0] == "f" else "m",
                word_class=word_class,
                plural=plural(lemma),
                mass="+" in marks,
                stressed_a="á" in marks,
                unique="!" in marks,
            )
    return _Nouns(every)


def _adjectives(root: _Roots, nouns: _Nouns) -> Iterator[Adjective]:
    for copula in ("ser", "estar"):
        for item in words.ADJECTIVES[copula].split(";"):
            marked, names = item.strip().split(":")
            lemma = marked.rstrip("!")
            yield Adjective(
                lemma=lemma,
                part="adjective",
                root=root(lemma, "adjective"),
                copula=copula,
                nouns=nouns.named(names.split()),
                gradable=lemma == marked,
            )


def _verb(root: _Roots, line: str, nouns: _Nouns, manners: Mapping[str, tuple[Concept, ...]]) -> Verb:
    lemma, subjects, objects, adjuncts, kinds = (cell.strip() for cell in line.split("|"))
    state = lemma.endswith("*")
    lemma = lemma.rstrip("*")
    return Verb(
        lemma=lemma,
        part="verb",
        root=root(lemma),
        state=state,
        subjects=nouns.named(subjects.split(",")),
        objects=() if objects == "-" else nouns.named(objects.strip("()").split(",")),
        object_needed=not objects.startswith(("-", "(")),
        adjuncts=tuple(_adjunct(item, nouns) for item in adjuncts.split()),
        manners=tuple(manner for kind in kinds.split() for manner in manners[kind]),
    )


def _adjunct(item: str, nouns: _Nouns) -> Adjunct:
    preposition, names = item.split(":")
    return Adjunct(
        preposition=preposition.rstrip("!"),
        nouns=nouns.named(names.split(",")),
        needed=preposition.endswith("!"),
    )


def _concepts(root: _Roots, line: str, part: PartOfSpeech, separator: str) -> tuple[Concept, ...]:
    lemmas = (lemma.strip() for lemma in line.split(separator))
    return tuple(Concept(lemma=lemma, part=part, root=root(lemma, part)) for lemma in lemmas)


def _others(root: _Roots) -> dict[str, Concept]:
    tables: tuple[tuple[str, PartOfSpeech], ...] = (
        (words.NUMERALS, "numeral"),
        (words.DETERMINERS, "determiner"),
        (words.PRONOUNS, "pronoun"),
        (words.QUESTIONS, "question"),
        (words.PARTICLES, "particle"),
    )
    found = {c.lemma: c for line, part in tables for c in _concepts(root, line, part, ",")}
    for lemma in (verbs.COPULA, verbs.LOCATIVE_COPULA, verbs.EXISTENTIAL):
        found[lemma] = Verb(lemma=lemma, part="verb", root=root(lemma), state=True)
    return found
