"""How far two sides of a pair agree in what any two languages share: numbers in digits, and punctuation."""

from __future__ import annotations

from collections import Counter

import regex

_NUMBER = regex.compile(r"\p{Nd}+(?:[.,]\p{Nd}+)*")
_MARK = regex.compile(r"\.{3}|[.?!:;()\u2026\u00ab\u00bb\u201c\u201d\"]")
_ALIKE = {"...": "\u2026", ")": "(", "\u00ab": '"', "\u00bb": '"', "\u201c": '"', "\u201d": '"'}


def numbers_of(text: str) -> Counter[str]:
    """The numbers in digits, without the marks inside them: ``1.000`` and ``1,000`` are the same."""
    return Counter(regex.sub("[.,]", "", number) for number in _NUMBER.findall(text))


def marks_of(text: str) -> Counter[str]:
    """The marks that most writing shares; commas, and those that open a Spanish question, are as people like them."""
    return Counter(_ALIKE.get(mark, mark) for mark in _MARK.findall(_NUMBER.sub("", text)))


def shared(left: Counter[str], right: Counter[str]) -> float:
    """The index of Dice (1945) of two bags, from 0 to 1: what both have, twice, divided by what there is; 1 if both are empty."""
    total = left.total() + right.total()
    return 2 * (left & right).total() / total if total else 1.0
