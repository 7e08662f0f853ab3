"""Make training examples from pairs, entries and running text, each on its side of the split.

What also stands in the test or validation part is rejected from training and counted as ``leak`` (see ``seshat.data.split``).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Annotated, Any, ClassVar

from pydantic import Field, field_validator

from seshat.data.align import parallel_names
from seshat.data.checks import check_examples
from seshat.data.corpus import parts, unfolded
from seshat.data.memory import lookups
from seshat.data.split import Plan, Split, group_of, held_out_lines, plan, side_of
from seshat.errors import DataError
from seshat.examples import SPLITS, TRAINING, by_people, to_line
from seshat.hints import with_hints
from seshat.language import Language, words
from seshat.preview import about_to_make
from seshat.prompts import BACK_TRANSLATED, Hinting, Prompts, Task
from seshat.records import BackTranslation, Document, Entry, Example, Record, SentencePair, digest
from seshat.rights import CORRECTIONS, Rights, owners
from seshat.stage import Resources, Stage
from seshat.step import Step
from seshat.store import Manifest, Store

TASK_WEIGHTS: dict[Task, float] = {"translation": 1.0, "dictionary": 0.5, "grammar": 0.5, "morphology": 0.3, "completion": 0.3}
COLLECTION_WEIGHTS: dict[str, float] = {CORRECTIONS: 3.0}

VERSION = 4
"""Raised when the same examples give other files."""
NO_HINTS = Hinting()


class Format(Split):
    """Which examples are made, and how they are split."""

    task_weights: dict[Task, float] = TASK_WEIGHTS
    """How often the examples of a task are trained on; 0 leaves the task out. A task that is not named keeps its default."""
    collection_weights: dict[str, Annotated[float, Field(ge=0, le=100)]] = COLLECTION_WEIGHTS
    """How many times as often the examples of a raw folder, and of those below it, are trained on; 1 for all that are not named.

    Corrections weigh most: they are few, a speaker wrote each, and each is about a mistake that the model made. Three times, so that
    some hundred count like a thousand and are not yet learnt by heart.
    """
    back_translated: float = Field(1.0, ge=0, le=100)
    """How many times as often as others an example is trained on whose source a model wrote (``seshat back-translate``); 0: never."""
    max_rejected: float = Field(0.7, ge=0, le=1)

    @field_validator("task_weights")
    @classmethod
    def _fill_up(cls, weights: dict[Task, float]) -> dict[Task, float]:
        return {**TASK_WEIGHTS, **weights}

    @field_validator("collection_weights")
    @classmethod
    def _fill_up_collections(cls, weights: dict[str, float]) -> dict[str, float]:
        return {**COLLECTION_WEIGHTS, **weights}

    def weight(self, task: Task, record: Record) -> float:
        """How often an example is trained on: by its task, times what its raw folder weighs; of two folders, the lesser counts."""
        of_task = self.task_weights.get(task, 0.0) * (self.back_translated if isinstance(record, BackTranslation) else 1.0)
        return of_task * min(map(self._weight_of, owners(record.collection)))

    def _weight_of(self, folder: str) -> float:
        """Of the nearest folder that is named: the folder itself, or one above it."""
        above = [name for name in self.collection_weights if f"{folder}/".startswith(f"{name.rstrip('/')}/")]
        return self.collection_weights[max(above, key=len)] if above else 1.0


class MakeExamples(Stage[Record, Record]):
    """Every chat that a record can teach, each with its task and direction."""

    version: ClassVar[int] = 4  # 4: entries of scans by their score; 3: back-translations

    resources: Resources = Resources(batch=1_000_000)  # a part as a whole: entries go on from one scanned page to the next
    settings: Format
    prompts: Prompts
    language: Language
    plan: Plan = Field(Plan(), exclude=True)
    """Not in the fingerprint: every part is named after what is decided about its records."""
    dictionary: tuple[str, ...] = ()
    """Patterns of scanned dictionaries, whose pages become entries."""

    def __call__(self, records: Iterable[Record]) -> Iterator[Record]:
        seen: set[str] = set()
        for record in unfolded(records, self.language, self.plan.parallel, self.dictionary):
            if record.rejected:
                yield record
                continue
            name = record.id
            reason = self.plan.reason(name) or ("duplicate: the same record stands twice in a part" if name in seen else "")
            seen.add(name)
            for example in self._examples(record, name):
                yield example.reject(reason) if reason else example

    def _examples(self, record: Record, name: str) -> Iterator[Example]:
        made: Iterable[tuple[Task, str, str, str]]
        if isinstance(record, BackTranslation):
            made = self._of_back_translation(record)
        elif isinstance(record, SentencePair):
            made = self._of_pair(record)
        elif isinstance(record, Entry):
            made = self._of_entry(record)
        else:
            assert isinstance(record, Document)
            made = self._of_text(record)
        group = group_of(record)
        split = side_of(record, self.settings, self.plan.large)
        sure = record.score if isinstance(record, Entry) else 1.0  # of a scan, what is less sure is trained on less often
        for task, direction, text, answer in made:
            weight = sure * self.settings.weight(task, record)
            if weight > 0:
                yield self._example(record, task, direction, text, answer, parent=name, group=group, split=split, weight=weight)

    def _example(self, record: Record, task: Task, direction: str, text: str, answer: str, **facts: Any) -> Example:
        source, _, target = direction.partition("-")
        prompt = self.prompts.instruction(task, text, language=self.language, source=source, target=target)
        synthetic = record.model if isinstance(record, BackTranslation) else ""
        return Example(
            task=task,
            direction=direction,
            prompt=BACK_TRANSLATED + prompt if synthetic else prompt,
            synthetic=synthetic,
            answer=answer,
            source=text,
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

    def _of_back_translation(self, pair: BackTranslation) -> Iterator[tuple[Task, str, str, str]]:
        """Into the language of the person's side only."""
        if pair.synthetic == pair.bridge:
            yield "translation", f"{pair.bridge}-{pair.language}", pair.translation, pair.text
        else:
            yield "translation", f"{pair.language}-{pair.bridge}", pair.text, pair.translation

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
    inside = {
        part: {one.id: one for one in unfolded(part.records(store), language, parallel, dictionary) if not one.rejected}
        for part in parts(store)
    }
    named = {name: record for records in inside.values() for name, record in records.items()}
    decided = plan(settings, named, parallel, held_out_lines(settings, store))
    maker = MakeExamples(settings=settings, prompts=prompts, language=language, plan=decided, dictionary=dictionary)
    return Step(
        name="format",
        stages=(maker,),
        parts=tuple(replace(part, decided=decided.about(records)) for part, records in inside.items()),
        settings=settings_yaml,
        max_rejected=settings.max_rejected,
    )


def publish(store: Store, settings: Format, rights: Rights, hinting: Hinting = NO_HINTS) -> Manifest:
    """Write ``data/training/{train,val,test}.jsonl`` from the finished ``format`` step, with hints if there are to be some.

    Examples from a collection whose owners do not consent to training are left out and counted as ``consent``. The manifest notes
    what a nearest-neighbour lookup scores on the test part (``memory``).

    Raises:
        DataError: If nothing is left to train on, or if a check finds a leak; nothing is written then.
    """
    made = store.require("format", needed_by="train")
    fingerprint = digest("training-data", VERSION, made.fingerprint, rights.model_dump_json(), hinting.model_dump_json())
    done = store.done(TRAINING, fingerprint)
    if done:
        return done
    about_to_make("format", TRAINING, store)
    return _publish(store, settings, rights, hinting, made, fingerprint)


def _publish(store: Store, settings: Format, rights: Rights, hinting: Hinting, made: Manifest, fingerprint: str) -> Manifest:
    examples: dict[str, list[Example]] = {split: [] for split in SPLITS}
    rejected, withheld = Counter(made.rejected), set(rights.forbidding("train"))
    for example in store.records("format", Example):
        if withheld.isdisjoint(owners(example.collection)):
            examples[example.split].append(example)
        else:
            rejected["consent"] += 1
    if not examples["train"]:
        raise DataError("format: no example is left for training; look at the reasons in the rejected rows and at format.test, format.val")
    check_examples(examples, settings.near)
    examples = with_hints(hinting, examples) if hinting else examples
    files = []
    for split in SPLITS:
        file = store.write(f"{TRAINING}/{split}.jsonl", "".join(f"{to_line(one)}\n" for one in examples[split]).encode())
        files.append(file.model_copy(update={"rows": len(examples[split])}))
    collections = {one.collection for split in SPLITS for one in examples[split]}
    manifest = Manifest(
        stage="training-data",
        fingerprint=fingerprint,
        inputs={"data/processed/format": made.fingerprint},
        files=tuple(files),
        settings=made.settings,
        rows_in=made.rows_in,
        kept=sum(file.rows for file in files),
        rejected=dict(rejected),
        notes={
            "rights": rights.only(collections).model_dump_json(),
            "hints": hinting.model_dump_json(),
            "memory": "; ".join(map(str, lookups([*by_people(examples["train"])], examples["test"]))),
        },
    )
    store.finish(TRAINING, manifest)
    return manifest
