"""The records that flow between stages, and the Arrow schemas that are derived from them.

A record is a value: frozen, compared by content, changed only with ``dataclasses.replace``. Every record says where it
came from (``origin``), under which rights (``collection``) and, when it did not pass, why (``rejected``).
"""

from __future__ import annotations

import hashlib
import types
import typing
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields, replace
from typing import Any, ClassVar, Self, TypeVar

import pyarrow as pa

from seshat.errors import StoreError


def digest(*parts: object) -> str:
    """A short content name: 20 hexadecimal digits of the SHA-256 of the parts, unambiguous at their borders."""
    pieces = [part if isinstance(part, bytes) else str(part).encode("utf-8", "surrogatepass") for part in parts]
    return hashlib.sha256(b"".join([len(piece).to_bytes(8, "big") + piece for piece in pieces])).hexdigest()[:20]


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What all records share."""

    content: ClassVar[tuple[str, ...]] = ()
    """The fields that make up what the record says, as opposed to where it came from or how sure we are."""

    origin: str
    """Where it came from, down to the page, line or second: ``scans/kene.pdf#page=12``, relative to the raw folder."""
    collection: str
    """The raw folder whose ``SOURCE.yaml`` holds the rights: ``dictionary``, ``scans``, ``translations/laws``."""
    rejected: str = ""
    """Why the record did not pass, beginning with one word for the count (``length: 312 words``); empty if it did."""

    @property
    def digest(self) -> str:
        """The name of what the record says, wherever it came from."""
        return digest(type(self).__name__, *(getattr(self, name) for name in self.content))

    @property
    def id(self) -> str:
        """The name of this record: what it says and where it came from (two equal sentences on two pages are two)."""
        return digest(self.origin, self.digest)

    @property
    def reason(self) -> str:
        """The first word of the rejection, by which rejected records are counted."""
        return self.rejected.partition(":")[0]

    def reject(self, reason: str) -> Self:
        """The same record with a reason why it does not pass."""
        return replace(self, rejected=reason)


@dataclass(frozen=True, slots=True, kw_only=True)
class RawFile(Record):
    """A file, or a range of its pages, that somebody put into the raw folder."""

    content: ClassVar = ("path", "sha256", "start", "stop")

    path: str
    """Where it lies; absolute, or an object-store address. Not part of any fingerprint."""
    sha256: str
    """Taken before the run."""
    start: int = 0
    """First page or row of the range, from 0; of a recording, the second at which it nominally begins."""
    stop: int = -1
    """One past the last page or row, or the second of the nominal end; -1 for the end of the file."""

    def part(self, start: int, stop: int) -> RawFile:
        """The same file, from one page or row to another."""
        return replace(self, start=start, stop=stop)

    @property
    def digest(self) -> str:
        """The name of the bytes in range, wherever the file lies."""
        return digest("RawFile", self.sha256, self.start, self.stop)

    @property
    def id(self) -> str:
        """With the collection, because all that is read from the file carries it: a new ``SOURCE.yaml`` makes other records."""
        return digest(self.origin, self.collection, self.digest)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry(Record):
    """One sense of a word in the dictionary."""

    content: ClassVar = ("headword", "translation", "part_of_speech", "note")

    headword: str
    translation: str
    """The word or definition in the bridge language."""
    part_of_speech: str = ""
    note: str = ""
    """A remark on grammar or use, in the bridge language."""
    dialect: str = ""
    variants: tuple[str, ...] = ()
    language: str
    bridge: str
    written: str = ""
    """The headword as the source spells it, if it is spelt another way here."""
    written_variants: tuple[str, ...] = ()
    """One for each variant, as ``written``; none if no variant was changed."""
    score: float = 1.0
    """How sure it is that this is an entry and reads so, from 0 to 1; 1 for what people typed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Document(Record):
    """Running text in one language; with a partner of the same ``name`` in the other language, a parallel document."""

    content: ClassVar = ("name", "language", "paragraphs")

    name: str
    """What both sides of a parallel document share: ``translations/udhr``."""
    language: str
    paragraphs: tuple[str, ...]
    places: tuple[str, ...]
    """One for each paragraph: where in the file it stands (``line=12``, ``page=3``)."""
    line_by_line: bool = False
    """Every paragraph is one line of a file whose sides were written line by line."""
    written: tuple[str, ...] = ()
    """One for each paragraph: as the source spells it, or empty if it is spelt like that here; none if no paragraph was changed."""

    def as_written(self, index: int) -> str:
        """A paragraph as the source spells it."""
        return (self.written[index] if self.written else "") or self.paragraphs[index]


@dataclass(frozen=True, slots=True, kw_only=True)
class SentencePair(Record):
    """Bitext without a direction: ``text`` in the language that is taught, ``translation`` in the bridge language."""

    content: ClassVar[tuple[str, ...]] = ("text", "translation", "gloss", "morphemes")

    text: str
    translation: str
    language: str
    bridge: str
    document: str = ""
    """The parallel document it was found in; empty for a loose pair."""
    aligned: bool = False
    """True if a program, not a person, said that the two sides belong together."""
    score: float = 1.0
    """How sure the aligner is, from 0 to 1."""
    numbers: float = 1.0
    """How far the numbers of both sides agree, from 0 to 1 (the index of Dice); people also write numbers out."""
    punctuation: float = 1.0
    """The same for the marks of both sides."""
    gloss: str = ""
    """The interlinear gloss, morpheme by morpheme (Leipzig Glossing Rules)."""
    morphemes: str = ""
    """The text cut into morphemes with hyphens."""
    note: str = ""
    written: str = ""
    """The text as the source spells it, if it is spelt another way here."""
    written_morphemes: str = ""
    """The same of ``morphemes``."""
    corrected: str = ""
    """The code of the side that a speaker wrote in place of a worse translation of the other; empty if nobody says which."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BackTranslation(SentencePair):
    """A sentence of a person with a translation of ours, which is only ever translated from (Sennrich, Haddow and Birch, 2016).

    ``origin`` and ``collection`` are those of the person's sentence.
    """

    content: ClassVar = ("text", "translation", "synthetic")

    synthetic: str
    """The code of the side that a model wrote."""
    model: str
    """Which one."""
    round: int
    """Of back-translation, from 1."""
    round_trip: float = 0.0
    """chrF++ of the sentence that the same model makes of its translation (0 to 100)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Record):
    """One page of a scan or of a text-layer PDF."""

    content: ClassVar = ("text",)

    name: str
    """The document it belongs to, as in ``Document.name``."""
    number: int
    """From 1."""
    language: str
    text: str
    """Lines in reading order, one a line; a blank line between paragraphs."""
    confidence: float
    """The mean over the lines, weighted by their length; from 0 to 1."""
    boxes: tuple[float, ...] = ()
    """Four numbers a line: left, top, right, bottom, as shares of the page's width and height once it is level."""
    confidences: tuple[float, ...] = ()
    """One a line, from 0 to 1."""
    doubts: tuple[str, ...] = ()
    """One a line: why it is not believed, or empty."""
    turned: int = 0
    """By how many degrees, against the clock, the page was turned before it was read; the boxes are those of the turned page."""
    engine: str = ""

    @property
    def lines(self) -> list[str]:
        """The lines in reading order, without the gaps between paragraphs."""
        return [line for line in self.text.split("\n") if line]


@dataclass(frozen=True, slots=True, kw_only=True)
class LineCorrection(Record):
    """What a person, or what is learnt from other lines, says about a line of a scan."""

    content: ClassVar = ("page", "line", "read", "text")

    name: str
    """The document that the page belongs to, as in ``Document.name``."""
    language: str
    page: str
    """The origin of the page."""
    line: int
    """Which line of the page, from 1 in reading order; 0 if the sheet does not say it."""
    read: str
    """The line as an engine read it."""
    text: str
    """What stands there; empty if no text does."""
    rules: tuple[str, ...] = ()
    """What put it right, if no person did, place by place: ``b → ь``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Utterance(Record):
    """What one speaker says between two pauses of a recording."""

    content: ClassVar = ("text", "language")

    name: str
    """The recording it belongs to, as in ``Document.name``."""
    text: str
    language: str
    start: float
    """Seconds from the start of the recording."""
    end: float
    confidence: float
    """The geometric mean of the token probabilities; from 0 to 1."""
    engine: str = ""
    written: str = ""
    """The text as the engine spells it, if it is spelt another way here."""
    channel: int = 0
    """On which channel of the recording, from 1: who speaks, where every speaker has a microphone; 0 for the mean of all."""
    words: tuple[str, ...] = ()
    """As the engine spells them; none if it was not asked when they are said, or cannot tell."""
    word_times: tuple[float, ...] = ()
    """Two numbers a word: start and end, as those of the utterance."""
    word_confidences: tuple[float, ...] = ()
    """One a word, from 0 to 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Example(Record):
    """One chat for training or evaluation; it has a direction."""

    content: ClassVar = ("task", "direction", "prompt", "answer")

    task: str
    """translation, dictionary, grammar, morphology or completion."""
    direction: str
    """``spa-shp``: from the bridge into the language; the code alone for a task within one language."""
    prompt: str
    """What the user says."""
    answer: str
    """What the model should say."""
    source: str = ""
    """The bare text to translate or look up, without the instruction; floors and hints need it."""
    hints: tuple[str, ...] = ()
    """What is told about the source before the prompt, line by line, the most important first."""
    group: str
    """Everything of one group is on one side of the split."""
    split: str
    """train, val or test."""
    parent: str
    """The ``id`` of the pair, entry or document it was made from."""
    weight: float = 1.0
    synthetic: str = ""
    """The model that wrote the source, if no person did."""


R = TypeVar("R", bound=Record)
VERSION = 1
"""Of what is stored: raised when a column goes, or gets another type or meaning. A new column with a default needs no new version."""
_VERSION = b"seshat.records"
"""Where a Parquet file has it, in the metadata of its schema; files from before that have none, and are of version 1."""


def rows(records: Iterable[Record], kind: type[Record]) -> pa.Table:
    """A table of records of one kind, with the derived ``id`` as its first column."""
    names = [field.name for field in fields(kind)]
    columns: dict[str, list[Any]] = {name: [] for name in ["id", *names]}
    for record in records:
        columns["id"].append(record.id)
        for name in names:
            columns[name].append(getattr(record, name))
    return pa.table(columns, schema=schema(kind))


def from_rows(table: pa.Table, kind: type[R]) -> list[R]:
    """The records of a table that ``rows`` made; a column that is newer than the table has its default.

    Raises:
        StoreError: If a column is not there that has none, or the table is of another version.
    """
    version = int((table.schema.metadata or {}).get(_VERSION, b"1"))
    if version > VERSION:
        raise StoreError(f"stored {kind.__name__} rows are of a newer Seshat (schema {version}, this one reads {VERSION}): upgrade Seshat")
    names = [field.name for field in fields(kind) if field.name in table.column_names]
    missing = [field.name for field in fields(kind) if field.name not in names and field.default is MISSING]
    if missing or version < VERSION:
        lacking = ", ".join(missing) or f"the changes of schema {VERSION}"
        raise StoreError(f"stored {kind.__name__} rows without {lacking} are of an older Seshat: run the verbs again from 'make ingest' on")
    lists = [name for name in names if pa.types.is_list(table.schema.field(name).type)]
    columns = {name: table.column(name).to_pylist() for name in names}
    for name in lists:
        columns[name] = [tuple(value) for value in columns[name]]
    return [kind(**dict(zip(names, values, strict=True))) for values in zip(*columns.values(), strict=True)]


def schema(kind: type[Record]) -> pa.Schema:
    """The Arrow schema of a record, derived from its types, never inferred: an empty batch keeps its types."""
    hints = typing.get_type_hints(kind)
    columns = [pa.field("id", pa.string(), nullable=False)]
    columns += [pa.field(field.name, _arrow(hints[field.name]), nullable=False) for field in fields(kind)]
    return pa.schema(columns, {_VERSION: str(VERSION).encode()})


def _arrow(hint: object) -> pa.DataType:
    simple: Mapping[object, pa.DataType] = {str: pa.string(), int: pa.int64(), float: pa.float64(), bool: pa.bool_()}
    if hint in simple:
        return simple[hint]
    if typing.get_origin(hint) is tuple and typing.get_args(hint)[1:] == (Ellipsis,):
        return pa.list_(_arrow(typing.get_args(hint)[0]))
    raise TypeError(f"{hint} has no Arrow type: use str, int, float, bool or a tuple of one of them")


KINDS: Mapping[str, type[Record]] = types.MappingProxyType(
    {kind.__name__: kind for kind in (RawFile, Entry, Document, SentencePair, BackTranslation, Page, LineCorrection, Utterance, Example)}
)
"""The kinds of record that are stored, by name."""


def count_rejected(records: Sequence[Record]) -> dict[str, int]:
    """How many records were rejected, by reason, the most frequent first."""
    counts: dict[str, int] = {}
    for record in records:
        if record.rejected:
            counts[record.reason] = counts.get(record.reason, 0) + 1
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
