"""From scans to pages: the text layer where a PDF has one, else a picture, made legible, recognised and put in reading order."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Iterable, Iterator
from dataclasses import replace
from fnmatch import fnmatch
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

import regex
from pydantic import Field

from seshat.config import PathSetting, Section
from seshat.data.columns import Columns
from seshat.data.enhance import divide_background, straighten
from seshat.data.layout import SENTENCE_END, join_lines, paragraphs, reading_order
from seshat.data.material import Material
from seshat.data.names import split_name
from seshat.data.readers import Paragraph, RefusedError, raw_files
from seshat.data.readers.pages import PageSource, Renderer, Rendering, count_pages, read_pages
from seshat.data.readers.wordlines import word_lines
from seshat.engines.ocr import EngineName, Line, OcrEngine, engine_version, load_engine
from seshat.errors import DataError
from seshat.language import Language
from seshat.records import Document, Entry, Page, RawFile, Record, SentencePair
from seshat.stage import Resources, Stage
from seshat.step import Part, Step
from seshat.withdrawals import NOTHING, Withdrawals

if TYPE_CHECKING:
    from PIL.Image import Image

log = logging.getLogger(__name__)

TEXT_LAYER = "text layer"
"""The ``engine`` of a page that was not recognised but read."""


_OPENED = regex.compile(r"(?<![\w\"”“])[\"“„«]\p{L}")
_CLOSED = regex.compile(r"(?<=\p{L})[\"”“]+")


class Ocr(Section):
    """How scans are read."""

    engine: EngineName = "tesseract"
    languages: tuple[str, ...] = Field(("spa",), min_length=1)
    """Tesseract's language packs, the main one first."""
    tessdata: PathSetting = ""
    """The folder of Tesseract's language packs; empty: where the system keeps them."""
    model: PathSetting = ""
    """The folder that ``seshat ocr-learn`` wrote, for the engine ``learnt``."""
    text_layer: bool = True
    """Take a PDF's own text where it has one."""
    renderer: Renderer = "pypdfium2"
    dpi: int = Field(200, ge=72, le=600)
    max_pixels: int = Field(60_000_000, ge=10_000)
    """A PDF page that would have more is rendered smaller; a picture that has more is rejected."""
    divide_background: bool = True
    """Even out shadows, stains and yellowed paper."""
    deskew: bool = True
    min_confidence: float = Field(0.6, ge=0, le=1)
    """A page that the engine is less sure of is rejected: upside-down pages stand at 0.35, good ones above 0.9."""
    dictionary: tuple[str, ...] = ("*diccionario*", "*dictionary*", "*vocabulario*")
    """Which scans are pages of a dictionary and become entries."""
    pages_per_part: int = Field(8, ge=1)
    max_rejected: float = Field(0.9, ge=0, le=1)
    """A larger share of rejected pages fails the run."""
    resources: Resources = Resources()


class RecognisePages(Stage[RawFile, Record]):
    """Read the pages of scans; a page that cannot be read, or is not trusted, is rejected alone."""

    loads_engine: ClassVar[bool] = True

    engine: EngineName
    engine_version: str
    """Library and weights, so that results of other ones are not taken for these."""
    languages: tuple[str, ...]
    tessdata: str = Field("", exclude=True)
    """Where the weights lie is no part of the fingerprint; what they are is in ``engine_version``."""
    model: str = Field("", exclude=True)
    text_layer: bool
    renderer: Renderer
    dpi: int
    max_pixels: int
    divide_background: bool
    deskew: bool
    min_confidence: float
    language: Language

    def __call__(self, records: Iterable[RawFile]) -> Iterator[Record]:
        rendering = Rendering(self.dpi, self.max_pixels, self.text_layer, self.renderer)
        for file in records:
            try:
                for source in read_pages(file, rendering):
                    yield self._page(file, source)
            except RefusedError as refusal:
                log.warning("ocr: %s: %s", file.origin, refusal)
                yield file.reject(str(refusal))

    @cached_property
    def _engine(self) -> OcrEngine:
        return load_engine(self.engine, self.languages, self.tessdata, self.model)

    def _page(self, file: RawFile, source: PageSource) -> Page:
        name, code = split_name(file.origin, self.language)
        page = Page(
            origin=f"{file.origin}#page={source.number}",
            collection=file.collection,
            name=name,
            number=source.number,
            language=code or self.language.code,
            text="",
            confidence=0.0,
            engine=TEXT_LAYER if source.lines else self.engine_version,
        )
        if source.problem:
            return page.reject(source.problem)
        try:
            lines = source.lines if source.image is None else self._recognise(source.image, page.language)
        except DataError as error:
            return page.reject(f"unreadable: {error}")
        if not lines:
            return page.reject("empty: no text was found on the page")
        page = _with_lines(page, lines)
        if page.confidence < self.min_confidence:
            return page.reject(f"confidence: {page.confidence:.2f} is below {self.min_confidence:g}")
        return page

    def _recognise(self, image: Image, code: str) -> tuple[Line, ...]:
        if self.divide_background:
            image = divide_background(image)
        if self.deskew:
            image = straighten(image)
        lines = self._engine.read(image)
        if self.language.apostrophe and code == self.language.code:
            lines = [replace(line, text=glottal(line.text, self.language.apostrophe)) for line in lines]
        return tuple(lines)


def glottal(line: str, apostrophe: str) -> str:
    """A line in which closing quotation marks behind letters, if none was opened, are what they look like to an engine: apostrophes."""
    return line if _OPENED.search(line) else _CLOSED.sub(apostrophe, line)


def step(ocr: Ocr, language: Language, raw: str, settings_yaml: str = "", *, withdrawn: Withdrawals = NOTHING) -> Step:
    """Recognise scans, in parts of some pages of one file; without scans no engine is needed, and there are no parts."""
    files, note = withdrawn.sift(raw_files(raw, ("scans",)))
    if not files:
        return Step("ocr", (), (), note=note)
    stage = RecognisePages(
        engine=ocr.engine,
        engine_version=engine_version(ocr.engine, ocr.languages, ocr.tessdata, ocr.model),
        languages=ocr.languages,
        tessdata=ocr.tessdata,
        model=ocr.model,
        text_layer=ocr.text_layer,
        renderer=ocr.renderer,
        dpi=ocr.dpi,
        max_pixels=ocr.max_pixels,
        divide_background=ocr.divide_background,
        deskew=ocr.deskew,
        min_confidence=ocr.min_confidence,
        language=language,
        resources=ocr.resources,
    )
    parts = tuple(Part((piece,)) for file in files for piece in _ranges(file, ocr.pages_per_part))
    return Step("ocr", (stage,), parts, settings=settings_yaml, max_rejected=ocr.max_rejected, note=note)


def is_dictionary(page: Page, patterns: Iterable[str]) -> bool:
    """True for a page that ``page_entries`` should read; all others are running text."""
    return any(fnmatch(page.name.lower(), pattern.lower()) for pattern in patterns)


def page_documents(pages: Iterable[Page], language: Language, *, max_chars: int = 4_000) -> list[Document]:
    """Running text from pages: one document for each scan, its paragraphs in the order of the pages."""
    found: list[Document] = []
    for (name, code), group in _by_scan(pages):
        text: list[Paragraph] = []
        for page in group:
            blocks = (join_lines(block.split("\n")) for block in page.text.split("\n\n") if block.strip())
            for index, block in enumerate(blocks):
                if text and index == 0 and block[:1].islower() and not text[-1].text.endswith(SENTENCE_END):
                    text[-1] = Paragraph(f"{text[-1].text} {block}", text[-1].place)  # it goes on from the page before
                else:
                    text.append(Paragraph(block, f"page={page.number}"))
        if text:
            found += _material(group, language, max_chars).documents(text, name, code, line_by_line=False)
    return found


def page_entries(pages: Iterable[Page], language: Language, *, max_chars: int = 4_000) -> list[Entry | SentencePair]:
    """Entries from dictionary pages, from lines such as ``word – meaning``; wrapped lines are joined.

    What cannot be an entry (a heading, a line that was misread) is among them, rejected with its reason.
    """
    found: list[Entry | SentencePair] = []
    for _, group in _by_scan(pages):
        lines = [Paragraph(line, f"page={page.number}") for page in group for line in page.text.split("\n") if line]
        found += _material(group, language, max_chars).word_entries(word_lines(lines, wrapped=True))
    return found


def _material(pages: list[Page], language: Language, max_chars: int) -> Material:
    file = RawFile(origin=pages[0].origin.rsplit("#", 1)[0], collection=pages[0].collection, path="", sha256="")
    return Material(file, language, Columns(), max_chars)


def _by_scan(pages: Iterable[Page]) -> Iterator[tuple[tuple[str, str], list[Page]]]:
    ordered = sorted(pages, key=lambda page: (page.name, page.language, page.number))
    for key, group in itertools.groupby(ordered, key=lambda page: (page.name, page.language)):
        yield key, list(group)


def _ranges(file: RawFile, size: int) -> Iterator[RawFile]:
    """A file in ranges of pages; a short one stays whole."""
    num_pages = count_pages(file)
    if num_pages <= size:
        yield file
        return
    for start in range(0, num_pages, size):
        yield replace(file, start=start, stop=min(start + size, num_pages))


def _with_lines(page: Page, lines: Iterable[Line]) -> Page:
    """The page with its lines in reading order, a blank line between paragraphs, and the mean confidence."""
    found = paragraphs(reading_order(tuple(lines)))
    ordered = [line for paragraph in found for line in paragraph]
    length = sum(len(line.text) for line in ordered)
    return replace(
        page,
        text="\n\n".join("\n".join(line.text for line in paragraph) for paragraph in found),
        confidence=sum(line.confidence * len(line.text) for line in ordered) / length,
        boxes=tuple(round(share, 5) for line in ordered for share in line.box),
    )
