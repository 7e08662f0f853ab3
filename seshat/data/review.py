"""A look at all pairs together, before each is judged alone: which are in the wrong language, and which lines stand everywhere."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence

from seshat.language import Language, words
from seshat.mislabelled import examine_pairs, wrong_sides
from seshat.records import SentencePair

log = logging.getLogger(__name__)


def review(pairs: Sequence[SentencePair], language: Language, *, identify: bool, most: int) -> Mapping[str, str]:
    """Why pairs should not pass, by their ids, each reason beginning with one word for the count.

    With ``identify``, what is surely in the wrong language, and a warning for every file whose sides seem to be exchanged. With
    ``most``, what stands in more pairs of documents than that, the best of them excepted.
    """
    found = dict(boilerplate(pairs, most)) if most else {}
    return found | dict(_in_wrong_language(pairs, language)) if identify else found


def boilerplate(pairs: Sequence[SentencePair], most: int) -> Iterator[tuple[str, str]]:
    """The ids of the pairs of documents of which a side stands in more than ``most`` of them, numbers apart, with the reason.

    The pair of each such line of which the aligner is surest is not among them; of equals, the first.
    """
    places: dict[tuple[str, str], list[int]] = {}
    for place, pair in enumerate(pairs):
        if pair.document:
            for code, text in ((pair.language, pair.text), (pair.bridge, pair.translation)):
                if key := " ".join("0" if word[0].isdigit() else word for word in words(text)):
                    places.setdefault((code, key), []).append(place)
    repeated = {key: found for (_, key), found in places.items() if len(found) > most}
    staying = {pairs[max(found, key=lambda place: pairs[place].score)].id for found in repeated.values()}
    for key, found in repeated.items():
        reason = f"boilerplate: {key[:60]!r} stands in more than {most:,} pairs of documents"
        yield from ((name, reason) for place in found if (name := pairs[place].id) not in staying)


def _in_wrong_language(pairs: Sequence[SentencePair], language: Language) -> Iterator[tuple[str, str]]:
    if not any(pair.text and pair.translation for pair in pairs):
        return
    audit = examine_pairs(pairs, language)
    for verdict in audit.suspects:
        log.warning("align: %s", verdict)
    reasons = wrong_sides(pairs, audit.identifier, audit.words)
    yield from ((pair.id, reason) for pair, reason in zip(pairs, reasons, strict=True) if reason)
