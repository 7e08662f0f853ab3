"""Align parallel documents into sentence pairs, without embeddings and without machine translation.

Lengths decide first, words as far as they are known: a lexicon is learnt from the pairs and dictionary entries that people wrote,
and from the pairs that the pass before is sure of (``seshat.data.bootstrap``).
"""

from __future__ import annotations

import fnmatch
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from itertools import chain, zip_longest
from typing import ClassVar, Literal, NamedTuple

from pydantic import Field

from seshat.config import Section
from seshat.data.beads import Bead
from seshat.data.bootstrap import SURE, align_part, learn, shared_names
from seshat.data.evidence import Knowledge, Model, Side, Stems, stems
from seshat.data.mend import SAY_OF_LINES
from seshat.data.pages import page_documents
from seshat.data.similarity import Similarity
from seshat.engines.sentences import SentenceEncoder, identity
from seshat.errors import DataError
from seshat.language import Language, what_was_written
from seshat.records import Document, Entry, LineCorrection, Page, Record, SentencePair, digest
from seshat.rights import joined
from seshat.spelling import cut_alike
from seshat.stage import Resources, Stage
from seshat.step import Part, Step
from seshat.store import Slice, Store

Mode = Literal["auto", "sentence", "paragraph", "document"]
ALIGNED = "aligned"
"""The step whose pairs count."""
PASSES = ("anchors", "anchors-again", "anchors-last", ALIGNED)
"""One by lengths alone, and as many with words as ``bootstrap.PASSES``."""


class Sentence(NamedTuple):
    """A sentence of a document."""

    text: str
    place: str
    """In the file."""
    written: str
    """As the source spells it."""


Sentences = list[Sentence]


class Embeddings(Section):
    """A model of sentence vectors that helps to align, if both languages are among those it knows."""

    model: str = ""
    """A folder or a name on the hub that sentence-transformers reads (``sentence-transformers/LaBSE``); empty: none."""
    gpus: float = Field(0.0, ge=0)
    """What a worker takes of a GPU."""


class Align(Section):
    """How documents are aligned."""

    mode: Mode = "auto"
    """sentence: line i with line i; paragraph: paragraph i with paragraph i, sentences inside; document: sentences, whatever
    the paragraphs; auto: paragraph where their lengths say that they go together one by one, else document."""
    modes: dict[str, Mode] = {}
    """A mode for the documents whose name matches a pattern: ``{"translations/educational": sentence}``."""
    band: int = Field(50, ge=10)
    """How many sentences the words may correct what lengths alone find, to either side."""
    embeddings: Embeddings = Embeddings()
    max_rejected: float = Field(0.6, ge=0, le=1)


class AlignDocuments(Stage[Document | Page | LineCorrection, Record]):
    """Turn both sides of a parallel document into pairs.

    Every sentence of both sides is in exactly one pair; a sentence without a counterpart is a rejected pair. A side that
    comes twice, as a text and as a scan of it, is rejected the second time.
    """

    version: ClassVar[int] = (
        7  # 7: rights of corrected lines; 6: scans without heads and doubtful lines; 5: sums in another order; 3: under the rights of both
    )
    whole: ClassVar[bool] = True

    resources: Resources = Resources(batch=1_000_000)  # a document is aligned as a whole
    settings: Align
    language: Language
    knowledge: Knowledge | None = Field(None, exclude=True)
    """Of all documents; without it every document is aligned by its own lengths alone."""

    model_config = {"arbitrary_types_allowed": True}

    @property
    def depends_on(self) -> str:
        """What is known."""
        return self.knowledge.digest if self.knowledge else ""

    def __call__(self, records: Iterable[Document | Page | LineCorrection]) -> Iterator[Record]:
        documents: list[Document] = []
        pages: list[Page] = []
        corrections: list[LineCorrection] = []
        for record in records:
            if isinstance(record, Page):
                pages.append(record)
            elif isinstance(record, LineCorrection):
                corrections.append(record)
            else:
                documents.append(record)
        sides: dict[str, Document] = {}
        for document in [*documents, *page_documents(pages, self.language, corrections=corrections)]:
            if document.rejected:
                yield document
            elif document.language in sides:
                first = sides[document.language].origin
                yield document.reject(f"surplus: {first} is the {document.language} side of {document.name} already")
            else:
                sides[document.language] = document
        if {self.language.code, self.language.bridge.code} <= sides.keys():
            yield from self._align(sides[self.language.code], sides[self.language.bridge.code])
        elif sides and pages:  # what stands on the pages of the other side is all in doubt
            yield from (one.reject("partner: nothing of the other side can be believed yet") for one in sides.values())
        elif sides:
            name = next(iter(sides.values())).name
            raise DataError(f"{name} has only one side here ({', '.join(sorted(sides))}), nothing to align it with")

    def _align(self, taught: Document, bridge: Document) -> Iterator[SentencePair]:
        chunks = list(self._chunks(taught, bridge))
        left, right = (Side.of(one.text for chunk in chunks for one in chunk[side]) for side in (0, 1))
        model = self._informed(Model.of(left, right, self.knowledge or Knowledge.of(left, right)), chunks)
        for (texts, translations), (_, _, beads) in zip(chunks, self._found(model, chunks), strict=True):
            yield from (self._pair(bead, texts, translations, taught, bridge) for bead in beads)

    def _found(self, model: Model, chunks: Iterable[tuple[Sentences, Sentences]]) -> Iterator[tuple[int, int, list[Bead]]]:
        """The beads of each chunk, which count from its first sentences, and which of the document those are."""
        row = column = 0
        for texts, translations in chunks:
            yield row, column, self._beads(range(row, row + len(texts)), range(column, column + len(translations)), model)
            row, column = row + len(texts), column + len(translations)

    def _informed(self, model: Model, chunks: Sequence[tuple[Sentences, Sentences]]) -> Model:
        """The model with what else is known about the sentences; nothing here."""
        return model

    def _chunks(self, taught: Document, bridge: Document) -> Iterator[tuple[Sentences, Sentences]]:
        """What is aligned with what: sentences with their places, of the whole document or paragraph by paragraph."""
        mode = mode_of(self.settings, taught, bridge)
        left = [self._sentences(taught, index, mode) for index in range(len(taught.paragraphs))]
        right = [self._sentences(bridge, index, mode) for index in range(len(bridge.paragraphs))]
        if mode == "document":
            yield list(chain.from_iterable(left)), list(chain.from_iterable(right))
        elif mode == "sentence" and _has_lines(taught) and _has_lines(bridge):
            by_line = dict(zip(bridge.places, right, strict=True))
            yield from ((left[index], by_line.pop(place, [])) for index, place in enumerate(taught.places))
            yield from (([], side) for side in by_line.values())
        else:
            yield from zip_longest(left, right, fillvalue=[])

    def _sentences(self, document: Document, index: int, mode: Mode) -> Sentences:
        paragraph, place, written = document.paragraphs[index], document.places[index], document.as_written(index)
        if mode == "sentence":
            return [Sentence(paragraph, place, written)]
        texts = self.language.sentences(paragraph, bridge=document.language == self.language.bridge.code)
        return [Sentence(text, place, piece) for text, piece in zip(texts, cut_alike(texts, written), strict=True)]

    def _beads(self, source: range, target: range, model: Model) -> list[Bead]:
        if len(source) == len(target) == 1:  # nothing to choose: a person put them side by side
            return [Bead(range(1), range(1), 1.0)]
        return align_part(model, source, target, band=self.settings.band)

    def _pair(
        self,
        bead: Bead,
        texts: Sentences,
        translations: Sentences,
        taught: Document,
        bridge: Document,
    ) -> SentencePair:
        left, right = [texts[i] for i in bead.source], [translations[j] for j in bead.target]
        origins = [_origin(document, side) for document, side in ((taught, left), (bridge, right)) if side]
        text = " ".join(one.text for one in left)
        return SentencePair(
            text=text,
            written=what_was_written(" ".join(one.written for one in left), text),
            translation=" ".join(one.text for one in right),
            language=self.language.code,
            bridge=self.language.bridge.code,
            document=taught.name,
            aligned=True,
            score=bead.score,
            origin=" | ".join(origins),
            collection=joined(*(document.collection for document, side in ((taught, left), (bridge, right)) if side)),
            rejected="" if left and right else "unaligned: no counterpart on the other side",
        )


class AlignWithVectors(AlignDocuments):
    """The same, with the vectors of a model of sentences as one more witness."""

    loads_engine: ClassVar[bool] = True
    model: str = Field(exclude=True)
    """A folder, or a name on the hub."""

    @property
    def depends_on(self) -> str:
        """What is known, and the weights, wherever they lie."""
        return digest(super().depends_on, identity(self.model))

    @cached_property
    def _encoder(self) -> SentenceEncoder:
        return SentenceEncoder(self.model)

    def _informed(self, model: Model, chunks: Sequence[tuple[Sentences, Sentences]]) -> Model:
        """The pairs of single sentences that lengths and words are sure of say how far the vectors can be believed."""
        sure = [
            (row + bead.source.start, column + bead.target.start)
            for row, column, beads in self._found(model, chunks)
            for bead in beads
            if len(bead.source) == len(bead.target) == 1 and bead.score > SURE
        ]
        vectors = [self._encoder([one.text for chunk in chunks for one in chunk[side]]) for side in (0, 1)]
        return replace(model, similarity=Similarity.of(vectors[0], vectors[1], sure))


def mode_of(settings: Align, taught: Document, bridge: Document) -> Mode:
    """The mode that is set for a document, or what ``auto`` finds."""
    mode = next(
        (mode for pattern, mode in settings.modes.items() if fnmatch.fnmatch(taught.name, pattern)),
        settings.mode,
    )
    if mode != "auto":
        return mode
    if taught.line_by_line or bridge.line_by_line:
        return "sentence"
    if len(taught.paragraphs) != len(bridge.paragraphs) or len(taught.paragraphs) < 2:
        return "document"
    left, right = Side.of(taught.paragraphs), Side.of(bridge.paragraphs)
    beads = align_part(Model.of(left, right, Knowledge.of(left, right)), range(len(left)), range(len(right)), band=settings.band)
    return "paragraph" if all(len(bead.source) == len(bead.target) == 1 for bead in beads) else "document"


def _has_lines(document: Document) -> bool:
    """True if every paragraph is a line or a verse of its own and says which: so one left out on one side shifts nothing."""
    return len(set(document.places)) == len(document.places) and all(place.startswith(("line=", "verse=")) for place in document.places)


def passes(settings: Align, language: Language, store: Store) -> Iterator[Step]:
    """What ``make align`` does first: every parallel document, again and again, so that the sure pairs of a pass teach the next one.

    A step must have run before the next is asked for. The first goes by lengths alone; the pairs of the last one count.
    """
    store.require("ingest", needed_by="align")
    parts = tuple(Part(pieces) for pieces in parallel_documents(store, language))
    taught = list(taught_pairs(store)) if parts else []
    knowledge, model = None, settings.embeddings.model
    if model:
        model = store.path(model) if os.path.isdir(store.path(model)) else model
        identity(model)  # a folder without weights is an error before the first pass
    plain = settings.model_copy(update={"embeddings": Embeddings()})
    for number, name in enumerate(PASSES):
        if number and parts:
            knowledge = estimate(store, PASSES[number - 1], taught)
        aligner = AlignDocuments(settings=plain, language=language, knowledge=knowledge)
        if name == ALIGNED and model:
            resources = Resources(batch=aligner.resources.batch, gpus=settings.embeddings.gpus)
            aligner = AlignWithVectors(settings=plain, language=language, knowledge=knowledge, model=model, resources=resources)
        yield Step(name, (aligner,), parts, max_rejected=1.0)


def taught_pairs(store: Store) -> Iterator[tuple[Stems, Stems]]:
    """What people say belongs together: pairs and dictionary entries."""
    yield from ((stems(pair.text), stems(pair.translation)) for pair in store.records("ingest", SentencePair))
    yield from ((stems(entry.headword), stems(entry.translation)) for entry in store.records("ingest", Entry))


def estimate(store: Store, before: str, taught: Sequence[tuple[Stems, Stems]] = ()) -> Knowledge:
    """What the documents of an earlier pass show, and what its sure pairs teach about words beside those of people."""
    aligned = list(store.records(before, SentencePair))
    texts, translations = Side.of(pair.text for pair in aligned), Side.of(pair.translation for pair in aligned)
    both = zip(texts.stems, translations.stems, strict=True)
    sure = [sides for sides, pair in zip(both, aligned, strict=True) if pair.score > SURE]
    return Knowledge.of(texts, translations, learn([*taught, *sure], shared_names(texts, translations)))


def parallel_documents(store: Store, language: Language) -> Iterator[tuple[Slice, ...]]:
    """The stored pieces of every document that has both sides, in the order of their names."""
    pieces: dict[str, list[Slice]] = {}
    languages: dict[str, set[str]] = {}
    for stage, kind in (("ingest", Document), ("ocr", Page), *((source, LineCorrection) for source in SAY_OF_LINES)):
        for name, code, piece in _named_rows(store, stage, kind):
            if kind is LineCorrection and name not in pieces:
                continue  # of a page that is not there
            pieces.setdefault(name, []).append(piece)
            if kind is not LineCorrection:
                languages.setdefault(name, set()).add(code)
    for name in sorted(pieces):
        if {language.code, language.bridge.code} <= languages[name]:
            yield tuple(pieces[name])


def parallel_names(store: Store, language: Language) -> set[str]:
    """The names of the documents that have both sides; everything else is monolingual."""
    pieces = (piece for pieces in parallel_documents(store, language) for piece in pieces)
    return {record.name for piece in pieces for record in store.slice(piece, _DOCUMENTS[piece.file.kind])}


_DOCUMENTS: dict[str, type[Document] | type[Page] | type[LineCorrection]] = {
    "Document": Document,
    "Page": Page,
    "LineCorrection": LineCorrection,
}


def _named_rows(store: Store, stage: str, kind: type[Document] | type[Page] | type[LineCorrection]) -> Iterator[tuple[str, str, Slice]]:
    for file in store.files(stage, kind):
        for row, record in enumerate(store.slice(Slice(file), kind)):
            if not record.rejected:
                yield record.name, record.language, Slice(file, row, row + 1)


def _origin(document: Document, side: Sentences) -> str:
    places = list(dict.fromkeys(one.place for one in side))
    shown = places[0] if len(places) == 1 else f"{places[0]}..{places[-1].rpartition('=')[2]}"
    return f"{document.origin}#{shown}"
