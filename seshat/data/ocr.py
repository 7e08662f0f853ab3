"""From scans to pages: the text layer where a PDF has one, else a picture, made legible, recognised and put in reading order."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar, Literal

import regex
from pydantic import Field

from seshat.config import PathSetting, Section
from seshat.data.enhance import despeckle, divide_background, straighten
from seshat.data.layout import paragraphs, reading_order
from seshat.data.line_guards import LineGuards
from seshat.data.mend import Source
from seshat.data.names import split_name
from seshat.data.readers import RefusedError, raw_files
from seshat.data.readers.pages import PageSource, Renderer, Rendering, count_pages, read_pages
from seshat.data.voting import vote
from seshat.engines.ocr import GARBAGE, EngineName, Line, OcrEngine, engine_version, load_engine
from seshat.engines.ocr_letters import letters_of, packs_with, unknown_letters
from seshat.errors import ConfigError, DataError, EngineError
from seshat.language import Language
from seshat.records import Page, RawFile, Record
from seshat.stage import Resources, Stage
from seshat.step import Part, Step
from seshat.watched import LostError, Watched
from seshat.withdrawals import NOTHING, Withdrawals

if TYPE_CHECKING:
    from PIL.Image import Image

log = logging.getLogger(__name__)

TEXT_LAYER = "text layer"
"""The ``engine`` of a page that was not recognised but read."""


_COUNTING = 600.0
"""Seconds that it may take to count the pages of a file."""
_OPENED = regex.compile(r"(?<![\w\"”“])[\"“„«]\p{L}")
_CLOSED = regex.compile(r"(?<=\p{L})[\"”“]+")


class Reading(Section):
    """How a page is read."""

    engine: EngineName = "tesseract"
    second: EngineName | Literal[""] = ""
    """Another engine that reads every line, too: where they disagree the surer one is taken, and believed less."""
    languages: tuple[str, ...] = Field(("spa",), min_length=1)
    """Tesseract's language packs, the main one first."""
    text_layer: bool = True
    """Take a PDF's own text where it has one."""
    renderer: Renderer = "pypdfium2"
    dpi: int = Field(200, ge=72, le=600)
    max_pixels: int = Field(60_000_000, ge=10_000)
    """A PDF page that would have more is rendered smaller; a picture that has more is rejected."""
    despeckle: bool = True
    """Take specks away from pages that are full of them."""
    divide_background: bool = True
    """Even out shadows, stains and yellowed paper."""
    deskew: bool = True
    turn: bool = True
    """A page that the engine cannot read is tried upside down and on its sides."""
    min_confidence: float | None = Field(None, ge=0, le=1)
    """A page that the engine is less sure of is rejected; none: what is right for the engine, 0.6 for tesseract and 0.82 for the others."""
    lines: LineGuards = LineGuards()
    """Which lines of the other pages are withheld until somebody has looked at them."""

    @property
    def enough(self) -> float:
        """How sure the engine must be of a page."""
        return GARBAGE[self.engine] if self.min_confidence is None else self.min_confidence

    def picture(self, image: Image) -> Image:
        """A page as the engine sees it."""
        if self.despeckle:
            image = despeckle(image)
        if self.divide_background:
            image = divide_background(image)
        return straighten(image) if self.deskew else image


class Ocr(Reading):
    """How scans are read."""

    tessdata: PathSetting = ""
    """The folder of Tesseract's language packs; empty: where the system keeps them."""
    model: PathSetting = ""
    """The folder of PaddleOCR's models (empty: those that come with rapidocr), or of what ``seshat ocr-learn`` wrote, for ``learnt``."""
    page_seconds: float = Field(60.0, ge=0)
    """A page that takes longer is given up, as is one that brings the engine down; 0: pages are not watched."""
    page_megabytes: float = Field(4_000.0, ge=0)
    """A page for which the engine takes more memory is given up, too; 0: any."""
    dictionary: tuple[str, ...] = ("*diccionario*", "*dictionary*", "*vocabulario*")
    """Which scans are pages of a dictionary and become entries."""
    confusions: Source = ""
    """From what ``make align`` learns which letters the engine takes for others, to put them right: ``corrections`` that people made to
    lines, or ``dictionary``, the words of entries, sentences and texts that nobody had to recognise; empty: nothing is changed."""
    pages_per_part: int = Field(8, ge=1)
    max_rejected: float = Field(0.9, ge=0, le=1)
    """A larger share of rejected pages fails the run."""
    resources: Resources = Resources()

    def weights(self, engine: EngineName) -> str:
        """The folder that an engine's weights are looked for in; empty: its usual one."""
        return {"tesseract": self.tessdata, "paddleocr": self.model, "learnt": self.model}.get(engine, "")

    @property
    def version(self) -> str:
        """What the engines' results depend on; an EngineError says what to install."""
        return " + ".join(engine_version(engine, self.languages, self.weights(engine)) for engine in (self.engine, self.second) if engine)


class RecognisePages(Stage[RawFile, Record]):
    """Read the pages of scans; a page that cannot be read, or is not trusted, is rejected alone.

    Pages are read in a process of their own: what twice brings it down, hangs or outgrows its memory is one rejected page.
    """

    version: ClassVar[int] = 3  # 3: dirt comes last; 2: pages are turned, specks are taken away, lines have confidences
    loads_engine: ClassVar[bool] = True

    reading: Reading
    engine_version: str
    """Libraries and weights, so that results of other ones are not taken for these."""
    folders: tuple[str, ...] = Field(("", ""), exclude=True)
    """Where the weights of the engines lie is no part of the fingerprint; what they are is in ``engine_version``."""
    seconds: float = 0.0
    """See ``Ocr.page_seconds``; 0: pages are read in this process."""
    megabytes: float = 0.0
    language: Language

    def __call__(self, records: Iterable[RawFile]) -> Iterator[Record]:
        for file in records:
            for record in self._survive(file) if self.seconds else self._read(file):
                if isinstance(record, RawFile):
                    log.warning("ocr: %s: %s", file.origin, record.rejected)
                yield record

    def _survive(self, file: RawFile) -> Iterator[Record]:
        """The pages, read by another process; one that is lost with a page twice rejects it and goes on behind it."""
        left, tries = file, 0
        while left.start < file.stop:
            try:
                for record in self._elsewhere(left):
                    left, tries = replace(left, start=left.start + 1), 0
                    yield record
                return
            except LostError as lost:
                tries += 1
                log.warning("ocr: %s, page %d: %s%s", file.origin, left.start + 1, lost, "; once more" if tries < 2 else "")
                if tries == 2:
                    yield self._page(file, left.start + 1).reject(str(lost))
                    left, tries = replace(left, start=left.start + 1), 0

    @cached_property
    def _elsewhere(self) -> Watched[RawFile, Record]:
        return Watched(self._read, seconds=self.seconds, megabytes=self.megabytes)

    def _read(self, file: RawFile) -> Iterator[Record]:
        reading = self.reading
        rendering = Rendering(reading.dpi, reading.max_pixels, reading.text_layer, reading.renderer)
        try:
            for source in read_pages(file, rendering):
                yield self._filled(self._page(file, source.number), source)
        except RefusedError as refusal:
            yield file.reject(str(refusal))

    @cached_property
    def _engines(self) -> list[OcrEngine]:
        names = [name for name in (self.reading.engine, self.reading.second) if name]
        return [load_engine(name, self.reading.languages, folder) for name, folder in zip(names, self.folders)]

    def _page(self, file: RawFile, number: int) -> Page:
        name, code = split_name(file.origin, self.language)
        return Page(
            origin=f"{file.origin}#page={number}",
            collection=file.collection,
            name=name,
            number=number,
            language=code or self.language.code,
            text="",
            confidence=0.0,
            engine=self.engine_version,
        )

    def _filled(self, page: Page, source: PageSource) -> Page:
        if source.problem:
            return page.reject(source.problem)
        if source.image is None:
            page = _with_lines(replace(page, engine=TEXT_LAYER), source.lines)
        else:
            try:
                page = self._recognise(page, source.image)
            except (ConfigError, EngineError):
                raise
            except DataError as error:
                return page.reject(f"unreadable: {error}")
            except Exception as error:  # an engine's surprise costs a page, not the pages behind it
                return page.reject(f"error: {self.reading.engine}: {error!r}")
        if not page.text:
            return page.reject("empty: no text was found on the page")
        if page.confidence < self.reading.enough:
            return page.reject(f"confidence: {page.confidence:.2f} is below {self.reading.enough:g}")
        taught = page.language == self.language.code
        lines = zip((line for line in page.text.split("\n") if line), page.confidences, strict=True)
        doubts = (self.reading.lines.doubt(text, confidence, self.language, taught=taught) for text, confidence in lines)
        return replace(page, doubts=tuple(doubts))

    def _recognise(self, page: Page, image: Image) -> Page:
        """The page with what the engines read; turned if that is the only way they can."""
        level = self._heard(page, image)
        if not self.reading.turn or level.confidence >= GARBAGE[self.reading.engine]:
            return level
        others = [replace(self._heard(page, image.rotate(turned, expand=True)), turned=turned) for turned in (180, 90, 270)]
        best = max(others, key=_legible)
        return best if _legible(best) > _legible(level) + 0.1 * len(level.text) else level

    def _heard(self, page: Page, image: Image) -> Page:
        picture = self.reading.picture(image)
        lines = [upright(line, picture) for line in vote([engine.read(picture) for engine in self._engines])]
        if self.language.apostrophe and page.language == self.language.code:
            lines = [replace(line, text=glottal(line.text, self.language.apostrophe)) for line in lines]
        return _with_lines(page, lines)


def upright(line: Line, page: Image) -> Line:
    """A line as it is; one that stands on its end, which an engine may read all the same, is not believed."""
    across, down = (line.box[2] - line.box[0]) * page.width, line.height * page.height
    return replace(line, confidence=0.0) if down > 1.5 * across and len(line.text) > 2 else line


def glottal(line: str, apostrophe: str) -> str:
    """A line in which closing quotation marks behind letters, if none was opened, are what they look like to an engine: apostrophes."""
    return line if _OPENED.search(line) else _CLOSED.sub(apostrophe, line)


def step(ocr: Ocr, language: Language, raw: str, settings_yaml: str = "", *, withdrawn: Withdrawals = NOTHING) -> Step:
    """Recognise the scans of the raw folder; without scans no engine is needed, and there are no parts."""
    files, note = withdrawn.sift(raw_files(raw, ("scans",)))
    return step_for(files, ocr, language, settings_yaml, note=note)


def step_for(files: Sequence[RawFile], ocr: Ocr, language: Language, settings_yaml: str = "", *, note: str = "") -> Step:
    """Recognise files, in parts of some pages of one file."""
    if not files:
        return Step("ocr", (), (), note=note)
    stage = RecognisePages(
        reading=Reading(**ocr.model_dump(include=set(Reading.model_fields))),
        engine_version=ocr.version,
        folders=tuple(ocr.weights(engine) for engine in (ocr.engine, ocr.second) if engine),
        seconds=ocr.page_seconds,
        megabytes=ocr.page_megabytes,
        language=language,
        resources=ocr.resources,
    )
    if missing := unwritable(ocr, language):
        log.warning("ocr: %s", missing)
        note = "; ".join(filter(None, (note, missing)))
    counted = _counted(files, ocr.page_seconds)
    parts = tuple(Part((piece,)) for file, number in counted for piece in _ranges(file, ocr.pages_per_part, number))
    return Step("ocr", (stage,), parts, settings=settings_yaml, max_rejected=ocr.max_rejected, note=note)


def unwritable(ocr: Ocr, language: Language) -> str:
    """Which letters of the alphabet the engine cannot write, and what to do; empty if it can write all, or nobody says what it can."""
    plain = (letter.replace(language.apostrophe, "") for letter in language.order)  # apostrophes are put right when text is read
    alphabet = [letter for letter in plain if letter]
    known = letters_of(ocr.engine, ocr.languages, ocr.weights(ocr.engine))
    missing = unknown_letters(alphabet, known) if known else []
    if not missing:
        return ""
    others: list[EngineName] = [one for one in ("tesseract", "rapidocr") if one != ocr.engine]
    cures = [f"ocr.engine={one}" for one in others if not _lacks(one, ocr, alphabet)]
    cures += [
        f"ocr.languages=[{pack}]" for pack in packs_with(alphabet, ocr.tessdata) if ocr.engine == "tesseract" and pack not in ocr.languages
    ]
    how = (
        f"set {' or '.join(cures[:3])}"
        if cures
        else "teach a recogniser the alphabet (seshat ocr-learn), or correct its lines (seshat lines)"
    )
    return f"{ocr.engine} cannot write {' '.join(missing)}, and puts other letters there: {how}"


def _lacks(engine: EngineName, ocr: Ocr, alphabet: Sequence[str]) -> list[str]:
    """The letters that an engine cannot write; all if it is not there."""
    try:
        return unknown_letters(alphabet, letters_of(engine, ocr.languages, ocr.weights(engine)))
    except EngineError:
        return list(alphabet)


def _ranges(file: RawFile, size: int, num_pages: int) -> Iterator[RawFile]:
    """A file in ranges of pages."""
    for start in range(0, num_pages, size):
        yield replace(file, start=start, stop=min(start + size, num_pages))


def _count(file: RawFile) -> Iterator[int]:
    yield count_pages(file)


def _counted(files: Iterable[RawFile], seconds: float) -> Iterator[tuple[RawFile, int]]:
    """Each file with its number of pages; one that brings down even who counts them is rejected."""
    counting = Watched(_count, seconds=max(_COUNTING, seconds), megabytes=0)
    for file in files:
        try:
            [number] = counting.twice(file) if seconds else _count(file)
            yield file, number
        except LostError as lost:
            log.warning("ocr: %s: %s", file.origin, lost)
            yield file.reject(str(lost)), 1


def _legible(page: Page) -> float:
    """How many letters of a page an engine is sure of."""
    return page.confidence**2 * sum(letter.isalpha() for letter in page.text)


def _with_lines(page: Page, lines: Iterable[Line]) -> Page:
    """The page with its lines in reading order, a blank line between paragraphs, and the mean confidence."""
    found = paragraphs(reading_order(tuple(lines)))
    ordered = [line for paragraph in found for line in paragraph]
    length = sum(len(line.text) for line in ordered)
    return replace(
        page,
        text="\n\n".join("\n".join(line.text for line in paragraph) for paragraph in found),
        confidence=sum(line.confidence * len(line.text) for line in ordered) / max(1, length),
        confidences=tuple(round(line.confidence, 4) for line in ordered),
        boxes=tuple(round(share, 5) for line in ordered for share in line.box),
    )
