"""What a reader found in one file, as records: rows to entries and pairs, paragraphs to documents."""

from __future__ import annotations

import logging
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import regex

from seshat.data.columns import Columns, Role, find_columns
from seshat.data.readers import Content, Paragraph, RefusedError, Row, Table
from seshat.data.readers.encoding import is_mojibake, repair_controls
from seshat.data.readers.separated import separated_table, with_first_row
from seshat.data.readers.wordlines import WordLine
from seshat.language import Language, clean_spaces, what_was_written
from seshat.records import Document, Entry, RawFile, SentencePair

log = logging.getLogger(__name__)

_ENTRY: tuple[Role, ...] = (
    "headword",
    "translation",
    "part_of_speech",
    "note",
    "dialect",
    "variants",
    "text",
    "bridge",
)
UNUSED = ("superseded", "rejected")
"""The states of a correction that is kept, but not used."""
_PAIR: tuple[Role, ...] = ("text", "bridge", "gloss", "morphemes", "note", "corrected", "status")
_SENSE = regex.compile(r"(?:^|(?<=[\s,;/.(]))\d{1,2}\s*[:.;)](?!\d)\s*")
_BULLET = regex.compile(r"[•▪■◦●\u2023]\s*")
_STOPPED = regex.compile(r"([?!])\.(?=\s|$)")
_VARIANTS = regex.compile(r"\s*/\s*|\s*[,;]\s+")
_LONG = 20
"""A paragraph may be so many times as long as a cell."""
_SHOWN = 500
"""Characters of a rejected paragraph that are kept."""


@dataclass(frozen=True)
class Material:
    """One file on its way to records."""

    file: RawFile
    language: Language
    names: Columns
    max_chars: int
    _roles: dict[tuple[str, ...], dict[Role, str]] = field(default_factory=dict)
    """The columns of examples, by the names that occur."""

    # Dictionaries

    def entries(self, table: Table) -> Iterator[Entry | SentencePair]:
        """An entry for each sense of each row, and a pair for each example."""
        flat = [column for column in table.columns if any(column in row.values for row in table.rows)]
        found = find_columns(flat, _ENTRY, ("headword", "translation"), self.names, self.language)
        examples = self._nested(table)
        self._log_unused(table, {*found.values(), examples})
        said: set[str] = set()
        for row in table.rows:
            cells = {role: row.values.get(column, "") for role, column in found.items()}
            for record in self._entry(row, cells, row.nested.get(examples, ())):
                repeated = isinstance(record, Entry) and record.digest in said and bool(cells.get("text"))
                if not repeated:  # a table with a row for each example says its headword again
                    yield record
                said.add(record.digest)

    def word_entries(self, lines: Iterable[WordLine]) -> Iterator[Entry | SentencePair]:
        """The same from lines such as ``word – meaning``."""
        for line in lines:
            if line.problem:
                yield self._made_entry(line.place, line.text, "").reject(line.problem)
            else:
                cells: dict[Role, str] = {
                    "headword": line.headword,
                    "translation": line.translation,
                    "part_of_speech": line.part_of_speech,
                }
                yield from self._entry(Row(line.place, {}), cells, ())

    def _entry(self, row: Row, cells: dict[Role, str], examples: tuple[Row, ...]) -> Iterator[Entry | SentencePair]:
        headword, translation = self._taught(cells["headword"]), self._bridge(cells["translation"])
        problem = row.problem or self._problem(headword, translation)
        if problem:
            yield self._made_entry(row.place, cells["headword"], translation, cells).reject(problem)
        elif _is_sentence(headword) and _is_sentence(translation):
            yield self._pair(row.place, cells["headword"], translation)
        else:
            numbered = [note for example in examples for note in example.values.values() if _SENSE.match(note)]
            for sense in dict.fromkeys(sense for text in (translation, *map(self._bridge, numbered)) for sense in senses(text)):
                yield self._made_entry(row.place, cells["headword"], sense, cells)
        if cells.get("text") and cells.get("bridge"):
            yield self._pair(row.place, cells["text"], self._bridge(cells["bridge"]))
        for example in examples:
            yield self._example(example, translation)

    def _made_entry(self, place: str, headword: str, translation: str, cells: dict[Role, str] | None = None) -> Entry:
        cells = cells or {}
        headword = clean_spaces(_tidy(headword))
        word, *others = [part for part in _VARIANTS.split(_bare(headword)) if part] or [headword]
        listed = [clean_spaces(part) for part in _VARIANTS.split(cells.get("variants", "")) if part.strip()]
        spelt, written = self._spelt(word)
        variants: dict[str, str] = {}
        for one in (*others, *listed):
            variants.setdefault(*self._spelt(one))  # two ways to write one variant are one: the first stays
        return Entry(
            origin=f"{self.file.origin}#{place}",
            collection=self.file.collection,
            headword=spelt,
            translation=_bare(translation),
            part_of_speech=self._bridge(cells.get("part_of_speech", "")),
            note=self._bridge(cells.get("note", "")),
            dialect=self._bridge(cells.get("dialect", "")),
            variants=tuple(variants),
            language=self.language.code,
            bridge=self.language.bridge.code,
            written=written,
            written_variants=_unless_empty(variants.values()),
        )

    def _example(self, row: Row, translation: str) -> SentencePair:
        """An example of an entry; a note that only repeats the meaning, or counts it, is none."""
        columns = tuple(row.values)
        if columns not in self._roles:
            self._roles[columns] = find_columns(columns, ("text", "bridge", "note"), (), self.names, self.language)
        roles = self._roles[columns]
        cells = {role: row.values[column] for role, column in roles.items()}
        note = self._bridge(cells.get("note", ""))
        if _SENSE.match(note) or note.rstrip(".").lower() in translation.lower():
            note = ""
        return self._pair(row.place, cells.get("text", ""), self._bridge(cells.get("bridge", "")), note=note)

    def _nested(self, table: Table) -> str:
        """The column that holds rows of examples; empty if none does."""
        nested = tuple(dict.fromkeys(name for row in table.rows for name in row.nested))
        return find_columns(nested, ("examples",), (), self.names, self.language).get("examples", "")

    # Sentence pairs

    def bilingual(self, content: Content) -> tuple[Table, ...]:
        """The tables of a file; one without a header, or lines with a separator, have the text first and then the translation."""
        if content.tables:
            return tuple(with_first_row(table, self._are_names) for table in content.tables)
        table = separated_table(content.lines, self._are_names)
        return () if table is None else (table,)

    def _are_names(self, cells: Sequence[str]) -> bool:
        try:
            return bool(find_columns(cells, _PAIR, ("text", "bridge"), self.names, self.language))
        except RefusedError:
            return False

    def pairs(self, table: Table, document: str = "") -> Iterator[SentencePair]:
        """A pair for each row."""
        found = find_columns(table.columns, _PAIR, ("text", "bridge"), self.names, self.language)
        self._log_unused(table, set(found.values()))
        for row in table.rows:
            cells = {role: row.values.get(column, "") for role, column in found.items()}
            pair = self._pair(
                row.place,
                cells["text"],
                self._bridge(cells["bridge"]),
                note=self._bridge(cells.get("note", "")),
                gloss=clean_spaces(cells.get("gloss", "")),
                morphemes=cells.get("morphemes", ""),
                document=document,
            )
            if side := cells.get("corrected", "").strip():
                pair = self._corrected(pair, side)
            if (status := cells.get("status", "").strip()) in UNUSED:
                pair = pair.reject(f"status: {status}")
            yield pair.reject(row.problem) if row.problem else pair

    def _pair(
        self,
        place: str,
        text: str,
        translation: str,
        *,
        note: str = "",
        gloss: str = "",
        morphemes: str = "",
        document: str = "",
    ) -> SentencePair:
        spelt, written = self._spelt(text)
        cut, written_cut = self._spelt(morphemes)
        pair = SentencePair(
            origin=f"{self.file.origin}#{place}",
            collection=self.file.collection,
            text=spelt,
            translation=translation,
            language=self.language.code,
            bridge=self.language.bridge.code,
            document=document,
            gloss=gloss,
            morphemes=cut,
            note=note,
            written=written,
            written_morphemes=written_cut,
        )
        problem = self._problem(self._taught(text), translation)
        return pair.reject(problem) if problem else pair

    def _corrected(self, pair: SentencePair, side: str) -> SentencePair:
        code = self.language.called(side)
        known = f"{self.language.code} nor {self.language.bridge.code}"
        return replace(pair, corrected=code) if code else pair.reject(f"corrected: the side {side!r} is neither {known}")

    # Running text

    def documents(self, paragraphs: Iterable[Paragraph], name: str, code: str, *, line_by_line: bool) -> Iterator[Document]:
        """One document with the paragraphs of the file; those that no text can be are rejected beside it."""
        taught = code == self.language.code
        good: list[tuple[str, str, str]] = []
        for paragraph in paragraphs:
            text, written = self._spelt(paragraph.text) if taught else (self._bridge(paragraph.text), "")
            problem = self._problem_of(text, self.max_chars * _LONG)
            if problem:
                shown = (text[:_SHOWN], written[:_SHOWN], paragraph.place)
                yield self._document(name, code, [shown], line_by_line).reject(problem)
            else:
                good.append((text, written, paragraph.place))
        if not good:
            raise RefusedError("empty: the file holds no text that can be used")
        yield self._document(name, code, good, line_by_line)

    def table_document(self, table: Table, name: str, line_by_line: bool) -> Iterator[Document]:
        """The only column of text of a table without translations."""
        found = find_columns(table.columns, ("text",), ("text",), self.names, self.language)
        rows = (Paragraph(row.values[found["text"]], row.place) for row in table.rows if found["text"] in row.values)
        yield from self.documents(rows, name, self.language.code, line_by_line=line_by_line)

    def _document(self, name: str, code: str, found: list[tuple[str, str, str]], line_by_line: bool) -> Document:
        paragraphs, written, places = zip(*found, strict=True)
        return Document(
            origin=self.file.origin,
            collection=self.file.collection,
            name=name,
            language=code,
            paragraphs=paragraphs,
            places=places,
            line_by_line=line_by_line,
            written=_unless_empty(written),
        )

    # Text

    def _taught(self, text: str) -> str:
        return self.language.normalize(_tidy(text))

    def _bridge(self, text: str) -> str:
        return clean_spaces(unicodedata.normalize("NFC", _tidy(text)))

    def _spelt(self, raw: str) -> tuple[str, str]:
        """A text of the taught language as it is spelt here, and as the source spells it if that is another way."""
        text = self.language.spell(_tidy(raw), self.file.origin)
        return text, what_was_written(raw, text)

    def _problem(self, text: str, translation: str) -> str:
        """Why two sides cannot be a record; empty if they can."""
        if not _says_something(text) or not _says_something(translation):
            side = "text in the language" if not _says_something(text) else "translation"
            return f"empty: no {side}"
        return self._problem_of(text, self.max_chars) or self._problem_of(translation, self.max_chars)

    def _problem_of(self, text: str, longest: int) -> str:
        if len(text) > longest:
            return f"length: {len(text)} characters, more than {longest}"
        return "encoding: letters were lost or decoded twice before this file was saved" if is_mojibake(text) else ""

    def _log_unused(self, table: Table, used: set[str]) -> None:
        unused = [column for column in table.columns if column not in used]
        if unused:
            log.info("ingest: %s: columns not used: %s", self.file.origin, ", ".join(unused))


def senses(text: str) -> list[str]:
    """The senses of a definition that numbers them (``1: cernir 2: colar``); the whole text if it does not."""
    first, *numbered = _SENSE.split(text)
    parts = [part.strip(" ,;/:") for part in (numbered if len(first) < 12 else [first, *numbered])]
    return [part for part in parts if part] or [text.strip(" ;/:")]


def _tidy(text: str) -> str:
    """Without bullets, control characters, and the full stop that some lists put behind every end mark."""
    tidy = text if text.isascii() else _BULLET.sub("", repair_controls(text))
    return _STOPPED.sub(r"\1", tidy) if "?." in tidy or "!." in tidy else tidy


def _bare(text: str) -> str:
    """A word or definition without the full stop of a list, its colon or its ornament; an affix keeps its hyphen."""
    text = regex.sub(r"^[—–]\s*", "-", text.strip()).strip(" :;")
    ends_list = text.endswith(".") and not text.endswith(("..", "etc.")) and text.count(".") == 1
    return text[:-1] if ends_list else text


def _is_sentence(text: str) -> bool:
    """A whole sentence, as lists of words hold them among the words."""
    return " " in text and text.rstrip('"”»').endswith((".", "?", "!")) and (text[0] in "¿¡" or text[0].isupper())


def _unless_empty(texts: Iterable[str]) -> tuple[str, ...]:
    found = tuple(texts)
    return found if any(found) else ()


def _says_something(text: str) -> bool:
    return any(letter.isalnum() for letter in text)
