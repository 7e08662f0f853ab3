"""The inner loop that follows a recording along the states of a text, compiled by numba at its first use and kept beside this file.

Import this module inside functions: it costs half a second, and only those who align should pay it.
"""

# T frames, S states, L labels, R records

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

Costs = NDArray[np.float32]
Values = NDArray[np.float64]
Ints = NDArray[np.int32]
Flags = NDArray[np.bool_]

_ROOM = 1 << 20
"""Records at the beginning; there are more only if so many can still be part of the best path."""


@njit(cache=True, nogil=True)
def follow(
    costs: Costs,
    quiet: Flags,
    labels: Ints,
    units: Ints,
    moves: Values,
    beam: int,
) -> tuple[Ints, Ints, float]:
    """The cheapest way through all states in order (Viterbi): when each unit begins, which one, and the cost of it all.

    ``costs`` (T, L) is what a frame costs under a label; ``labels`` and ``units`` (S) say what a state sounds like and to which unit
    it belongs. ``moves`` (S, 4) is what it costs to stay in a state, to rest in it while a frame is ``quiet`` (instead of what the
    frame costs), and to come to it from two and from three states before. A way begins in one of the first two states and ends in
    one of the last two; the cost is infinite if there is none. Of the states only ``beam`` around the best are looked at.

    Only beginnings of units are recorded, and those that no way leads to any more are forgotten: memory is S + R, not T x S.
    """
    num_states = len(labels)
    cost = np.full(num_states, np.inf)
    token = np.full(num_states, -1, dtype=np.int32)
    when, unit, before = np.empty(_ROOM, np.int32), np.empty(_ROOM, np.int32), np.empty(_ROOM, np.int32)
    num_records = 0
    low, high = 0, min(beam, num_states)
    for state in range(min(2, num_states)):
        cost[state] = costs[0, labels[state]]
        when[num_records], unit[num_records], before[num_records] = 0, units[state], -1
        token[state] = num_records
        num_records += 1
    for frame in range(1, len(costs)):
        if num_records + high - low > len(when):
            num_records = _forget(token, low, high, when, unit, before, num_records)
            if num_records + high - low > len(when) // 2:
                when, unit, before = _longer(when), _longer(unit), _longer(before)
        best, best_cost = low, np.inf
        for state in range(high - 1, low - 1, -1):
            here = np.float64(costs[frame, labels[state]])
            stay = here + moves[state, 0]
            if quiet[frame] and moves[state, 1] < stay:
                stay = moves[state, 1]
            total, come_from = cost[state] + stay, state
            for step in range(1, 4):
                if state - step < low:
                    break
                come = cost[state - step] + here
                if step > 1:
                    come += moves[state, step]
                if come < total:
                    total, come_from = come, state - step
            cost[state] = total
            if total == np.inf:
                continue
            if units[come_from] == units[state]:
                token[state] = token[come_from]
            else:
                when[num_records], unit[num_records], before[num_records] = frame, units[state], token[come_from]
                token[state] = num_records
                num_records += 1
            if total < best_cost:
                best, best_cost = state, total
        start = max(low, min(best - beam // 2, num_states - beam))
        cost[low:start] = np.inf
        low, high = start, min(start + beam, num_states)
    last = num_states - 1
    if num_states > 1 and cost[last - 1] < cost[last]:
        last -= 1
    if cost[last] == np.inf:
        return np.empty(0, np.int32), np.empty(0, np.int32), np.inf
    begins, which = _way(token[last], when, unit, before)
    return begins, which, cost[last]


@njit(cache=True, nogil=True)
def _way(last: int, when: Ints, unit: Ints, before: Ints) -> tuple[Ints, Ints]:
    """The records that lead to the last one, in order."""
    length, record = 0, last
    while record >= 0:
        length, record = length + 1, before[record]
    begins, which = np.empty(length, np.int32), np.empty(length, np.int32)
    record = last
    for place in range(length - 1, -1, -1):
        begins[place], which[place] = when[record], unit[record]
        record = before[record]
    return begins, which


@njit(cache=True, nogil=True)
def _forget(token: Ints, low: int, high: int, when: Ints, unit: Ints, before: Ints, num_records: int) -> int:
    """Keep only the records that a state still leads back to, in their order; how many these are."""
    used = np.zeros(num_records, dtype=np.bool_)
    for state in range(low, high):
        record = token[state]
        while record >= 0 and not used[record]:
            used[record] = True
            record = before[record]
    place = np.empty(num_records, np.int32)
    kept = 0
    for record in range(num_records):
        if used[record]:
            place[record] = kept
            when[kept], unit[kept] = when[record], unit[record]
            before[kept] = place[before[record]] if before[record] >= 0 else -1
            kept += 1
    for state in range(low, high):
        if token[state] >= 0:
            token[state] = place[token[state]]
    return kept


@njit(cache=True, nogil=True)
def _longer(records: Ints) -> Ints:
    longer = np.empty(2 * len(records), np.int32)
    longer[: len(records)] = records
    return longer
