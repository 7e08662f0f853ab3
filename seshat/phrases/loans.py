"""Words that one language took over from the other and gave its own endings: ``diciembrenin`` is ``diciembre`` with ``-nin``.

Where people live with two languages a good part of the words that no training text has are of this kind, names among them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence, Set

from seshat.phrases.words import Sentence

STEM = 4
"""The fewest letters of a word that was taken over."""
ENDING = 2
"""The fewest letters of the ending of a name that is not known."""
STEMS = 3
"""With so many words of the training text an ending must have been seen."""
_Stems = defaultdict[str, set[str]]


class Loans:
    """What unknown source words were made of."""

    def __init__(self, pairs: Sequence[tuple[Sentence, Sentence]], names: Sequence[Set[str]]) -> None:
        """Endings are what source words have behind a word of their own translation.

        ``names`` has, for each pair, the words of the source that have a capital which says something. They show which endings names
        have: that ``doctores`` stands beside ``doctor`` does not make ``Torr`` of ``Torres``.
        """
        of_words, of_names = _Stems(set), _Stems(set)
        for (source, target), capital in zip(pairs, names, strict=True):
            taken = {word for word in target if len(word) >= STEM}
            for word in source:
                for size in range(STEM, len(word)):
                    if word[:size] in taken:
                        (of_names if word in capital else of_words)[word[size:]].add(word[:size])
        self._known = frozenset(word for _, target in pairs for word in target)
        self._endings, self._endings_of_names = _frequent(of_words, of_names), _frequent(of_names)

    def find(self, word: str, *, is_name: bool) -> str:
        """What a source word was made of: the longest word of the target language; of a name, else what its most usual ending leaves.

        Empty for a word of the target language, and for one that has no such ending.
        """
        if word in self._known:
            return ""
        known = [size for size in range(STEM, len(word)) if word[size:] in self._endings and word[:size] in self._known]
        if known:
            return word[: max(known)]
        usual = {size: self._endings_of_names.get(word[size:], 0) for size in range(STEM, len(word) - ENDING + 1)}
        best = max(usual, key=lambda size: usual[size], default=0)
        return word[:best] if is_name and best and usual[best] else ""


def _frequent(*stems: _Stems) -> dict[str, int]:
    """How many stems each ending was seen with, if they are enough."""
    counts = {ending: len(set().union(*(its.get(ending, set()) for its in stems))) for its in stems for ending in its}
    return {ending: count for ending, count in counts.items() if count >= STEMS}
