"""Make training examples from pairs, entries and running text, each on its side of the split.

What also stands in the test or validation part is rejected from training and counted as ``leak`` (see ``seshat.data.split``).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from pydantic import Field, field_validator

from seshat.data.align import parallel_names
from seshat.data.corpus import corpus, parts, unfolded
from seshat.data.split import Plan, Split, group_of, held_out_lines, plan, sentence_keys, side_of
from seshat.errors import DataError
from seshat.examples import SPLITS, TRAINING, to_line
from seshat.language import Language, words
from seshat.prompts import Prompts, Task
from seshat.records import Document, Entry, Example, Record, SentencePair, digest
from seshat.rights import Rights
from seshat.stage import Resources, Stage
from seshat.step import Step
from seshat.store import Manifest, Store

TASK_WEIGHTS: dict[Task, float] = {"translation": 1.0, "dictionary": 0.5, "grammar": 0.5, "morphology": 0.3, "completion": 0.3}


class Format(Split):
    """Which examples are made, and how they are split."""

    task_weights: dict[Task, float] = TASK_WEIGHTS
    """How often the examples of a task are trained on; 0 leaves the task out. A task that is not named keeps its default."""
    max_rejected: float = Field(0.7, ge=0, le=1)

    @field_validator("task_weights")
    @classmethod
    def _fill_up(cls, weights: dict[Task, float]) -> dict[Task, float]:
        return {**TASK_WEIGHTS, **weights}


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
    parallel = parallel_names(store, language)
    records = [record for record in corpus(store, language, parallel, dictionary) if not record.rejected]
    decided = plan(settings, records, parallel, held_out_lines(settings, store))
    maker = MakeExamples(settings=settings, prompts=prompts, language=language, plan=decided, dictionary=dictionary)
    return Step(
        name="format",
        stages=(maker,),
        parts=tuple(parts(store)),
        settings=settings_yaml,
        max_rejected=settings.max_rejected,
    )


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
