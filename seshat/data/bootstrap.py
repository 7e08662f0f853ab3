"""Learn to align from the documents that are to be aligned: lengths first, then words learnt from what is sure so far, and again.

No dictionary, no embeddings and no translation system is needed; whatever pairs and dictionary lines there are help.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from seshat.data.beads import Band, Bead, align
from seshat.data.evidence import Knowledge, Model, Side, Stems, stems
from seshat.lexicon import Lexicon

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


def align_part(model: Model, source: range, target: range, *, band: int, path: Sequence[Bead] = ()) -> list[Bead]:
    """Align some sentences of a document with each other; the beads count from the first of them.

    Where there are more sentences than fit into the band, lengths alone find the path in a wider one, and all evidence decides
    around that path: so time and memory grow with the length and not with its square. ``path`` is one that was found before.
    """
    num_source, num_target = len(source), len(target)
    size = max(num_source, num_target)
    around = Band.diagonal(num_source, num_target, min(size, WIDE * band))
    if size > band and path:
        around = Band.around(path, band)
    elif size > band:
        path = align(num_source, num_target, model.by_lengths.part(source, target), around)
        if model == model.by_lengths:
            return path
        around = Band.around(path, band)
    return align(num_source, num_target, model.part(source, target), around)


def learn(pairs: Iterable[tuple[Stems, Stems]], names: Iterable[str] = ()) -> Lexicon | None:
    """A lexicon from pairs of texts in stems, and of ``names``, which are the same on both sides. None if there is nothing."""
    usable = [pair for pair in pairs if all(1 <= len(side) <= MAX_WORDS for side in pair)]
    everything = [*usable, *[([name], [name]) for name in names] * NAMES]
    return Lexicon.estimate(everything, iterations=ITERATIONS, discount=DISCOUNT) if everything else None


def shared_names(source: Side, target: Side) -> list[str]:
    """The stems that stand on both sides: names, numbers and loans, which any two languages share."""
    sides = [{stem for sentence in side.stems for stem in sentence} for side in (source, target)]
    return sorted(stem for stem in sides[0] & sides[1] if len(stem) > 2 or stem.isdigit())


def align_corpus(
    documents: Sequence[tuple[Sequence[str], Sequence[str]]],
    dictionary: Iterable[tuple[str, str]] = (),
    *,
    band: int,
    passes: int = PASSES,
) -> list[list[Bead]]:
    """Align documents that share one lexicon, given as the sentences of both sides; ``dictionary`` holds lines of both languages."""
    sides = [(Side.of(source), Side.of(target)) for source, target in documents]
    taught = [(stems(source), stems(target)) for source, target in dictionary]
    source, target = Side.all([one for one, _ in sides]), Side.all([one for _, one in sides])
    names = shared_names(source, target)
    knowledge = Knowledge.of(source, target, learn(taught, names) if taught else None)
    found: list[list[Bead]] = []
    for number in range(passes + 1):
        if number:
            knowledge = replace(knowledge, lexicon=learn([*taught, *_sure(sides, found)], names))
        found = [
            align_part(Model.of(one, other, knowledge), range(len(one)), range(len(other)), band=band, path=path)
            for (one, other), path in zip(sides, found or [[] for _ in sides], strict=True)
        ]
    return found


def _sure(documents: Sequence[tuple[Side, Side]], found: Sequence[Sequence[Bead]]) -> Iterator[tuple[Stems, Stems]]:
    for (source, target), beads in zip(documents, found, strict=True):
        for bead in beads:
            if bead.score > SURE:
                yield [stem for i in bead.source for stem in source.stems[i]], [stem for j in bead.target for stem in target.stems[j]]
