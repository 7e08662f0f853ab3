"""Which word of a sentence translates which: hidden Markov alignment in both directions, made one.

Vogel, Ney and Tillmann (1996), "HMM-Based Word Alignment in Statistical Translation"; the empty word as in Och and Ney (2003), "A
Systematic Comparison of Various Statistical Alignment Models"; expected counts are smoothed as in Riley and Gildea (2012), "Improving
the IBM Alignment Models Using Variational Bayes"; the two directions are joined by grow-diag-final-and (Koehn et al., 2005).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Sentence = Sequence[str]
Links = tuple[tuple[int, int], ...]
"""Places in the source and in the target sentence, sorted."""
MODEL_1, MARKOV = 5, 4
"""Iterations of each model."""
EMPTY = 0.15
"""How probable it is that a word has no counterpart."""
REACH = 8
"""Longer jumps count as one of this length."""
PRIOR = 0.01
"""The concentration of the Dirichlet prior: below one, rare words keep few translations."""
_AROUND = [(i, j) for i in (-1, 0, 1) for j in (-1, 0, 1) if i or j]


def align(pairs: Sequence[tuple[Sentence, Sentence]]) -> list[Links]:
    """The links of each pair of (source words, target words); neither side may be empty."""
    forward = _places(pairs)
    backward = _places([(target, source) for source, target in pairs])
    return [_grown(its.tolist(), others.tolist()) for its, others in zip(forward, backward, strict=True)]


def _places(pairs: Sequence[tuple[Sentence, Sentence]]) -> list[NDArray[np.int64]]:
    """The source place of each target word of each pair, -1 for none."""
    from scipy.special import digamma

    from seshat.phrases.markov import add_expected_jumps, add_expected_links, best_places  # heavy

    sources, targets = _numbered([source for source, _ in pairs]), _numbered([target for _, target in pairs])
    num_sources, num_targets = (np.array([len(one) for one in side], dtype=np.int64) for side in (sources, targets))
    names = 1 + max((int(one.max()) for one in targets), default=0)
    keys = [np.add.outer(target, np.append(0, source) * names).ravel() for source, target in zip(sources, targets, strict=True)]
    unique, links = np.unique(np.concatenate([np.zeros(0, np.int64), *keys]), return_inverse=True)
    links = links.astype(np.int64)
    given = unique // names
    probability = np.ones(len(unique))
    widths = np.repeat(num_sources + 1, num_targets)
    for _ in range(MODEL_1):
        counts = np.zeros(len(unique))
        add_expected_links(links, widths, probability, counts)
        probability = counts / np.bincount(given, counts)[given]
    jump = 1 / (1 + np.abs(np.arange(-REACH, REACH + 1) - 1.0))
    for _ in range(MARKOV):
        counts, jumps = np.zeros(len(unique)), np.zeros(len(jump))
        add_expected_jumps(links, num_sources, num_targets, probability, jump, EMPTY, counts, jumps)
        totals = np.bincount(given, counts + PRIOR)
        probability = np.exp(digamma(counts + PRIOR) - digamma(totals)[given])
        jump = jumps / max(jumps.sum(), 1e-9) + 1e-4
    found = best_places(links, num_sources, num_targets, probability, jump, EMPTY)
    return np.split(found, np.cumsum(num_targets)[:-1]) if len(num_targets) else []


def _numbered(sentences: Sequence[Sentence]) -> list[NDArray[np.int64]]:
    """Words as numbers from 1, in the order in which they first occur."""
    numbers: dict[str, int] = {}
    return [np.array([numbers.setdefault(word, len(numbers) + 1) for word in one], dtype=np.int64) for one in sentences]


def _grown(sources: Sequence[int], targets: Sequence[int]) -> Links:
    """Links that both directions have, those beside them that one has, and those of one between two words that have none."""
    forward = {(place, row) for row, place in enumerate(sources) if place >= 0}
    backward = {(row, place) for row, place in enumerate(targets) if place >= 0}
    links, left, right = set[tuple[int, int]](), set[int](), set[int]()

    def add(link: tuple[int, int]) -> None:
        links.add(link)
        left.add(link[0])
        right.add(link[1])

    for link in forward & backward:
        add(link)
    growing = True
    while growing:
        growing = False
        for i, j in sorted((forward | backward) - links):
            if (i not in left or j not in right) and any((i + above, j + beside) in links for above, beside in _AROUND):
                add((i, j))
                growing = True
    for side in (forward, backward):
        for i, j in sorted(side - links):
            if i not in left and j not in right:
                add((i, j))
    return tuple(sorted(links))
