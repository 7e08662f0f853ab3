"""From the raw folder to records: dictionaries to entries, bilingual tables to pairs, texts to documents.

What a file becomes depends on the folder it lies in; how it is opened, on its extension (``data/readers``).
"""

from __future__ import annotations

import logging
import posixpath
from collections.abc import Iterable, Iterator
from fnmatch import fnmatch
from functools import reduce
from typing import ClassVar

import regex
from pydantic import Field

from seshat.config import Section
from seshat.data.columns import Columns
from seshat.data.material import Material
from seshat.data.readers import ELSEWHERE, FOLDERS, SOUND, Content, Options, RefusedError, raw_files, read
from seshat.data.readers.wordlines import word_lines
from seshat.language import Language
from seshat.records import RawFile, Record
from seshat.stage import Stage
from seshat.step import Part, Step
from seshat.withdrawals import NOTHING, Withdrawals

log = logging.getLogger(__name__)

READ = ("dictionary", "transcriptions", "translations", "audio", ELSEWHERE)
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

    version: ClassVar[int] = 3  # 3: what was written is kept wherever anything was respelt or normalised

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
        rules = [rule for rule in self.files if fnmatch(file.origin, rule.pattern)]
        content = read(file, options_for(file.origin, self.files))
        for remark in content.remarks:
            log.info("ingest: %s: %s", file.origin, remark)
        columns = reduce(lambda names, rule: rule.columns.over(names), rules, self.columns)
        material = Material(file, self.language, columns, self.max_chars)
        if folder == "dictionary":
            yield from _dictionary(content, material)
        else:
            yield from self._bitext(content, material, parallel=folder == "translations")

    def _bitext(self, content: Content, material: Material, *, parallel: bool) -> Iterator[Record]:
        """Pairs from tables, documents from texts whose file name says the language."""
        name, code = split_name(material.file.origin, self.language)
        line_by_line = content.shared_places or any(fnmatch(name, pattern) for pattern in self.line_by_line)
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


def step(ingest: Ingest, language: Language, raw: str, settings_yaml: str = "", *, withdrawn: Withdrawals = NOTHING) -> Step:
    """Read every raw file, each as a part of its own."""
    stage = ReadFile(
        columns=ingest.columns,
        files=ingest.files,
        line_by_line=ingest.line_by_line,
        max_chars=ingest.max_chars,
        language=language,
    )
    files, note = withdrawn.sift(raw_files(raw, READ, without=SOUND))
    parts = tuple(Part((file,)) for file in files)
    return Step("ingest", (stage,), parts, settings=settings_yaml, max_rejected=ingest.max_rejected, note=note)


def split_name(origin: str, language: Language) -> tuple[str, str]:
    """The name that both sides of a document share, and the language: ``translations/udhr.shp.docx`` -> (``translations/udhr``, ``shp``).

    A folder may name the language instead: ``translations/shp/udhr.docx``. The code is empty if nothing names one.
    """
    stem = posixpath.splitext(origin)[0]
    base, _, last = regex.sub(r"[._-](\w+)$", r"\n\1", stem).partition("\n")
    code = language.called(last.lower())
    if code:
        return base, code
    folders = stem.split("/")
    for index, folder in enumerate(folders[1:-1], 1):
        code = language.called(folder)
        if code:
            return "/".join(folders[:index] + folders[index + 1 :]), code
    return stem, ""


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


def options_for(origin: str, files: Iterable[FileRule]) -> Options:
    """What the reader of a file is told, by the rules whose pattern fits it."""
    rules = [rule for rule in files if fnmatch(origin, rule.pattern)]
    return Options(
        header=all(rule.header for rule in rules),
        delimiter=next((rule.delimiter for rule in reversed(rules) if rule.delimiter), ""),
        encoding=next((rule.encoding for rule in reversed(rules) if rule.encoding), ""),
    )
