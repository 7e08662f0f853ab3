"""Sentences in the bridge language that the raw material has without a translation that could be used."""

from __future__ import annotations

from collections.abc import Container, Iterator

from seshat.data.align import parallel_names
from seshat.language import Language
from seshat.records import Document, SentencePair
from seshat.rights import owners
from seshat.store import Store

GOOD_BRIDGE = ("empty", "unaligned", "score", "ratio", "alphabet", "length")
"""Reasons for which a pair is rejected though its bridge side may well be a sentence."""


def untranslated(store: Store, language: Language, withheld: Container[str] = ()) -> Iterator[tuple[str, str]]:
    """The sentences, each with its origin: bridge sides of rejected pairs, untranslated rows of tables, texts without a partner.

    Nothing comes from a collection in ``withheld``: its owners have not allowed training.
    """
    for stage in ("ingest", "align"):
        for pair in store.records(stage, SentencePair, rejected=True):
            if pair.reason in GOOD_BRIDGE and _allowed(pair.collection, withheld):
                yield from ((sentence, pair.origin) for sentence in language.sentences(pair.translation, bridge=True))
    parallel = parallel_names(store, language)
    for document in store.records("ingest", Document):
        if document.language == language.bridge.code and document.name not in parallel and _allowed(document.collection, withheld):
            for paragraph, place in zip(document.paragraphs, document.places, strict=True):
                yield from ((sentence, f"{document.origin}#{place}") for sentence in language.sentences(paragraph, bridge=True))


def _allowed(collection: str, withheld: Container[str]) -> bool:
    return not any(owner in withheld for owner in owners(collection))
