import json
from pathlib import Path

import pytest

from seshat.data.stats import FOLDER, RARE, STATS, data_stats, describe, read_stats
from seshat.errors import StoreError
from seshat.examples import SPLITS, TRAINING, to_line
from seshat.language import Language, SpellingRule
from seshat.records import Example, SentencePair
from seshat.sample.grammar import Grammar
from seshat.store import PROCESSED, Manifest, Store
from tests.make import entry

LANGUAGE = Language(code="qtm", name="tamo", alphabet="a i u k m n p s w y ñ ʼ")


def pair(text: str, translation: str, **facts: object) -> SentencePair:
    origin = f"translations/a.txt#line={len(text)}"
    return SentencePair(text=text, translation=translation, origin=origin, collection="translations", language="qtm", bridge="spa", **facts)


def example(task: str, split: str, number: int) -> Example:
    return Example(
        origin=f"dictionary/a.csv#row={number}",
        collection="dictionary" if task == "dictionary" else "translations",
        task=task,
        direction="qtm-spa",
        prompt=f"¿{number}?",
        answer="sí",
        group=str(number),
        split=split,
        parent=str(number),
    )


PAIRS = [
    pair("Misi pukuna waka.", "El gato come mucho."),
    pair("misi pukuna waka", "El gato comía."),
    pair("Misi pukuna waka!", "El gato come mucho"),
    pair("Wasi nina: Δ", "La casa brilla", aligned=True, score=0.4),
    pair("Una", "Otra cosa", aligned=True, score=0.2),
]
EXAMPLES = [example("translation", "train", 1), example("translation", "test", 2), example("dictionary", "train", 3)]


def test_counts_by_task_and_split() -> None:
    stats = describe(PAIRS, EXAMPLES, LANGUAGE)
    assert stats.count(task="translation") == 2
    assert stats.count(split="train") == 2
    assert stats.count(task="translation", split="test", collection="translations") == 1
    assert stats.values("task") == ["translation", "dictionary"]


def test_lengths_repeats_and_characters() -> None:
    stats = describe(PAIRS, EXAMPLES, LANGUAGE)
    taught, bridge = stats.lengths
    assert (taught.code, taught.words[0], taught.words[-1], taught.num_words) == ("qtm", 1, 3, 13)
    assert taught.num_distinct == 7
    assert sum(bridge.histogram) == len(PAIRS) == stats.num_pairs
    assert stats.repeated_texts == 2
    assert stats.repeated_pairs == 1
    assert [one.character for one in stats.foreign] == ["δ"]
    assert {"δ", ":"} <= {one.character for one in stats.rare}
    assert stats.characters[0].count >= RARE


def test_the_most_doubtful_pairs_come_first() -> None:
    assert [one.score for one in describe(PAIRS, EXAMPLES, LANGUAGE).doubtful] == [0.2, 0.4]


def test_what_a_threshold_would_cost_is_counted() -> None:
    stats = describe(PAIRS, EXAMPLES, LANGUAGE)
    assert stats.num_aligned == 2
    assert {one.minimum: one.rejected for one in stats.thresholds} == {0.1: 0, 0.2: 0, 0.5: 2, 0.9: 2, 0.99: 2}
    assert "would reject   0.1: 0, 0.2: 0, 0.5: 2" in str(stats)


def test_what_the_spelling_rules_did_is_counted(store: Store) -> None:
    old = LANGUAGE.model_copy(update={"spelling": (SpellingRule(pattern="c", replacement="k"),), "old_spelling": ("dictionary/*",)})
    line = store.commit("ingest", "i", [entry("kama", "ir", written="cama"), entry("noi", "amar")], rows_in=2)
    store.finish(f"{PROCESSED}/ingest", Manifest(stage="ingest", fingerprint="read", parts=(line,)))
    _, stats = data_stats(store, old)
    assert [(one.fired, one.texts) for one in stats.rules] == [(1, 1)]
    assert "Spelling rule c -> k: 1 times in 1 texts" in str(stats)


def test_a_digraph_is_a_letter_and_a_letter_that_is_never_used_is_named() -> None:
    language = Language(code="qtm", name="tamuri", alphabet="a ch i k x", apostrophe="ʼ")
    stats = describe([pair("Chaka ich", "uno"), pair("aca", "dos")], [], language)
    counts = {one.character: (one.count, one.foreign) for one in stats.characters}
    assert counts == {"a": (4, False), "ch": (2, False), "k": (1, False), "i": (1, False), "c": (1, True)}
    assert stats.unused == ("x", "ʼ")
    assert "In the alphabet and never used: x ʼ" in str(stats)


def test_numbers_that_differ_are_counted_and_shown() -> None:
    pairs = [pair("joni 3", "3 hombres"), pair("joni 4", "cinco hombres", numbers=0.0), pair("ama.", "hola", punctuation=0.0)]
    stats = describe(pairs, [], LANGUAGE)
    shared = stats.agreement
    assert (shared.with_numbers, shared.numbers_differ, shared.punctuation_differs) == (2, 1, 1)
    assert [one.text for one in shared.samples] == ["joni 4"]
    assert "Numbers differ in 1 of 2 pairs with numbers, punctuation in 1" in str(stats)


def test_a_stretch_in_the_other_language_is_shown_between_brackets() -> None:
    sentences = Grammar(seed=1).sentences(300)
    pairs = [pair(one.text, one.translation) for one in sentences]
    stretch = "pero los niños no quieren comer"
    pairs.append(pair(f"{sentences[5].text[:-1]}, {stretch}", sentences[5].translation))
    taught, bridge = describe(pairs, [], LANGUAGE).switches
    assert (taught.code, bridge.code) == ("qtm", "spa")
    assert f"[{stretch}]" in taught.samples[0]
    assert taught.samples[0].endswith(f"({pairs[-1].origin})")
    assert taught.num_texts < 5
    assert bridge.num_texts < 5


def test_an_empty_corpus_is_described_too() -> None:
    stats = describe([], [], LANGUAGE)
    assert stats.num_pairs == 0
    assert stats.lengths[0].words == (0,) * 6
    assert "0 pairs" in str(stats)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(str(tmp_path))
    rejected = pair("Waka", "x" * 99).reject("ratio: 4 to 99 characters")
    line = store.commit("align", "k", [*PAIRS, rejected], rows_in=6)
    counts = {"rows_in": 6, "kept": 5, "rejected": {"ratio": 1}}
    store.finish(f"{PROCESSED}/align", Manifest(stage="align", fingerprint="one", parts=(line,), **counts))
    for split in SPLITS:
        lines = "".join(f"{to_line(one)}\n" for one in EXAMPLES if one.split == split)
        store.write(f"{TRAINING}/{split}.jsonl", lines.encode())
    store.finish(TRAINING, Manifest(stage="training-data", fingerprint="two"))
    return store


def test_data_stats_reads_a_workspace_once(store: Store) -> None:
    outcome, stats = data_stats(store, LANGUAGE)
    assert outcome.rows_in == 3
    assert stats.num_pairs == 5
    assert stats.stages[0].rejected == {"ratio": 1}
    text = str(stats)
    assert "translation qtm-spa" in text
    assert "rejected: ratio 1" in text
    again, same = data_stats(store, LANGUAGE)
    assert again.done_before
    assert same == stats
    store.finish(TRAINING, Manifest(stage="training-data", fingerprint="three"))
    assert not data_stats(store, LANGUAGE)[0].done_before


def test_what_is_missing_is_named_with_its_make(store: Store, tmp_path: Path) -> None:
    (tmp_path / TRAINING / "manifest.json").unlink()
    with pytest.raises(StoreError, match="make format"):
        data_stats(store, LANGUAGE)
    with pytest.raises(StoreError, match="make align"):
        data_stats(Store(str(tmp_path / "elsewhere")), LANGUAGE)


def test_statistics_of_an_older_version_are_asked_for_again(store: Store) -> None:
    data_stats(store, LANGUAGE)
    old = json.loads(store.read(STATS))
    del old["agreement"]
    store.finish(FOLDER, Manifest(stage="data-stats", fingerprint="old", files=(store.write(STATS, json.dumps(old).encode()),)))
    with pytest.raises(StoreError, match="of an older Seshat: run 'make data-stats' again"):
        read_stats(store)
