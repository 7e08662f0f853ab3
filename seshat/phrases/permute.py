"""The inner loops of learning an order and of finding the best one, compiled by numba at their first use and then kept beside this file.

Import this module inside functions: it costs half a second, and only those who translate should pay it.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from seshat.phrases.beam import mixed

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
BITS = 22
WEIGHTS = 1 << BITS
"""Features share as many, by their hash; different ones seldom the same."""
FEATURES = 16
"""Of a pair of words."""
ROUNDS = 6
"""How often the search goes on from the order that it found."""
FLOOR = 1e-3
"""Under the root of AdaGrad (Duchi, Hazan and Singer, 2011): keeps the first steps of a feature small."""
_BEFORE, _AFTER, _NOTHING = -2, -3, -4


@njit(cache=True)
def _feature(kind: int, first: int, second: int, third: int) -> int:
    key = mixed(mixed(mixed(mixed(np.uint64(0xCBF29CE484222325), kind), first), second), third)
    return np.int64(key >> np.uint64(64 - BITS))  # type: ignore[return-value]


@njit(cache=True)
def _describe(words: Ints, classes: Ints, i: int, j: int, found: Ints) -> None:
    """The features of the words ``i`` and ``j`` > ``i`` of a sentence."""
    gap = j - i
    far = gap if gap <= 4 else 5 if gap <= 6 else 6 if gap <= 9 else 7
    word, other, kind, its = words[i], words[j], classes[i], classes[j]
    before = classes[i - 1] if i > 0 else _BEFORE
    behind = classes[j + 1] if j + 1 < len(words) else _AFTER
    next_to, last = (classes[i + 1], classes[j - 1]) if gap > 1 else (_NOTHING, _NOTHING)
    found[0] = _feature(0, far, 0, 0)
    found[1] = _feature(1, word, other, 0)
    found[2] = _feature(2, word, other, far)
    found[3] = _feature(3, kind, its, 0)
    found[4] = _feature(4, kind, its, far)
    found[5] = _feature(5, word, its, 0)
    found[6] = _feature(6, kind, other, 0)
    found[7] = _feature(7, word, far, 0)
    found[8] = _feature(8, other, far, 0)
    found[9] = _feature(9, kind, its, next_to)
    found[10] = _feature(10, kind, its, last)
    found[11] = _feature(11, kind, its, before)
    found[12] = _feature(12, kind, its, behind)
    found[13] = _feature(13, before, kind, far)
    found[14] = _feature(14, its, behind, far)
    found[15] = _feature(15, next_to, last, far)


@njit(cache=True)
def learn(words: Ints, classes: Ints, places: Floats, trust: Floats, rate: float, weights: Floats, squares: Floats) -> None:
    """Move the weights of features by logistic regression on all pairs of words of a sentence.

    ``places`` says where each word stands in the translation, and ``trust``, from 0 to 1, how sure that is; ``squares`` are the sums
    of AdaGrad.
    """
    length = len(words)
    found = np.empty(FEATURES, np.int64)
    for i in range(length):
        for j in range(i + 1, length):
            sure = trust[i] * trust[j] / (length - 1)
            if sure == 0:
                continue
            _describe(words, classes, i, j, found)
            score = 0.0
            for feature in found:
                score += weights[feature]
            wanted = 1.0 if places[i] <= places[j] else 0.0
            step = sure * (wanted - 1 / (1 + np.exp(-score)))
            for feature in found:
                squares[feature] += step * step
                weights[feature] += rate * step / np.sqrt(squares[feature] + FLOOR)


@njit(cache=True)
def preferences(words: Ints, classes: Ints, weights: Floats) -> Floats:
    """How much better it is that word i stands before word j than behind it, for all i and j: n x n, antisymmetric."""
    length = len(words)
    better = np.zeros((length, length))
    found = np.empty(FEATURES, np.int64)
    for i in range(length):
        for j in range(i + 1, length):
            _describe(words, classes, i, j, found)
            for feature in found:
                better[i, j] += weights[feature]
            better[j, i] = -better[i, j]
    return better


@njit(cache=True)
def best_order(better: Floats) -> Ints:
    """The places of the words in a good order: the best of those that swapping neighbouring parts reaches, again and again."""
    length = len(better)
    order = np.arange(length)
    for _ in range(ROUNDS):
        following = _swapped(better, order)
        if (following == order).all():
            break
        order = following
    return order


@njit(cache=True)
def _swapped(better: Floats, order: Ints) -> Ints:
    """The best order that a tree over the words gives when the two parts of each node may be swapped: O(n^3)."""
    length = len(order)
    sums = np.zeros((length + 1, length + 1))
    for i in range(length):
        for j in range(length):
            sums[i + 1, j + 1] = better[order[i], order[j]] + sums[i, j + 1] + sums[i + 1, j] - sums[i, j]
    score = np.zeros((length + 1, length + 1))
    cut, swap = np.zeros((length + 1, length + 1), np.int64), np.zeros((length + 1, length + 1), np.bool_)
    for size in range(2, length + 1):
        for begin in range(length - size + 1):
            end = begin + size
            score[begin, end] = -np.inf
            for middle in range(begin + 1, end):
                kept = sums[middle, end] - sums[begin, end] - sums[middle, middle] + sums[begin, middle]
                total = score[begin, middle] + score[middle, end] + abs(kept)
                if total > score[begin, end] + 1e-12:
                    score[begin, end], cut[begin, end], swap[begin, end] = total, middle, kept < 0
    found = np.empty(length, np.int64)
    waiting, done = [(0, length)], 0
    while len(waiting) > 0:
        begin, end = waiting.pop()
        if end - begin == 1:
            found[done] = order[begin]
            done += 1
        elif swap[begin, end]:
            waiting.append((begin, cut[begin, end]))
            waiting.append((cut[begin, end], end))
        else:
            waiting.append((cut[begin, end], end))
            waiting.append((begin, cut[begin, end]))
    return found
