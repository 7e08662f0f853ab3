"""Speech with trusted words: what a recogniser is trained on. From the workspace, or from one table of paths and texts.

Trusted is what people wrote: transcripts that were aligned to their recordings (records of ``transcribe`` whose engine begins with
``transcript``), and tables in ``audio/`` that name a recording in each row. What an engine heard is not: a model that learns from
itself gets surer, not better.
"""

from __future__ import annotations

import logging
import os
import posixpath
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatch
from functools import reduce

from seshat.data.columns import Columns, find_columns, plain
from seshat.data.ingest import Ingest, reader
from seshat.data.readers import SOUND, Options, RefusedError, Table, raw_file, raw_files, raw_stream, read
from seshat.data.readers.audio import seconds_of
from seshat.data.readers.spans import span
from seshat.engines.speech import Samples
from seshat.errors import ConfigError, DataError, StoreError
from seshat.language import Language, words
from seshat.records import RawFile, Utterance, digest
from seshat.rights import joined
from seshat.store import Store
from seshat.withdrawals import NOTHING, Withdrawals

log = logging.getLogger(__name__)

TRUSTED = "transcript"
"""How the engine of an utterance begins whose words are those of people."""
LONGEST, SHORTEST = 30.0, 0.3
"""Seconds of an utterance: Whisper hears no more at once, and in less nothing is said."""
FILE = ("file", "filename", "path", "audio", "recording", "wav", "clip", "archivo", "ruta", "grabacion", "sonido")
"""What the column with the recording may be called."""


@dataclass(frozen=True, slots=True)
class Spoken:
    """A stretch of a recording, and what is said in it."""

    text: str
    file: RawFile
    start: float
    """Seconds from the start of the recording."""
    stop: float
    origin: str
    collection: str
    channel: int = 0
    """From 1; 0 for the mean of all."""

    @property
    def recording(self) -> str:
        """By its content: a copy under another name is the same recording."""
        return self.file.sha256

    @property
    def id(self) -> str:
        """The name of the sound and the text."""
        return digest(self.recording, f"{self.start:.3f}", f"{self.stop:.3f}", self.channel, self.text)

    def samples(self) -> Samples:
        """Its sound, mono at 16 kHz; only this stretch is decoded."""
        with raw_stream(replace(self.file, sha256="")) as stream:
            tracks = span(stream, self.start, self.stop, channels="split" if self.channel else "mix")
        sound: Samples = tracks[self.channel - 1 if self.channel else 0]
        return sound


@dataclass(frozen=True)
class Material:
    """What there is to learn from."""

    spoken: tuple[Spoken, ...]
    rejected: tuple[str, ...]
    """A sentence for each utterance that cannot be used, beginning with one word for the count and ending with where it is."""

    @property
    def counts(self) -> dict[str, int]:
        """How many were rejected, by reason."""
        return dict(Counter(reason.partition(":")[0] for reason in self.rejected).most_common())

    @property
    def recordings(self) -> list[str]:
        """In a fixed order."""
        return sorted({one.recording for one in self.spoken})


def from_workspace(store: Store, raw: str, language: Language, ingest: Ingest, withdrawn: Withdrawals = NOTHING) -> Material:
    """The utterances of aligned transcripts, and the rows of tables in ``audio/`` whose recording has none."""
    files, note = withdrawn.sift(raw_files(raw, ("audio",)))
    if note:
        log.info("speech-train: %s", note)
    recordings = {file.origin: file for file in files if file.origin.lower().endswith(SOUND)}
    found = list(_aligned(store, recordings, language))
    known = {one.file.origin for one in found if isinstance(one, Spoken)}
    rows = [one for file in files if file.origin not in recordings for one in _of_table(file, recordings, language, ingest)]
    found += [one for one in rows if not isinstance(one, Spoken) or one.file.origin not in known]
    return _material(found)


def from_table(path: str, language: Language) -> Material:
    """The rows of one table anywhere: a recording (a path from the table's folder on) and what is said in it.

    With or without a header; the rights are those of a ``SOURCE.yaml`` beside the table.
    """
    if not os.path.isfile(path):
        raise ConfigError(f"--pairs: there is no file {path}; give a table with a recording and its text in each row")
    folder = os.path.dirname(os.path.abspath(path))
    file = replace(raw_file(path), collection=os.path.basename(folder))
    content = read(file, Options())
    if content.tables and not _column_of_files(content.tables[0].columns):
        content = read(file, Options(header=False))
    found: list[Spoken | str] = []
    for table in content.tables:
        column, said = _column_of_files(table.columns) or "1", "2"
        if table.columns[:2] != ("1", "2"):
            said = find_columns([name for name in table.columns if name != column], ("text",), ("text",), Columns(), language)["text"]
        for row in table.rows:
            name, place = row.values.get(column, "").strip(), f"{file.origin}#{row.place}"
            where = os.path.join(folder, os.path.expanduser(name))
            if not name or not os.path.isfile(where):
                found.append(f"missing: there is no recording {name!r}; {place}")
                continue
            recording = replace(raw_file(where), origin=name, collection=file.collection)
            found.append(_whole(recording, row.values.get(said, ""), place, file.collection, language))
    return _material(found)


def check_enough(material: Material, *, recordings: int, utterances: int) -> None:
    """Refuse to train on less than can be learnt from and measured."""
    have, held = len(material.spoken), len(material.recordings)
    if held >= recordings and have >= utterances:
        return
    lost = ", ".join(f"{reason} {count}" for reason, count in material.counts.items())
    raise StoreError(
        f"there are {have} utterances with trusted words in {held} recordings{f' (not used: {lost})' if lost else ''}, and at least "
        f"{utterances} in {recordings} are needed, some of them to measure what came of it: put transcripts beside the recordings and run "
        "'make transcribe', or put a table with the columns file and text into audio/; to train on less all the same, set "
        "speech.least_recordings and speech.least_utterances"
    )


def split(material: Material, *, share: float, salt: str) -> tuple[tuple[Spoken, ...], tuple[Spoken, ...]]:
    """What is trained on and what is held out: whole recordings, by their content, so that new ones move no old one.

    If chance holds out fewer than two recordings the two next ones are; if it holds out more than half, the last of them are not.
    """
    places = {name: int(digest(salt, name), 16) % 1_000_000 / 1_000_000 for name in material.recordings}
    ranked = sorted(places, key=lambda name: places[name])
    number = min(max(2, sum(place < share for place in places.values())), len(ranked) // 2)
    held_out = set(ranked[:number])
    trained = tuple(one for one in material.spoken if one.recording not in held_out)
    tested = tuple(one for one in material.spoken if one.recording in held_out)
    if len(held_out) < 2 or len(trained) < len(tested):
        raise StoreError(
            f"{len(material.recordings)} recordings cannot be split so that most utterances are trained on and two recordings are held out "
            f"({len(trained)} utterances against {len(tested)}): cut long recordings into shorter ones, set another speech.salt, "
            "or bring more"
        )
    return trained, tested


def repeated(trained: Iterable[Spoken], tested: Iterable[Spoken]) -> int:
    """How many held-out utterances say what is trained on, too: these a model may know by heart."""
    known = {tuple(words(one.text)) for one in trained}
    return sum(tuple(words(one.text)) in known for one in tested)


def _material(found: Sequence[Spoken | str]) -> Material:
    rejected = tuple(one for one in found if isinstance(one, str))
    spoken = {one.id: one for one in found if isinstance(one, Spoken)}
    material = Material(tuple(sorted(spoken.values(), key=lambda one: (one.file.origin, one.start, one.id))), rejected)
    for reason, count in material.counts.items():
        example = next(one for one in rejected if one.startswith(reason))
        log.warning("speech-train: %d not used, %s", count, example)
    return material


def _aligned(store: Store, recordings: dict[str, RawFile], language: Language) -> Iterator[Spoken | str]:
    """The utterances whose words are those of a transcript in the taught language."""
    for one in store.records("transcribe", Utterance):
        if not one.engine.startswith(TRUSTED) or one.language != language.code:
            continue
        file = recordings.get(one.origin.partition("#")[0])
        if file is None:
            yield f"missing: the recording is not there any more; {one.origin}"
        else:
            yield _checked(Spoken(one.text, file, one.start, one.end, one.origin, one.collection, one.channel))


def _of_table(file: RawFile, recordings: dict[str, RawFile], language: Language, ingest: Ingest) -> Iterator[Spoken | str]:
    """The rows of a table that name a recording; other files say nothing here, as ingest reads them."""
    try:
        content = read(file, reader(ingest, language).options(file.origin))
        tables = [table for table in content.tables if _column_of_files(table.columns)]
        for table in tables:
            yield from _rows(table, file, recordings, language, ingest)
    except RefusedError as refusal:
        yield f"{refusal}; {file.origin}"


def _rows(table: Table, file: RawFile, recordings: dict[str, RawFile], language: Language, ingest: Ingest) -> Iterator[Spoken | str]:
    rules = (rule for rule in ingest.files if fnmatch(file.origin, rule.pattern))
    columns = reduce(lambda names, rule: rule.columns.over(names), rules, ingest.columns)
    column = _column_of_files(table.columns)
    said = find_columns([name for name in table.columns if name != column], ("text", "bridge"), ("text",), columns, language)["text"]
    for row in table.rows:
        name, place = row.values.get(column, "").strip(), f"{file.origin}#{row.place}"
        tried = (posixpath.normpath(posixpath.join(folder, name)) for folder in (posixpath.dirname(file.origin), "audio", ""))
        recording = next((recordings[origin] for origin in tried if origin in recordings), None)
        if recording is None:
            yield f"missing: there is no recording {name!r}; {place}"
        else:
            yield _whole(recording, row.values.get(said, ""), place, joined(recording.collection, file.collection), language)


def _column_of_files(columns: Sequence[str]) -> str:
    """The column that names a recording; empty if none does."""
    called = {plain(column): column for column in reversed(columns)}
    return next((called[name] for name in FILE if name in called), "")


def _whole(recording: RawFile, text: str, place: str, collection: str, language: Language) -> Spoken | str:
    """A recording of which all that is said is known."""
    try:
        with raw_stream(replace(recording, sha256="")) as stream:
            seconds = seconds_of(stream)
    except DataError as error:
        return f"{error}; {place}"
    return _checked(Spoken(language.spell(text, recording.origin), recording, 0.0, seconds, place, collection))


def _checked(one: Spoken) -> Spoken | str:
    seconds = one.stop - one.start
    if not words(one.text):
        return f"empty: no word was written; {one.origin}"
    if not SHORTEST <= seconds <= LONGEST:
        cure = "put the transcript of a longer recording beside it, and 'make transcribe' finds its sentences"
        return f"length: {seconds:.1f} s, and an utterance has {SHORTEST:g} to {LONGEST:g}: {cure}; {one.origin}"
    return one
