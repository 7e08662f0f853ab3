"""How sure it is that a line of a scanned dictionary is an entry: by its reading, its letters and its place in the alphabet."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from seshat.language import Language

_FEW = 8
_SORTED = 0.8
"""A list is a sorted one if so large a share of neighbours is in order."""
_NEIGHBOURS = 2


def entry_scores(headwords: Sequence[str], confidences: Sequence[float], language: Language) -> list[float]:
    """From 0 to 1 for each headword of a dictionary, in the order of the pages.

    The product of three shares: how sure the engine is of the entry's lines, how many letters of the headword are in the alphabet, and
    with how many of its neighbours it stands in order (of a dictionary that is not sorted, all).
    """
    orders = in_order(headwords, language)
    return [
        round(confidence * (1 - language.foreign_share(word)) * order, 4)
        for word, confidence, order in zip(headwords, confidences, orders, strict=True)
    ]


def in_order(headwords: Sequence[str], language: Language) -> list[float]:
    """With which share of the two before and the two behind it each word stands in order; 1.0 where words are not sorted."""
    keys = [language.sort_key(word.lower()) for word in headwords]
    right = [first <= second for first, second in pairwise(keys)]
    if len(keys) < _FEW or sum(right) < _SORTED * len(right):
        return [1.0] * len(keys)
    shares = []
    for place, key in enumerate(keys):
        before, behind = keys[max(0, place - _NEIGHBOURS) : place], keys[place + 1 : place + 1 + _NEIGHBOURS]
        agreeing = sum(one <= key for one in before) + sum(key <= one for one in behind)
        shares.append(agreeing / (len(before) + len(behind)))
    return shares
