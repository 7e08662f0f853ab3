"""A small model that was really trained, scored through the same doors as a large one."""

import shutil
from pathlib import Path

import pytest

from seshat.cluster import generate
from seshat.engines import vllm_model
from seshat.engines.decoding import Decoding
from seshat.errors import EngineError
from seshat.evaluation.evaluate import evaluate
from seshat.evaluation.results import read_details, read_samples, read_scores
from seshat.evaluation.settings import Evaluation
from seshat.examples import to_line
from seshat.prompts import ChatTokenizer, Prompts
from seshat.settings import Cluster, Settings
from seshat.store import Manifest, Store
from seshat.training.adapter import finish
from seshat.translate import Translator, read_card
from tests.evaluation.conftest import LANGUAGE, translations
from tests.tiny_model import PAIRS, exported_workspace, make_workspace

pytest.importorskip("torch")


pytestmark = pytest.mark.heavy


def test_training_shows_in_scores_and_perplexity(workspace: Store) -> None:
    """The adapter knows its ten sentences by heart; its base has seen none of their translations."""
    from seshat.engines.transformers_model import TransformersModel

    test = translations(list(PAIRS.items()), "test")
    workspace.write("data/training/test.jsonl", "".join(f"{to_line(one)}\n" for one in test).encode())
    models = exported_workspace() / "models"
    base, adapter = str(models / "base" / "tiny"), str(models / "adapters" / "tiny")

    def load(adapter_folder: str) -> Translator:
        model = TransformersModel(base, adapter=adapter_folder, device="cpu")
        return Translator(model, ChatTokenizer.load(adapter), read_card(adapter))

    evaluation = Evaluation(bootstrap=100, base_sample=5)
    evaluate(evaluation, LANGUAGE, Prompts(), workspace, "tiny", ours=lambda: load(adapter), base=lambda: load(""))
    scores = {(row.direction, row.system): row.score for row in read_scores(workspace) if row.metric == "chrf++"}
    for direction in ("spa-qtm", "qtm-spa"):
        assert scores[direction, "ours"] > 95
        assert scores[direction, "base"] < 40
    details = read_details(workspace)
    assert details is not None
    assert [one.system for one in details.surprise] == ["ours", "base"]
    ours, untrained = details.surprise
    assert ours.num_texts > 0
    assert ours.bits_per_character < untrained.bits_per_character


@pytest.fixture
def settings(workspace: Store) -> Settings:
    """Of a workspace with a tiny model and twelve test cases."""
    make_workspace(Path(workspace.root))
    test = translations(list(PAIRS.items())[:6], "test")
    workspace.write("data/training/test.jsonl", "".join(f"{to_line(one)}\n" for one in test).encode())
    evaluation = Evaluation(bootstrap=100, base_sample=2, perplexity_sample=0, phrases=False)
    training = {"name": "tiny"}
    return Settings.model_validate(
        {
            "root": workspace.root,
            "language": LANGUAGE,
            "execution": "local",
            "evaluation": evaluation,
            "training": training,
            "cluster": Cluster(cpus=2, dashboard=False),
        }
    )


def answers(settings: Settings) -> list[str]:
    """What an evaluation with these settings hears."""
    loads = {system: lambda system=system: generate.translator_of(settings, system) for system in ("ours", "base")}
    store = Store(settings.root)
    evaluate(settings.evaluation, settings.language, Prompts(), store, "tiny", ours=loads["ours"], base=loads["base"])
    return [one.model_dump_json() for one in read_samples(store)]


@pytest.mark.ray
def test_actors_say_the_same_as_this_process_and_nothing_is_asked_again(
    settings: Settings, ray_session: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = answers(settings)
    folder = Path(settings.root) / "reports/runs/tiny/answers"
    assert sum(len(file.read_text().split()) for file in folder.iterdir()) == 12 + 4
    for file in folder.iterdir():
        file.unlink()
    Store(settings.root).remove("reports/runs/tiny/manifest.json")
    assert answers(settings.model_copy(update={"execution": "ray"})) == here
    monkeypatch.setattr("seshat.engines.transformers_model.TransformersModel.__init__", lambda *asked, **named: pytest.fail("loaded"))
    Store(settings.root).remove("reports/runs/tiny/manifest.json")
    assert answers(settings) == here


def test_other_methods_of_search_are_scored_too(settings: Settings) -> None:
    for decoding in ({"method": "beam", "beams": 2}, {"method": "mbr", "samples": 3}):
        asked = settings.evaluation.model_copy(update={"decoding": Decoding.model_validate(decoding)})
        answers(settings.model_copy(update={"evaluation": asked}))
        scores = {row.direction: row.score for row in read_scores(Store(settings.root)) if (row.system, row.metric) == ("ours", "chrf++")}
        details = read_details(Store(settings.root))
        assert details is not None
        assert details.decoding == ("beam search with 2 beams" if decoding["method"] == "beam" else "minimum Bayes risk over 3 samples")
        assert min(scores.values()) > 95, "it knows these sentences by heart"


def test_vllm_takes_an_adapter_that_it_knows_else_the_merged_model(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The tiny adapter has embeddings, which vLLM does not load."""
    base, adapter = (str(Path(settings.root) / "models" / kind / "tiny") for kind in ("base", "adapters"))

    def form(engine: str, folder: str, merged: str = "") -> tuple[str, str, str]:
        return generate._form(generate.Where.model_validate({"engine": engine}), 1, base, folder, merged)

    monkeypatch.setattr(vllm_model, "is_installed", lambda: True)
    assert form("auto", "") == ("vllm", base, "")
    assert form("auto", adapter, "merged") == ("vllm", "merged", "")
    assert form("transformers", adapter, "merged") == ("transformers", base, adapter)
    with caplog.at_level("INFO"):
        assert form("auto", adapter) == ("transformers", base, adapter)
    assert "modules_to_save, so transformers is used" in caplog.text
    with pytest.raises(EngineError, match=r"modules_to_save: run 'make export-gguf' first"):
        form("vllm", adapter)
    monkeypatch.setattr(vllm_model, "is_installed", lambda: False)
    assert form("auto", "") == ("transformers", base, "")


def test_a_merged_model_of_another_adapter_is_not_taken(tmp_path: Path) -> None:
    shutil.copytree(exported_workspace(), tmp_path, dirs_exist_ok=True)
    store, folder = Store(str(tmp_path)), "models/adapters/tiny"
    assert generate._merged(store, "tiny") == store.path("models/merged/tiny")
    store.write(f"{folder}/adapter_model.safetensors", b"trained again")
    finish(store, folder, Manifest(stage="train", fingerprint="again"))
    assert generate._merged(store, "tiny") == ""
