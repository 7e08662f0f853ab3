"""Which back-translations are good enough to train on: what neither lengths, words nor the language speak against.

Dictionary and lexicon say which words belong together: a translation that has nothing for most content words of its source says
something else, however well it reads.
"""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Container, Sequence
from functools import cached_property

from seshat.data.duplicates import bare
from seshat.evaluation.cases import seen
from seshat.examples import by_people, texts_of
from seshat.hints import Forms, dictionary
from seshat.identify import Identifier
from seshat.language import words
from seshat.lexicon import Lexicon
from seshat.records import Example

FREQUENT = 0.005
"""Words that make up more of the running words than this are no content words."""
WEAKEST = 0.1
"""Links of the lexicon that are weaker are no translations."""
LINKS = 5
"""Translations of a word that are looked for."""


class Checks:
    """Judges translations of one direction."""

    def __init__(self, examples: Sequence[Example], direction: str, *, lengths: float, copied: float, lexicon: float) -> None:
        """``examples`` are those of training; back-translations among them teach nothing here. The rest is as in the settings."""
        self._source, _, self._target = direction.partition("-")
        self._examples, self._direction = list(by_people(examples)), direction
        self._lengths, self._copied, self._least = lengths, copied, lexicon
        self._pairs = seen(self._examples, direction, "translation")
        self._counts = Counter(word for source, _ in self._pairs for word in words(source))
        ratios = [math.log(len(target) / len(source)) for source, target in self._pairs if source and target]
        self._usual = statistics.median(ratios) if ratios else 0.0

    def why_not(self, source: str, said: str, guarded: Container[str]) -> str:
        """Why a translation is not trained on, beginning with one word for the count; empty if nothing speaks against it.

        ``guarded`` are bare texts that must not be.
        """
        there, here = words(source), words(said)
        if not here:
            return "empty: the translation has no words"
        if bare(said) in guarded:
            return "leak: the translation stands in the test, validation or held-out part"
        shared = sum(word in set(there) for word in here) / len(here)
        if shared > self._copied:
            return f"copy: {shared:.0%} of the translation's words are the source's"
        if abs(math.log(len(said) / len(source)) - self._usual) > math.log(self._lengths):
            return f"ratio: {len(said)} characters for {len(source)}, usual are {len(source) * math.exp(self._usual):.0f}"
        if self._identifier and self._identifier.languages([said])[0] == self._source:
            return f"language: the translation is in {self._source}"
        share = self.supported(source, said)
        return f"lexicon: {share:.0%} of the content words are translated" if share < self._least else ""

    def supported(self, source: str, said: str) -> float:
        """The share of content words of which the translation has a word that dictionary or lexicon give for them, or a form of it.

        Numbers and words that stand on both sides count as translated; 1 where there is no content word.
        """
        most = FREQUENT * self._counts.total()
        content = [word for word in dict.fromkeys(words(source)) if self._counts[word] <= most and not word.isdigit()]
        here = Forms(words(said))
        return sum(self._stands(word, here) for word in content) / len(content) if content else 1.0

    def _stands(self, word: str, here: Forms) -> bool:
        if here.find(word) == word:
            return True
        given = [part for sense in self._dictionary.get(self._entries.find(word), ()) for part in words(sense)]
        form = self._known.find(word)
        given += [target for target, strength in self._lexicon.translations(form, limit=LINKS) if strength >= WEAKEST]
        return any(here.find(one) for one in given)

    @cached_property
    def _dictionary(self) -> dict[str, list[str]]:
        return dictionary(self._examples, self._direction)

    @cached_property
    def _entries(self) -> Forms:
        return Forms(self._dictionary)

    @cached_property
    def _lexicon(self) -> Lexicon:
        return Lexicon.estimate((words(source), words(target)) for source, target in self._pairs)

    @cached_property
    def _known(self) -> Forms:
        return Forms(self._lexicon.sources)

    @cached_property
    def _identifier(self) -> Identifier | None:
        texts = texts_of(self._examples)
        return Identifier.of_sample({code: texts.get(code, ()) for code in (self._source, self._target)})
