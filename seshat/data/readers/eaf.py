"""The document model of ELAN: tiers that depend on each other, and annotations that lie on a time line or refer to others.

The format is the EAF Annotation Format 3.0 of the Max Planck Institute for Psycholinguistics (EAFv3.0.xsd; older versions say
the same things): ``TIME_ORDER``, ``TIER`` with ``ALIGNABLE_ANNOTATION`` and ``REF_ANNOTATION``, ``LINGUISTIC_TYPE`` with its
``CONSTRAINTS``, ``LANGUAGE``.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice

from seshat.data.readers.content import RefusedError
from seshat.data.readers.xml import Element, inner_text

Times = tuple[float | None, float | None]
_SECONDS = {"milliseconds": 0.001, "PAL-frames": 0.04, "NTSC-frames": 1001 / 30_000}
"""Each unit in seconds."""
_DEEPEST = 50
"""Tiers above each other; ELAN's users have five."""


@dataclass(eq=False, slots=True)
class Annotation:
    """What an annotator wrote on a tier, for a stretch of time or for an annotation of the tier above."""

    name: str
    value: str
    start: float | None = None
    """Seconds; None where the program has not aligned it."""
    end: float | None = None
    refers_to: str = ""
    follows: str = ""
    """The annotation before it, if both divide the same one."""
    parent: Annotation | None = None
    below: dict[str, list[Annotation]] = field(default_factory=dict)
    """By tier, in order."""


@dataclass(eq=False, slots=True)
class Tier:
    """A line of annotations."""

    name: str
    type_name: str
    constraint: str
    """``Symbolic_Association``, ``Symbolic_Subdivision``, ``Time_Subdivision`` or ``Included_In``; empty at the top."""
    language: str
    speaker: str
    annotations: list[Annotation]
    parent: Tier | None = None
    below: list[Tier] = field(default_factory=list)

    @property
    def depends(self) -> bool:
        """True if its annotations belong to those of another tier."""
        return self.parent is not None

    @property
    def one_to_one(self) -> bool:
        """True if an annotation has at most one of this tier."""
        return self.constraint == "Symbolic_Association"

    def orphans(self) -> list[Annotation]:
        """Annotations that should belong to another one, which is not there."""
        return [one for one in self.annotations if one.parent is None and (self.depends or one.refers_to)]

    def above(self) -> Iterator[Tier]:
        """The tiers on which it depends, the nearest first."""
        tier = self.parent
        while tier is not None:
            yield tier
            tier = tier.parent

    def descendants(self) -> Iterator[Tier]:
        """The tiers that depend on it, directly or not, in the order of the file."""
        for tier in self.below:
            yield tier
            yield from tier.descendants()


def read_tiers(root: Element) -> list[Tier]:
    """The tiers of a document in the order of the file, with their annotations tied to those that they belong to."""
    constraints = {one.get("LINGUISTIC_TYPE_ID", ""): one.get("CONSTRAINTS", "") for one in root.iterchildren("LINGUISTIC_TYPE")}
    slots = _slots(root)
    elements = list(root.iterchildren("TIER"))
    tiers = [_tier(element, constraints, slots) for element in elements]
    _tie_tiers(tiers, [element.get("PARENT_REF", "") for element in elements])
    for tier in (one for top in tiers if top.parent is None for one in (top, *top.descendants())):
        if tier.parent is not None:
            _tie(tier, tier.parent)
    return tiers


def collected(annotation: Annotation, tier: Tier, top: Tier) -> list[Annotation]:
    """The annotations of a tier that belong to one of the tier ``top``, in order; none if the tier does not depend on that one."""
    path = [tier, *tier.above()]
    if top not in path:
        return []
    found = [annotation]
    for step in reversed(path[: path.index(top)]):
        found = [below for one in found for below in one.below.get(step.name, ())]
    return found


def adopt(tier: Tier, hosts: list[Tier], *, share: float) -> bool:
    """Make an independent tier depend on the one that has annotations at the same times, the same speaker's first.

    False, and nothing happens, if no host has the times of so large a share of its annotations, and of one at least.
    """
    by_time: list[dict[Times, Annotation]] = [
        {(one.start, one.end): one for one in reversed(host.annotations) if one.start is not None} for host in hosts
    ]
    same = [sum((one.start, one.end) in times for one in tier.annotations) for times in by_time]
    best = max(range(len(hosts)), key=lambda index: (same[index] > 0 and hosts[index].speaker == tier.speaker, same[index]), default=-1)
    if best < 0 or same[best] < max(1, share * len(tier.annotations)):
        return False
    host, times = hosts[best], by_time[best]
    tier.parent, tier.constraint = host, "Symbolic_Association"
    host.below.append(tier)
    for one in tier.annotations:
        one.parent = times.get((one.start, one.end))
        if one.parent is not None:
            one.parent.below.setdefault(tier.name, []).append(one)
    return True


def _slots(root: Element) -> dict[str, float]:
    header = root.find("HEADER")
    scale = _SECONDS.get("milliseconds" if header is None else header.get("TIME_UNITS", "milliseconds"), 0.001)
    found = {slot.get("TIME_SLOT_ID", ""): slot.get("TIME_VALUE", "") for slot in root.iterfind("TIME_ORDER/TIME_SLOT")}
    return {name: int(value) * scale for name, value in found.items() if value.isascii() and value.isdigit() and len(value) < 16}


def _tier(element: Element, constraints: dict[str, str], slots: dict[str, float]) -> Tier:
    type_name = element.get("LINGUISTIC_TYPE_REF", "")
    speaker = element.get("PARTICIPANT", "").strip("* ")
    name = element.get("TIER_ID", "")
    return Tier(
        name=name,
        type_name=type_name,
        constraint=constraints.get(type_name, ""),
        language=element.get("LANG_REF", ""),
        speaker=speaker or name.rpartition("@")[2] * ("@" in name),
        annotations=[_annotation(inner, slots) for outer in element.iterchildren("ANNOTATION") for inner in outer],
    )


def _annotation(element: Element, slots: dict[str, float]) -> Annotation:
    return Annotation(
        name=element.get("ANNOTATION_ID", ""),
        value=inner_text(element.find("ANNOTATION_VALUE")),
        start=slots.get(element.get("TIME_SLOT_REF1", "")),
        end=slots.get(element.get("TIME_SLOT_REF2", "")),
        refers_to=element.get("ANNOTATION_REF", ""),
        follows=element.get("PREVIOUS_ANNOTATION", ""),
    )


def _tie_tiers(tiers: list[Tier], parents: list[str]) -> None:
    by_name = {tier.name: tier for tier in reversed(tiers)}
    if len(by_name) < len(tiers):
        raise RefusedError("tiers: two tiers have the same name; rename one of them in ELAN")
    for tier, parent in zip(tiers, parents, strict=True):
        tier.parent = by_name.get(parent)
    for tier in tiers:
        if len(list(islice(tier.above(), _DEEPEST + 1))) > _DEEPEST:
            raise RefusedError(
                f"tiers: the tier {tier.name!r} depends on itself, or on more than {_DEEPEST} others; "
                "open the file in ELAN and change its parent tier"
            )
    for tier in tiers:
        if tier.parent is not None:
            tier.parent.below.append(tier)


def _tie(tier: Tier, parent: Tier) -> None:
    by_name = {one.name: one for one in reversed(parent.annotations)}
    timed = sorted((one for one in parent.annotations if one.start is not None), key=lambda one: one.start or 0.0)
    starts = [one.start or 0.0 for one in timed]
    last: float | None = None
    for one in tier.annotations:
        if one.refers_to:
            one.parent = by_name.get(one.refers_to)
            one.start, one.end = (one.parent.start, one.parent.end) if one.parent is not None else (None, None)
        else:
            last = _middle(one, last)
            one.parent = _at(last, timed, starts)
        if one.parent is not None:
            one.parent.below.setdefault(tier.name, []).append(one)
    for above in parent.annotations:
        if tier.name in above.below:
            above.below[tier.name] = _in_order(above.below[tier.name])


def _middle(one: Annotation, last: float | None) -> float | None:
    """A time inside an annotation; one that is not aligned begins where the one before it was."""
    if one.start is not None and one.end is not None:
        return (one.start + one.end) / 2
    return one.start if one.start is not None else last


def _at(time: float | None, timed: list[Annotation], starts: list[float]) -> Annotation | None:
    """The annotation around a time."""
    index = bisect_right(starts, time) - 1 if time is not None else -1
    found = timed[index] if index >= 0 else None
    ended = found is not None and found.end is not None and time is not None and time > found.end
    return None if ended else found


def _in_order(annotations: list[Annotation]) -> list[Annotation]:
    """Annotations in the order in which they follow each other; where nothing is said, as in the file."""
    names = {one.name for one in annotations}
    after: dict[str, list[Annotation]] = {}
    for one in annotations:
        after.setdefault(one.follows if one.follows in names else "", []).append(one)
    ordered: list[Annotation] = []
    waiting = list(reversed(after.pop("", [])))
    while waiting:
        ordered.append(waiting.pop())
        waiting += reversed(after.pop(ordered[-1].name, []))
    return [*ordered, *(one for left in after.values() for one in left)]
