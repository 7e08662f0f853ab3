"""A first look at a raw folder: what every file is, which column is which language, and what must be said about it in the configuration.

Nothing is guessed that a reader finds by itself. What it refuses is looked at again: the bridge language is told by its commonest words,
the other side is the one that has none of them, and the guess counts only if the file can be read with it.
"""

from __future__ import annotations

import os
import posixpath
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from seshat.data.columns import Columns
from seshat.data.ingest import FileRule, Ingest, reader
from seshat.data.readers import FOLDERS, SOUND, Content, Options, Table, raw_files, read
from seshat.errors import DataError
from seshat.language import Language, words
from seshat.records import Document, Entry, RawFile, Record, SentencePair

PICTURES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".webp")
COMMON = {
    "spa": "de la que el en y a los se del las un por con no una su para es al lo como más o pero sus le ya este sí porque esta entre",
    "eng": "the of and to in a is that it for was on are as with his they at be this from have or by one had not but what all were",
    "por": "de a o que e do da em um para é com não uma os no se na por mais as dos como mas foi ao ele das tem à seu sua ou ser",
    "fra": "de la le et les des en un du une que est pour qui dans a par plus pas au sur ne se ce il sont la avec son aux mais",
}
"""The commonest words of languages through which others are taught."""
_BRIDGE, _TAUGHT = 0.12, 0.05
"""Share of a text's words that are common ones of the bridge language, from which it is written in it, and below which it is not."""
_ENOUGH = 20
"""Words that a text must have before its language is told."""
_HEADWORD = 2
"""Words of a headword, at most; a longer one is an example."""
_NAME = 4
"""Words of a column's name, at most."""
_RARE = 1e-4
"""A letter with a smaller share of all letters is no letter of the alphabet: names and loans have it."""


@dataclass(frozen=True)
class Look:
    """What a file is taken for."""

    origin: str
    kind: str
    """``1,200 pairs, 3 entries``, ``scan``, or why it cannot be used."""
    usable: bool
    sample: str = ""
    """What stands in it first: taught language | bridge."""
    rule: FileRule | None = None
    """What has to be said about it."""


@dataclass(frozen=True)
class Survey:
    """What a raw folder holds."""

    looks: tuple[Look, ...]
    alphabet: str
    """The letters of the texts in the taught language, without digraphs; empty where there is no text."""

    @property
    def rules(self) -> tuple[FileRule, ...]:
        """For ``ingest.files``."""
        return tuple(look.rule for look in self.looks if look.rule)


def survey(raw: str, language: Language) -> Survey:
    """Look at every file of a raw folder that is sorted (``dictionary/``, ``translations/``, ...)."""
    letters: Counter[str] = Counter()
    looks = tuple(_look(file, language, letters) for file in raw_files(raw, FOLDERS))
    return Survey(looks, _alphabet(letters))


def place(path: str, language: Language) -> str:
    """The folder that a file of an unsorted collection belongs into, by its extension and what stands in it."""
    extension = posixpath.splitext(path)[1].lower()
    if extension in SOUND:
        return "audio"
    if extension in PICTURES:
        return "scans"
    try:
        content = read(RawFile(origin=os.path.basename(path), collection="", path=path, sha256=""), Options())
    except DataError:
        return "scans" if extension == ".pdf" else "translations"
    if not content.tables:
        return "translations" if content.paragraphs else "scans"
    file = RawFile(origin=f"dictionary/{os.path.basename(path)}", collection="dictionary", path=path, sha256="")
    entries = [record for record in _read(file, language)[1] if isinstance(record, Entry) and not record.rejected]
    short = sum(len(words(entry.headword)) <= _HEADWORD for entry in entries)
    return "dictionary" if short > sum(len(table.rows) for table in content.tables) / 2 else "transcriptions"


def _look(file: RawFile, language: Language, letters: Counter[str]) -> Look:
    extension = posixpath.splitext(file.origin)[1].lower()
    folder = file.origin.partition("/")[0]
    if folder == "scans" or extension in PICTURES:
        return Look(file.origin, "scan, for make ocr", usable=True)
    if extension in SOUND:
        return Look(file.origin, "recording, for make transcribe", usable=True)
    rule, records = _read(file, language)
    kept = [record for record in records if not record.rejected]
    for record in kept:
        letters.update(letter for letter in _taught(record, language).lower() if letter.isalpha())
    if not kept:
        return Look(file.origin, records[0].rejected if records else "nothing stands in it", usable=False)
    return Look(file.origin, _counted(records), usable=True, sample=_sample(kept[0]), rule=rule)


def _read(file: RawFile, language: Language) -> tuple[FileRule | None, list[Record]]:
    """The records of a file, and the rule without which there would be none, or their sides would be exchanged."""
    plain = [*reader(Ingest(), language)((file,))]
    if _is_read(plain, language):
        return None, plain
    for rule in _guesses(file, language):
        records = [*reader(Ingest(files=(rule,)), language)((file,))]
        if _is_read(records, language):
            return rule, records
    return None, plain


def _is_read(records: Sequence[Record], language: Language) -> bool:
    """Something is there, and what should be in the taught language is not in the bridge language."""
    kept = [record for record in records if not record.rejected]
    share = common_share(" ".join(_taught(record, language) for record in kept), language.bridge.code)
    return bool(kept) and (share is None or share < _BRIDGE)


def _guesses(file: RawFile, language: Language) -> Iterator[FileRule]:
    """What could be said about a file that is refused, the likeliest first."""
    for header in (True, False):
        try:
            content = read(file, Options(header=header))
        except DataError:
            continue
        for table in content.tables:
            yield from _columns(file, table, language, header=header)
        if header and not content.tables:
            yield from _language(file, content, language)


def _columns(file: RawFile, table: Table, language: Language, *, header: bool) -> Iterator[FileRule]:
    """The two columns of a table that are in the two languages: one is rich in common words of the bridge, the other has hardly any."""
    texts = {column: " ".join(row.values.get(column, "") for row in table.rows) for column in table.columns}
    shares = {column: share for column, text in texts.items() if (share := common_share(text, language.bridge.code)) is not None}
    if len(shares) < 2:
        return
    bridge = max(shares, key=lambda column: (shares[column] >= _TAUGHT, len(texts[column])))
    others = [column for column in shares if shares[column] < min(_TAUGHT, shares[bridge] / 3)]
    if shares[bridge] < _TAUGHT or not others:
        return
    taught = max(others, key=lambda column: len(texts[column]))
    if header and any(len(words(column)) > _NAME for column in (taught, bridge)):
        return  # the first row is no header, but a sentence like all others
    both = ("headword", "translation") if file.origin.startswith("dictionary/") else ("text", "bridge")
    columns = Columns.model_validate({both[0]: [taught], both[1]: [bridge]})
    yield FileRule(pattern=file.origin, header=header, columns=columns)


def _language(file: RawFile, content: Content, language: Language) -> Iterator[FileRule]:
    share = common_share(" ".join(paragraph.text for paragraph in content.paragraphs), language.bridge.code)
    if share is not None and not _TAUGHT <= share < _BRIDGE:
        yield FileRule(pattern=file.origin, language=language.bridge.code if share >= _BRIDGE else language.code)


def common_share(text: str, code: str) -> float | None:
    """Which share of the words of a text are common ones of a language; None if the text is short or the language unknown here."""
    found = words(text)
    if len(found) < _ENOUGH or code not in COMMON:
        return None
    common = set(COMMON[code].split())
    return sum(word.lower() in common for word in found) / len(found)


def _taught(record: Record, language: Language) -> str:
    if isinstance(record, Entry):
        return record.headword
    if isinstance(record, SentencePair):
        return record.text
    if isinstance(record, Document) and record.language == language.code:
        return " ".join(record.paragraphs)
    return ""


def _sample(record: Record) -> str:
    if isinstance(record, Entry):
        return f"{record.headword} | {record.translation}"
    if isinstance(record, SentencePair):
        return f"{record.text} | {record.translation}"
    if isinstance(record, Document):
        return f"{record.language}: {next(iter(record.paragraphs), '')[:200]}"
    return ""


def _counted(records: Sequence[Record]) -> str:
    names = {Entry: "entries", SentencePair: "pairs", Document: "documents"}
    kept = Counter(names.get(type(record), "records") for record in records if not record.rejected)
    rejected = sum(bool(record.rejected) for record in records)
    said = [f"{count:,} {name}" for name, count in kept.most_common()]
    return ", ".join(said + ([f"{rejected:,} rejected"] if rejected else []))


def _alphabet(letters: Counter[str]) -> str:
    total = sum(letters.values())
    return " ".join(sorted(letter for letter, count in letters.items() if count >= max(2, _RARE * total)))
