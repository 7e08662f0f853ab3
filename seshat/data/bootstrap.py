"""Learn to align from the documents that are to be aligned: lengths first, then words learnt from what is sure so far, and again.

No dictionary, no embeddings and no translation system is needed; whatever pairs and dictionary lines there are help.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from seshat.data.beads import Band, Bead, align
from seshat.data.evidence import Knowledge, Model, stems
from seshat.language import words
from seshat.lexicon import Lexicon

Sentences = Sequence[str]

PASSES = 3
"""How often the lexicon is learnt anew (``benchmarks.alignment`` shows what each is worth)."""
SURE = 0.5
"""The score from which an aligned pair teaches words."""
DISCOUNT = 0.5
"""Taken off every expected count, so that the lexicon does not memorise the mistakes of the pass before."""
ITERATIONS = 3
MAX_WORDS = 80
"""Longer pairs say too little about each of their words."""
WIDE = 5
"""So many times as wide as the band is the search for the path by lengths alone."""
NAMES = 2
"""How often a word that is the same on both sides counts as seen beside itself."""


def align_sides(model: Model, source: Sentences, target: Sentences, *, band: int) -> list[Bead]:
    """Align a document, or a part of one.

    Where there are more sentences than fit into the band, lengths alone find the path in a wider one, and all evidence decides
    around that path: so time and memory grow with the length and not with its square.
    """
    size, evidence = max(len(source), len(target)), model.evidence(source, target)
    around = Band.diagonal(len(source), len(target), min(size, WIDE * band))
    if size > band:
        path = align(len(source), len(target), model.without_words.evidence(source, target), around)
        if model.words is None:
            return path
        around = Band.around(path, band)
    return align(len(source), len(target), evidence, around)


def learn(pairs: Iterable[tuple[str, str]], names: Iterable[str] = ()) -> Lexicon | None:
    """A lexicon of stems from pairs of texts, and of ``names``, which are the same on both sides. None if there is nothing."""
    known = [(stems(words(text)), stems(words(translation))) for text, translation in pairs]
    usable = [pair for pair in known if all(1 <= len(side) <= MAX_WORDS for side in pair)]
    everything = [*usable, *[([name], [name]) for name in names] * NAMES]
    return Lexicon.estimate(everything, iterations=ITERATIONS, discount=DISCOUNT) if everything else None


def shared_names(source: Iterable[str], target: Iterable[str]) -> list[str]:
    """The stems that stand on both sides: names, numbers and loans, which any two languages share."""
    sides = [{stem for text in side for stem in stems(words(text))} for side in (source, target)]
    return sorted(stem for stem in sides[0] & sides[1] if len(stem) > 2 or stem.isdigit())


def align_corpus(
    documents: Sequence[tuple[Sentences, Sentences]], dictionary: Iterable[tuple[str, str]] = (), *, band: int
) -> list[list[Bead]]:
    """Align documents that share one lexicon, given as the sentences of both sides; ``dictionary`` holds lines of both languages."""
    taught = list(dictionary)
    sides = [[text for document in documents for text in document[side]] for side in (0, 1)]
    names = shared_names(*sides)
    knowledge = Knowledge.of(sides[0], sides[1], learn(taught, names) if taught else None)
    found: list[list[Bead]] = []
    for number in range(PASSES + 1):
        if number:
            knowledge = replace(knowledge, lexicon=learn([*taught, *_sure(documents, found)], names))
        found = [align_sides(Model(source, target, knowledge), source, target, band=band) for source, target in documents]
    return found


def _sure(documents: Sequence[tuple[Sentences, Sentences]], found: Sequence[Sequence[Bead]]) -> Iterable[tuple[str, str]]:
    for (source, target), beads in zip(documents, found, strict=True):
        for bead in beads:
            if bead.score > SURE:
                yield " ".join(source[i] for i in bead.source), " ".join(target[j] for j in bead.target)
