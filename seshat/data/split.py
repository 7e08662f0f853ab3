"""Split a corpus so that nothing leaks: by group, by content alone, and before any example is made.

A document, or a loose pair, falls on one side whatever else is in the corpus, with all its prompts and both directions: new data
moves no old pair. What also stands in the test or validation part, exactly or nearly, on either side of a pair, must not be trained
on: so a cluster of near-duplicates around a test sentence is on the test's side or nowhere. Of what is said twice, the test part
keeps its copy.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Literal

from pydantic import Field

from seshat.config import PathSetting, Section
from seshat.data.duplicates import NearTexts, repeats
from seshat.errors import ConfigError
from seshat.language import split_sentences, words
from seshat.records import Document, Entry, Record, SentencePair, digest
from seshat.rights import owners
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
    near: float = Field(0.8, ge=0.7, le=1)
    """A sentence is a near-duplicate of one in the test if the Jaccard index of their character n-grams is at least this."""
    repeated: float = Field(0.9, ge=0.7, le=1)
    """A pair repeats an earlier one if that of both its sides is at least this."""


class Plan(Section):
    """What one look at the whole corpus decides: a light list of exceptions, so that examples can be made part by part."""

    large: frozenset[str] = frozenset()
    """Documents that are too large for the test."""
    parallel: frozenset[str] = frozenset()
    """Names of documents that have both sides: not running text."""
    duplicates: frozenset[str] = frozenset()
    """Records that say what an earlier one said."""
    repeats: frozenset[str] = frozenset()
    """Pairs that nearly say what an earlier one said."""
    leaks: frozenset[str] = frozenset()
    """Records that would be trained on and have a sentence that also stands in the test, validation or held-out part."""
    near_leaks: frozenset[str] = frozenset()
    """The same, for a sentence that nearly stands there."""

    @property
    def digest(self) -> str:
        """The name of all decisions."""
        return digest(*("\n".join(sorted(getattr(self, name))) for name in type(self).model_fields))


def plan(split: Split, records: Sequence[Record], parallel: Iterable[str] = (), held_out: Iterable[str] = ()) -> Plan:
    """Look at the whole corpus once: large documents, duplicates, and what must not be trained on."""
    sizes = Counter(group_of(record) for record in records)
    large = {group for group, size in sizes.items() if size > split.largest_group}
    named = {record.id: record for record in records}
    trained = {name: record for name, record in named.items() if side_of(record, split, large) == "train"}
    apart = {name: record for name, record in named.items() if name not in trained}
    first: dict[str, str] = {}
    duplicates = {name for name, record in {**apart, **trained}.items() if first.setdefault(_said(record), name) != name}
    lines = [line for line in held_out if words(line)]
    tested = set(chain(lines, *map(sentences, apart.values())))
    guarded = set(map(_key, tested))
    said = {name: set(sentences(record)) for name, record in trained.items()}
    leaks = {name for name, texts in said.items() if not guarded.isdisjoint(map(_key, texts))}
    rest = {name: record for name, record in trained.items() if name not in leaks and name not in duplicates}
    near_leaks = set(_near(split, {name: said[name] for name in rest}, tested))
    kept = {name: record for name, record in {**apart, **rest}.items() if name not in duplicates and name not in near_leaks}
    return Plan(
        large=frozenset(large),
        parallel=frozenset(parallel),
        duplicates=frozenset(duplicates),
        repeats=frozenset(_repeats(split, kept)),
        leaks=frozenset(leaks),
        near_leaks=frozenset(near_leaks),
    )


def _near(split: Split, said: Mapping[str, Iterable[str]], guarded: Iterable[str]) -> Iterator[str]:
    """The ids of the records that say nearly one of the guarded sentences."""
    known = NearTexts(split.near)
    known.add(sorted(text for text in guarded if len(words(text)) >= LONG))
    asked = [(text, name) for name, texts in said.items() for text in texts if len(words(text)) >= LONG]
    yield from (asked[place][1] for place, _ in known.near([text for text, _ in asked]))


def _repeats(split: Split, records: Mapping[str, Record]) -> Iterator[str]:
    """The ids of the pairs that nearly say what an earlier one says; short ones are as many sentences as they are."""
    pairs = {name: (one.text, one.translation) for name, one in records.items() if isinstance(one, SentencePair)}
    names = [name for name, sides in pairs.items() if all(len(words(side)) >= LONG for side in sides)]
    yield from (names[place] for place in repeats([pairs[name] for name in names], split.repeated))


def side_of_group(group: str, split: Split) -> Side:
    """The side of everything in a group, by the group's name alone."""
    place = int(digest(split.salt, group), 16) % 1_000_000 / 1_000_000
    if place < split.test:
        return "test"
    return "val" if place < split.test + split.val else "train"


def side_of(record: Record, split: Split, large: Container[str]) -> Side:
    """The side of a record: that of its group, unless its collection is held out or its document is too large for the test."""
    if not set(split.collections_held_out).isdisjoint(owners(record.collection)):
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


def sentences(record: Record) -> Iterator[str]:
    """The texts of both sides of a pair, or of a paragraph, and the sentences of LONG words inside them: by these a leak is seen."""
    texts: tuple[str, ...] = ()
    if isinstance(record, SentencePair):
        texts = (record.text, record.translation)
    elif isinstance(record, Document):
        texts = record.paragraphs
    for text in texts:
        yield text
        inside = split_sentences(text)
        yield from (sentence for sentence in inside if len(inside) > 1 and len(words(sentence)) >= LONG)


def _key(text: str) -> str:
    """By which a sentence is recognised: small letters, no punctuation."""
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
