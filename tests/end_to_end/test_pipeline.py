"""The whole way on a small corpus, and the same again: nothing is left to do."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from jobs import pipeline
from seshat.command import read_settings
from seshat.engines.llamacpp import LlamaCppModel
from seshat.settings import Settings
from seshat.store import Store
from tests.corpus import write_corpus

ROOT = Path(__file__).resolve().parents[2]
QUICK = [
    "data.sample=false",
    "format.val=0.05",
    "training.name=small",
    "training.model=small",
    "training.num_workers=1",
    "training.small.steps=3",
    "training.max_steps=4",
    "training.max_seq_length=256",
    "training.evaluator.sample=2",
    "evaluation.max_test=4",
    "evaluation.max_other=3",
    "evaluation.bootstrap=100",
    "evaluation.base_sample=3",
    "evaluation.perplexity_sample=3",
    "export.num_prompts=2",
    "export.gguf_prompts=2",
    "export.answer_tokens=8",
]


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    root = tmp_path_factory.mktemp("pipeline")
    write_corpus(root / "data" / "raw")
    return read_settings(str(ROOT / "configs" / "quickstart.yaml"), [f"root={root}", *QUICK])


@pytest.mark.ray
@pytest.mark.usefixtures("ray_session")
def test_from_raw_material_to_a_gguf_file_and_a_report(settings: Settings) -> None:
    pipeline.run(settings)
    store = Store(settings.root)
    scores = json.loads(store.read("reports/scores.json"))
    assert {(row["direction"], row["system"], row["metric"]) for row in scores if row["task"] == "translation"} >= {
        (direction, system, metric)
        for direction in ("spa-qtm", "qtm-spa")
        for system in ("ours", "copy", "nearest")
        for metric in ("bleu", "chrf++")
    }
    summary = json.loads(store.read("reports/summary.json"))
    assert all(row["rows_in"] == row["kept"] + sum(row["rejected"].values()) for row in summary)
    assert "<html" in store.read("reports/index.html").decode()
    trained = store.manifest("models/adapters/small")
    assert trained is not None
    assert {"chrf++", "eval_loss"} <= trained.notes.keys(), "the evaluator beside the worker has scored it"
    assert "| direction | sentences | chrF++ | BLEU |" in store.read("models/adapters/small/README.md").decode()
    model = LlamaCppModel(store.path("models/gguf/small/small-Q4_K_M.gguf"))
    assert len(model.generate([[5, 6, 7]], max_new_tokens=4, stop=[0])) == 1


@pytest.mark.ray
@pytest.mark.usefixtures("ray_session")
def test_a_second_run_has_nothing_to_do(settings: Settings) -> None:
    pipeline.run(settings)
    assert pipeline.run(settings).done_before
