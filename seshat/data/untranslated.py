"""Sentences that the raw material has in one of the two languages, without a translation that could be used."""

from __future__ import annotations

from collections.abc import Container, Iterator

from seshat.data.align import parallel_names
from seshat.data.corpus import corpus
from seshat.language import Language
from seshat.records import Document, SentencePair
from seshat.rights import owners
from seshat.store import Store

GOOD_TEXT = ("empty", "unaligned", "score", "ratio", "length")
"""Reasons for which a pair is rejected though a side may well be a sentence."""
GOOD_BRIDGE = (*GOOD_TEXT, "alphabet")
"""Those of the bridge side: letters are counted on the other one."""


def untranslated(store: Store, language: Language, withheld: Container[str] = ()) -> Iterator[tuple[str, str]]:
    """The sentences in the bridge language, each with its origin; see ``sentences_alone``."""
    return ((one.paragraphs[0], one.origin) for one in sentences_alone(store, language, language.bridge.code, withheld))


def sentences_alone(
    store: Store, language: Language, code: str, withheld: Container[str] = (), dictionary: tuple[str, ...] = ()
) -> Iterator[Document]:
    """The sentences in one language, each as a document with its origin and rights.

    They are sides of rejected pairs, untranslated rows of tables, texts without a partner, and in the language that is taught what
    was recognised on scans and recordings, except in ``dictionary`` (patterns of scanned dictionaries). Nothing comes from a
    collection in ``withheld``: its owners have not allowed training.
    """
    bridge = code == language.bridge.code
    for stage in ("ingest", "align"):
        for pair in store.records(stage, SentencePair, rejected=True):
            if pair.reason in (GOOD_BRIDGE if bridge else GOOD_TEXT) and _allowed(pair.collection, withheld):
                text = pair.translation if bridge else pair.text
                yield from _sentences(text, pair.origin, pair.collection, code, language)
    parallel = parallel_names(store, language)
    documents = store.records("ingest", Document) if bridge else corpus(store, language, parallel, dictionary)
    for document in documents:
        if isinstance(document, Document) and document.language == code and document.name not in parallel and not document.rejected:
            for paragraph, place in zip(document.paragraphs, document.places, strict=True):
                origin = document.origin if document.origin.endswith(f"#{place}") else f"{document.origin}#{place}"
                if _allowed(document.collection, withheld):
                    yield from _sentences(paragraph, origin, document.collection, code, language)


def _sentences(text: str, origin: str, collection: str, code: str, language: Language) -> Iterator[Document]:
    place = origin.rpartition("#")[2]
    for sentence in language.sentences(text, bridge=code == language.bridge.code):
        yield Document(origin=origin, collection=collection, name="", language=code, paragraphs=(sentence,), places=(place,))


def _allowed(collection: str, withheld: Container[str]) -> bool:
    return not any(owner in withheld for owner in owners(collection))
