"""What weighs more in training, and what gives way: corrections of speakers, and sentences that a model wrote."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from seshat.data.format import Format
from seshat.prompts import BACK_TRANSLATED, Prompts
from seshat.records import BackTranslation, SentencePair
from seshat.store import Store
from tests.data.formatted import ALL_TRAIN, examples
from tests.make import LANGUAGE, finish, pair


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(str(tmp_path))


@pytest.mark.parametrize(
    ("collection", "weight"),
    [("corrections", 3.0), ("corrections/2026", 3.0), ("correctionsnot", 1.0), ("a/b/c", 0.5), ("a", 2.0), ("a/b | a", 0.5), ("x", 1.0)],
)
def test_an_example_weighs_by_its_task_and_the_nearest_folder_that_is_named(collection: str, weight: float) -> None:
    settings = Format(collection_weights={"a": 2.0, "a/b": 0.5})
    assert settings.weight("translation", pair("ama", "hola", collection=collection)) == weight
    assert settings.weight("dictionary", pair("ama", "hola", collection=collection)) == weight / 2


def test_a_folder_of_weight_0_is_left_out(store: Store) -> None:
    assert examples(store, Format(test=0, val=0, collection_weights={"transcriptions": 0}), [pair("ama", "hola")]) == []


# Corrections

CORRECTED: dict[str, Any] = {"collection": "corrections/2026", "origin": "corrections/2026/ana.jsonl#line=1"}
OLD = "ama kene joni jakon nete"


@pytest.mark.parametrize(
    ("old", "corrected", "gone"),
    [
        (pair("ama kene", "Hola."), pair("ama jakon", "¡hola!", corrected="qtm"), "superseded"),
        (pair("ama kene", "hola"), pair("ama jakon", "hola", corrected="spa"), ""),
        (pair("ama kene", "hola"), pair("Ama kene.", "adiós", corrected="spa"), "superseded"),
        (pair("ama kene", "hola"), pair("ama jakon", "hola"), "superseded"),
        (pair("ama kene", "hola"), pair("ama jakon", "adiós"), ""),
        (pair("ama kene", "hola"), pair("Ama kene.", "Hola.", corrected="qtm"), "duplicate"),
        (
            pair(f"{OLD} ainbo {OLD} {OLD}", "el dibujo del hombre bueno"),
            pair(f"{OLD} ainbu {OLD} {OLD}", "El dibujo, del hombre bueno", corrected="qtm"),
            "superseded",
        ),
    ],
    ids=["of its source", "not of its answer", "the other way", "of either side", "not of others", "the same", "nearly the same"],
)
def test_a_correction_takes_the_place_of_what_it_corrects(store: Store, old: SentencePair, corrected: SentencePair, gone: str) -> None:
    made = examples(store, ALL_TRAIN, [old, replace(corrected, **CORRECTED)])
    assert {one.reason for one in made if one.origin == old.origin} == {gone}
    assert {(one.reason, one.weight, one.parent) for one in made if one.origin == CORRECTED["origin"]} == {
        ("", 3.0, replace(corrected, **CORRECTED).id)
    }


def test_a_correction_that_is_a_leak_supersedes_nothing_and_two_corrections_both_stay(store: Store, tmp_path: Path) -> None:
    (tmp_path / "dev.qtm").write_text("ama jakon\n", encoding="utf-8")
    pairs = [pair("ama kene", "hola"), pair("joni", "hombre")]
    new = [("ama jakon", "hola"), ("ainbo", "hombre"), ("yora", "hombre")]
    corrected = [pair(*sides, **CORRECTED | {"origin": f"corrections/2026/a.tsv#row={sides[0]}", "corrected": "qtm"}) for sides in new]
    made = examples(store, ALL_TRAIN.model_copy(update={"held_out": ("dev.qtm",)}), [*pairs, *corrected])
    assert [(one.answer, one.reason) for one in made if one.direction == "spa-qtm"] == [
        ("ama kene", ""),
        ("ainbo", ""),
        ("yora", ""),
        ("joni", "superseded"),
        ("ama jakon", "leak"),
    ]


@pytest.mark.parametrize("test", [0.999, 0.0])
def test_no_correction_falls_into_a_held_out_part(store: Store, test: float) -> None:
    corrected = [pair(f"ama {number} kene", f"el dibujo {number}", **CORRECTED | {"origin": str(number)}) for number in range(40)]
    made = examples(store, Format(test=test, val=0.999 - test), [*corrected, *[pair(f"joni {one}", f"hombre {one}") for one in range(40)]])
    assert {one.split for one in made if one.collection == CORRECTED["collection"]} == {"train"}
    assert "train" not in {one.split for one in made if one.collection != CORRECTED["collection"]}


def test_corrections_are_trained_on_or_nowhere(store: Store) -> None:
    corrected = {"collection": "corrections", "origin": "corrections/ana.jsonl#line=1"}
    everything = Format(test=0.999, val=0)
    made = examples(
        store, everything, [pair("ama kene", "hola"), pair("ama jakon", "hola", **corrected), pair("yora jene", "adiós", **corrected)]
    )
    assert {(one.split, one.reason, one.source) for one in made if one.direction == "spa-qtm"} == {
        ("test", "", "hola"),
        ("train", "leak", "hola"),
        ("train", "", "adiós"),
    }


# Back-translations


def back_translation(text: str, translation: str, synthetic: str = "spa", **facts: Any) -> BackTranslation:
    made = {"language": "qtm", "bridge": "spa", "origin": "translations/news.qtm.txt#line=1", "collection": "translations", "round": 1}
    return BackTranslation(**{**made, "text": text, "translation": translation, "synthetic": synthetic, "model": "m", **facts})


@pytest.mark.parametrize(
    ("synthetic", "made"),
    [("spa", ("spa-qtm", "un dibujo", "ama kene")), ("qtm", ("qtm-spa", "ama kene", "un dibujo"))],
)
def test_a_back_translation_is_translated_into_what_a_person_wrote(store: Store, synthetic: str, made: tuple[str, str, str]) -> None:
    record = back_translation("ama kene", "un dibujo", synthetic)
    finish(store, "back-translate", [record])
    [one] = examples(store, Format(test=0.9, val=0.09, back_translated=0.5), [])
    assert (one.direction, one.source, one.answer) == made
    assert (one.split, one.weight, one.synthetic, one.parent) == ("train", 0.5, "m", record.id)
    source, _, target = one.direction.partition("-")
    assert one.prompt == BACK_TRANSLATED + Prompts().instruction("translation", one.source, language=LANGUAGE, source=source, target=target)


def test_a_back_translation_gives_way_to_people_and_to_tests(store: Store) -> None:
    tested = pair("joni ika", "el hombre", collection="official", origin="official#1")
    records = [
        back_translation("joni ika", "hombre", origin="a"),
        back_translation("ika", "El hombre.", origin="b"),
        back_translation("nete", "día", origin="c", collection="official"),
        back_translation("yora", "cuerpo", origin="d"),
        back_translation("yora", "gente", origin="e"),
        back_translation("ama kene", "dibujo", origin="f"),
    ]
    finish(store, "back-translate", records)
    given = [tested, pair("yora", "cuerpo"), pair("ama kene", "un dibujo", **CORRECTED, corrected="spa")]
    made = examples(store, ALL_TRAIN.model_copy(update={"collections_held_out": ("official",)}), given)
    assert {one.origin: one.reason for one in made if one.synthetic} == {
        "a": "leak",
        "b": "leak",
        "c": "leak",
        "d": "duplicate",
        "e": "",
        "f": "superseded",
    }
