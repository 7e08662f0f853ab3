"""Make training examples from pairs, entries and running text, and split them so that nothing leaks.

The split is decided before examples are made and by content alone: a document, or a loose pair, falls on one side
whatever else is in the corpus, with all its prompts and both directions. What also stands in the test or validation
part, on either side of a pair, is rejected from training and counted as ``leak``. Of what is said twice, the test part
keeps its copy.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Container, Iterable, Iterator
from typing import Any, Literal

from pydantic import Field, field_validator

from seshat.config import PathSetting, Section
from seshat.data.align import parallel_names
from seshat.data.ocr import is_dictionary, page_documents, page_entries
from seshat.errors import ConfigError, DataError
from seshat.examples import SPLITS, TRAINING, to_line
from seshat.language import Language, split_sentences, words
from seshat.prompts import Prompts, Task
from seshat.records import Document, Entry, Example, Page, Record, SentencePair, Utterance, digest
from seshat.rights import Rights
from seshat.stage import Resources, Stage
from seshat.step import Part, Step
from seshat.store import Manifest, Store, slices

Split = Literal["train", "val", "test"]
ROWS_PER_PART = 4_000


TASK_WEIGHTS: dict[Task, float] = {"translation": 1.0, "dictionary": 0.5, "grammar": 0.5, "morphology": 0.3, "completion": 0.3}
LONG = 5
"""Words of a sentence inside a longer text by which a leak is recognised; shorter ones stand in many texts."""


class Format(Section):
    """Which examples are made, and how they are split."""

    task_weights: dict[Task, float] = TASK_WEIGHTS
    """How often the examples of a task are trained on; 0 leaves the task out. A task that is not named keeps its default."""
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
    max_rejected: float = Field(0.7, ge=0, le=1)

    @field_validator("task_weights")
    @classmethod
    def _fill_up(cls, weights: dict[Task, float]) -> dict[Task, float]:
        return {**TASK_WEIGHTS, **weights}


def split_of(group: str, settings: Format) -> Split:
    """The side of everything in a group, by the group's name alone."""
    place = int(digest(settings.salt, group), 16) % 1_000_000 / 1_000_000
    if place < settings.test:
        return "test"
    return "val" if place < settings.test + settings.val else "train"


def side_of(record: Record, settings: Format, large: Container[str]) -> Split:
    """The side of a record: that of its group, unless its collection is held out or its document is too large for the test."""
    if record.collection in settings.collections_held_out:
        return "test"
    group = group_of(record)
    return "train" if group in large else split_of(group, settings)


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


class MakeExamples(Stage[Record, Record]):
    """Every chat that a record can teach, each with its task and direction."""

    resources: Resources = Resources(batch=1_000_000)  # a part as a whole: entries go on from one scanned page to the next
    settings: Format
    prompts: Prompts
    language: Language
    plan: Plan = Field(Plan(), exclude=True)
    dictionary: tuple[str, ...] = ()
    """Patterns of scanned dictionaries, whose pages become entries."""

    @property
    def depends_on(self) -> str:
        """The decisions about the whole corpus."""
        return self.plan.digest

    def __call__(self, records: Iterable[Record]) -> Iterator[Record]:
        seen: set[str] = set()
        for record in unfolded(records, self.language, self.plan.parallel, self.dictionary):
            if record.rejected:
                yield record
                continue
            duplicate = record.id in self.plan.duplicates or record.id in seen
            seen.add(record.id)
            for example in self._examples(record):
                if example.split == "train" and not self.plan.guarded.isdisjoint(sentence_keys(record)):
                    yield example.reject("leak: a sentence of it is in the test, validation or held-out part")
                elif duplicate:
                    yield example.reject("duplicate: the same content stands elsewhere too")
                else:
                    yield example

    def _examples(self, record: Record) -> Iterator[Example]:
        made: Iterable[tuple[Task, str, str, str]]
        if isinstance(record, SentencePair):
            made = self._of_pair(record)
        elif isinstance(record, Entry):
            made = self._of_entry(record)
        else:
            assert isinstance(record, Document)
            made = self._of_text(record)
        group = group_of(record)
        split = side_of(record, self.settings, self.plan.large)
        for task, direction, text, answer in made:
            weight = self.settings.task_weights.get(task, 0.0)
            if weight > 0:
                yield self._example(record, task, direction, text, answer, group=group, split=split, weight=weight)

    def _example(self, record: Record, task: Task, direction: str, text: str, answer: str, **facts: Any) -> Example:
        source, _, target = direction.partition("-")
        prompt = self.prompts.instruction(task, text, language=self.language, source=source, target=target)
        return Example(
            task=task,
            direction=direction,
            prompt=prompt,
            answer=answer,
            source=text,
            parent=record.id,
            origin=record.origin,
            collection=record.collection,
            **facts,
        )

    def _of_pair(self, pair: SentencePair) -> Iterator[tuple[Task, str, str, str]]:
        yield "translation", f"{pair.bridge}-{pair.language}", pair.translation, pair.text
        yield "translation", f"{pair.language}-{pair.bridge}", pair.text, pair.translation
        if pair.gloss:
            yield "grammar", pair.language, pair.text, f"{pair.morphemes}\n{pair.gloss}".strip()
        elif pair.note:
            yield "grammar", pair.language, pair.text, pair.note
        if pair.morphemes:
            yield "morphology", pair.language, pair.text, pair.morphemes

    def _of_entry(self, entry: Entry) -> Iterator[tuple[Task, str, str, str]]:
        yield "dictionary", f"{entry.language}-{entry.bridge}", entry.headword, entry.translation
        if len(words(entry.translation)) <= 3:  # a definition is not a word to look up
            yield "dictionary", f"{entry.bridge}-{entry.language}", entry.translation, entry.headword
        if entry.note:
            yield "grammar", entry.language, entry.headword, entry.note

    def _of_text(self, document: Document) -> Iterator[tuple[Task, str, str, str]]:
        for paragraph in document.paragraphs:
            tokens = paragraph.split(" ")
            half = len(tokens) // 2
            if half >= 2:
                yield "completion", document.language, " ".join(tokens[:half]), " ".join(tokens[half:])


def unfolded(records: Iterable[Record], language: Language, parallel: Iterable[str], dictionary: tuple[str, ...]) -> Iterator[Record]:
    """Records with pages as the documents or entries that stand on them, and running text cut into paragraphs."""
    pages: list[Page] = []
    for record in records:
        if isinstance(record, Page):
            pages.append(record)
        else:
            yield from unfold(record, language, parallel)
    for record in on_pages(pages, language, dictionary):
        yield from unfold(record, language, parallel)


def on_pages(pages: Iterable[Page], language: Language, dictionary: tuple[str, ...]) -> Iterator[Record]:
    """What stands on scanned pages: entries in a dictionary, else running text; lines that are neither come out rejected."""
    entries: list[Page] = []
    texts: list[Page] = []
    for page in pages:
        (entries if is_dictionary(page, dictionary) else texts).append(page)
    yield from page_entries(entries, language)
    yield from page_documents(texts, language)


def unfold(record: Record, language: Language, parallel: Iterable[str]) -> Iterator[Record]:
    """Pairs and entries as they are; running text of the taught language as one document for each paragraph."""
    if record.rejected:
        yield record
    elif isinstance(record, Utterance):
        if record.language == language.code:
            place = f"second={record.start:.2f}"
            yield _paragraph(record, record.name, record.text, place, record.language)
    elif isinstance(record, Document):
        if record.language == language.code and record.name not in parallel:
            for text, place in zip(record.paragraphs, record.places, strict=True):
                yield _paragraph(record, record.name, text, place, record.language)
    elif isinstance(record, SentencePair | Entry):
        yield record


def _paragraph(record: Record, name: str, text: str, place: str, language: str) -> Document:
    origin = f"{record.origin.partition('#')[0]}#{place}"
    return Document(
        origin=origin,
        collection=record.collection,
        name=name,
        language=language,
        paragraphs=(text,),
        places=(place,),
    )


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


def plan(
    settings: Format,
    language: Language,
    store: Store,
    held_out: Iterable[str] = (),
    dictionary: tuple[str, ...] = (),
) -> Plan:
    """Look at the whole corpus once: large documents, duplicates, and what must not be trained on."""
    parallel = parallel_names(store, language)
    records = [record for record in _corpus(store, language, parallel, dictionary) if not record.rejected]
    sizes = Counter(group_of(record) for record in records)
    large = {group for group, size in sizes.items() if size > settings.largest_group}
    apart = [record for record in records if side_of(record, settings, large) != "train"]
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


def _said(record: Record) -> str:
    """What makes a record a duplicate: the words of both sides, whatever the punctuation."""
    if isinstance(record, SentencePair):
        return digest("pair", _key(record.text), _key(record.translation))
    if isinstance(record, Entry):
        return digest("entry", record.headword, _key(record.translation), record.note)
    assert isinstance(record, Document)
    return digest("text", *(_key(paragraph) for paragraph in record.paragraphs))


def _corpus(store: Store, language: Language, parallel: set[str], dictionary: tuple[str, ...]) -> Iterator[Record]:
    for part in _parts(store):
        yield from unfolded(part.records(store), language, parallel, dictionary)


def _parts(store: Store) -> Iterator[Part]:
    """The corpus in pieces; all scanned pages are one, because entries go on from page to page."""
    for stage, kind in SOURCES:
        pieces = tuple(slices(store.files(stage, kind), ROWS_PER_PART))
        if kind is Page and pieces:
            yield Part(pieces)
        else:
            yield from (Part((piece,)) for piece in pieces)


SOURCES: tuple[tuple[str, type[Record]], ...] = (
    ("align", SentencePair),
    ("ingest", Entry),
    ("ingest", Document),
    ("ocr", Page),
    ("transcribe", Utterance),
)
"""Where records come from that examples are made of, in order: of two duplicates the first stays."""


def step(
    settings: Format,
    prompts: Prompts,
    language: Language,
    store: Store,
    *,
    dictionary: tuple[str, ...] = (),
    settings_yaml: str = "",
) -> Step:
    """What ``make format`` does before the files are written."""
    store.require("align", needed_by="format")
    decided = plan(settings, language, store, _lines(settings, store), dictionary)
    maker = MakeExamples(settings=settings, prompts=prompts, language=language, plan=decided, dictionary=dictionary)
    return Step(
        name="format",
        stages=(maker,),
        parts=tuple(_parts(store)),
        settings=settings_yaml,
        max_rejected=settings.max_rejected,
    )


def _lines(settings: Format, store: Store) -> Iterator[str]:
    for name in settings.held_out:
        path = store.path(name)
        if not os.path.isfile(path):
            raise ConfigError(f"format.held_out: {path} is not a file; give text files with one sentence a line")
        try:
            with open(path, encoding="utf-8") as lines:
                yield from lines
        except UnicodeDecodeError as error:
            raise ConfigError(f"format.held_out: {path} is not text in UTF-8 ({error})") from None


def publish(store: Store, rights: Rights) -> dict[str, int]:
    """Write ``data/training/{train,val,test}.jsonl`` from the finished ``format`` step; the number of lines in each.

    Examples from a collection whose owners do not consent to training are left out and counted as ``consent``.
    """
    examples = store.require("format", needed_by="train")
    fingerprint = digest(examples.fingerprint, rights.model_dump_json())
    manifest = store.done(TRAINING, fingerprint)
    if manifest is None:
        manifest = _publish(store, rights, examples, fingerprint)
    return {file.path.rpartition("/")[2].removesuffix(".jsonl"): file.rows for file in manifest.files}


def _publish(store: Store, rights: Rights, examples: Manifest, fingerprint: str) -> Manifest:
    lines: dict[str, list[str]] = {split: [] for split in SPLITS}
    rejected, withheld, collections = Counter(examples.rejected), set(rights.forbidding("train")), set[str]()
    for example in store.records("format", Example):
        if example.collection in withheld:
            rejected["consent"] += 1
            continue
        lines[example.split].append(f"{to_line(example)}\n")
        collections.add(example.collection)
    if not lines["train"]:
        raise DataError("format: no example is left for training; look at the reasons in the rejected rows and at format.test, format.val")
    files = []
    for split in SPLITS:
        file = store.write(f"{TRAINING}/{split}.jsonl", "".join(lines[split]).encode())
        files.append(file.model_copy(update={"rows": len(lines[split])}))
    manifest = Manifest(
        stage="training-data",
        fingerprint=fingerprint,
        inputs={"data/processed/format": examples.fingerprint},
        files=tuple(files),
        settings=examples.settings,
        rows_in=examples.rows_in,
        kept=sum(file.rows for file in files),
        rejected=dict(rejected),
        notes={"rights": rights.only(collections).model_dump_json()},
    )
    store.finish(TRAINING, manifest)
    return manifest
