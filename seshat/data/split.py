"""Split a corpus so that nothing leaks: by group, by content alone, and before any example is made.

A document, or a loose pair, falls on one side whatever else is in the corpus, with all its prompts and both directions: new data
moves no old pair (a document that grows beyond ``largest_group`` excepted: it is trained on). What also stands in the test or
validation part, exactly or nearly, on either side of a pair, must not be trained on: so a cluster of near-duplicates around a test
sentence is on the test's side or nowhere. Of what is said twice, the test part keeps its copy.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Container, Iterable, Iterator, Mapping
from itertools import chain
from typing import Literal

from pydantic import Field

from seshat.config import PathSetting, Section
from seshat.data.duplicates import NearTexts, bare, repeats
from seshat.errors import ConfigError
from seshat.language import split_sentences, words
from seshat.records import BackTranslation, Document, Entry, Record, SentencePair, digest
from seshat.rights import is_correction, owners
from seshat.store import Store

OF_ENTRY = "entry:"
"""How the group of a dictionary entry begins."""
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
    superseded: frozenset[str] = frozenset()
    """Pairs with a translation of a sentence that a speaker has translated better."""

    def reason(self, name: str) -> str:
        """Why nothing is made of the record of this id, beginning with one word for the count; empty if something is."""
        if name in self.leaks:
            return "leak: a sentence of it is in the test, validation or held-out part"
        if name in self.near_leaks:
            return "near-leak: a sentence of it is nearly one of the test, validation or held-out part"
        if name in self.superseded:
            return "superseded: a speaker has corrected the translation of this sentence"
        if name in self.duplicates:
            return "duplicate: the same content stands elsewhere too"
        return "near-duplicate: nearly the same pair stands elsewhere too" if name in self.repeats else ""

    def about(self, named: Mapping[str, Record]) -> str:
        """The name of what is decided about some records, by id; what is decided about others changes nothing in it."""
        large = (name for name, record in named.items() if self.large and group_of(record) in self.large)
        return digest(*(f"{name} {self.reason(name)}" for name in named), "large", *large)


def plan(split: Split, named: Mapping[str, Record], parallel: Iterable[str] = (), held_out: Iterable[str] = ()) -> Plan:
    """Look at the whole corpus, by id, once: large documents, duplicates, and what must not be trained on."""
    groups = {name: group_of(record) for name, record in named.items()}
    large = {group for group, size in Counter(groups.values()).items() if size > split.largest_group}
    sides = {name: side_of(record, split, large) for name, record in named.items()}
    trained = sorted((name for name, side in sides.items() if side == "train"), key=lambda name: not is_correction(named[name].collection))
    apart = [name for name, side in sides.items() if side != "train"]
    first: dict[tuple[str, ...], str] = {}
    duplicates = {name for name in (*apart, *trained) if first.setdefault(_said(named[name]), name) != name}
    guarded = set(map(bare, chain(held_out, *(sentences(named[name]) for name in apart)))) - {""}
    said = {name: set(map(bare, sentences(named[name]))) for name in trained}
    leaks = {name for name, texts in said.items() if not guarded.isdisjoint(texts) or _is_held_out(named[name].collection, split)}
    gone = duplicates | leaks
    near_leaks = set(_near(split, {name: texts for name, texts in said.items() if name not in gone}, guarded))
    gone |= near_leaks
    superseded = set(_superseded({name: named[name] for name in trained if name not in gone}))
    gone |= superseded
    return Plan(
        large=frozenset(large),
        parallel=frozenset(parallel),
        duplicates=frozenset(duplicates),
        repeats=frozenset(_repeats(split, {name: named[name] for name in (*apart, *trained) if name not in gone})),
        leaks=frozenset(leaks),
        near_leaks=frozenset(near_leaks),
        superseded=frozenset(superseded),
    )


def _near(split: Split, said: Mapping[str, Iterable[str]], guarded: Iterable[str]) -> Iterator[str]:
    """The ids of the records that say nearly one of the guarded sentences."""
    known = NearTexts(sorted(filter(is_long, guarded)), split.near)
    asked = [(text, name) for name, texts in said.items() for text in texts if is_long(text)]
    yield from (asked[place][1] for place, _ in known.near([text for text, _ in asked]))


def _superseded(trained: Mapping[str, Record]) -> Iterator[str]:
    """The ids of the pairs whose sentence a correction translates another way; corrections do not supersede one another.

    A correction that does not say which of its sides a speaker wrote supersedes other pairs with either.
    """
    pairs = {name: record for name, record in trained.items() if isinstance(record, SentencePair)}
    said = {name: {one.language: bare(one.text), one.bridge: bare(one.translation)} for name, one in pairs.items()}
    given = {
        (code, text)
        for name, sides in said.items()
        if is_correction(pairs[name].collection)
        for code, text in sides.items()
        if code != pairs[name].corrected and text
    }
    yield from (name for name, sides in said.items() if not is_correction(pairs[name].collection) and not given.isdisjoint(sides.items()))


def _repeats(split: Split, records: Mapping[str, Record]) -> Iterator[str]:
    """The ids of the pairs that nearly say what an earlier one says; short ones are as many sentences as they are."""
    pairs = {name: (bare(one.text), bare(one.translation)) for name, one in records.items() if isinstance(one, SentencePair)}
    names = [name for name, sides in pairs.items() if all(map(is_long, sides))]
    yield from (names[place] for place in repeats([pairs[name] for name in names], split.repeated))


def side_of_group(group: str, split: Split) -> Side:
    """The side of everything in a group, by the group's name alone."""
    place = int(digest(split.salt, group), 16) % 1_000_000 / 1_000_000
    if place < split.test:
        return "test"
    return "val" if place < split.test + split.val else "train"


def side_of(record: Record, split: Split, large: Container[str]) -> Side:
    """The side of a record: that of its group, unless its collection is held out or its document is too large for the test.

    Back-translations and corrections are trained on or nowhere: a test with sentences of ours, or with references that were made from
    our answers, would flatter us.
    """
    if isinstance(record, BackTranslation):
        return "train"
    if _is_held_out(record.collection, split):
        return "test"
    group = group_of(record)
    return "train" if is_correction(record.collection) or group in large else side_of_group(group, split)


def _is_held_out(collection: str, split: Split) -> bool:
    return not set(split.collections_held_out).isdisjoint(owners(collection))


def group_of(record: Record) -> str:
    """What falls on one side of the split together: a parallel document, else what says the same."""
    if isinstance(record, SentencePair):
        return record.document or f"pair:{_key(record.text)}"
    if isinstance(record, Entry):
        return f"{OF_ENTRY}{_key(record.headword)}"
    assert isinstance(record, Document)
    return f"text:{_key(record.paragraphs[0])}"


def sentences(record: Record) -> Iterator[str]:
    """The texts of both sides of a pair, or of a paragraph, and the sentences of LONG words inside them: by these a leak is seen.

    Of an entry only what is as long as a sentence: a word stands in many of them.
    """
    texts: tuple[str, ...] = ()
    if isinstance(record, SentencePair):
        texts = (record.text, record.translation)
    elif isinstance(record, Entry):
        texts = tuple(text for text in (record.headword, record.translation) if is_long(bare(text)))
    elif isinstance(record, Document):
        texts = record.paragraphs
    for text in texts:
        yield text
        inside = split_sentences(text)
        yield from (sentence for sentence in inside if len(inside) > 1 and len(words(sentence)) >= LONG)


def is_long(text: str) -> bool:
    """Whether a bare text has words enough to recognise a leak inside a longer one, or nearly the same."""
    return text.count(" ") + 1 >= LONG


def _key(text: str) -> str:
    return digest(*words(text))


def _said(record: Record) -> tuple[str, ...]:
    """What makes a record a duplicate: the words of both sides, whatever the punctuation."""
    if isinstance(record, SentencePair):
        return "pair", bare(record.text), bare(record.translation)
    if isinstance(record, Entry):
        return "entry", record.headword, bare(record.translation), record.note
    assert isinstance(record, Document)
    return "text", *map(bare, record.paragraphs)


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
