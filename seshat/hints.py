"""What helps to translate a sentence, found before the model sees it: entries for its words, and a near example with its translation.

The words come from the dictionary and from the lexicon that the training pairs gave (``seshat.lexicon``); rare words first, since
the model learns the frequent ones by itself. A word that nobody knows is looked up by its form: what shares its beginning with a
known word is an inflected form of it, what differs in a letter is another spelling. The near example is a translation memory
(``seshat.neighbours``). Words and examples in the prompt, in training and in use, are what helps a model most with a language
that it has hardly seen (Ghazvininejad et al., 2023, "Dictionary-based Phrase-level Prompting"; Zhang et al., 2024, "Teaching Large
Language Models an Unseen Language on the Fly").

Training examples are *cross-fitted*: what is told about a pair comes from pairs of other folds, so that the model learns how far a
hint can be trusted with sentences that it has never seen (the folds of Chernozhukov et al., 2018, "Double/debiased machine learning").
"""

from __future__ import annotations

import itertools
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import regex

from seshat.examples import by_people, read_examples, to_line
from seshat.language import words
from seshat.lexicon import Lexicon
from seshat.neighbours import Neighbours
from seshat.prompts import Hinting
from seshat.records import Example, digest

KNOWLEDGE = "hints.jsonl"
"""The file of a model's folder with the training examples that its hints come from."""
TASKS = ("translation", "dictionary")
STEM = 4
"""The fewest letters that an inflected form shares with its word."""
BUCKET = 2
"""The letters that a form has in common with any word it may be taken for."""
LONGEST_SENSE = 3
"""The most words of a dictionary's answer that stand for a word; longer ones explain it."""
Known = tuple[str, tuple[str, ...]]
"""A word as the dictionary or the lexicon has it, and its translations."""
_SENSES = regex.compile(r"\s*[,;/|]\s*|\s*\(.*?\)\s*|\.\s+")
_EDGES = regex.compile(r"^[^\p{L}\p{N}]+|[^\p{L}\p{M}\p{N}\u02bc\ua78c]+$")


@dataclass(frozen=True, slots=True)
class Told:
    """What is told about one sentence, the most important first."""

    words: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """A form as the dictionary or the lexicon has it, and its translations."""
    examples: tuple[tuple[str, str], ...] = ()
    """A sentence like this one, and its translation."""

    def lines(self) -> tuple[str, ...]:
        """One line of text for each hint."""
        return (
            *(f"{form} = {', '.join(translations)}" for form, translations in self.words),
            *(f"{source} = {translation}" for source, translation in self.examples),
        )


class Forms:
    """Known words, found by forms of them."""

    def __init__(self, known: Iterable[str]) -> None:
        self._known = frozenset(known)
        self._buckets: dict[str, list[str]] = {}
        for word in sorted(self._known):
            self._buckets.setdefault(word[:BUCKET], []).append(word)
        self._found: dict[str, str] = {}

    def find(self, form: str) -> str:
        """The word itself, else the one that it most likely is a form of; empty if there is none.

        A form shares at least ``STEM`` letters and three quarters of the shorter of the two with its word, or differs from it in one
        letter out of five.
        """
        if form in self._known:
            return form
        if form not in self._found:
            self._found[form] = self._nearest(form)
        return self._found[form]

    def _nearest(self, form: str) -> str:
        from rapidfuzz.distance import Levenshtein, Prefix

        best, rank = "", (0.0, 0.0)
        for word in self._buckets.get(form[:BUCKET], ()) if len(form) >= STEM else ():
            shared = Prefix.similarity(form, word)
            stem = shared / min(len(form), len(word)) if shared >= STEM else 0.0
            alike = Levenshtein.normalized_similarity(form, word)
            if (stem >= 0.75 or (alike >= 0.8 and len(form) > STEM)) and (found := (max(stem, alike), alike)) > rank:
                best, rank = word, found
        return best


class Hinter:
    """Finds the hints of one direction."""

    def __init__(
        self, hinting: Hinting, memory: Sequence[tuple[str, str]], dictionary: Mapping[str, Sequence[str]], lexicon: Lexicon
    ) -> None:
        """``memory`` has pairs of (source, translation), ``dictionary`` the translations of words in small letters.

        ``lexicon`` goes the same way.
        """
        self.hinting = hinting
        self._memory = list(dict.fromkeys(memory)) if hinting.examples else []
        self._dictionary, self._lexicon = dictionary, lexicon
        self._counts = Counter(word for source, _ in memory for word in words(source))
        self._most = hinting.frequent * self._counts.total()
        self._entries, self._seen = Forms(dictionary), Forms(lexicon.sources)

    def hints(self, sentences: Sequence[str]) -> list[Told]:
        """What is told about each sentence, in order."""
        near: Iterable[tuple[tuple[str, str], ...]] = self._near(sentences) if self._memory else [()] * len(sentences)
        return [Told(self._words(sentence), examples) for sentence, examples in zip(sentences, near, strict=True)]

    def explained(self, sentence: str) -> list[tuple[str, ...]]:
        """The translations of each of its words, in their order; none for a word that is not explained."""
        found = dict(itertools.islice(self._explained(sentence), self.hinting.words))
        return [found[word][1] if word in found else () for word in words(sentence)]

    def _words(self, sentence: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
        unique: dict[str, tuple[str, ...]] = {}
        for _, (form, translations) in self._explained(sentence):
            unique.setdefault(form, translations)
        return tuple(unique.items())[: self.hinting.words]

    def _explained(self, sentence: str) -> Iterator[tuple[str, Known]]:
        """The words of a sentence that are known and not frequent with their entries, the rarest first."""
        order = {word: place for place, word in reversed(list(enumerate(words(sentence)))) if self._counts[word] <= self._most}
        rarest = sorted(order, key=lambda word: (self._counts[word], order[word]))
        return ((word, entry) for word in rarest if (entry := self._entry(word)))

    def _entry(self, word: str) -> Known | None:
        """A word as it is known, with its translations: exactly the same word first, of the dictionary before the lexicon."""
        if not self.hinting.words or not word.strip():
            return None
        for form in dict.fromkeys((word, self._entries.find(word))):
            if form in self._dictionary:
                return form, tuple(self._dictionary[form][: self.hinting.per_word])
            if form == word and (linked := self._linked(word)):
                return word, linked
        form = self._seen.find(word)
        linked = self._linked(form) if form else ()
        return (form, linked) if linked else None

    def _linked(self, word: str) -> tuple[str, ...]:
        links = self._lexicon.translations(word, limit=self.hinting.per_word)
        return tuple(translation for translation, strength in links if strength >= self.hinting.weakest)

    def _near(self, sentences: Sequence[str]) -> Iterator[tuple[tuple[str, str], ...]]:
        places, similarities = self._neighbours.nearest(sentences, k=self.hinting.examples)
        for row, alike in zip(places, similarities, strict=True):
            yield tuple(self._memory[place] for place, one in zip(row, alike, strict=True) if one >= self.hinting.nearest)

    @cached_property
    def _neighbours(self) -> Neighbours:
        return Neighbours([source for source, _ in self._memory])


class Knowledge:
    """What hints are taken from, in all directions: the translations and the dictionary that a model was trained with."""

    def __init__(self, hinting: Hinting, examples: Iterable[Example]) -> None:
        self._hinting = hinting
        self._examples = [one for one in by_people(examples) if one.task in TASKS]
        self._hinters: dict[str, Hinter] = {}

    @classmethod
    def read(cls, folder: str, hinting: Hinting) -> Knowledge | None:
        """That of a model's folder; None for a model that was trained without hints."""
        return cls(hinting, read_examples(os.path.join(folder, KNOWLEDGE))) if hinting else None

    def write(self, folder: str) -> None:
        """Put it into a model's folder."""
        with open(os.path.join(folder, KNOWLEDGE), "w", encoding="utf-8") as stream:
            stream.writelines(f"{to_line(one)}\n" for one in self._examples)

    def hints(self, sentences: Sequence[str], source: str, target: str) -> list[tuple[str, ...]]:
        """The lines that are told about each sentence, in order."""
        direction = f"{source}-{target}"
        if direction not in self._hinters:
            self._hinters[direction] = hinter(self._hinting, self._examples, direction)
        return [told.lines() for told in self._hinters[direction].hints(sentences)]


def senses(answer: str) -> list[str]:
    """The short translations in a dictionary's answer, in its order and in small letters, without punctuation: ``casa; hogar (n.)``."""
    pieces = (_EDGES.sub("", piece.strip().lower()) for piece in _SENSES.split(answer))
    return [piece for piece in dict.fromkeys(pieces) if piece and len(words(piece)) <= LONGEST_SENSE]


def dictionary(examples: Iterable[Example], direction: str) -> dict[str, list[str]]:
    """The translations of each word, from the dictionary examples of both directions."""
    source, _, target = direction.partition("-")
    found: dict[str, list[str]] = {}
    for one in examples:
        if one.task != "dictionary" or one.direction not in (direction, f"{target}-{source}"):
            continue
        asked, answered = (one.source, one.answer) if one.direction == direction else (one.answer, one.source)
        for sense in senses(asked) if len(words(asked)) <= LONGEST_SENSE else ():
            known = found.setdefault(sense, [])
            known += [translation for translation in senses(answered) if translation not in known]
    return {word: translations for word, translations in found.items() if translations}


def hinter(hinting: Hinting, examples: Sequence[Example], direction: str) -> Hinter:
    """What finds hints of a direction in the training examples."""
    memory = [(one.source, one.answer) for one in examples if one.task == "translation" and one.direction == direction]
    lexicon = Lexicon.estimate((words(source), words(target)) for source, target in memory)
    return Hinter(hinting, memory, dictionary(examples, direction), lexicon)


def fitted(hinting: Hinting, examples: Sequence[Example], direction: str) -> Iterator[tuple[Hinter, list[Example]]]:
    """For each fold what finds hints in the pairs of all others, and the translations of the fold that get hints.

    What says the same on a side as a pair of the fold is left out with it. Which examples go without hints is decided by their content.
    """
    translations = [one for one in by_people(examples) if one.task == "translation" and one.direction == direction]
    entries = [one for one in by_people(examples) if one.task == "dictionary"]
    folds = _folds(translations, hinting.folds)
    for fold in range(hinting.folds):
        inside = [one for one, its in zip(translations, folds, strict=True) if its == fold]
        asked = [one for one in inside if _draw("hints", one.id) >= hinting.dropout]
        if asked:
            own = {key for one in inside for key in _sides(one)}
            others = [one for one in translations if own.isdisjoint(_sides(one))]
            yield hinter(hinting, [*entries, *others], direction), asked


def cross_fitted(hinting: Hinting, examples: Sequence[Example], direction: str) -> dict[str, Told]:
    """What is told about each translation of a direction, by the ``id`` of its example: nothing comes from a pair of its own fold.

    Examples that go without hints are not among the results.
    """
    told: dict[str, Told] = {}
    for finder, asked in fitted(hinting, examples, direction):
        told |= zip((one.id for one in asked), finder.hints([one.source for one in asked]), strict=True)
    return told


def with_hints(hinting: Hinting, examples: Mapping[str, Sequence[Example]]) -> dict[str, list[Example]]:
    """The examples of all splits with their hints: those of ``train`` are cross-fitted, those of others come from all of ``train``.

    Back-translations give no hints and have none.
    """
    train = [*by_people(examples["train"])]
    told: dict[str, Told] = {}
    for direction in sorted({one.direction for one in train if one.task == "translation"}):
        told |= cross_fitted(hinting, train, direction)
        others = [
            one for split, held in examples.items() if split != "train" for one in held
            if one.task == "translation" and one.direction == direction
        ]  # fmt: skip
        if others:
            found = hinter(hinting, train, direction).hints([one.source for one in others])
            told |= zip((one.id for one in others), found, strict=True)
    return {
        split: [replace(one, hints=told[one.id].lines()) if one.id in told else one for one in held] for split, held in examples.items()
    }


def _folds(translations: Sequence[Example], number: int) -> list[int]:
    """The fold of each example: documents stay together, because a new text has none of its own beside it either.

    One that would fill a fold by itself (the Bible, mostly) is spread over all folds, sentence by sentence.
    """
    sizes = Counter(one.group for one in translations)
    names = [one.group if sizes[one.group] * number <= len(translations) else _sides(one)[0][1] for one in translations]
    return [int(_draw("fold", name) * number) for name in names]


def _sides(example: Example) -> tuple[tuple[str, str], tuple[str, str]]:
    """What both sides say, whatever their punctuation and capitals."""
    return ("source", " ".join(words(example.source))), ("answer", " ".join(words(example.answer)))


def _draw(purpose: str, name: str) -> float:
    """A number from 0 to 1 that a name has for a purpose."""
    return int(digest(purpose, name), 16) / 16**20
