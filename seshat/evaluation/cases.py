"""The test cases of an evaluation, and the training pairs that its floors may use."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from seshat.errors import DataError, StoreError
from seshat.evaluation.settings import Evaluation
from seshat.examples import TRAINING, by_people, parse_lines
from seshat.language import Language, clean_spaces, words
from seshat.prompts import TASKS, Prompts
from seshat.records import Example, digest
from seshat.store import Store

log = logging.getLogger(__name__)
EXTERNAL = "external test set"


@dataclass(frozen=True, slots=True)
class Part:
    """The test cases of one direction and task."""

    direction: str
    task: str
    examples: tuple[Example, ...]
    num_available: int
    """Before sampling."""

    def some(self, number: int) -> list[int]:
        """The places of a few examples, chosen by content, in their order."""
        by_content = sorted(range(len(self.examples)), key=lambda place: (self.examples[place].digest, place))
        return sorted(by_content[:number])


@dataclass(frozen=True, slots=True)
class Cases:
    """All that an evaluation reads."""

    parts: tuple[Part, ...]
    training: tuple[Example, ...]
    """What the floors may know."""
    monolingual: tuple[tuple[str, str], ...]
    """Unseen text of the language, for the perplexity: the message that asks to go on, and how the text goes on."""
    validation: tuple[Part, ...] = ()
    """Translations that confidence is learnt from: never those of the test set."""
    bridge: tuple[tuple[str, str], ...] = ()
    """The same in the bridge language, to see what training made the model forget."""


def read_cases(evaluation: Evaluation, language: Language, prompts: Prompts, store: Store) -> Cases:
    """The test cases, the training examples and the monolingual text."""
    examples = read_split(store, "test")
    if evaluation.test:
        others = [example for example in examples if example.task != "translation"]
        examples = external(evaluation, language, prompts, store) + others
    if not examples:
        raise DataError(
            f"{store.path(TRAINING)}/test.jsonl is empty, so nothing can be scored: raise format.test, or name an external "
            "test set under evaluation.test"
        )
    forward = f"{language.bridge.code}-{language.code}"
    translations = [example for example in examples if (example.task, example.direction) == ("translation", forward)]
    taught = _lines(store.path(evaluation.monolingual)) if evaluation.monolingual else [one.answer for one in translations]
    texts = {language.code: taught, language.bridge.code: [one.source for one in translations]}
    asked = {
        code: tuple(continuations(sorted(set(found), key=digest)[: evaluation.perplexity_sample], language, prompts, code))
        for code, found in texts.items()
    }
    training = tuple(by_people(read_split(store, "train")))
    return Cases(
        parts=tuple(parts(evaluation, examples)),
        training=training,
        monolingual=asked[language.code],
        bridge=asked[language.bridge.code],
        validation=tuple(_validation(evaluation, store)),
    )


def _validation(evaluation: Evaluation, store: Store) -> list[Part]:
    """The translations of the validation set, a sample by content; none if confidence is not learnt.

    Answers of another search than serving's would teach nothing about it.
    """
    if not evaluation.calibration or evaluation.decoding.method != "greedy":
        return []
    translations = [one for one in read_split(store, "val") if one.task == "translation"]
    return parts(evaluation.model_copy(update={"max_test": evaluation.calibration}), translations)


def continuations(texts: Iterable[str], language: Language, prompts: Prompts, code: str = "") -> Iterator[tuple[str, str]]:
    """Texts cut in the middle: the message that asks to go on from the first half, and the second half.

    A chat model is asked in chat, as it was trained. Texts of one word are left out. ``code`` is that of their language, if it is
    not the taught one.
    """
    for text in texts:
        tokens = clean_spaces(text).split(" ")
        half = len(tokens) // 2
        if half >= 1:
            begun = " ".join(tokens[:half])
            yield prompts.instruction("completion", begun, language=language, source=code or language.code), " ".join(tokens[half:])


def read_split(store: Store, split: str) -> list[Example]:
    """The examples of a split of the training data."""
    name = f"{TRAINING}/{split}.jsonl"
    if store.size(name) < 0:
        raise StoreError(f"{store.path(name)} is not there: run 'make format' first")
    return list(parse_lines(store.read(name).decode().split("\n"), store.path(name)))


def parts(evaluation: Evaluation, examples: Iterable[Example]) -> list[Part]:
    """Test cases by task and direction, a sample by content where there are too many; the order stays."""
    grouped: dict[tuple[str, str], list[Example]] = {}
    for example in examples:
        grouped.setdefault((example.task, example.direction), []).append(example)
    made = []
    for task, direction in sorted(grouped, key=lambda key: [key[0] != known for known in TASKS]):
        whole = Part(direction, task, tuple(grouped[task, direction]), len(grouped[task, direction]))
        most = evaluation.max_test if task == "translation" else evaluation.max_other
        few = tuple(whole.examples[place] for place in whole.some(most))
        made.append(replace(whole, examples=few))
    return made


def external(evaluation: Evaluation, language: Language, prompts: Prompts, store: Store) -> list[Example]:
    """The sentences of an external test set as examples in both directions, in the order of the files.

    A line that is empty on one side (official test sets have some) is scored like all others, so that scores compare.
    """
    texts = _lines(store.path(evaluation.test.text))
    translations = _lines(store.path(evaluation.test.translation))
    if len(texts) != len(translations):
        raise DataError(
            f"{evaluation.test.text} has {len(texts)} lines and {evaluation.test.translation} has {len(translations)}: "
            "line by line they must be the same sentences"
        )
    if empty := sum(not text or not translation for text, translation in zip(texts, translations, strict=True)):
        log.warning("eval: %d of %d lines of the test set are empty on a side", empty, len(texts))
    taught, bridge = language.code, language.bridge.code
    made = []
    for number, (text, translation) in enumerate(zip(texts, translations, strict=True), 1):
        for source, target, asked, answer in ((bridge, taught, translation, text), (taught, bridge, text, translation)):
            message = prompts.instruction("translation", asked, language=language, source=source, target=target)
            made.append(_external(number, f"{source}-{target}", message, asked, answer))
    return made


def _external(number: int, direction: str, message: str, source: str, answer: str) -> Example:
    return Example(
        origin=f"test#line={number}",
        collection=EXTERNAL,
        task="translation",
        direction=direction,
        prompt=message,
        answer=answer,
        source=source,
        group=EXTERNAL,
        split="test",
        parent=f"test#line={number}",
    )


def _lines(path: str) -> list[str]:
    if not os.path.isfile(path):
        raise StoreError(f"{path} is not there; evaluation.test names the two files of a test set, line by line the same")
    with open(path, encoding="utf-8-sig") as stream:
        return [line.strip() for line in stream]


def trained_sentences(examples: Iterable[Example]) -> frozenset[str]:
    """Digests of all sentences in training, either language: small letters, no punctuation."""
    sides = (side for one in examples if one.task != "dictionary" for side in (one.source, one.answer))
    return frozenset(sentence_key(side) for side in sides) - {sentence_key("")}


def sentence_key(text: str) -> str:
    """By which a sentence is recognised whatever its case and punctuation; one without words has that of the empty text."""
    return digest(*words(text))


def seen(examples: Iterable[Example], direction: str, *tasks: str) -> list[tuple[str, str]]:
    """The (source, answer) pairs of some tasks that training saw, each once, from the examples of either direction."""
    backward = "-".join(reversed(direction.split("-")))
    pairs: dict[tuple[str, str], None] = {}
    for example in examples:
        if example.task in tasks and example.direction in (direction, backward):
            there = (example.source, example.answer)
            pairs[there if example.direction == direction else there[::-1]] = None
    return list(pairs)
