"""The verb ``eval``: generate, compare with the floors, score, and write ``reports/``."""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Callable, Sequence
from time import perf_counter

from seshat.config import to_yaml
from seshat.errors import StoreError
from seshat.evaluation.cases import Cases, Part, read_cases, seen, trained_sentences
from seshat.evaluation.floors import Floors, System
from seshat.evaluation.forgetting import Surprises, forgetting, read_by
from seshat.evaluation.judge import Answers, ask, guess, judge, surprise
from seshat.evaluation.results import DETAILS, FOLDER, Details, Surprise, read_scores, write_samples, write_scores
from seshat.evaluation.settings import Evaluation
from seshat.examples import TRAINING
from seshat.language import Language, words
from seshat.lexicon import Lexicon
from seshat.prompts import Prompts
from seshat.records import digest
from seshat.step import Outcome, outcome
from seshat.store import Manifest, Store, StoredFile
from seshat.translate import Translator

log = logging.getLogger(__name__)
VERSION = 1
"""Raised when the same inputs give other numbers."""
Load = Callable[[], Translator]
Said = list[tuple[Part, dict[System, Answers]]]
"""What each system said to each part."""


def evaluate(
    evaluation: Evaluation,
    language: Language,
    prompts: Prompts,
    store: Store,
    name: str,
    *,
    ours: Load,
    base: Load | None = None,
) -> Outcome:
    """Score the adapter ``name`` of a workspace beside the floors, and the base model as it was before training.

    ``ours`` and ``base`` load a model that can be asked; neither is called if the scores on disk are of this adapter, these
    test cases and these settings.
    """
    begun = perf_counter()
    inputs = _inputs(evaluation, store, name)
    numbers = evaluation.model_dump_json(exclude={"test", "monolingual", "samples"})
    settings = (numbers, language.model_dump_json(), prompts.model_dump_json(), base is not None)
    fingerprint = digest("eval", VERSION, *settings, *sorted(inputs.items()))
    done = store.done(FOLDER, fingerprint)
    if done is not None:
        return _outcome(done, store, language, perf_counter() - begun, done_before=True)
    cases = read_cases(evaluation, language, prompts, store)
    num_available = sum(part.num_available for part in cases.parts)
    num_scored = sum(len(part.examples) for part in cases.parts)
    log.info("eval: %d test cases of %s", num_scored, name)
    manifest = Manifest(
        stage="eval",
        fingerprint=fingerprint,
        inputs=inputs,
        files=_run(evaluation, language, cases, store, name, ours, base),
        settings=to_yaml(evaluation),
        rows_in=num_available,
        kept=num_scored,
        rejected={"sampled": num_available - num_scored} if num_available > num_scored else {},
    )
    store.finish(FOLDER, manifest)
    return _outcome(manifest, store, language, perf_counter() - begun)


def _run(
    evaluation: Evaluation, language: Language, cases: Cases, store: Store, name: str, ours: Load, base: Load | None
) -> tuple[StoredFile, ...]:
    """Ask our model, then the base, then the floors, and put on disk what came out; one model is in memory at a time."""
    said: Said = [(part, {}) for part in cases.parts]
    read: dict[System, Surprises | None] = {}
    surprises = [_speak("ours", ours, cases, said, read, lambda part: range(len(part.examples)))]
    if base is not None and (evaluation.base_sample or cases.monolingual):
        few = evaluation.base_sample
        surprises.append(_speak("base", base, cases, said, read, lambda part: part.some(few) if part.task == "translation" else ()))
    lexicon = _guess(evaluation, language, cases, said)
    trained = trained_sentences(cases.training)
    verdicts = [judge(part, answers, evaluation, trained) for part, answers in said]
    files = [os.path.basename(path) for path in (evaluation.test.text, evaluation.test.translation) if path]
    details = Details(
        name=name,
        test_set=" and ".join(files or [f"{TRAINING}/test.jsonl"]),
        parts=tuple(verdict.details for verdict in verdicts),
        num_memory=len(seen(cases.training, _forward(language), "translation")),
        num_links=len(lexicon),
        surprise=tuple(found for found in surprises if found),
        monolingual=os.path.basename(evaluation.monolingual) or "sentences of the test set",
        forgetting=forgetting(read.get("base"), read["ours"]),
    )
    if leaked := sum(verdict.details.num_leaked for verdict in verdicts):
        log.warning("eval: %d test sentences also stand in the training data; name the test files under format.held_out", leaked)
    return (
        write_scores(store, [row for verdict in verdicts for row in verdict.rows]),
        write_samples(store, [sample for verdict in verdicts for sample in verdict.samples]),
        store.write(DETAILS, details.model_dump_json(indent=1).encode()),
    )


def _speak(
    system: System,
    load: Load,
    cases: Cases,
    said: Said,
    read: dict[System, Surprises | None],
    choose: Callable[[Part], Sequence[int]],
) -> Surprise | None:
    """Load a model, note what it says to the chosen cases of each part and how it reads the bridge language, and its perplexity."""
    begun = perf_counter()
    translator, num_asked = load(), 0
    for part, answers in said:
        if places := choose(part):
            answers[system] = ask(translator, part, places)
            num_asked += len(places)
    log.info("eval: %s answered %d test cases in %.1f s", system, num_asked, perf_counter() - begun)
    read[system] = read_by(translator, cases.bridge)
    return surprise(system, translator, cases)


def _guess(evaluation: Evaluation, language: Language, cases: Cases, said: Said) -> Lexicon:
    """Note what the floors make of the translations; the lexicon behind the gloss, from the bridge into the language."""
    known = seen(cases.training, _forward(language), "translation", "dictionary")
    lexicon = Lexicon.estimate((words(source), words(target)) for source, target in known)
    for part, answers in said:
        if part.task == "translation":
            way = lexicon if part.direction == _forward(language) else lexicon.reversed()
            memory = seen(cases.training, part.direction, "translation")
            answers.update(guess(Floors(memory, way, gloss_minimum=evaluation.gloss_minimum), part))
    return lexicon


def _forward(language: Language) -> str:
    return f"{language.bridge.code}-{language.code}"


def _outcome(manifest: Manifest, store: Store, language: Language, seconds: float, *, done_before: bool = False) -> Outcome:
    """The outcome, with our chrF++ beside the best floor in both directions."""
    rows = [row for row in read_scores(store) if row.task == "translation" and row.metric == "chrf++"]
    notes = []
    for direction in (_forward(language), f"{language.code}-{language.bridge.code}"):
        scores = {row.system: row.score for row in rows if row.direction == direction}
        floors = [scores[system] for system in ("copy", "nearest", "gloss") if system in scores]
        if "ours" in scores:
            notes.append(f"{direction} chrF++ {scores['ours']:.1f} (best floor {max(floors):.1f})")
    return outcome(manifest, seconds=seconds, done_before=done_before, note=", ".join(notes))


def _inputs(evaluation: Evaluation, store: Store, name: str) -> dict[str, str]:
    """SHA-256 of what the scores depend on, by name."""
    adapter = f"models/adapters/{name}/manifest.json"
    if store.size(adapter) < 0:
        raise StoreError(f"{store.path(adapter)} is not there, so there is no adapter {name!r} to evaluate: run 'make train' first")
    inputs = {"adapter": store.vouch(adapter).sha256}
    for split in ("train", "test"):
        file = f"{TRAINING}/{split}.jsonl"
        if store.size(file) < 0:
            raise StoreError(f"{store.path(file)} is not there: run 'make format' first")
        inputs[file] = store.vouch(file).sha256
    test = evaluation.test
    named = {"test.text": test.text, "test.translation": test.translation, "monolingual": evaluation.monolingual}
    return inputs | {key: _sha256(store.path(path)) for key, path in named.items() if path}


def _sha256(path: str) -> str:
    try:
        with open(path, "rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise StoreError(f"{path}: cannot be read ({error.strerror}); the settings of evaluation name it") from None
