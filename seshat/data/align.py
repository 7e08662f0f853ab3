"""Align parallel documents into sentence pairs, without embeddings and without machine translation.

Length decides first (Gale and Church, 1993), words as far as they are known: the lexicon is estimated by IBM Model 1 from
the pairs and dictionary entries that people wrote, and grows with the pairs that the first pass is sure of.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, zip_longest
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from seshat.config import Section
from seshat.data.beads import Bead, align, centres
from seshat.data.clean import Clean
from seshat.data.ocr import page_documents
from seshat.errors import DataError
from seshat.language import Language, words
from seshat.lexicon import Lexicon
from seshat.records import Document, Entry, Page, Record, SentencePair
from seshat.stage import Resources, Stage
from seshat.step import Part, Step
from seshat.store import Slice, Store, slices

Mode = Literal["auto", "sentence", "paragraph", "document"]
Sentences = list[tuple[str, str]]
"""Each with its place in the file."""
PAIRS_PER_PART = 4_000
ANCHORS = ("anchors", "anchors-again")
"""The early passes; the second is worth three points of F1, further ones nothing."""
EVIDENCE_WEIGHT = 30.0
"""Nats that full lexical evidence is worth, against the cost of length."""
CONFIDENT = 0.5
"""The score from which a pair of the first pass teaches the lexicon."""
DISCOUNT = 0.3
"""Taken off every expected count, so that the lexicon does not memorise the first pass's own mistakes."""
MAX_WORDS = 60
"""Longer pairs say too little about each of their words."""
BLOCK = 64
"""Source sentences compared with their band at once."""


class Align(Section):
    """How documents are aligned."""

    mode: Mode = "auto"
    """sentence: line i with line i; paragraph: paragraph i with paragraph i, sentences inside; document: sentences, whatever
    the paragraphs; auto: paragraph where their lengths say that they go together one by one, else document."""
    modes: dict[str, Mode] = {}
    """A mode for the documents whose name matches a pattern: ``{"translations/educational": sentence}``."""
    band: int = Field(120, ge=10)
    """How many sentences an alignment may stray from the diagonal, beside the difference in length."""
    max_rejected: float = Field(0.6, ge=0, le=1)


class AlignDocuments(Stage[Record, Record]):
    """Turn both sides of a parallel document into pairs; pairs that people made pass through.

    Every sentence of both sides is in exactly one pair; a sentence without a counterpart is a rejected pair. A side that
    comes twice, as a text and as a scan of it, is rejected the second time.
    """

    whole: ClassVar[bool] = True

    resources: Resources = Resources(batch=1_000_000)  # a document is aligned as a whole
    settings: Align
    language: Language
    lexicon: Lexicon | None = Field(None, exclude=True)

    model_config = {"arbitrary_types_allowed": True}

    @property
    def depends_on(self) -> str:
        """The words that are known."""
        return self.lexicon.digest if self.lexicon else ""

    def __call__(self, records: Iterable[Record]) -> Iterator[Record]:
        documents: list[Document] = []
        pages: list[Page] = []
        for record in records:
            if isinstance(record, SentencePair):
                yield record
            elif isinstance(record, Page):
                pages.append(record)
            elif isinstance(record, Document):
                documents.append(record)
        sides: dict[str, Document] = {}
        for document in [*documents, *page_documents(pages, self.language)]:
            if document.rejected:
                yield document
            elif document.language in sides:
                first = sides[document.language].origin
                yield document.reject(f"surplus: {first} is the {document.language} side of {document.name} already")
            else:
                sides[document.language] = document
        if {self.language.code, self.language.bridge.code} <= sides.keys():
            yield from self._align(sides[self.language.code], sides[self.language.bridge.code])
        elif sides:
            name = next(iter(sides.values())).name
            raise DataError(f"{name} has only one side here ({', '.join(sorted(sides))}), nothing to align it with")

    def _align(self, taught: Document, bridge: Document) -> Iterator[SentencePair]:
        lexicon = self.lexicon.only(_vocabulary(taught), _vocabulary(bridge)) if self.lexicon else None
        for texts, translations in self._chunks(taught, bridge):
            for bead in self._beads([text for text, _ in texts], [text for text, _ in translations], lexicon):
                yield self._pair(bead, texts, translations, taught, bridge)

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
        paragraph, place = document.paragraphs[index], document.places[index]
        if mode == "sentence":
            return [(paragraph, place)]
        bridge = document.language == self.language.bridge.code
        return [(sentence, place) for sentence in self.language.sentences(paragraph, bridge=bridge)]

    def _beads(self, texts: Sequence[str], translations: Sequence[str], lexicon: Lexicon | None) -> list[Bead]:
        if len(texts) == len(translations) == 1:  # nothing to choose: a person put them side by side
            return [Bead(range(1), range(1), 1.0)]
        lengths = [np.array([len(text) for text in side], dtype=np.float64) for side in (texts, translations)]
        band = min(self.settings.band, max(len(texts), len(translations))) + 2 * abs(len(texts) - len(translations))
        evidence = None
        if lexicon and texts and translations:
            evidence = banded_scores(lexicon, [words(text) for text in texts], [words(text) for text in translations], band)
        return align(lengths[0], lengths[1], evidence, band=band, weight=EVIDENCE_WEIGHT)

    def _pair(
        self,
        bead: Bead,
        texts: list[tuple[str, str]],
        translations: list[tuple[str, str]],
        taught: Document,
        bridge: Document,
    ) -> SentencePair:
        left, right = [texts[i] for i in bead.source], [translations[j] for j in bead.target]
        origins = [_origin(document, side) for document, side in ((taught, left), (bridge, right)) if side]
        return SentencePair(
            text=" ".join(text for text, _ in left),
            translation=" ".join(text for text, _ in right),
            language=self.language.code,
            bridge=self.language.bridge.code,
            document=taught.name,
            aligned=True,
            score=bead.score,
            origin=" | ".join(origins),
            collection=taught.collection,
            rejected="" if left and right else "unaligned: no counterpart on the other side",
        )


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
    sides = [np.array([len(paragraph) for paragraph in document.paragraphs], dtype=np.float64) for document in (taught, bridge)]
    beads = align(sides[0], sides[1], band=settings.band, weight=0.0)
    return "paragraph" if all(len(bead.source) == len(bead.target) == 1 for bead in beads) else "document"


def _has_lines(document: Document) -> bool:
    """True if every paragraph is a line or a verse of its own and says which: so one left out on one side shifts nothing."""
    return len(set(document.places)) == len(document.places) and all(place.startswith(("line=", "verse=")) for place in document.places)


def banded_scores(lexicon: Lexicon, source: Sequence[Sequence[str]], target: Sequence[Sequence[str]], band: int) -> NDArray[np.float32]:
    """How well each source sentence and each target sentence of its band cover each other (S, 2 * band + 1), for ``align``."""
    centre = centres(len(source), len(target))
    scores = np.zeros((len(source), 2 * band + 1), dtype=np.float32)
    for start in range(0, len(source), BLOCK):
        stop = min(start + BLOCK, len(source))
        first, last = max(0, int(centre[start]) - band), min(len(target), int(centre[stop - 1]) + band + 1)
        found = lexicon.scores(source[start:stop], target[first:last])
        for row in range(start, stop):
            low, high = max(first, int(centre[row]) - band), min(last, int(centre[row]) + band + 1)
            offset = low - int(centre[row]) + band
            scores[row, offset : offset + high - low] = found[row - start, low - first : high - first]
    return scores


def estimate_lexicon(store: Store, taught_by: str) -> Lexicon | None:
    """What people's pairs and entries, and the sure pairs of an earlier pass, say about words; None if there are none."""
    pairs = [(pair.text, pair.translation) for pair in store.records("ingest", SentencePair)]
    pairs += [(entry.headword, entry.translation) for entry in store.records("ingest", Entry)]
    pairs += [(pair.text, pair.translation) for pair in store.records(taught_by, SentencePair) if pair.aligned and pair.score > CONFIDENT]
    known = [(words(text), words(translation)) for text, translation in pairs]
    usable = [pair for pair in known if pair[0] and pair[1] and max(map(len, pair)) <= MAX_WORDS]
    return Lexicon.estimate(usable, discount=DISCOUNT) if usable else None


def anchors(settings: Align, language: Language, store: Store, name: str = ANCHORS[0]) -> Step:
    """An early pass over every parallel document, so that its sure pairs teach the lexicon: the first by length alone."""
    store.require("ingest", needed_by="align")
    lexicon = None if name == ANCHORS[0] else estimate_lexicon(store, ANCHORS[0])
    parts = tuple(Part(pieces) for pieces in parallel_documents(store, language))
    return Step(name=name, stages=(AlignDocuments(settings=settings, language=language, lexicon=lexicon),), parts=parts, max_rejected=1.0)


def step(settings: Align, clean: Clean, language: Language, store: Store, *, settings_yaml: str = "") -> Step:
    """What ``make align`` does: documents of two sides, and pairs that need no alignment, through the filters."""
    aligner = AlignDocuments(settings=settings, language=language, lexicon=estimate_lexicon(store, ANCHORS[-1]))
    stages: tuple[Stage[Any, Any], ...] = (aligner, *clean.stages(language))
    parts = [Part((piece,)) for piece in slices(store.files("ingest", SentencePair), PAIRS_PER_PART)]
    parts += [Part(pieces) for pieces in parallel_documents(store, language)]
    return Step(
        name="align",
        stages=stages,
        parts=tuple(parts),
        settings=settings_yaml,
        max_rejected=settings.max_rejected,
    )


def parallel_documents(store: Store, language: Language) -> Iterator[tuple[Slice, ...]]:
    """The stored pieces of every document that has both sides, in the order of their names."""
    pieces: dict[str, list[Slice]] = {}
    languages: dict[str, set[str]] = {}
    for stage, kind in (("ingest", Document), ("ocr", Page)):
        for name, code, piece in _named_rows(store, stage, kind):
            pieces.setdefault(name, []).append(piece)
            languages.setdefault(name, set()).add(code)
    for name in sorted(pieces):
        if {language.code, language.bridge.code} <= languages[name]:
            yield tuple(pieces[name])


def parallel_names(store: Store, language: Language) -> set[str]:
    """The names of the documents that have both sides; everything else is monolingual."""
    pieces = (piece for pieces in parallel_documents(store, language) for piece in pieces)
    return {record.name for piece in pieces for record in store.slice(piece, _DOCUMENTS[piece.file.kind])}


_DOCUMENTS: dict[str, type[Document] | type[Page]] = {"Document": Document, "Page": Page}


def _named_rows(store: Store, stage: str, kind: type[Document] | type[Page]) -> Iterator[tuple[str, str, Slice]]:
    for file in store.files(stage, kind):
        for row, record in enumerate(store.slice(Slice(file), kind)):
            if not record.rejected:
                yield record.name, record.language, Slice(file, row, row + 1)


def _vocabulary(document: Document) -> set[str]:
    return {word for paragraph in document.paragraphs for word in words(paragraph)}


def _origin(document: Document, side: list[tuple[str, str]]) -> str:
    places = list(dict.fromkeys(place for _, place in side))
    shown = places[0] if len(places) == 1 else f"{places[0]}..{places[-1].rpartition('=')[2]}"
    return f"{document.origin.partition('#')[0]}#{shown}"
