"""Split a corpus so that nothing leaks: by group, by content alone, and before any example is made.

A document, or a loose pair, falls on one side whatever else is in the corpus, with all its prompts and both directions. What also
stands in the test or validation part, on either side of a pair, must not be trained on. Of what is said twice, the test part keeps
its copy.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Container, Iterable, Iterator, Sequence
from typing import Literal

from pydantic import Field

from seshat.config import PathSetting, Section
from seshat.errors import ConfigError
from seshat.language import split_sentences, words
from seshat.records import Document, Entry, Record, SentencePair, digest
from seshat.store import Store

Side = Literal["train", "val", "test"]
LONG = 5
"""Words of a sentence inside a longer text by which a leak is recognised; shorter ones stand in many texts."""


class Split(Section):
    """How much is kept for the test and validation parts, and what belongs there whatever the draw."""

    test: float = Field(0.05, ge=0, lt=1)
    """The share of groups (documents, loose pairs, entries) that is kept for the test."""
    val: float = Field(0.02, ge=0, lt=1)
    largest_group: int = 300
    """Documents of more pairs are always trained on: one of them would make up the whole test."""
    salt: str = "seshat"
    """Another salt gives another split."""
    held_out: tuple[PathSetting, ...] = ()
    """Text files, one sentence a line, whose sentences must not be trained on: external test sets."""
    collections_held_out: tuple[str, ...] = ()
    """Collections that go to the test whole."""


class Plan(Section):
    """What one look at the whole corpus decides: a light list of exceptions, so that examples can be made part by part."""

    large: frozenset[str] = frozenset()
    """Documents that are too large for the test."""
    parallel: frozenset[str] = frozenset()
    """Names of documents that have both sides: not running text."""
    duplicates: frozenset[str] = frozenset()
    """Records that say what an earlier one said."""
    guarded: frozenset[str] = frozenset()
    """Digests of the sentences of test, validation and held-out files."""

    @property
    def digest(self) -> str:
        """The name of all decisions."""
        return digest(*("\n".join(sorted(names)) for names in (self.large, self.parallel, self.duplicates, self.guarded)))


def plan(split: Split, records: Sequence[Record], parallel: Iterable[str] = (), held_out: Iterable[str] = ()) -> Plan:
    """Look at the whole corpus once: large documents, duplicates, and what must not be trained on."""
    sizes = Counter(group_of(record) for record in records)
    large = {group for group, size in sizes.items() if size > split.largest_group}
    apart = [record for record in records if side_of(record, split, large) != "train"]
    first: dict[str, str] = {}
    duplicates = {record.id for record in [*apart, *records] if first.setdefault(_said(record), record.id) != record.id}
    guarded = {_key(line) for line in held_out if words(line)}
    guarded.update(key for record in apart for key in sentence_keys(record))
    return Plan(
        large=frozenset(large),
        parallel=frozenset(parallel),
        duplicates=frozenset(duplicates),
        guarded=frozenset(guarded),
    )


def side_of_group(group: str, split: Split) -> Side:
    """The side of everything in a group, by the group's name alone."""
    place = int(digest(split.salt, group), 16) % 1_000_000 / 1_000_000
    if place < split.test:
        return "test"
    return "val" if place < split.test + split.val else "train"


def side_of(record: Record, split: Split, large: Container[str]) -> Side:
    """The side of a record: that of its group, unless its collection is held out or its document is too large for the test."""
    if record.collection in split.collections_held_out:
        return "test"
    group = group_of(record)
    return "train" if group in large else side_of_group(group, split)


def group_of(record: Record) -> str:
    """What falls on one side of the split together: a parallel document, else what says the same."""
    if isinstance(record, SentencePair):
        return record.document or f"pair:{_key(record.text)}"
    if isinstance(record, Entry):
        return f"entry:{_key(record.headword)}"
    assert isinstance(record, Document)
    return f"text:{_key(record.paragraphs[0])}"


def sentence_keys(record: Record) -> Iterator[str]:
    """The digests by which a sentence is recognised on the other side of the split: small letters, no punctuation."""
    texts: tuple[str, ...] = ()
    if isinstance(record, SentencePair):
        texts = (record.text, record.translation)
    elif isinstance(record, Document):
        texts = record.paragraphs
    for text in texts:
        yield _key(text)
        inside = split_sentences(text)
        yield from (_key(sentence) for sentence in inside if len(inside) > 1 and len(words(sentence)) >= LONG)


def _key(text: str) -> str:
    return digest(*words(text))


def _said(record: Record) -> str:
    """What makes a record a duplicate: the words of both sides, whatever the punctuation."""
    if isinstance(record, SentencePair):
        return digest("pair", _key(record.text), _key(record.translation))
    if isinstance(record, Entry):
        return digest("entry", record.headword, _key(record.translation), record.note)
    assert isinstance(record, Document)
    return digest("text", *(_key(paragraph) for paragraph in record.paragraphs))


def held_out_lines(split: Split, store: Store) -> Iterator[str]:
    """The sentences of the files in ``held_out``.

    Raises:
        ConfigError: If one is not there, or is not text.
    """
    for name in split.held_out:
        path = store.path(name)
        if not os.path.isfile(path):
            raise ConfigError(f"format.held_out: {path} is not a file; give text files with one sentence a line")
        try:
            with open(path, encoding="utf-8") as lines:
                yield from lines
        except UnicodeDecodeError as error:
            raise ConfigError(f"format.held_out: {path} is not text in UTF-8 ({error})") from None
