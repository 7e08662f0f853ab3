"""What the data looks like: ``make data-stats`` counts it, and the notebook and the report show it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from time import perf_counter

import numpy as np
from pydantic import ValidationError

from seshat.config import Section
from seshat.data.inspection import NUM_SAMPLES, Agreement, SamplePair, Switches, agreement, switches
from seshat.data.respelt import RuleUse, rule_uses
from seshat.errors import StoreError
from seshat.examples import SPLITS, TRAINING, parse_lines
from seshat.language import Language, words
from seshat.preview import about_to_make
from seshat.records import Document, Entry, Example, SentencePair, Utterance, digest
from seshat.step import Outcome
from seshat.store import PROCESSED, Manifest, Store

FOLDER = f"{PROCESSED}/stats"
STATS = f"{FOLDER}/stats.json"
SPELT = (Entry, SentencePair, Document, Utterance)
"""The kinds of record that keep what their source wrote."""
STAGES = ("ingest", "ocr", "transcribe", "align", "back-translate", "format")
QUANTILES = (0.0, 0.25, 0.5, 0.75, 0.95, 1.0)
RARE = 5
"""A character that stands fewer times than this is rare: a slip of the keyboard, or another language."""
THRESHOLDS = (0.1, 0.2, 0.5, 0.9, 0.99)
"""Scores of the aligner of which the cost is shown."""
VERSION = 3
"""Raised when the same data gives other figures."""


class ExampleCount(Section):
    """How many training examples are of one kind."""

    task: str
    direction: str
    collection: str
    split: str
    count: int


class Lengths(Section):
    """How long the texts of one language are."""

    code: str
    words: tuple[int, ...]
    """At the QUANTILES: shortest, quarter, median, three quarters, 95 %, longest."""
    characters: tuple[int, ...]
    histogram: tuple[int, ...]
    """How many texts have 0-4, 5-9, 10-14, ... words; the last bin holds all longer ones."""
    num_words: int
    num_distinct: int
    """Different words: many for their number in a language that builds words from suffixes."""


class CharacterCount(Section):
    """How often a letter or sign of the taught language is used, small or capital."""

    character: str
    """A digraph of the alphabet is one letter."""
    count: int
    foreign: bool
    """A letter that the language's alphabet does not have."""


class StageCount(Section):
    """What became of the rows of a stage."""

    stage: str
    rows_in: int
    kept: int
    rejected: dict[str, int]


class ThresholdCost(Section):
    """What a stricter ``clean.score.minimum`` would cost."""

    minimum: float
    rejected: int
    """Aligned pairs below it."""


class Stats(Section):
    """``data/processed/stats/stats.json``."""

    examples: tuple[ExampleCount, ...]
    lengths: tuple[Lengths, ...]
    """Of the kept pairs: the taught language, then the bridge."""
    characters: tuple[CharacterCount, ...]
    """Of the texts of the kept pairs, the most frequent first."""
    unused: tuple[str, ...] = ()
    """Letters of the alphabet that stand in none of them."""
    num_pairs: int
    repeated_texts: int
    """Pairs whose text stands in an earlier pair too (another translation, or the same)."""
    repeated_pairs: int
    """Pairs that say what an earlier one said, word by word."""
    stages: tuple[StageCount, ...]
    num_aligned: int = 0
    """Pairs that a program put side by side."""
    thresholds: tuple[ThresholdCost, ...] = ()
    rules: tuple[RuleUse, ...] = ()
    """What the spelling rules did."""
    samples: tuple[SamplePair, ...]
    doubtful: tuple[SamplePair, ...]
    """The aligned pairs of which the aligner was least sure: look here first."""
    agreement: Agreement
    switches: tuple[Switches, ...] = ()
    """Of the taught language, then of the bridge."""

    @property
    def rare(self) -> list[CharacterCount]:
        """Characters that stand hardly anywhere."""
        return [one for one in self.characters if one.count < RARE]

    @property
    def foreign(self) -> list[CharacterCount]:
        """Letters outside the alphabet."""
        return [one for one in self.characters if one.foreign]

    def count(self, **wanted: str) -> int:
        """How many examples there are of a kind: ``count(task="translation", split="test")``."""
        return sum(one.count for one in self.examples if all(getattr(one, name) == value for name, value in wanted.items()))

    def values(self, name: str) -> list[str]:
        """The tasks, directions, collections or splits that occur, the most frequent first."""
        totals = Counter[str]()
        for one in self.examples:
            totals[getattr(one, name)] += one.count
        return [value for value, _ in totals.most_common()]

    def __str__(self) -> str:
        return "\n".join(_lines(self))


def data_stats(store: Store, language: Language) -> tuple[Outcome, Stats]:
    """Count and describe the aligned pairs and the training examples of a workspace, and store the result.

    A second run over the same data reads what is stored.
    """
    begun = perf_counter()
    pairs = store.require("align", needed_by="data-stats")
    training = store.manifest(TRAINING)
    if training is None:
        raise StoreError(f"{store.path(TRAINING)} is not complete and 'data-stats' needs it: run 'make format' first")
    manifests = [manifest for name in STAGES if (manifest := store.manifest(f"{PROCESSED}/{name}"))]
    inputs = {"align": pairs.fingerprint, "training": training.fingerprint} | {one.stage: one.fingerprint for one in manifests}
    fingerprint = digest("data-stats", VERSION, language.model_dump_json(), *sorted(inputs.items()))
    done = store.done(FOLDER, fingerprint)
    if done:
        stats = Stats.model_validate_json(store.read(STATS))
    else:
        about_to_make("data-stats", FOLDER, store)
        examples = (example for split in SPLITS for example in _examples(store, split))
        read = (record for stage in ("ingest", "transcribe") for kind in SPELT for record in store.records(stage, kind))
        described = describe(store.records("align", SentencePair), examples, language, stages=_stages(manifests))
        stats = described.model_copy(update={"rules": rule_uses(read, language) if language.spelling else ()})
        file = store.write(STATS, stats.model_dump_json(indent=1).encode())
        store.finish(FOLDER, Manifest(stage="data-stats", fingerprint=fingerprint, inputs=inputs, files=(file,)))
    total = sum(one.count for one in stats.examples)
    seconds = perf_counter() - begun
    return Outcome(stage="data-stats", rows_in=total, kept=total, seconds=seconds, done_before=bool(done)), stats


def read_stats(store: Store) -> Stats:
    """The statistics that ``make data-stats`` stored."""
    if store.manifest(FOLDER) is None:
        raise StoreError(f"{store.path(STATS)} is not there: run 'make data-stats' first")
    try:
        return Stats.model_validate_json(store.read(STATS))
    except ValidationError:
        raise StoreError(f"{store.path(STATS)} is of an older Seshat: run 'make data-stats' again") from None


def describe(pairs: Iterable[SentencePair], examples: Iterable[Example], language: Language, *, stages: Sequence[StageCount] = ()) -> Stats:
    """Count pairs and examples; samples are taken by content, so that the same data shows the same ones."""
    kept = list(pairs)
    texts, translations = [pair.text for pair in kept], [pair.translation for pair in kept]
    by_content = sorted(kept, key=lambda pair: pair.digest)
    aligned = sorted((pair for pair in kept if pair.aligned), key=lambda pair: (pair.score, pair.digest))
    counts = Counter((one.task, one.direction, one.collection, one.split) for one in examples)
    characters = tuple(_characters(texts, language))
    return Stats(
        examples=tuple(
            ExampleCount(task=task, direction=direction, collection=collection, split=split, count=count)
            for (task, direction, collection, split), count in sorted(counts.items())
        ),
        lengths=(_lengths(language.code, texts), _lengths(language.bridge.code, translations)),
        characters=characters,
        unused=tuple(letter for letter in language.order if letter not in {one.character for one in characters}),
        num_pairs=len(kept),
        repeated_texts=_repeats(tuple(words(text)) for text in texts),
        repeated_pairs=_repeats((*words(pair.text), "|", *words(pair.translation)) for pair in kept),
        stages=tuple(stages),
        num_aligned=len(aligned),
        thresholds=tuple(
            ThresholdCost(minimum=minimum, rejected=sum(pair.score < minimum for pair in aligned)) for minimum in THRESHOLDS if aligned
        ),
        samples=tuple(map(SamplePair.of, by_content[:NUM_SAMPLES])),
        doubtful=tuple(map(SamplePair.of, aligned[:NUM_SAMPLES])),
        agreement=agreement(kept),
        switches=tuple(switches(kept, language)),
    )


def _examples(store: Store, split: str) -> Iterator[Example]:
    name = f"{TRAINING}/{split}.jsonl"
    return parse_lines(store.read(name).decode().split("\n"), store.path(name))


def _stages(manifests: Iterable[Manifest]) -> list[StageCount]:
    return [StageCount(stage=one.stage, rows_in=one.rows_in, kept=one.kept, rejected=one.rejected) for one in manifests]


def _lengths(code: str, texts: Sequence[str]) -> Lengths:
    found = [words(text) for text in texts]
    counts = np.array([len(one) for one in found] or [0])
    characters = np.array([len(text) for text in texts] or [0])
    bins = np.bincount(np.minimum(counts // 5, 10), minlength=11) if texts else np.zeros(11, dtype=int)
    return Lengths(
        code=code,
        words=tuple(int(value) for value in np.quantile(counts, QUANTILES)),
        characters=tuple(int(value) for value in np.quantile(characters, QUANTILES)),
        histogram=tuple(bins.tolist()),
        num_words=int(counts.sum()),
        num_distinct=len({word for one in found for word in one}),
    )


def _characters(texts: Iterable[str], language: Language) -> Iterator[CharacterCount]:
    counts = Counter(letter for text in texts for letter in language.letters(text) if not letter.isspace())
    foreign = {letter for letter in counts if letter in language.foreign_letters(letter)}
    for character, count in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        yield CharacterCount(character=character, count=count, foreign=character in foreign)


def _repeats(keys: Iterable[tuple[str, ...]]) -> int:
    counts = Counter(keys)
    return counts.total() - len(counts)


# The table in the terminal


def _lines(stats: Stats) -> Iterator[str]:
    yield from _example_lines(stats)
    yield ""
    yield f"{'Lengths of ' + format(stats.num_pairs, ',') + ' pairs':<22}{'':>12}" + _row(("min", "25 %", "half", "75 %", "95 %", "max"))
    for one in stats.lengths:
        yield f"{one.code:<22}{'words':>12}" + _row(one.words)
        yield f"{'':<22}{'characters':>12}" + _row(one.characters)
    for one in stats.lengths:
        yield f"{one.code}: {one.num_words:,} words, {one.num_distinct:,} different"
    yield ""
    yield f"Repeated: {stats.repeated_texts:,} texts, {stats.repeated_pairs:,} whole pairs"
    yield "Characters: " + " ".join(one.character for one in stats.characters if one.count >= RARE)
    if stats.rare:
        yield f"Rare (under {RARE}): " + " ".join(one.character for one in stats.rare)
    if stats.foreign:
        yield "Outside the alphabet: " + " ".join(f"{one.character} ({one.count:,})" for one in stats.foreign)
    if stats.unused:
        yield "In the alphabet and never used: " + " ".join(stats.unused)
    yield ""
    for stage in stats.stages:
        reasons = ", ".join(f"{reason} {count:,}" for reason, count in stage.rejected.items())
        yield f"{stage.stage:<12}{stage.rows_in:>10,} rows{stage.kept:>10,} kept" + (f"   rejected: {reasons}" if reasons else "")
    for rule in stats.rules:
        yield f"Spelling rule {rule}"
    if stats.thresholds:
        costs = ", ".join(f"{one.minimum:g}: {one.rejected:,}" for one in stats.thresholds)
        yield f"Of {stats.num_aligned:,} aligned pairs a clean.score.minimum would reject   {costs}"
    shared = stats.agreement
    differ = f"{shared.numbers_differ:,} of {shared.with_numbers:,} pairs with numbers"
    yield f"Numbers differ in {differ}, punctuation in {shared.punctuation_differs:,}"
    for switch in stats.switches:
        yield f"In {switch.num_texts:,} texts in {switch.code} a stretch looks like the other language"
        yield from (f"  {sample}" for sample in switch.samples[:3])
    yield from _pair_lines("Samples", stats.samples[:5])
    yield from _pair_lines("Aligned with most doubt", stats.doubtful[:5])
    yield from _pair_lines("Numbers that differ", shared.samples[:5])


def _example_lines(stats: Stats) -> Iterator[str]:
    yield f"{'Examples':<34}" + _row(SPLITS)
    kinds = sorted({(one.task, one.direction) for one in stats.examples}, key=lambda kind: (-stats.count(task=kind[0]), kind))
    for task, direction in kinds:
        yield f"{task + ' ' + direction:<34}" + _row(stats.count(task=task, direction=direction, split=split) for split in SPLITS)
    for collection in stats.values("collection"):
        yield f"{'from ' + collection:<34}" + _row(stats.count(collection=collection, split=split) for split in SPLITS)
    yield f"{'all':<34}" + _row(stats.count(split=split) for split in SPLITS)


def _pair_lines(title: str, samples: Sequence[SamplePair]) -> Iterator[str]:
    if samples:
        yield ""
        yield f"{title}:"
    for one in samples:
        yield f"  {one.score:.2f}  {one.text}  |  {one.translation}  ({one.origin})"


def _row(values: Iterable[object]) -> str:
    return "".join(f"{value:>9,}" if isinstance(value, int) else f"{value!s:>9}" for value in values)
