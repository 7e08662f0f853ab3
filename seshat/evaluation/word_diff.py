"""How an answer differs from its reference, word by word, for people to read."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import SequenceMatcher
from typing import Literal

Kind = Literal["same", "said", "wanted"]


def word_diff(answer: str, reference: str) -> Iterator[tuple[Kind, str]]:
    """Runs of words: ``same`` in both, ``said`` in the answer alone, ``wanted`` in the reference alone.

    The longest common runs are matched first (Ratcliff and Obershelp, 1988); capitals and punctuation count.
    """
    said, wanted = answer.split(), reference.split()
    for tag, start, end, first, last in SequenceMatcher(None, said, wanted, autojunk=False).get_opcodes():
        if tag == "equal":
            yield "same", " ".join(said[start:end])
        if tag in ("replace", "delete"):
            yield "said", " ".join(said[start:end])
        if tag in ("replace", "insert"):
            yield "wanted", " ".join(wanted[first:last])
