"""Tiers that were annotated apart from each other, such as a translation with times of its own: they go together by time."""

from __future__ import annotations

from collections.abc import Iterator

from seshat.data.readers.eaf import Annotation, Tier

_SHARE = 0.5
"""So much of the shorter of two annotations lies in the other, or they do not go together; and so much of a tier in its host."""


def adopt_overlapping(tier: Tier, hosts: list[Tier]) -> bool:
    """Make an independent tier depend on the one during which its annotations last; False if most of it lies elsewhere.

    What lasts over several annotations of the host (a translation of two sentences) makes one of them. An annotation that lies
    in none belongs to none.
    """
    hosts = [host for host in hosts if host is not tier]
    together = [_seconds_together(tier, host) for host in hosts]
    best = max(
        range(len(hosts)), key=lambda index: (together[index] > 0 and hosts[index].speaker == tier.speaker, together[index]), default=-1
    )
    if best < 0 or together[best] < max(1e-9, _SHARE * sum(_seconds(one) for one in tier.annotations)):
        return False
    host = hosts[best]
    tier.parent, tier.constraint = host, "Time_Subdivision"
    host.below.append(tier)
    for one in tier.annotations:
        inside = [other for other in host.annotations if _go_together(one, other)]
        if inside:
            _join(host, inside)
            one.parent = inside[0]
            inside[0].below.setdefault(tier.name, []).append(one)
    return True


def _join(host: Tier, annotations: list[Annotation]) -> None:
    """Make one of several, with all that depends on them."""
    first = annotations[0]
    for other in annotations[1:]:
        first.value = f"{first.value} {other.value}".strip()
        first.end = other.end
        for name, below in other.below.items():
            first.below.setdefault(name, []).extend(below)
            for one in below:
                one.parent = first
        host.annotations.remove(other)


def _go_together(one: Annotation, other: Annotation) -> bool:
    shorter = min(_seconds(one), _seconds(other))
    return shorter > 0 and _overlap(one, other) > _SHARE * shorter


def _seconds_together(tier: Tier, host: Tier) -> float:
    """For how long annotations of both last; both are in the order of time, as programs write them."""
    return sum(_overlap(one, other) for one, other in _meeting(tier.annotations, host.annotations))


def _meeting(ones: list[Annotation], others: list[Annotation]) -> Iterator[tuple[Annotation, Annotation]]:
    first = 0
    for one in ones:
        if one.start is None or one.end is None:
            continue
        while first < len(others) and (others[first].end or 0.0) <= one.start:
            first += 1
        for other in others[first:]:
            if other.start is not None and other.start >= one.end:
                break
            yield one, other


def _overlap(one: Annotation, other: Annotation) -> float:
    if one.start is None or one.end is None or other.start is None or other.end is None:
        return 0.0
    return max(0.0, min(one.end, other.end) - max(one.start, other.start))


def _seconds(one: Annotation) -> float:
    return one.end - one.start if one.start is not None and one.end is not None else 0.0
