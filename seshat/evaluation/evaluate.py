"""The verb ``eval``: generate, compare with the floors, score, and write ``reports/``.

First come the answers and their statistics, then everything that derives from them. Both lie in the folder of the run; where
only settings of the second half have changed (``DERIVED``), no model is asked again.
"""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Callable, Mapping, Sequence, Set
from itertools import islice
from time import perf_counter

from seshat.config import did_you_mean, to_yaml
from seshat.errors import ConfigError, StoreError
from seshat.evaluation.calibrate import calibrate, expect, write_calibration
from seshat.evaluation.cases import Cases, Part, read_cases, read_split, seen, trained_sentences
from seshat.evaluation.floors import Floors, System
from seshat.evaluation.forgetting import Surprises, forgetting, read_by
from seshat.evaluation.judge import Answers, Trained, guess, heard, judge, prepare, surprise
from seshat.evaluation.measured import known_words, read_measured, write_measured
from seshat.evaluation.results import (
    DETAILS,
    SAMPLES,
    SCORES,
    STATISTICS,
    Details,
    Surprise,
    beside,
    of_run,
    read_details,
    read_scores,
    write_details,
    write_samples,
    write_scores,
)
from seshat.evaluation.runs import ADAPTERS, MADE, made_of, publish, write_made
from seshat.evaluation.scoring import best_floor, derive
from seshat.evaluation.settings import Evaluation
from seshat.examples import TRAINING
from seshat.language import Language, words
from seshat.lexicon import Lexicon
from seshat.preview import about_to_make, is_on
from seshat.prompts import Card, Prompts
from seshat.records import digest
from seshat.step import Outcome, outcome
from seshat.store import Manifest, Store
from seshat.translate import Translator

log = logging.getLogger(__name__)
VERSION = 4
"""Raised when the same inputs give other numbers."""
DERIVED = {"bootstrap", "seed", "published"}
"""Settings that the answers do not depend on."""
ELSEWHERE = {"test", "monolingual", "samples", "decoding", "generation"}
"""Settings that are in the fingerprint as far as answers depend on them, or not at all."""
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

    ``ours`` and ``base`` load a model that can be asked; neither is called if the answers on disk are of this adapter, these
    test cases and these settings.
    """
    begun, folder = perf_counter(), of_run(name)
    draft = _draft(evaluation, language, prompts, store, name, with_base=base is not None)
    run = store.manifest(folder)
    done_before = run is not None and run.fingerprint == draft.fingerprint
    if run is None or not done_before:
        about_to_make("eval", folder, store)
        if run is None or run.notes != draft.notes:
            cases = read_cases(evaluation, language, prompts, store)
            _answer(evaluation, language, cases, store, name, ours, base)
            write_made(store, folder, made_of(store, name, read_split(store, "train"), language, prompts))
        store.remove(f"{folder}/manifest.json")
        run = _finish(draft, _derive(evaluation, store, folder), store, folder)
    if not is_on():
        publish(store, run)
    return _outcome(run, store, language, perf_counter() - begun, done_before=done_before)


def _draft(evaluation: Evaluation, language: Language, prompts: Prompts, store: Store, name: str, *, with_base: bool) -> Manifest:
    """The manifest of the run as far as it is known beforehand."""
    directions = {_forward(language), _backward(language)}
    for direction in evaluation.published.keys() - directions:
        raise ConfigError(f"evaluation.published.{direction}: is no direction of this workspace{did_you_mean(direction, directions)}")
    inputs = _inputs(evaluation, store, name)
    asked = evaluation.model_dump_json(exclude={*ELSEWHERE, *DERIVED})
    decoding, engine = evaluation.decoding.used, evaluation.generation.engine
    settings = (asked, decoding, engine, language.model_dump_json(), prompts.model_dump_json(), with_base)
    answers = digest("eval", VERSION, name, *settings, *sorted(inputs.items()))
    return Manifest(
        stage="eval",
        fingerprint=digest(answers, evaluation.model_dump_json(include=DERIVED)),
        inputs=inputs,
        settings=to_yaml(evaluation),
        notes={"answers": answers},
    )


def _answer(evaluation: Evaluation, language: Language, cases: Cases, store: Store, name: str, ours: Load, base: Load | None) -> None:
    """Ask our model, then the base, then the floors, and put on disk what came out; one model is in memory at a time."""
    log.info("eval: %d test cases of %s", sum(len(part.examples) for part in cases.parts), name)
    said: Said = [(part, {}) for part in cases.parts]
    read: dict[System, Surprises | None] = {}
    validation: Said = [(part, {}) for part in cases.validation]
    found, card = _speak("ours", ours, cases, [*said, *validation], read, lambda part: range(len(part.examples)))
    surprises, known = [found], known_words(cases.training)
    _calibrate(said, validation, known, store, name, card)
    if base is not None and (evaluation.base_sample or cases.monolingual):
        few = evaluation.base_sample
        found, _ = _speak("base", base, cases, said, read, lambda part: part.some(few) if part.task == "translation" else ())
        surprises.append(found)
    lexicon = _guess(evaluation, language, cases, said)
    trained = Trained(trained_sentences(read_split(store, "train")), known)
    verdicts = [judge(part, answers, trained) for part, answers in said]
    files = [os.path.basename(path) for path in (evaluation.test.text, evaluation.test.translation) if path]
    details = Details(
        name=name,
        test_set=" and ".join(files or [f"{TRAINING}/test.jsonl"]),
        decoding=str(evaluation.decoding),
        parts=tuple(verdict.details for verdict in verdicts),
        num_memory=len(seen(cases.training, _forward(language), "translation")),
        num_links=len(lexicon),
        surprise=tuple(found for found in surprises if found),
        monolingual=os.path.basename(evaluation.monolingual) or "sentences of the test set",
        forgetting=forgetting(read.get("base"), read["ours"]),
    )
    if leaked := sum(verdict.details.num_leaked for verdict in verdicts):
        log.warning("eval: %d test sentences also stand in the training data; name the test files under format.held_out", leaked)
    folder = of_run(name)
    store.remove(f"{folder}/manifest.json")  # until all is written, the folder is not whole
    write_measured(store, beside(folder, STATISTICS), [verdict.measured for verdict in verdicts])
    write_samples(store, [sample for verdict in verdicts for sample in verdict.samples], folder)
    write_details(store, details, folder)


def _calibrate(said: Said, validation: Said, known: Mapping[str, Set[str]], store: Store, name: str, card: Card) -> None:
    """Learn confidence from the validation set, keep it beside the adapter, and note what it expects of the test answers."""
    if not validation:
        return
    found = calibrate([(part, answers["ours"]) for part, answers in validation], known, _adapter(store, name), card)
    write_calibration(store, f"{ADAPTERS}/{name}", found)
    if found:
        for part, answers in said:
            answers["ours"] = expect(found, part, answers["ours"])


def _derive(evaluation: Evaluation, store: Store, folder: str) -> Details:
    """Write the scores and all else that the stored statistics say; the details with it."""
    details = read_details(store, folder)
    assert details is not None  # written beside the statistics
    found = derive(read_measured(store, beside(folder, STATISTICS)), evaluation)
    write_scores(store, found.rows, folder)
    told = {"comparisons": found.comparisons, "published": found.published, "buckets": found.buckets}
    details = details.model_copy(update=told)
    write_details(store, details, folder)
    return details


def _finish(draft: Manifest, details: Details, store: Store, folder: str) -> Manifest:
    """Commit the folder of the run."""
    num_available = sum(part.num_available for part in details.parts)
    num_scored = sum(part.num_scored for part in details.parts)
    counts = {
        "rows_in": num_available,
        "kept": num_scored,
        "rejected": {"sampled": num_available - num_scored} if num_available > num_scored else {},
    }
    files = tuple(store.vouch(beside(folder, name)) for name in (STATISTICS, SCORES, SAMPLES, DETAILS, MADE))
    run = draft.model_copy(update={**counts, "files": files})
    store.finish(folder, run)
    return run


def _speak(
    system: System,
    load: Load,
    cases: Cases,
    said: Said,
    read: dict[System, Surprises | None],
    choose: Callable[[Part], Sequence[int]],
) -> tuple[Surprise | None, Card]:
    """Load a model, note what it says to the chosen cases of each part and how it reads the bridge language; its perplexity and card."""
    begun = perf_counter()
    translator = load()
    asked = [(part, answers, places, prepare(translator, part, places)) for part, answers in said if (places := choose(part))]
    completions = iter(translator.complete([request for *_, prepared in asked for request in prepared.requests]))
    for part, answers, places, prepared in asked:
        answers[system] = heard(part, places, prepared.read(list(islice(completions, len(prepared.requests)))))
    log.info("eval: %s answered %d test cases in %.1f s", system, sum(len(places) for _, _, places, _ in asked), perf_counter() - begun)
    read[system] = read_by(translator, cases.bridge)
    return surprise(system, translator, cases), translator.card


def _guess(evaluation: Evaluation, language: Language, cases: Cases, said: Said) -> Lexicon:
    """Note what the floors make of the translations; the lexicon behind the gloss, from the bridge into the language."""
    known = seen(cases.training, _forward(language), "translation", "dictionary")
    lexicon = Lexicon.estimate((words(source), words(target)) for source, target in known)
    for part, answers in said:
        if part.task == "translation":
            way = lexicon if part.direction == _forward(language) else lexicon.reversed()
            memory = seen(cases.training, part.direction, "translation")
            entries = seen(cases.training, part.direction, "dictionary")
            floors = Floors(memory, way, gloss_minimum=evaluation.gloss_minimum, phrases=evaluation.phrases, entries=entries)
            answers.update(guess(floors, part))
    return lexicon


def _forward(language: Language) -> str:
    return f"{language.bridge.code}-{language.code}"


def _backward(language: Language) -> str:
    return f"{language.code}-{language.bridge.code}"


def _outcome(manifest: Manifest, store: Store, language: Language, seconds: float, *, done_before: bool = False) -> Outcome:
    """The outcome, with our chrF++ against the best floor in both directions."""
    rows = [row for row in read_scores(store) if row.task == "translation" and row.metric == "chrf++"]
    details = read_details(store)
    against = [one for one in details.comparisons if one.task == "translation" and one.metric == "chrf++"] if details else []
    notes = []
    for direction in (_forward(language), _backward(language)):
        scores = {row.system: row.score for row in rows if row.direction == direction}
        floor = best_floor(scores.items())
        if "ours" in scores and floor:
            verdict = next(one.verdict for one in against if (one.direction, one.system) == (direction, floor))
            notes.append(f"{direction} chrF++ {scores['ours']:.1f} (best floor {scores[floor]:.1f}: {verdict})")
    return outcome(manifest, seconds=seconds, done_before=done_before, note=", ".join(notes))


def _inputs(evaluation: Evaluation, store: Store, name: str) -> dict[str, str]:
    """SHA-256 of what the scores depend on, by name."""
    inputs = {"adapter": _adapter(store, name)}
    for split in ("train", "val", "test") if evaluation.calibration else ("train", "test"):
        file = f"{TRAINING}/{split}.jsonl"
        if store.size(file) < 0:
            raise StoreError(f"{store.path(file)} is not there: run 'make format' first")
        inputs[file] = store.vouch(file).sha256
    test = evaluation.test
    named = {"test.text": test.text, "test.translation": test.translation, "monolingual": evaluation.monolingual}
    return inputs | {key: _sha256(store.path(path)) for key, path in named.items() if path}


def _adapter(store: Store, name: str) -> str:
    """SHA-256 of the manifest of an adapter."""
    manifest = f"{ADAPTERS}/{name}/manifest.json"
    if store.size(manifest) < 0:
        raise StoreError(f"{store.path(manifest)} is not there, so there is no adapter {name!r} to evaluate: run 'make train' first")
    return store.vouch(manifest).sha256


def _sha256(path: str) -> str:
    try:
        with open(path, "rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise StoreError(f"{path}: cannot be read ({error.strerror}); the settings of evaluation name it") from None
