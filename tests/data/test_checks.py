"""The last look at what is about to be written: upstream's mistakes stop the run."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from seshat.config import load
from seshat.data import checks
from seshat.data.format import Format, MakeExamples
from seshat.data.ingest import Ingest, step
from seshat.data.memory import lookups
from seshat.data.split import plan
from seshat.errors import DataError
from seshat.language import Language
from seshat.prompts import Prompts
from seshat.records import Example, SentencePair
from seshat.stage import guarded
from seshat.store import Store
from tests.make import LANGUAGE, entry, pair

LANGUAGES = Path(__file__).resolve().parents[3] / "shared" / "data" / "languages"
LONG = "ronin keska kene aka iki nato jema"
ANSWER = "así es el dibujo de la serpiente"


def example(source: str, answer: str, *, task: str = "translation", prompt: str = "", **facts: Any) -> Example:
    made = {"direction": "qtm-spa", "split": "train", "origin": "a.csv#row=1", "collection": "transcriptions", "group": "", "parent": ""}
    return Example(
        task=task, prompt=prompt or f"Traduce del tamuri al español: {source}", source=source, answer=answer, **{**made, **facts}
    )


@pytest.mark.parametrize(
    ("trained", "tested", "leaks"),
    [
        (example(LONG, ANSWER), example(f"{LONG.title()}!", "otra cosa"), True),
        (example("otra", ANSWER), example(LONG, ANSWER.upper()), True),
        (example(ANSWER, LONG, direction="spa-qtm"), example(LONG, "otra"), True),
        (example(f"{LONG} jain", "una"), example(LONG, "otra"), True),
        (example(LONG[:20], ANSWER[:20]), example(LONG, ANSWER), False),
        (example(LONG, "una", task="dictionary"), example(LONG, "otra"), True),
        (example("una", LONG, task="dictionary", group="entry:1"), example(LONG, "otra"), True),
        (example("kene", "dibujo", task="dictionary", group="entry:1"), example("kene", "dibujo"), False),
        (example("kene", "sustantivo", task="grammar", group="entry:1"), example("Kene", "dibujo"), False),
        (example("kene", "ke-ne", task="grammar", group="pair:1"), example("Kene", "dibujo"), True),
        (example("ronin keska kene", "aka iki nato jema", task="completion"), example(LONG, "otra"), True),
    ],
)
def test_a_text_on_both_sides_of_the_split_stops_the_run(trained: Example, tested: Example, leaks: bool) -> None:
    found = {"train": [trained], "val": [], "test": [tested]}
    if not leaks:
        return checks.check_examples(found, 0.8)
    with pytest.raises(DataError, match=r"1 texts of the training part stand in the test.*a\.csv#row=1"):
        checks.check_examples(found, 0.8)
    return None


def test_an_answer_that_begins_with_its_instruction_stops_the_run() -> None:
    asked = example("ama", "Traduce del tamuri al español: hola")
    with pytest.raises(DataError, match="begins with its instruction"):
        checks.check_examples({"train": [asked]}, 0.8)
    checks.check_examples({"train": [example("ama", "Traduce del tamuri")]}, 0.8)


def made(pairs: Sequence[SentencePair], language: Language, settings: Format) -> list[Example]:
    maker = MakeExamples(settings=settings, prompts=Prompts(), language=language, plan=plan(settings, {one.id: one for one in pairs}))
    return [one for one in guarded(maker, pairs) if isinstance(one, Example) and not one.rejected]


@pytest.mark.heavy
def test_a_random_split_of_examples_is_refused_on_shipibo_and_ours_is_not() -> None:
    if not (LANGUAGES / "shp").is_dir():
        pytest.skip("the Shipibo material is not beside the project")
    language = load(Language, "configs/languages/shp.yaml")
    read = step(Ingest(), language, str(LANGUAGES / "shp" / "raw"))
    files = [part for part in read.parts if "transcriptions/" in str(part.inputs)][:3]
    records = [one for part in files for one in guarded(read.stages[0], part.records(Store(".")))]
    pairs = [one for one in records if isinstance(one, SentencePair) and not one.rejected]
    assert len(pairs) > 1_000
    found = made(pairs, language, Format())
    checks.check_examples({split: [one for one in found if one.split == split] for split in ("train", "val", "test")}, 0.8)
    shuffled = random.Random(1).sample(found, len(found))
    with pytest.raises(DataError, match="Split by document and content"):
        checks.check_examples({"train": shuffled[100:], "test": shuffled[:100]}, 0.8)


def test_a_near_duplicate_of_a_test_sentence_is_not_trained_on() -> None:
    texts = [f"{LONG} {number} jain {number * 7} jawe" for number in range(60)]
    pairs = [pair(text, f"uno {number} dos {number * 3} tres {number * 5}") for number, text in enumerate(texts)]
    pairs += [pair(f"{one.text} ra", f"otra cosa {number}") for number, one in enumerate(pairs)]
    settings = Format(test=0.1, val=0)
    decided = plan(settings, {one.id: one for one in pairs})
    assert decided.near_leaks
    found = made(pairs, LANGUAGE, settings)
    checks.check_examples({split: [one for one in found if one.split == split] for split in ("train", "test")}, settings.near)


def test_new_data_moves_no_old_pair() -> None:
    pairs = [pair(f"{word} {word} kene", f"{word} dibujo") for word in ("ama", "jema", "joni", "noi", "wai", "xobo", "yapa", "tita")]
    settings = Format(test=0.3, val=0.2)
    before = {one.parent: one.split for one in made(pairs, LANGUAGE, settings)}
    after = {one.parent: one.split for one in made([pair("aa bb cc", "dd"), *pairs, pair("ama ama kené", "x")], LANGUAGE, settings)}
    assert all(after[parent] == split for parent, split in before.items())


def test_a_lookup_says_how_much_of_the_test_is_memory_and_domain() -> None:
    train = [example(LONG, ANSWER, collection="a"), example("moa jato jawe", "ya nada", collection="b")]
    [found] = lookups(train, [example(f"{LONG} ra", ANSWER, split="test", collection="a")])
    assert (found.direction, found.num_sentences, found.chrf) == ("qtm-spa", 1, pytest.approx(100))
    assert found.chrf_elsewhere < 20


def test_an_entry_as_long_as_a_sentence_is_kept_from_training_if_the_test_says_it() -> None:
    tested, word = pair(LONG, ANSWER), entry("kene", "dibujo")
    phrases = [entry(LONG, "otra cosa"), entry("ronin", f"{ANSWER}!"), entry("aka", f"{ANSWER} y")]
    settings = Format(test=0.0, val=0.0, collections_held_out=("transcriptions",))
    decided = plan(settings, {one.id: one for one in (tested, word, *phrases)})
    assert [decided.reason(one.id).partition(":")[0] for one in (tested, word, *phrases)] == ["", "", "leak", "leak", "near-leak"]
