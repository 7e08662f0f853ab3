"""From the raw folder to records: dictionaries to entries, bilingual tables to pairs, texts to documents.

What a file becomes depends on the folder it lies in; how it is opened, on its extension (``data/readers``).
"""

from __future__ import annotations

import contextlib
import logging
import posixpath
from collections.abc import Iterable, Iterator
from fnmatch import fnmatch
from functools import reduce
from typing import ClassVar

from pydantic import Field

from seshat.config import Section
from seshat.data.columns import Columns
from seshat.data.lines import SHEET, line_corrections
from seshat.data.material import Material
from seshat.data.names import side_of, split_name
from seshat.data.readers import ELSEWHERE, FOLDERS, SOUND, Content, Options, RefusedError, raw_files, raw_origins, read
from seshat.data.readers.wordlines import word_lines
from seshat.data.transcripts import without_transcripts
from seshat.errors import ConfigError, DataError
from seshat.language import Language
from seshat.records import RawFile, Record
from seshat.rights import CORRECTIONS
from seshat.stage import Stage
from seshat.step import Part, Step
from seshat.withdrawals import NOTHING, Withdrawals

log = logging.getLogger(__name__)

READ = ("dictionary", "transcriptions", "translations", "audio", CORRECTIONS, ELSEWHERE)
"""The folders that ingest looks into; scans/ is the matter of ``make ocr``."""


class FileRule(Section):
    """What is different for some raw files."""

    pattern: str
    """Which ones, below the raw folder: ``dictionary/old*.csv``."""
    columns: Columns = Columns()
    """Names of columns in these files; what is left out is as everywhere."""
    header: bool = True
    """The first row names the columns; without it they are called 1, 2, 3."""
    delimiter: str = Field("", max_length=1)
    encoding: str = ""
    language: str = ""
    """The code of the language that a text is in, where its name does not say it or says it wrongly."""


class Ingest(Section):
    """How raw files are read."""

    columns: Columns = Columns()
    files: tuple[FileRule, ...] = ()
    """Exceptions; where several fit a file, the later ones win."""
    line_by_line: tuple[str, ...] = ()
    """Documents whose two sides were written line by line: patterns of names, such as ``translations/handbook*``."""
    max_chars: int = Field(4_000, ge=1)
    """A longer cell is no sentence and no definition; a paragraph may be twenty times as long."""
    max_rejected: float = Field(0.5, ge=0, le=1)
    """A larger share of rejected rows fails the run."""


class ReadFile(Stage[RawFile, Record]):
    """Read raw files into entries, sentence pairs and documents; a file that cannot be read is rejected whole."""

    version: ClassVar[int] = 6  # 6: which side of a pair is a correction

    columns: Columns = Columns()
    files: tuple[FileRule, ...] = ()
    line_by_line: tuple[str, ...] = ()
    max_chars: int = 4_000
    language: Language

    def __call__(self, records: Iterable[RawFile]) -> Iterator[Record]:
        for file in records:
            try:
                yield from list(self._read(file))
            except RefusedError as refusal:
                log.warning("ingest: %s: %s", file.origin, refusal)
                yield file.reject(str(refusal))

    def _read(self, file: RawFile) -> Iterator[Record]:
        folder = file.origin.partition("/")[0] if "/" in file.origin else ""
        if folder not in FOLDERS:
            raise RefusedError(f"folder: not in one of {', '.join(FOLDERS)}, so nobody knows what it is; move it")
        content = read(file, self.options(file.origin))
        for remark in content.remarks:
            log.info("ingest: %s: %s", file.origin, remark)
        columns = reduce(lambda names, rule: rule.columns.over(names), self._rules(file.origin), self.columns)
        material = Material(file, self.language, columns, self.max_chars)
        if folder == "dictionary":
            yield from _dictionary(content, material)
        elif folder == CORRECTIONS and (sheets := [table for table in content.tables if set(SHEET) <= set(table.columns)]):
            for table in sheets:
                yield from line_corrections(table, file, self.language)
        else:
            yield from self._bitext(content, material, parallel=folder == "translations")

    def _bitext(self, content: Content, material: Material, *, parallel: bool) -> Iterator[Record]:
        """Pairs from tables, documents from texts whose file name says the language."""
        name, code = self.named(material.file.origin)
        line_by_line = content.shared_places or self.by_lines(material.file.origin)
        if content.paragraphs and code:
            yield from material.documents(content.paragraphs, name, code, line_by_line=line_by_line)
        elif content.tables and code == self.language.code and not parallel:
            for table in content.tables:
                yield from material.table_document(table, name, line_by_line)
        elif tables := material.bilingual(content):
            for table in tables:
                yield from material.pairs(table, name if parallel else "")
        else:
            stem, extension = posixpath.splitext(posixpath.basename(material.file.origin))
            codes = (self.language.code, self.language.bridge.code)
            names = " or ".join(f"{stem}.{code}{extension}" for code in codes)
            raise RefusedError(f"language: the file name does not say which language it is; call it {names}")

    def named(self, origin: str) -> tuple[str, str]:
        """The name of the document and the code of the language of a file, empty if nothing says it."""
        name, code = split_name(origin, self.language)
        return name, next((self.language.called(rule.language) for rule in reversed(self._rules(origin)) if rule.language), code)

    def by_lines(self, origin: str) -> bool:
        """True for a side of a document that was written line by line."""
        return bool(side_of(origin, self.language)) or any(fnmatch(self.named(origin)[0], pattern) for pattern in self.line_by_line)

    def options(self, origin: str) -> Options:
        """How a file is opened; what is called by its language and not by its format is plain text, but no dictionary."""
        rules = self._rules(origin)
        side = side_of(origin, self.language) and not origin.startswith("dictionary/")
        return Options(
            header=all(rule.header for rule in rules),
            delimiter=next((rule.delimiter for rule in reversed(rules) if rule.delimiter), ""),
            encoding=next((rule.encoding for rule in reversed(rules) if rule.encoding), ""),
            extension=".txt" if side else "",
            line_by_line=self.by_lines(origin),
        )

    def _rules(self, origin: str) -> list[FileRule]:
        return [rule for rule in self.files if fnmatch(origin, rule.pattern)]


def step(ingest: Ingest, language: Language, raw: str, settings_yaml: str = "", *, withdrawn: Withdrawals = NOTHING) -> Step:
    """Read every raw file, each as a part of its own; a warning says which sides of a document have not the same lines."""
    for rule in ingest.files:
        if rule.language and not language.called(rule.language):
            known = " nor ".join((language.code, language.bridge.code))
            raise ConfigError(f"ingest.files: {rule.pattern}: language={rule.language!r} is neither {known}; write one of these codes")
    stage = reader(ingest, language)
    files, note = withdrawn.sift(raw_files(raw, READ, without=SOUND))
    files = without_transcripts(files, raw_origins(raw), language)
    for remark in unequal_sides(files, stage):
        log.warning("ingest: %s", remark)
    parts = tuple(Part((file,)) for file in files)
    return Step("ingest", (stage,), parts, settings=settings_yaml, max_rejected=ingest.max_rejected, note=note)


def reader(ingest: Ingest, language: Language) -> ReadFile:
    """The stage that reads files as the settings say."""
    return ReadFile(
        columns=ingest.columns,
        files=ingest.files,
        line_by_line=ingest.line_by_line,
        max_chars=ingest.max_chars,
        language=language,
    )


def unequal_sides(files: Iterable[RawFile], stage: ReadFile) -> Iterator[str]:
    """A sentence for each document that was written line by line and has more lines on one side than on the other.

    Its pairs are made by line number all the same: only a person sees which line is missing.
    """
    lengths: dict[str, dict[str, tuple[str, int]]] = {}
    for file in files:
        name, code = stage.named(file.origin)
        if code and stage.by_lines(file.origin):
            with contextlib.suppress(DataError):  # who reads the file rejects it with the reason
                places = [line.place.partition("=") for line in read(file, stage.options(file.origin)).lines]
                if places and places[-1][0] == "line":
                    lengths.setdefault(name, {})[code] = (file.origin, int(places[-1][2]))
    for name, sides in lengths.items():
        if len({length for _, length in sides.values()}) > 1:
            counts = " and ".join(f"{origin} has {length:,} lines" for origin, length in sides.values())
            yield (
                f"{counts}: line 1 goes with line 1 and so on, so that a line which is missing on one side shifts all after it; "
                f"put an empty line in its place, or have them aligned by their words with align.modes={{{name}: document}}"
            )


def _dictionary(content: Content, material: Material) -> Iterator[Record]:
    if content.tables:
        for table in content.tables:
            yield from material.entries(table)
    elif content.lines:
        yield from material.word_entries(word_lines(content.lines))
    else:
        raise RefusedError(
            "folder: running text is no dictionary; move it to translations/, or to transcriptions/ if it has no translation"
        )
