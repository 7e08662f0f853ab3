"""What a sentence has beside its words: punctuation, capitals, names. They stay where they are while the words are translated."""

from __future__ import annotations

from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass, replace
from typing import Protocol

import regex

from seshat.language import clean_spaces, word_spans

_LETTER = regex.compile(r"\p{L}")
_SENTENCE = regex.compile(r"([.!?…][\"'»”)]*\s+\P{L}*)(\p{Ll})")
INSIDE = frozenset(",;:")
"""Punctuation that stays when the words on both sides of it are translated together."""


class Said(Protocol):
    """What the words from ``begin`` to ``end`` are translated by."""

    @property
    def begin(self) -> int: ...
    @property
    def end(self) -> int: ...
    @property
    def target(self) -> tuple[str, ...]: ...


@dataclass(frozen=True, slots=True)
class Surface:
    """A text as its words and what is between them."""

    words: tuple[str, ...]
    between: tuple[str, ...]
    """Before the first word, behind each word."""
    first: int
    """The place of the word that began the text: its capital says nothing."""
    capital: bool
    """The text begins with a capital."""

    @classmethod
    def read(cls, text: str) -> Surface:
        """The words of a text."""
        text = clean_spaces(text)
        spans = word_spans(text)
        ends, begins = [0, *(end for _, end in spans)], [*(begin for begin, _ in spans), len(text)]
        letter = _LETTER.search(text)
        return cls(
            words=tuple(text[begin:end] for begin, end in spans),
            between=tuple(text[begin:end] for begin, end in zip(ends, begins, strict=True)),
            first=0,
            capital=bool(letter and letter.group().isupper()),
        )

    @property
    def small(self) -> tuple[str, ...]:
        """The words in small letters."""
        return tuple(word.lower() for word in self.words)

    @property
    def parts(self) -> list[range]:
        """The places of the words that no punctuation separates."""
        cuts = [place for place in range(1, len(self.words)) if self.between[place].strip()]
        return [range(begin, end) for begin, end in zip([0, *cuts], [*cuts, len(self.words)], strict=True)]

    def arranged(self, arrange: Callable[[Sequence[str]], list[int]]) -> Surface:
        """With the words of each part in another order."""
        order = [part[place] for part in self.parts for place in arrange([self.words[at].lower() for at in part])]
        return replace(self, words=tuple(self.words[place] for place in order), first=order.index(self.first) if order else 0)

    @property
    def capitals(self) -> frozenset[str]:
        """The words that have a capital which says something, in small letters; none where everything is in capitals."""
        named = frozenset(word.lower() for place, word in enumerate(self.words) if self.is_capital(place))
        return frozenset() if len(self.words) > 1 and all(word.isupper() for word in self.words) else named

    def is_capital(self, place: int) -> bool:
        """A word has a capital that says something."""
        return place != self.first and self.words[place][:1].isupper()

    def written(self, said: Sequence[Said], capitals: Set[str]) -> str:
        """A translation with the punctuation and the capitals of this text; words in ``capitals`` always have one."""
        names = {word.lower(): word for place, word in enumerate(self.words) if self.is_capital(place)}
        pieces = [self.between[0]]
        for option in said:
            words = " ".join(names.get(word) or (word[:1].upper() + word[1:] if word in capitals else word) for word in option.target)
            inside = [mark for mark in (gap.strip() for gap in self.between[option.begin + 1 : option.end]) if mark in INSIDE]
            behind = self.between[option.end]
            if words:
                pieces += [words, *inside[:1], behind]
            elif behind.strip():
                pieces[-1] = pieces[-1].rstrip()
                pieces.append(behind)
        return self.begun(clean_spaces("".join(pieces)))

    def begun(self, said: str) -> str:
        """A translation with a capital at the beginning of its sentences, if this text has one."""
        if self.capital:
            said = _LETTER.sub(lambda letter: letter.group().upper(), said, count=1)
        return _SENTENCE.sub(lambda match: match.group(1) + match.group(2).upper(), said)
