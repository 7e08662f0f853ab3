"""Words that one language took over from the other and gave its own endings: ``diciembrenin`` is ``diciembre`` with ``-nin``.

Where people live with two languages a good part of the words that no training text has are of this kind, names among them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from seshat.phrases.words import Sentence

STEM = 4
"""The fewest letters of a word that was taken over."""
ENDING = 2
"""The fewest letters of the ending of a name that is not known."""
STEMS = 3
"""With so many words of the training text an ending must have been seen."""


class Loans:
    """What unknown source words were made of."""

    def __init__(self, pairs: Iterable[tuple[Sentence, Sentence]]) -> None:
        """Endings are what source words have behind a word of their own translation."""
        stems: defaultdict[str, set[str]] = defaultdict(set)
        known: set[str] = set()
        for source, target in pairs:
            known.update(target)
            taken = {word for word in target if len(word) >= STEM}
            for word in source:
                for size in range(STEM, len(word)):
                    if word[:size] in taken:
                        stems[word[size:]].add(word[:size])
        self._known = frozenset(known)
        self._endings = {ending: len(its) for ending, its in stems.items() if len(its) >= STEMS}

    def find(self, word: str, *, is_name: bool) -> str:
        """What a source word was made of: the longest word of the target language; of a name, else what its most usual ending leaves.

        Empty for a word of the target language, and for one that has no such ending.
        """
        sizes = [size for size in range(STEM, len(word)) if word[size:] in self._endings]
        if word in self._known or not sizes:
            return ""
        known = [size for size in sizes if word[:size] in self._known]
        unknown = [size for size in sizes if is_name and len(word) - size >= ENDING]
        return word[: max(known)] if known else word[: max(unknown, key=lambda size: self._endings[word[size:]])] if unknown else ""
