"""Sentences of the sample: a meaning said in Tamuri and in Spanish, with its morphemes and their glosses."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from seshat.sample.castilian import say
from seshat.sample.compose import Composer
from seshat.sample.lexicon import Lexicon, lexicon
from seshat.sample.meaning import Meaning
from seshat.sample.phonology import join
from seshat.sample.spanish import sentence
from seshat.sample.tamuri import Tamuri, Word

LANGUAGE = "qtm"
"""ISO 639-3 keeps qaa-qtz for private use."""
NAME = "tamuri"
BRIDGE = "spa"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentence:
    """One sentence in both languages."""

    text: str
    """In Tamuri."""
    translation: str
    """In Spanish."""
    morphemes: str
    """The words cut into morphemes, before the sandhi: ``kotin-pa``."""
    gloss: str
    """A gloss for each morpheme: ``niño-ACC``."""


class Grammar:
    """The language that a seed makes. Sentences are unique on both sides, over all that one grammar has given."""

    def __init__(self, seed: int = 1) -> None:
        self.lexicon: Lexicon = lexicon(seed)
        self._seed = seed
        self._tamuri = Tamuri(self.lexicon.others)
        self._seen: set[str] = set()

    def sentences(self, number: int, *, stream: int = 0) -> list[Sentence]:
        """New sentences. Each ``stream`` draws on its own, and none repeats what this grammar gave before."""
        return list(islice(self._new(stream), number))

    def _new(self, stream: int) -> Iterator[Sentence]:
        composer = Composer(self.lexicon, self._seed * 1_000 + stream)
        while True:
            said = self.say(composer.meaning())
            if said.text not in self._seen and said.translation not in self._seen:
                self._seen |= {said.text, said.translation}
                yield said

    def say(self, meaning: Meaning) -> Sentence:
        """A meaning in both languages."""
        words = list(self._tamuri.words(meaning))
        text = " ".join(join(word.forms) for word in _clauses(words)).replace(" ,", ",")
        return Sentence(
            text=text[0].upper() + text[1:] + ("?" if meaning.question else "."),
            translation=sentence(say(meaning), question=meaning.question),
            morphemes=" ".join("-".join(word.forms) for word in words if isinstance(word, Word)),
            gloss=" ".join("-".join(word.glosses) for word in words if isinstance(word, Word)),
        )


def _clauses(words: list[Word | str]) -> Iterator[Word]:
    """The words, a comma as a word of its own."""
    for word in words:
        yield word if isinstance(word, Word) else Word(forms=(word,), glosses=())
