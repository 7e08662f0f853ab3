"""Transcripts that lie beside a recording: which ones, what they say, and when, if they say it.

``audio/story.wav`` goes with ``audio/story.txt``, ``audio/story.shp.txt``, and the same as ``.srt``, ``.vtt``, ``.TextGrid`` or ``.eaf``.
"""

from __future__ import annotations

import logging
import posixpath
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import regex

from seshat.data.columns import Columns, find_columns
from seshat.data.names import split_name
from seshat.data.readers import SOUND, Content, Options, RefusedError, Table, read
from seshat.errors import DataError, EngineError
from seshat.language import Language, clean_spaces
from seshat.records import RawFile, digest

log = logging.getLogger(__name__)

TRANSCRIPTS = (".eaf", ".textgrid", ".srt", ".vtt", ".txt")
"""What is read beside a recording; of several in one language the first of these, which says most."""
_TIMES = regex.compile(r"(?:^|&)second=(\d+(?:\.\d+)?)\.\.(\d+(?:\.\d+)?)$")
_TIER = regex.compile(r"^tier=(.*?)(?=&(?:second|annotation)=)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Transcribed(RawFile):
    """A recording with the transcripts of it."""

    transcripts: tuple[RawFile, ...]

    @property
    def digest(self) -> str:
        """The name of what is heard and of what is read."""
        return digest("Transcribed", self.sha256, *(one.id for one in self.transcripts))

    @property
    def inputs(self) -> tuple[RawFile, ...]:
        """All files that are read for it."""
        return self, *self.transcripts

    def reject(self, reason: str) -> Any:
        """The recording alone with a reason why it does not pass: this is what is stored."""
        return RawFile(origin=self.origin, collection=self.collection, path=self.path, sha256=self.sha256, rejected=reason)


@dataclass(frozen=True, slots=True)
class Sentence:
    """What is said, in the words of a transcript."""

    text: str
    code: str
    """The language; empty if nothing says it."""
    place: str
    """Where in the transcript it stands."""
    times: tuple[float, float] | None = None
    """Seconds from the start of the recording, if the transcript says them."""
    translation: str = ""


def beside(
    origins: Iterable[str], language: Language, *, folder: str = "audio/", kinds: tuple[str, ...] = TRANSCRIPTS
) -> dict[str, list[str]]:
    """The transcripts of each recording that has some, by origin, in the order of ``kinds``."""
    origins = sorted(origin for origin in origins if origin.startswith(folder))
    texts = [origin for origin in origins if origin.lower().endswith(kinds)]
    texts.sort(key=lambda origin: kinds.index(posixpath.splitext(origin)[1].lower()))
    by_stem: dict[str, list[str]] = {}
    for text in texts:
        for stem in {posixpath.splitext(text)[0], split_name(text, language)[0]}:
            by_stem.setdefault(stem, []).append(text)
    found = {origin: by_stem.get(posixpath.splitext(origin)[0], []) for origin in origins if origin.lower().endswith(SOUND)}
    return {recording: transcripts for recording, transcripts in found.items() if transcripts}


def with_transcripts(files: Sequence[RawFile], language: Language) -> list[RawFile]:
    """The recordings among some files, those with transcripts as ``Transcribed``."""
    by_origin = {file.origin: file for file in files}
    known = beside(by_origin, language)
    return [
        Transcribed(
            origin=file.origin,
            collection=file.collection,
            path=file.path,
            sha256=file.sha256,
            transcripts=tuple(by_origin[origin] for origin in known[file.origin]),
        )
        if file.origin in known
        else file
        for file in files
        if file.origin.lower().endswith(SOUND)
    ]


def transcribed_only(files: Sequence[RawFile], error: EngineError, note: str) -> tuple[list[RawFile], str]:
    """The recordings with transcripts, for which no engine is needed, and a note on the others; the error again if there are none."""
    kept: list[RawFile] = [file for file in files if isinstance(file, Transcribed)]
    if not kept:
        raise error
    left_out = f"{len(files) - len(kept)} recordings without a transcript left out: {error}" if len(kept) < len(files) else ""
    return kept, "; ".join(filter(None, (note, left_out)))


def without_transcripts(files: Sequence[RawFile], origins: Iterable[str], language: Language) -> list[RawFile]:
    """The files without those that ``make transcribe`` reads: transcripts that lie beside a recording and have no translation."""
    taken = {text for texts in beside(origins, language).values() for text in texts if not _in_two_languages(texts, language)}
    by_origin = {file.origin: file for file in files}
    taken -= {text for text in taken if text in by_origin and _is_translated(by_origin[text], language)}
    if taken:
        log.info("ingest: %d transcripts in audio/ lie beside their recordings, and 'make transcribe' reads them", len(taken))
    return [file for file in files if file.origin not in taken]


def _in_two_languages(texts: Sequence[str], language: Language) -> bool:
    codes = {split_name(text, language)[1] or language.code for text in texts}
    return {language.code, language.bridge.code} <= codes


def _is_translated(file: RawFile, language: Language) -> bool:
    if not file.origin.lower().endswith(TRANSCRIPTS[:2]):
        return False
    try:
        return any(sentence.translation for sentence in sentences_of(file, language))
    except DataError:  # who reads the file rejects it with the reason
        return False


def read_transcripts(files: Sequence[RawFile], language: Language) -> list[list[Sentence]]:
    """The sentences of each language, from the transcript that says most of it; of the others, none."""
    found: dict[str, list[Sentence]] = {}
    for file in files:
        code = split_name(file.origin, language)[1]
        if code not in found:
            found[code] = sentences_of(file, language)
        else:
            log.info("transcribe: %s is not read: another transcript of the recording says more", file.origin)
    return list(found.values())


def sentences_of(file: RawFile, language: Language) -> list[Sentence]:
    """The sentences of a transcript in order; refused if there are none."""
    code = split_name(file.origin, language)[1]
    try:
        found = list(_said(read(file, Options()), code, language))
    except RefusedError as refusal:
        word, _, reason = str(refusal).partition(": ")
        raise RefusedError(f"{word}: {file.origin}: {reason}") from None
    if not found:
        raise RefusedError(f"empty: {file.origin} holds no sentence")
    return found


def _said(content: Content, code: str, language: Language) -> Iterator[Sentence]:
    for paragraph in content.paragraphs:
        times = _times(paragraph.place)
        texts = [paragraph.text] if times else language.sentences(paragraph.text, bridge=code == language.bridge.code)
        yield from (Sentence(clean_spaces(text), code, paragraph.place, times) for text in texts if text.strip())
    for table in content.tables if not content.paragraphs else ():
        yield from _rows(table, code, language)


def _rows(table: Table, code: str, language: Language) -> Iterator[Sentence]:
    columns = find_columns(table.columns, ("text", "bridge"), ("text",), Columns(), language)
    for row in table.rows:
        values = [clean_spaces(row.values.get(columns[role], "")) if role in columns else "" for role in ("text", "bridge")]
        tier = _TIER.match(row.place)
        spoken = next((known for word in regex.findall(r"\w+", tier[1] if tier else "") if (known := language.called(word.lower()))), code)
        if values[0]:
            yield Sentence(values[0], spoken, row.place, _times(row.place), values[1])


def _times(place: str) -> tuple[float, float] | None:
    match = _TIMES.search(place)
    return (float(match[1]), float(match[2])) if match else None
