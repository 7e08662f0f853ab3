"""The records that examples are made of, wherever they come from: pairs, entries and running text.

Scanned pages come as the entries or texts that stand on them, recordings as what is said, documents as their paragraphs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from seshat.data.mend import SAY_OF_LINES
from seshat.data.pages import is_dictionary, page_documents, page_entries, unused
from seshat.language import Language
from seshat.records import BackTranslation, Document, Entry, LineCorrection, Page, Record, SentencePair, Utterance
from seshat.step import Part
from seshat.store import Store, slices

ROWS_PER_PART = 4_000
SOURCES: tuple[tuple[str, type[Record]], ...] = (
    ("align", SentencePair),
    ("ingest", Entry),
    ("ingest", Document),
    ("ocr", Page),
    ("transcribe", Utterance),
    ("back-translate", BackTranslation),
)
"""Where records come from that examples are made of, in order: of two duplicates the first stays."""


def parts(store: Store) -> Iterator[Part]:
    """The corpus in pieces; all scanned pages are one, with what people say about them: entries go on from page to page."""
    for stage, kind in SOURCES:
        pieces = tuple(slices(store.files(stage, kind), ROWS_PER_PART))
        if kind is Page and pieces:
            said = [file for source in SAY_OF_LINES for file in store.files(source, LineCorrection)]
            yield Part((*pieces, *slices(said, ROWS_PER_PART)))
        else:
            yield from (Part((piece,)) for piece in pieces)


def corpus(store: Store, language: Language, parallel: Iterable[str], dictionary: tuple[str, ...]) -> Iterator[Record]:
    """All of it, unfolded; what was rejected comes with its reason."""
    for part in parts(store):
        yield from unfolded(part.records(store), language, parallel, dictionary)


def unfolded(records: Iterable[Record], language: Language, parallel: Iterable[str], dictionary: tuple[str, ...]) -> Iterator[Record]:
    """Records with pages as the documents or entries that stand on them, and running text cut into paragraphs."""
    pages: list[Page] = []
    corrections: list[LineCorrection] = []
    for record in records:
        if isinstance(record, Page):
            pages.append(record)
        elif isinstance(record, LineCorrection):
            corrections.append(record)
        else:
            yield from unfold(record, language, parallel)
    for record in on_pages(pages, corrections, language, dictionary):
        yield from unfold(record, language, parallel)


def on_pages(
    pages: Iterable[Page], corrections: Sequence[LineCorrection], language: Language, dictionary: tuple[str, ...]
) -> Iterator[Record]:
    """What stands on scanned pages: entries in a dictionary, else running text; what is neither comes out rejected."""
    entries: list[Page] = []
    texts: list[Page] = []
    for page in pages:
        (entries if is_dictionary(page, dictionary) else texts).append(page)
    yield from page_entries(entries, language, corrections=corrections)
    yield from page_documents(texts, language, corrections=corrections)
    yield from unused([*entries, *texts], corrections)


def unfold(record: Record, language: Language, parallel: Iterable[str]) -> Iterator[Record]:
    """Pairs and entries as they are; running text of the taught language as one document for each paragraph."""
    if record.rejected:
        yield record
    elif isinstance(record, Utterance):
        if record.language == language.code:
            place = f"second={record.start:.2f}"
            yield _paragraph(record, record.origin.rsplit("#", 1)[0], record.text, place, record.written)
    elif isinstance(record, Document):
        if record.language == language.code and record.name not in parallel:
            written = record.written or ("",) * len(record.paragraphs)
            for text, place, spelt in zip(record.paragraphs, record.places, written, strict=True):
                yield _paragraph(record, record.origin, text, place, spelt)
    elif isinstance(record, SentencePair | Entry):
        yield record


def _paragraph(record: Utterance | Document, file: str, text: str, place: str, written: str) -> Document:
    return Document(
        origin=f"{file}#{place}",
        collection=record.collection,
        name=record.name,
        language=record.language,
        paragraphs=(text,),
        places=(place,),
        written=(written,) if written else (),
    )
