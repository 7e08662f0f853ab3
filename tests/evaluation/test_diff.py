"""``seshat diff``: two runs, what they were made of, and which is better."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from jobs import diff as job
from seshat.command import run as run_verb
from seshat.errors import StoreError
from seshat.evaluation.diff import Diff, diff
from seshat.evaluation.evaluate import evaluate
from seshat.evaluation.results import read_scores
from seshat.evaluation.runs import read_run
from seshat.evaluation.settings import Evaluation
from seshat.examples import parse_lines, to_line
from seshat.prompts import Prompts
from seshat.records import Example
from seshat.store import Manifest, Store
from seshat.translate import Translator
from tests.evaluation.conftest import LANGUAGE, TRAIN, make_workspace, translations

Make = Callable[[dict[str, str]], Translator]
QUICK = Evaluation(bootstrap=200, perplexity_sample=0)
NOUNS = ("Allku", "Misi", "Yaku", "Wasi", "Sara")
VERBS = ("mikun", "puñun", "pawan", "takin", "rimun")


def sentences(number: int) -> list[tuple[str, str]]:
    return [(f"Frase {place}.", f"{NOUNS[place % 5]} {VERBS[place // 5 % 5]} {NOUNS[place * 7 % 5]} {place}.") for place in range(number)]


def write(store: Store, split: str, examples: list[Example]) -> None:
    store.write(f"data/training/{split}.jsonl", "".join(f"{to_line(one)}\n" for one in examples).encode())


def make(store: Store, translator: Make, name: str, share: float, *, settings: str = "", rows: int = 8) -> None:
    """An adapter that knows a share of the answers, evaluated."""
    inputs = {"train.jsonl": store.vouch("data/training/train.jsonl").sha256}
    manifest = Manifest(stage="train", fingerprint=name, settings=settings, inputs=inputs, rows_in=rows)
    store.finish(f"models/adapters/{name}", manifest)
    test = list(parse_lines(store.read("data/training/test.jsonl").decode().split("\n"), "test"))
    known = {one.prompt: one.answer for place, one in enumerate(test) if place % 10 < 10 * share}
    evaluate(QUICK, LANGUAGE, Prompts(), store, name, ours=lambda: translator(known))


@pytest.fixture(scope="module")
def evaluated(tmp_path_factory: pytest.TempPathFactory, translator: Make) -> Store:
    """Three runs: a weak one, a strong one, and one that says what the weak one says."""
    workspace = make_workspace(tmp_path_factory.mktemp("runs"))
    write(workspace, "test", translations(sentences(40), "test"))
    make(workspace, translator, "weak", 0.2, settings="learning_rate: 0.1\nlora: {r: 8}\n")
    make(workspace, translator, "strong", 0.8, settings="learning_rate: 0.1\nlora: {r: 64}\n")
    make(workspace, translator, "again", 0.2, settings="learning_rate: 0.1\nlora: {r: 8}\n")
    return workspace


@pytest.fixture
def store(evaluated: Store, tmp_path: Path) -> Store:
    shutil.copytree(evaluated.root, tmp_path, dirs_exist_ok=True)
    return Store(str(tmp_path))


def compared(store: Store, before: str, after: str) -> Diff:
    return diff(read_run(before, store), read_run(after, store), QUICK)


def test_a_clear_gain_is_better_and_the_other_way_round_worse(store: Store) -> None:
    for before, after, verdict in (("weak", "strong", "better"), ("strong", "weak", "worse")):
        found = compared(store, before, after)
        assert [(part.direction, part.num_compared) for part in found.parts] == [("spa-qtm", 40), ("qtm-spa", 40)]
        assert {row.comparison.verdict for part in found.parts for row in part.rows} == {verdict}
    forward = compared(store, "weak", "strong").parts[0]
    scores = {
        row.metric: row.score for row in read_scores(store, "reports/runs/strong") if (row.direction, row.system) == ("spa-qtm", "ours")
    }
    assert {row.comparison.metric: row.after for row in forward.rows} == scores


def test_runs_that_say_the_same_are_not_told_apart(store: Store) -> None:
    found = compared(store, "weak", "again")
    assert {row.comparison.verdict for part in found.parts for row in part.rows} == {"not told apart"}
    assert {row.comparison.p for part in found.parts for row in part.rows} == {1}
    assert (found.settings, found.data) == ((), ())
    assert all(part.gained == part.lost == () for part in found.parts)
    assert "settings that differ: none" in str(found)


def test_settings_and_training_data_that_differ_are_named(store: Store, translator: Make) -> None:
    write(store, "train", translations([*TRAIN, ("El perro canta.", "Allku takin.")], "train"))
    make(store, translator, "more", 0.2, settings="learning_rate: 0.2\nlora: {r: 8}\n", rows=10)
    found = compared(store, "strong", "more")
    assert [(one.what, one.before, one.after) for one in found.settings] == [
        ("training.learning_rate", "0.1", "0.2"),
        ("training.lora.r", "64", "8"),
    ]
    assert [(one.what, one.before, one.after) for one in found.data if one.what != "train.jsonl"] == [
        ("examples", "8", "10"),
        ("translations, dictionary", "1", "0"),
        ("translations, translation", "8", "10"),
    ]


def test_the_sentences_that_gained_and_lost_most_are_shown(store: Store) -> None:
    part = compared(store, "weak", "strong").parts[0]
    assert len(part.gained) == 10
    assert part.lost == ()
    for one in part.gained:
        assert one.after == one.reference != one.before
        assert one.score_after == pytest.approx(100)
    changes = [one.score_after - one.score_before for one in part.gained]
    assert changes == sorted(changes, reverse=True)
    back = compared(store, "strong", "weak").parts[0]
    assert [one.source for one in back.lost] == [one.source for one in part.gained]
    few = diff(read_run("weak", store), read_run("strong", store), QUICK, num_sentences=2).parts[0]
    assert few.gained == part.gained[:2]


def test_only_common_test_cases_are_compared_and_counted(store: Store, translator: Make) -> None:
    write(store, "test", translations([*sentences(30)[::-1], ("Otra frase.", "Wasi.")], "test"))
    make(store, translator, "later", 1)
    found = compared(store, "weak", "later")
    assert [(part.num_before, part.num_after, part.num_compared) for part in found.parts] == [(40, 31, 30)] * 2
    assert {row.comparison.n for part in found.parts for row in part.rows} == {30}
    assert [row.after for part in found.parts for row in part.rows if row.comparison.metric == "chrf2"] == [pytest.approx(100)] * 2
    assert "only those that both runs have, of 40 of weak and 31 of later" in str(found)
    write(store, "test", translations([("Nada igual.", "Wasi sara.")], "test"))
    make(store, translator, "foreign", 1)
    with pytest.raises(StoreError, match="weak and foreign have no test case in common"):
        compared(store, "weak", "foreign")


def test_a_run_of_another_workspace_is_called_with_its_folder(store: Store, tmp_path_factory: pytest.TempPathFactory) -> None:
    other = tmp_path_factory.mktemp("other") / "place"
    shutil.copytree(store.path("reports"), other / "reports")
    assert str(compared(store, "weak", f"{other}:strong")).startswith(f"weak -> {other}:strong")


def test_a_run_without_an_evaluation_is_named_with_the_cure(store: Store, tmp_path: Path) -> None:
    with pytest.raises(
        StoreError, match=r"'stong' has no evaluation: run 'make eval ARGS=.training\.name=stong.' first; did you mean 'strong'"
    ):
        read_run("stong", store)
    with pytest.raises(StoreError, match=rf"root={tmp_path}/nowhere training\.name=x.*no run is evaluated there"):
        read_run(f"{tmp_path}/nowhere:x", store)


def test_scores_of_different_versions_of_a_metric_are_not_compared(store: Store) -> None:
    name = "reports/runs/strong/scores.json"
    changed = store.read(name).replace(b"version:2", b"version:1")
    store.write(name, changed)
    with pytest.raises(StoreError, match="such scores do not compare"):
        compared(store, "weak", "strong")


def test_the_command_prints_text_or_json(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    config = Path(store.root) / "c.yaml"
    config.write_text("language: {code: qtm, name: tamo}\nevaluation: {bootstrap: 100}\n")
    common = ["weak", "strong", "--config", str(config), f"root={store.root}"]
    assert run_verb(job.run, "", arguments=job.ARGUMENTS, argv=common) == 0
    said = capsys.readouterr().out
    for line in (
        "weak -> strong",
        "training.lora.r  8 -> 64",
        "spa-qtm, translation: 40 test cases",
        "gained most, by chrF++ of the sentence:",
    ):
        assert line in said
    assert run_verb(job.run, "", arguments=job.ARGUMENTS, argv=[*common, "--json", "--sentences", "1"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["parts"][0]["rows"][0]["comparison"]["verdict"] == "better"
    assert len(found["parts"][0]["gained"]) == 1
    assert run_verb(job.run, "", arguments=job.ARGUMENTS, argv=["weak", "gone", *common[2:]]) == 1
    assert "'gone' has no evaluation" in capsys.readouterr().err
