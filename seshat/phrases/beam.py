"""The inner loops of the language model and of the search, compiled by numba at their first use and then kept beside this file.

Import this module inside functions: it costs half a second, and only those who translate should pay it.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from seshat.phrases.ngram import END

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Hashes = NDArray[np.uint64]
_SEED = np.uint64(0xCBF29CE484222325)
_FACTOR = np.uint64(0x9E3779B97F4A7C15)
_SHIFT = np.uint64(29)


@njit(cache=True)
def mixed(state: np.uint64, number: int) -> np.uint64:
    """A hash of what ``state`` is a hash of and one number more."""
    state = (state ^ np.uint64(number + 2)) * _FACTOR
    return state ^ (state >> _SHIFT)


@njit(cache=True)
def _find(keys: Hashes, places: Ints, key: np.uint64) -> int:
    mask = np.uint64(len(keys) - 1)
    slot = key & mask
    while keys[slot] != 0:
        if keys[slot] == key:
            return int(places[slot])
        slot = (slot + np.uint64(1)) & mask
    return -1


@njit(cache=True)
def fill(keys: Hashes, places: Ints, grams: Ints, starts: Ints) -> None:
    """Put n-grams into an empty hash table whose size is a power of two; ``grams`` holds one after the other."""
    mask = np.uint64(len(keys) - 1)
    for gram in range(len(starts) - 1):
        key = _SEED
        for place in range(starts[gram], starts[gram + 1]):
            key = mixed(key, grams[place])
        slot = key & mask
        while keys[slot] != 0:
            slot = (slot + np.uint64(1)) & mask
        keys[slot], places[slot] = key, gram


@njit(cache=True)
def log_probability(before: Ints, number: int, keys: Hashes, places: Ints, logarithms: Floats, weights: Floats, unknown: float) -> float:
    """log p of a word after the words ``before``, the last one first and -1 where there are none."""
    length = 0
    while length < len(before) and before[length] >= 0:
        length += 1
    total = 0.0
    while True:
        context = _SEED
        for place in range(length - 1, -1, -1):
            context = mixed(context, before[place])
        gram = _find(keys, places, mixed(context, number))
        if gram >= 0:
            return float(total + logarithms[gram])
        if length == 0:
            return total + unknown
        shorter = _find(keys, places, context)
        if shorter >= 0:
            total += weights[shorter]
        length -= 1


@njit(cache=True)
def _push(state: Ints, word: int) -> None:
    """A state after one word more: its words are the last ones, the newest first."""
    state[1:] = state[:-1].copy()
    state[0] = word


@njit(cache=True)
def _hash(state: Ints) -> np.uint64:
    key = _SEED
    for place in range(len(state)):
        key = mixed(key, state[place])
    return key


@njit(cache=True)
def _listed(head: int, following: Ints) -> Ints:
    """A linked list as an array, in its order."""
    count, at = 0, head
    while at >= 0:
        count, at = count + 1, following[at]
    found, at = np.empty(count, np.int64), head
    for row in range(count):
        found[row], at = at, following[at]
    return found


@njit(cache=True)
def search(
    length: int, ends: Ints, begins: Ints, scores: Floats, words: Ints, word_starts: Ints, beam: int, first: Ints, weight: float,
    keys: Hashes, places: Ints, logarithms: Floats, weights: Floats, unknown: float,
) -> tuple[Ints, Ints, Ints, Floats, int]:  # fmt: skip
    """Translate from left to right: the ``beam`` best partial translations of each prefix are kept.

    Option ``o`` translates the source words from ``begins[o]`` to ``ends[o]`` by some ``words``; ``first`` is the state before the first
    word. Results are the arcs of the lattice that was searched (node, node before, option, score) and the number of the first of the
    nodes that cover everything.
    """
    room = len(ends) * beam + 1
    node, before, option, gain = np.empty(room, np.int64), np.empty(room, np.int64), np.empty(room, np.int64), np.empty(room)
    arcs = 0
    new_before, new_option, new_score = np.empty(room, np.int64), np.empty(room, np.int64), np.empty(room)
    new_next, heads = np.empty(room, np.int64), np.full(length + 1, -1, np.int64)
    waiting = 0
    reach = len(first)
    score, states = np.empty(length * beam + 1), np.empty((length * beam + 1, reach), np.int64)
    score[0], states[0] = 0.0, first
    nodes, begin = 1, 0
    state = np.empty(reach, np.int64)
    for done in range(length + 1):
        if done > 0:
            begin = nodes
            its = _listed(heads[done], new_next)
            known = {np.uint64(0): 0}
            for row in np.argsort(-new_score[its], kind="mergesort"):
                at = its[row]
                chosen = new_option[at]
                state[:] = states[new_before[at]]
                for place in range(word_starts[chosen], word_starts[chosen + 1]):
                    _push(state, words[place])
                key = _hash(state)
                if key in known:
                    there = known[key]
                elif nodes - begin < beam:
                    there, nodes = nodes, nodes + 1
                    known[key] = there
                    score[there], states[there] = new_score[at], state
                else:
                    continue
                node[arcs], before[arcs], option[arcs] = there, new_before[at], chosen
                gain[arcs] = new_score[at] - score[new_before[at]]
                arcs += 1
        for chosen in range(len(ends)):
            if begins[chosen] != done:
                continue
            for here in range(begin, nodes):
                total = score[here] + scores[chosen]
                state[:] = states[here]
                for place in range(word_starts[chosen], word_starts[chosen + 1]):
                    total += weight * log_probability(state, words[place], keys, places, logarithms, weights, unknown)
                    _push(state, words[place])
                if ends[chosen] == length:
                    total += weight * log_probability(state, END, keys, places, logarithms, weights, unknown)
                new_before[waiting], new_option[waiting], new_score[waiting] = here, chosen, total
                new_next[waiting], heads[ends[chosen]] = heads[ends[chosen]], waiting
                waiting += 1
    return node[:arcs], before[:arcs], option[:arcs], gain[:arcs], begin
