import json
from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import ValidationError

from seshat.errors import ConfigError, DataError, StoreError
from seshat.evaluation.evaluate import evaluate
from seshat.evaluation.measured import read_measured
from seshat.evaluation.metrics import METRICS
from seshat.evaluation.results import read_details, read_samples, read_scores
from seshat.evaluation.scoring import derive
from seshat.evaluation.settings import Evaluation, TestFiles
from seshat.examples import read_examples
from seshat.prompts import Prompts
from seshat.step import Outcome
from seshat.store import Manifest, Store
from seshat.translate import Translator
from tests.evaluation.conftest import LANGUAGE, TEST

Make = Callable[[dict[str, str]], Translator]
FILES = ("statistics.parquet", "scores.json", "samples.jsonl", "evaluation.json", "run.json")
QUICK = {"bootstrap": 100, "perplexity_sample": 0}


def known(store: Store) -> dict[str, str]:
    """The right answer to every test prompt."""
    return {one.prompt: one.answer for one in read_examples(store.path("data/training/test.jsonl"))}


def run(store: Store, translator: Make, *, base: bool = True, **settings: object) -> Outcome:
    loads = {"ours": lambda: translator(known(store)), "base": (lambda: translator({})) if base else None}
    return evaluate(Evaluation(**{**QUICK, **settings}), LANGUAGE, Prompts(), store, "tiny", **loads)


def test_scores_have_one_row_for_each_combination(workspace: Store, translator: Make) -> None:
    outcome = run(workspace, translator, base_sample=1)
    rows = json.loads(workspace.read("reports/scores.json"))
    assert set(rows[0]) == {"direction", "task", "system", "metric", "score", "low", "high", "n", "signature"}
    named = [(row["direction"], row["task"], row["system"], row["metric"]) for row in rows]
    assert len(set(named)) == len(named) == 2 * 6 * 4 + 4
    scores = dict(zip(named, rows, strict=True))
    assert scores["spa-qtm", "translation", "ours", "chrf++"]["score"] == pytest.approx(100)
    assert scores["spa-qtm", "translation", "copy", "chrf++"]["score"] < 20
    assert scores["spa-qtm", "translation", "base", "bleu"]["n"] == 1
    assert scores["qtm-spa", "dictionary", "ours", "chrf++"]["n"] == 1
    assert outcome.rows_in == outcome.kept == 5
    assert "spa-qtm chrF++ 100.0 (best floor" in outcome.note
    assert ": not told apart)" in outcome.note, "two sentences decide nothing"


def test_the_floors_use_training_pairs_alone(workspace: Store, translator: Make) -> None:
    run(workspace, translator)
    first = next(sample for sample in read_samples(workspace) if sample.direction == "spa-qtm")
    assert first.source == "El gato corre."
    assert first.hypotheses["copy"] == "El gato corre."
    assert first.hypotheses["nearest"] in {"Misi mikun.", "Misi puñun.", "Allku pawan."}
    assert first.hypotheses["gloss"].endswith("misi pawan.")


def test_a_second_run_loads_nothing(workspace: Store, translator: Make) -> None:
    run(workspace, translator)
    scores = workspace.read("reports/scores.json")

    def forbidden() -> Translator:
        raise AssertionError("the model was loaded although the scores are up to date")

    again = evaluate(Evaluation(**QUICK), LANGUAGE, Prompts(), workspace, "tiny", ours=forbidden, base=forbidden)
    assert again.done_before
    assert workspace.read("reports/scores.json") == scores
    workspace.finish("models/adapters/tiny", Manifest(stage="train", fingerprint="trained again"))
    assert not run(workspace, translator).done_before


def test_a_run_stays_when_another_one_is_evaluated(workspace: Store, translator: Make) -> None:
    run(workspace, translator)
    first = {name: workspace.read(f"reports/runs/tiny/{name}") for name in FILES}
    assert first == {name: workspace.read(f"reports/{name}") for name in FILES}
    workspace.finish("models/adapters/other", Manifest(stage="train", fingerprint="two"))
    evaluate(Evaluation(**QUICK), LANGUAGE, Prompts(), workspace, "other", ours=lambda: translator({}))
    assert first == {name: workspace.read(f"reports/runs/tiny/{name}") for name in FILES}
    assert workspace.read("reports/scores.json") == workspace.read("reports/runs/other/scores.json") != first["scores.json"]
    assert run(workspace, translator).done_before, "the first run is shown again, and no model asked"
    assert first == {name: workspace.read(f"reports/{name}") for name in FILES}
    assert workspace.manifest("reports") is not None


def test_a_run_that_was_broken_off_is_made_again(workspace: Store, translator: Make) -> None:
    run(workspace, translator)
    workspace.remove("reports/runs/tiny/statistics.parquet")
    assert not run(workspace, translator).done_before
    assert workspace.size("reports/runs/tiny/statistics.parquet") > 0


def test_settings_of_the_scores_alone_ask_no_model_again(workspace: Store, translator: Make) -> None:
    run(workspace, translator, base=False)
    before = {name: workspace.read(f"reports/{name}") for name in FILES}

    def forbidden() -> Translator:
        raise AssertionError("the model was asked although only scores had to be made anew")

    evaluation = Evaluation(**{**QUICK, "bootstrap": 200, "seed": 7, "published": {"spa-qtm": {"scores": {"bleu": 99}, "source": "x"}}})
    assert not evaluate(evaluation, LANGUAGE, Prompts(), workspace, "tiny", ours=forbidden).done_before
    after = {name: workspace.read(f"reports/{name}") for name in FILES}
    assert {"evaluation.json"} <= {name for name in FILES if before[name] != after[name]} <= {"scores.json", "evaluation.json"}
    assert b"99" in after["evaluation.json"]


def test_all_scores_derive_from_the_statistics_on_disk(workspace: Store, translator: Make) -> None:
    run(workspace, translator, base_sample=1)
    derived = derive(read_measured(workspace, "reports/statistics.parquet"), Evaluation(**QUICK))
    details = read_details(workspace)
    assert details is not None
    assert list(derived.rows) == read_scores(workspace)
    assert (derived.comparisons, derived.buckets) == (details.comparisons, details.buckets)
    assert {(one.direction, one.system, one.metric) for one in details.comparisons} == {
        (direction, system, metric)
        for direction in ("spa-qtm", "qtm-spa")
        for system in ("copy", "nearest", "gloss", "phrases", "base")
        for metric in METRICS
    }


def test_a_published_figure_of_an_unknown_direction_is_refused(workspace: Store, translator: Make) -> None:
    figure = {"scores": {"chrf++": 30}, "source": "somebody"}
    with pytest.raises(ConfigError, match=r"evaluation\.published\.spa-qtn: is no direction .*did you mean 'spa-qtm'"):
        run(workspace, translator, published={"spa-qtn": figure})
    with pytest.raises(ValidationError):
        Evaluation(published={"spa-qtm": {"scores": {"ter": 30}, "source": "somebody"}})
    with pytest.raises(ValidationError):
        Evaluation(published={"spa-qtm": {"scores": {}, "source": "somebody"}})


def test_an_external_test_set_replaces_the_translations(workspace: Store, translator: Make, tmp_path: Path) -> None:
    (tmp_path / "dev.qtm").write_text("Misi pawan.\nAllku mikun.\n", encoding="utf-8")
    (tmp_path / "dev.spa").write_text("El gato corre.\nEl perro come.\n", encoding="utf-8")
    files = TestFiles(text="dev.qtm", translation="dev.spa")
    run(workspace, translator, base=False, test=files)
    samples = [sample for sample in read_samples(workspace) if sample.task == "translation"]
    assert [sample.reference for sample in samples] == ["Misi pawan.", "Allku mikun.", "El gato corre.", "El perro come."]
    details = read_details(workspace)
    assert details is not None
    assert details.test_set == "dev.qtm and dev.spa"
    assert {part.task for part in details.parts} == {"translation", "dictionary"}


def test_a_test_set_that_is_not_parallel_is_refused(workspace: Store, translator: Make, tmp_path: Path) -> None:
    (tmp_path / "dev.qtm").write_text("Misi pawan.\nAllku mikun.\n", encoding="utf-8")
    (tmp_path / "dev.spa").write_text("El gato corre.\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"dev\.qtm has 2 lines and dev\.spa has 1"):
        run(workspace, translator, test=TestFiles(text="dev.qtm", translation="dev.spa"))


def test_an_empty_line_of_an_official_test_set_is_scored_too(workspace: Store, translator: Make, tmp_path: Path) -> None:
    (tmp_path / "dev.qtm").write_text("Misi pawan.\nAllku mikun.\n", encoding="utf-8")
    (tmp_path / "dev.spa").write_text("El gato corre.\n\n", encoding="utf-8")
    run(workspace, translator, test=TestFiles(text="dev.qtm", translation="dev.spa"))
    rows = json.loads(workspace.read("reports/scores.json"))
    assert {row["n"] for row in rows if row["task"] == "translation"} == {2}


def test_a_large_test_set_is_sampled_and_says_so(workspace: Store, translator: Make) -> None:
    outcome = run(workspace, translator, max_test=1)
    assert outcome.rows_in == 5
    assert outcome.kept == 3
    assert outcome.rejected == {"sampled": 2}
    details = read_details(workspace)
    assert details is not None
    assert [(part.num_scored, part.num_available) for part in details.parts] == [(1, 2), (1, 2), (1, 1)]


def test_details_count_exact_answers_and_length(workspace: Store, translator: Make) -> None:
    answers = known(workspace) | {prompt: "Misi" for prompt, answer in known(workspace).items() if answer == TEST[1][1]}
    evaluate(Evaluation(**QUICK), LANGUAGE, Prompts(), workspace, "tiny", ours=lambda: translator(answers))
    details = read_details(workspace)
    assert details is not None
    forward = next(part for part in details.parts if part.direction == "spa-qtm")
    assert forward.exact == 0.5
    assert forward.unfinished == 0
    assert forward.length_ratio < 0.6


def test_test_sentences_that_were_trained_on_are_counted(workspace: Store, translator: Make, tmp_path: Path) -> None:
    (tmp_path / "dev.qtm").write_text("¡Allku mikun!\nMisi yacha.\n", encoding="utf-8")
    (tmp_path / "dev.spa").write_text("Come el perro.\nEl gato aprende.\n", encoding="utf-8")
    run(workspace, translator, base=False, test=TestFiles(text="dev.qtm", translation="dev.spa"))
    details = read_details(workspace)
    assert details is not None
    assert [part.num_leaked for part in details.parts] == [1, 1, 0]


def test_what_is_missing_is_named_with_its_make(workspace: Store, translator: Make, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="make train"):
        evaluate(Evaluation(), LANGUAGE, Prompts(), workspace, "other", ours=lambda: translator({}))
    workspace.write("data/training/test.jsonl", b"")
    with pytest.raises(DataError, match=r"test\.jsonl is empty"):
        run(workspace, translator)
    (tmp_path / "data/training/test.jsonl").unlink()
    with pytest.raises(StoreError, match="make format"):
        run(workspace, translator)


def test_an_evaluation_that_breaks_off_leaves_the_one_before_it(workspace: Store, translator: Make) -> None:
    run(workspace, translator)
    before = workspace.manifest("reports/runs/tiny")

    def broken() -> Translator:
        raise StoreError("no weights")

    workspace.finish("models/adapters/tiny", Manifest(stage="train", fingerprint="trained again"))
    with pytest.raises(StoreError, match="no weights"):
        evaluate(Evaluation(**QUICK), LANGUAGE, Prompts(), workspace, "tiny", ours=broken)
    assert workspace.manifest("reports/runs/tiny") == before == workspace.manifest("reports").model_copy(update={"files": before.files})
