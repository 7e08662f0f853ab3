"""Translated documents as people write them: in paragraphs, with sentences merged, split or left out on one side."""

from __future__ import annotations

import random
import textwrap
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from seshat.sample.grammar import Sentence
from seshat.sample.spanish import conjunction

_LINK, _MERGE, _OMIT = 0.88, 0.09, 0.03
"""Shares of sentences that are translated one by one, two in one on one side, and on one side only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bead:
    """Sentences that say the same on both sides; one side may be empty."""

    texts: tuple[str, ...]
    translations: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Translated:
    """A document and its translation: paragraphs of beads, the same paragraphs on both sides."""

    stem: str
    title: str
    paragraphs: tuple[tuple[Bead, ...], ...]

    def texts(self) -> list[str]:
        """The paragraphs in Tamuri."""
        return [" ".join(text for bead in paragraph for text in bead.texts) for paragraph in self.paragraphs]

    def translations(self) -> list[str]:
        """The paragraphs in Spanish."""
        return [" ".join(text for bead in paragraph for text in bead.translations) for paragraph in self.paragraphs]

    def links(self) -> Iterator[str]:
        """The gold alignment, ``[0,1]:[0]`` for each bead: numbers of sentences from 0 over the whole document."""
        i = j = 0
        for bead in (bead for paragraph in self.paragraphs for bead in paragraph):
            left, right = range(i, i + len(bead.texts)), range(j, j + len(bead.translations))
            yield f"[{','.join(map(str, left))}]:[{','.join(map(str, right))}]"
            i, j = left.stop, right.stop


def translated(stem: str, title: str, sentences: Sequence[Sentence], conjunction_word: str, rng: random.Random) -> Translated:
    """A document of these sentences. ``conjunction_word`` is the Tamuri ``y``, which joins what one side merges."""
    beads = _beads(sentences, conjunction_word, rng)
    return Translated(stem=stem, title=title, paragraphs=tuple(_paragraphs(beads, rng)))


def clean(stem: str, title: str, sentences: Sequence[Sentence], rng: random.Random) -> Translated:
    """A document that was translated sentence by sentence."""
    beads = [Bead(texts=(s.text,), translations=(s.translation,)) for s in sentences]
    return Translated(stem=stem, title=title, paragraphs=tuple(_paragraphs(beads, rng)))


def wrapped(paragraphs: Sequence[str], *, width: int) -> str:
    """Plain text with lines of a width and an empty line after each paragraph."""
    fill: Callable[[str], str] = textwrap.TextWrapper(width=width, break_long_words=False, break_on_hyphens=False).fill
    return "\n\n".join(map(fill, paragraphs)) + "\n"


def _beads(sentences: Sequence[Sentence], y: str, rng: random.Random) -> list[Bead]:
    beads: list[Bead] = []
    rest = list(reversed(sentences))
    while rest:
        first = rest.pop()
        kind = rng.choices(("link", "merge", "omit"), (_LINK, _MERGE, _OMIT))[0]
        if kind == "merge" and rest and _plain(first) and _plain(rest[-1]):
            beads.append(_merged(first, rest.pop(), y, rng))
        elif kind == "omit":
            text_only = rng.random() < 0.5
            beads.append(Bead(texts=(first.text,), translations=()) if text_only else Bead(texts=(), translations=(first.translation,)))
        else:
            beads.append(Bead(texts=(first.text,), translations=(first.translation,)))
    return beads


def _plain(sentence: Sentence) -> bool:
    """Whether it is short and holds one clause, so that another can be joined to it."""
    words = sentence.translation.split()
    return sentence.text.endswith(".") and "," not in sentence.text and len(words) <= 8 and not {"y", "e", "porque"} & set(words)


def _merged(first: Sentence, second: Sentence, y: str, rng: random.Random) -> Bead:
    """Two sentences, joined by ``and`` on one of the sides."""
    texts, translations = (first.text, second.text), (first.translation, second.translation)
    if rng.random() < 0.5:
        return Bead(texts=(_joined(*texts, y),), translations=translations)
    return Bead(texts=texts, translations=(_joined(*translations, conjunction(second.translation.lower())),))


def _joined(first: str, second: str, word: str) -> str:
    return f"{first[:-1]} {word} {second[0].lower()}{second[1:]}"


def _paragraphs(beads: Sequence[Bead], rng: random.Random) -> Iterator[tuple[Bead, ...]]:
    """Three to six beads each. A paragraph begins with a full bead, so that none is empty on a side."""
    start = 0
    while start < len(beads):
        stop = start + rng.randint(3, 6)
        while stop < len(beads) and not (beads[stop].texts and beads[stop].translations):
            stop += 1
        if len(beads) - stop < 3:
            stop = len(beads)
        yield tuple(beads[start:stop])
        start = stop
