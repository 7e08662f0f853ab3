"""The texts that a model learnt from, for people to look things up in: entries, sentences, which language a text is in.

They are read from the workspace that the model lies in, and are nobody's business elsewhere: a model folder that was given away comes
without them. To other machines only those are shown whose owners allow it (``publish_text``).
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from serve.models import Served, home_of
from seshat.examples import TRAINING, by_people, read_examples, texts_of
from seshat.hints import Hinter, Told, hinter
from seshat.identify import Identifier, words_of
from seshat.language import Language
from seshat.prompts import Hinting
from seshat.records import Example
from seshat.rights import owners

TRAIN = f"{TRAINING}/train.jsonl"
SHOWN = Hinting(words=40, per_word=3, examples=2, frequent=1.0)
"""What is told about a sentence: any of its words, for a reader does not know the frequent ones by himself."""
TASKS = ("dictionary", "translation")


@dataclass(frozen=True, slots=True)
class Line:
    """An entry or a sentence with its translation."""

    text: str
    """In the language that is taught."""
    translation: str
    task: str
    collection: str
    """The raw folder that it is from."""
    origin: str
    """The page, line or second."""


class Corpus:
    """What can be looked up, by one thread at a time: indexes are built when they are first needed."""

    def __init__(self, examples: Iterable[Example], language: Language) -> None:
        self._language = language
        self._examples = [one for one in by_people(examples) if one.task in TASKS]
        self._hinters: dict[str, Hinter] = {}

    @classmethod
    def of(cls, served: Served, *, public: bool) -> Corpus | None:
        """That of the workspace of a model; None for a model that is in none, or has been trained on other data than is there now."""
        home = home_of(served)
        if home is None or home.size(TRAIN) < 0 or home.vouch(TRAIN).sha256 != served.card.data.get(os.path.basename(TRAIN)):
            return None
        hidden = frozenset(served.card.rights.forbidding("publish_text") if public else ())
        shown = (one for one in read_examples(home.path(TRAIN)) if hidden.isdisjoint(owners(one.collection)))
        return cls(shown, served.card.language)

    def identify(self, text: str) -> dict[str, float]:
        """How probable each language is, by ISO 639-3 code, the most probable first; empty if the text does not say."""
        if self._identifier is None or not words_of(text):
            return {}
        found = self._identifier.probability(text)
        return dict(sorted(found.items(), key=lambda one: -one[1]))

    def explain(self, sentences: Sequence[str], source: str, target: str) -> list[Told]:
        """The entries of the words of each sentence, and sentences like it."""
        return self._hinter(f"{source}-{target}").hints(sentences)

    def search(self, query: str, *, task: str = "", start: int = 0, most: int = 20) -> tuple[list[Line], int]:
        """Lines that hold a text on either side, whatever its case, the shortest first: those from ``start`` on, and how many there are."""
        wanted = query.casefold().strip()
        found = [
            line for line, text in self._lines if (not task or line.task == task) and (not wanted or wanted in text)
        ]  # fmt: skip
        return found[start : start + most], len(found)

    @cached_property
    def _lines(self) -> list[tuple[Line, str]]:
        """All lines with what is searched in them, the shortest first."""
        ours = self._language.code
        lines: dict[tuple[str, str, str], Line] = {}
        for one in self._examples:
            source, _, target = one.direction.partition("-")
            if ours not in (source, target) or not target:
                continue
            text, translation = (one.source, one.answer) if source == ours else (one.answer, one.source)
            lines.setdefault((one.task, text, translation), Line(text, translation, one.task, one.collection, one.origin))
        ordered = sorted(lines.values(), key=lambda line: (len(line.text) + len(line.translation), line.text))
        return [(line, f"{line.text}\n{line.translation}".casefold()) for line in ordered]

    @cached_property
    def _identifier(self) -> Identifier | None:
        return Identifier.of_sample(texts_of(self._examples))

    def _hinter(self, direction: str) -> Hinter:
        if direction not in self._hinters:
            self._hinters[direction] = hinter(SHOWN, self._examples, direction)
        return self._hinters[direction]
