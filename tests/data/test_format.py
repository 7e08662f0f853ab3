"""From pairs, entries and texts to examples, split so that nothing that is tested was trained on."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from seshat.data import format as formatting
from seshat.data.format import Format
from seshat.data.split import group_of, side_of_group
from seshat.errors import ConfigError, DataError, StoreError
from seshat.examples import SPLITS, TRAINING, read_examples
from seshat.prompts import Hinting, Prompts
from seshat.records import Example, Page, Record, Utterance
from seshat.rights import Consent, Rights, Source
from seshat.store import Manifest, Store
from tests.data.formatted import ALL_TRAIN, examples
from tests.make import LANGUAGE, document, entry, pair

PAIRS = [pair(f"ama {number} kene", f"el dibujo {number}") for number in range(60)]
HALF = Format(test=0.3, val=0.2, max_rejected=1)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(str(tmp_path))


def sides(made: Sequence[Example]) -> dict[str, set[str]]:
    """The parts of the split that the kept examples of each record are in."""
    found: dict[str, set[str]] = {}
    for one in made:
        if not one.rejected:
            found.setdefault(one.parent, set()).add(one.split)
    return found


def held(salt: str, split: str, text: str) -> bool:
    """Whether the pair of a text is in a part of the split."""
    return side_of_group(group_of(pair(text, "x")), HALF.model_copy(update={"salt": salt})) == split


def salt_for(**wanted: str) -> str:
    """A salt by which texts fall where a test wants them."""
    return next(
        salt for salt in map(str, range(10_000)) if all(held(salt, split, text.replace("_", " ")) for text, split in wanted.items())
    )


# Which examples a record gives


@pytest.mark.parametrize(
    ("record", "made"),
    [
        (pair("ama", "hola"), [("translation", "spa-qtm", "hola", "ama"), ("translation", "qtm-spa", "ama", "hola")]),
        (
            pair("ama", "hola", gloss="1SG-go", morphemes="a-ma"),
            [
                ("translation", "spa-qtm", "hola", "ama"),
                ("translation", "qtm-spa", "ama", "hola"),
                ("grammar", "qtm", "ama", "a-ma\n1SG-go"),
                ("morphology", "qtm", "ama", "a-ma"),
            ],
        ),
        (
            pair("ama", "hola", note="un saludo"),
            [
                ("translation", "spa-qtm", "hola", "ama"),
                ("translation", "qtm-spa", "ama", "hola"),
                ("grammar", "qtm", "ama", "un saludo"),
            ],
        ),
        (
            entry("kene", "dibujo", note="se hace con barro"),
            [
                ("dictionary", "qtm-spa", "kene", "dibujo"),
                ("dictionary", "spa-qtm", "dibujo", "kene"),
                ("grammar", "qtm", "kene", "se hace con barro"),
            ],
        ),
        (entry("kene", "el dibujo de las mujeres"), [("dictionary", "qtm-spa", "kene", "el dibujo de las mujeres")]),
        (document("qtm", "ama kene joni ainbo", "corto"), [("completion", "qtm", "ama kene", "joni ainbo")]),
        (document("spa", "el dibujo de la mujer"), []),
    ],
    ids=["pair", "glossed pair", "pair with a note", "entry", "definition", "running text", "text in the bridge language"],
)
def test_what_a_record_teaches(store: Store, record: Record, made: list[tuple[str, str, str, str]]) -> None:
    found = examples(store, ALL_TRAIN, [record])
    assert [(one.task, one.direction, one.source, one.answer) for one in found] == made
    assert all(one.rejected == "" for one in found)


def test_an_example_asks_in_the_words_of_the_prompts_and_knows_its_parent(store: Store) -> None:
    made = pair("ama", "hola")
    first, _ = examples(store, ALL_TRAIN, [made])
    assert first.prompt == Prompts().instruction("translation", "hola", language=LANGUAGE, source="spa", target="qtm")
    assert (first.parent, first.origin, first.collection) == (made.id, made.origin, made.collection)


def test_a_parallel_document_is_no_running_text(store: Store) -> None:
    both = [document("qtm", "ama kene joni ainbo"), document("spa", "el dibujo del hombre")]
    assert examples(store, ALL_TRAIN, both) == []


def test_what_was_heard_in_the_language_becomes_completion(store: Store) -> None:
    facts: dict[str, Any] = {"name": "audio/a", "start": 1.5, "end": 4.0, "confidence": 1.0, "origin": "audio/a.wav", "collection": "audio"}
    heard = [Utterance(text="ama kene joni ainbo", language=code, **facts) for code in ("qtm", "spa")]
    [made] = examples(store, ALL_TRAIN, heard)
    assert (made.task, made.origin) == ("completion", "audio/a.wav#second=1.50")


def page(number: int, text: str, name: str) -> Page:
    facts: dict[str, Any] = {"language": "qtm", "confidence": 0.9, "collection": "scans"}
    return Page(name=f"scans/{name}", number=number, text=text, origin=f"scans/{name}.pdf#page={number}", **facts)


def test_scanned_pages_are_entries_in_a_dictionary_and_running_text_elsewhere(store: Store) -> None:
    pages = [page(1, "kene – dibujo", "diccionario"), page(1, "ama kene joni ainbo", "cuento")]
    made = examples(store, ALL_TRAIN, pages, dictionary=("*diccionario*",))
    assert {(one.task, one.source) for one in made} == {("dictionary", "kene"), ("dictionary", "dibujo"), ("completion", "ama kene")}


# Task weights


def test_a_task_of_weight_0_is_left_out_and_others_keep_theirs(store: Store) -> None:
    settings = Format(test=0, val=0, task_weights={"translation": 0, "grammar": 0.9})
    made = examples(store, settings, [pair("ama", "hola", note="n", morphemes="a-ma"), entry("kene", "dibujo")])
    assert {one.task: one.weight for one in made} == {"grammar": 0.9, "morphology": 0.3, "dictionary": 0.5}


def test_a_task_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match="task_weights"):
        Format(task_weights={"poetry": 1})  # type: ignore[dict-item]


# The split


def test_both_directions_and_all_prompts_of_a_record_are_on_one_side(store: Store) -> None:
    glossed = [pair(f"{one.text} ya", f"{one.translation} ya", gloss="g", morphemes="a-ma") for one in PAIRS]
    made = examples(store, HALF, [*glossed, *(entry(f"kene{number}", f"dibujo {number}", note="n") for number in range(40))])
    found = sides(made)
    assert all(len(splits) == 1 for splits in found.values())
    assert Counter(split for splits in found.values() for split in splits).keys() == set(SPLITS)


def test_a_document_is_on_one_side(store: Store) -> None:
    pairs = [pair(f"{name} {number} kene", f"{name} {number} el dibujo", document=name) for name in "abcdefghij" for number in range(5)]
    made = examples(store, HALF, pairs)
    by_document = {one.group: {other.split for other in made if other.group == one.group} for one in made}
    assert all(len(splits) == 1 for splits in by_document.values())
    assert len({split for splits in by_document.values() for split in splits}) > 1


def test_a_text_with_two_translations_is_on_one_side(store: Store) -> None:
    made = examples(store, HALF, [pair(one.text, f"{one.translation} {more}", origin=f"{one.id}{more}") for one in PAIRS for more in "ab"])
    by_text = {one.group: {other.split for other in made if other.group == one.group} for one in made}
    assert all(len(splits) == 1 for splits in by_text.values())


def test_the_shares_are_about_what_was_asked_for() -> None:
    found = Counter(side_of_group(str(number), Format(test=0.1, val=0.05)) for number in range(20_000))
    assert found["test"] == pytest.approx(2_000, rel=0.1)
    assert found["val"] == pytest.approx(1_000, rel=0.1)


def test_new_data_moves_no_old_record(tmp_path: Path) -> None:
    before = sides(examples(Store(str(tmp_path / "before")), HALF, PAIRS[:30]))
    after = sides(examples(Store(str(tmp_path / "after")), HALF, [*PAIRS[30:], *PAIRS[:30]]))
    assert {parent: after[parent] for parent in before} == before


def test_another_salt_is_another_split() -> None:
    groups = [str(number) for number in range(100)]
    assert [side_of_group(group, HALF) for group in groups] != [
        side_of_group(group, HALF.model_copy(update={"salt": "x"})) for group in groups
    ]


def test_a_large_document_is_always_trained_on(store: Store) -> None:
    pairs = [pair(f"ama {number}", f"hola {number}", document="translations/bible") for number in range(5)]
    everything = Format(test=0.999, val=0, largest_group=4)
    assert {one.split for one in examples(store, everything, pairs)} == {"train"}


def test_a_collection_that_is_held_out_goes_to_the_test_whole(store: Store) -> None:
    pairs = [pair(f"ama {number}", f"hola {number}", document="d", collection="official", origin=str(number)) for number in range(5)]
    settings = Format(test=0, val=0, collections_held_out=("official",), largest_group=4)
    assert {one.split for one in examples(store, settings, pairs)} == {"test"}


# Leaks and duplicates


@pytest.mark.parametrize(
    "trained",
    [
        pair("joni ika", "algo muy distinto"),
        pair("algo nete", "el hombre"),
        pair("algo nete", "¡El  HOMBRE!"),
        document("qtm", "Joni, ika."),
    ],
    ids=["its text", "its translation", "but for capitals and marks", "running text"],
)
def test_what_also_stands_in_the_test_is_not_trained_on(store: Store, trained: Record) -> None:
    tested = pair("joni ika", "el hombre", collection="official", origin="official#1")
    settings = ALL_TRAIN.model_copy(update={"collections_held_out": ("official",)})
    made = examples(store, settings, [trained, tested])
    assert {one.reason for one in made if one.parent != tested.id} <= {"leak"}
    assert [one.split for one in made if not one.rejected] == ["test", "test"]


def test_a_test_sentence_inside_a_longer_text_is_found(store: Store) -> None:
    tested = pair("joni ika jakon nete ainbo", "el hombre", collection="official", origin="official#1")
    text = document("qtm", "Ama kene. Joni ika jakon nete ainbo. Yora jene.", "Ama kene. Yora jene ika.")
    made = examples(store, ALL_TRAIN.model_copy(update={"collections_held_out": ("official",)}), [tested, text])
    assert [(one.reason, one.origin) for one in made if one.task == "completion"] == [
        ("", "translations/laws.qtm.txt#line=2"),
        ("leak", "translations/laws.qtm.txt#line=1"),
    ]


def test_two_pairs_that_share_a_translation_do_not_stand_on_two_sides(store: Store) -> None:
    salt = salt_for(ama_kene="train", joni_ika="test", yora_jene="val", nete_ika="train")
    pairs = [pair("ama kene", "Hola."), pair("joni ika", "hola"), pair("nete ika", "adiós"), pair("yora jene", "adiós")]
    made = examples(store, HALF.model_copy(update={"salt": salt}), pairs)
    assert {(one.split, one.reason) for one in made} == {("train", "leak"), ("test", ""), ("val", "")}


def test_sentences_of_external_test_sets_are_not_trained_on(store: Store, tmp_path: Path) -> None:
    (tmp_path / "dev.spa").write_text("¡El hombre!\n\n", encoding="utf-8")
    made = examples(store, ALL_TRAIN.model_copy(update={"held_out": ("dev.spa",)}), [pair("joni", "el hombre"), pair("ama", "hola")])
    assert [(one.source, one.reason) for one in made if one.direction == "spa-qtm"] == [("hola", ""), ("el hombre", "leak")]


@pytest.mark.parametrize(("data", "said"), [(None, "is not a file"), (b"ni\xf1o", "is not text in UTF-8")])
def test_a_test_set_that_cannot_be_read_stops_the_run(store: Store, tmp_path: Path, data: bytes | None, said: str) -> None:
    if data:
        (tmp_path / "dev.spa").write_bytes(data)
    with pytest.raises(ConfigError, match=rf"format.held_out: .*dev.spa {said}"):
        examples(store, Format(held_out=("dev.spa",)), PAIRS)


def test_the_same_pair_twice_is_one_example_and_a_duplicate(store: Store) -> None:
    pairs = [pair("ama", "hola", origin="a"), pair("¡Ama!", "Hola.", origin="b"), pair("ama", "buenas", origin="c")]
    made = examples(store, ALL_TRAIN, pairs)
    assert [(one.origin, one.reason) for one in made] == [
        ("a", ""),
        ("a", ""),
        ("c", ""),
        ("c", ""),
        ("b", "duplicate"),
        ("b", "duplicate"),
    ]


def test_the_same_pair_twice_in_one_place_is_a_duplicate_too(store: Store) -> None:
    made = examples(store, ALL_TRAIN, [pair("ama", "hola"), pair("ama", "hola")])
    assert Counter(one.reason for one in made) == {"": 2, "duplicate": 2}


def test_of_two_equal_pairs_the_test_keeps_its_own(store: Store) -> None:
    pairs = [pair("ama", "hola", origin="a"), pair("ama", "hola", origin="b", collection="official")]
    made = examples(store, ALL_TRAIN.model_copy(update={"collections_held_out": ("official",)}), pairs)
    assert {(one.origin, one.split, one.reason) for one in made} == {("a", "train", "leak"), ("b", "test", "")}


def test_equal_entries_in_two_dictionaries_are_one(store: Store) -> None:
    made = examples(store, ALL_TRAIN, [entry("kene", "dibujo", origin="a"), entry("kene", "Dibujo.", origin="b"), entry("Kene", "mapa")])
    assert {(one.origin, one.reason) for one in made if one.source.lower() == "kene"} == {
        ("a", ""),
        ("b", "duplicate"),
        ("dictionary/d.csv#row=Kene", ""),
    }


# The files


def counts_of(files: Manifest) -> dict[str, int]:
    """The number of lines of each part."""
    return {Path(file.path).stem: file.rows for file in files.files}


def publish(store: Store, records: Sequence[Record] = PAIRS, rights: Rights | None = None) -> dict[str, int]:
    """Do all of ``make format``."""
    examples(store, HALF, records)
    return counts_of(formatting.publish(store, Format(), rights or Rights()))


def files(store: Store) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in Path(store.path(TRAINING)).iterdir()}


def test_three_files_and_a_manifest_are_written(store: Store) -> None:
    counts = publish(store)
    assert sorted(files(store)) == ["manifest.json", "test.jsonl", "train.jsonl", "val.jsonl"]
    read = {split: list(read_examples(store.path(f"{TRAINING}/{split}.jsonl"))) for split in SPLITS}
    assert {split: len(found) for split, found in read.items()} == counts
    assert sum(counts.values()) == 2 * len(PAIRS)
    assert all(one.split == split for split, found in read.items() for one in found)


def test_publishing_again_writes_nothing(store: Store) -> None:
    counts = publish(store)
    before = {name: Path(store.path(f"{TRAINING}/{name}")).stat().st_mtime_ns for name in files(store)}
    assert counts_of(formatting.publish(store, Format(), Rights())) == counts
    assert {name: Path(store.path(f"{TRAINING}/{name}")).stat().st_mtime_ns for name in files(store)} == before


def test_the_same_corpus_gives_the_same_bytes(tmp_path: Path) -> None:
    one, other = Store(str(tmp_path / "one")), Store(str(tmp_path / "other"))
    publish(one), publish(other)
    assert files(one) == files(other)


def test_hints_are_published_with_the_examples(store: Store) -> None:
    """Those of training are cross-fitted; those of the held-out parts come from all of training."""
    publish(store)
    plain = files(store)
    hinting = Hinting(words=4, examples=1, nearest=0.1, frequent=1.0, dropout=0.0)
    formatting.publish(store, Format(), Rights(), hinting)
    read = {split: list(read_examples(store.path(f"{TRAINING}/{split}.jsonl"))) for split in SPLITS}
    assert all(one.hints for found in read.values() for one in found)
    for one in read["train"]:
        assert one.answer not in {hint.partition(" = ")[2] for hint in one.hints}
    answers = {one.answer for one in read["train"]}
    assert all(one.hints[-1].split(" = ")[1] in answers for split in ("val", "test") for one in read[split])
    formatting.publish(store, Format(), Rights())
    assert files(store) == plain


def test_the_rights_of_what_went_in_go_with_the_data(store: Store) -> None:
    publish(store, rights=Rights(sources={"transcriptions": Source(title="T"), "scans": Source(title="S")}))
    notes = json.loads(files(store)["manifest.json"])["notes"]
    assert json.loads(notes["rights"])["sources"].keys() == {"transcriptions"}


def test_what_its_owners_do_not_give_for_training_is_left_out(store: Store) -> None:
    withheld = [pair(f"joni {number}", f"hombre {number}", collection="closed") for number in range(10)]
    rights = Rights(sources={"closed": Source(consent=Consent(train=False))})
    counts = publish(store, [*PAIRS, *withheld], rights)
    assert sum(counts.values()) == 2 * len(PAIRS)
    assert json.loads(files(store)["manifest.json"])["rejected"] == {"consent": 20}


def test_changed_rights_are_published_again(store: Store) -> None:
    publish(store)
    formatting.publish(store, Format(), Rights(sources={"transcriptions": Source(title="New")}))
    assert "New" in json.loads(files(store)["manifest.json"])["notes"]["rights"]


def test_a_corpus_without_anything_to_train_on_is_an_error(store: Store) -> None:
    with pytest.raises(DataError, match="no example is left for training"):
        publish(store, [])


def test_without_align_there_is_nothing_to_format(store: Store) -> None:
    with pytest.raises(StoreError, match="'format' needs it: run 'make align' first"):
        formatting.step(Format(), Prompts(), LANGUAGE, store)
