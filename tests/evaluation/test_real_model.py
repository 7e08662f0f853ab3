"""A small model that was really trained, scored through the same doors as a large one."""

import pytest

from seshat.evaluation.evaluate import evaluate
from seshat.evaluation.results import read_details, read_scores
from seshat.evaluation.settings import Evaluation
from seshat.prompts import ChatTokenizer, Prompts
from seshat.store import Store
from seshat.translate import Translator, read_card
from tests.evaluation.conftest import LANGUAGE, translations
from tests.tiny_model import PAIRS, exported_workspace

pytest.importorskip("torch")


pytestmark = pytest.mark.heavy


def test_training_shows_in_scores_and_perplexity(workspace: Store) -> None:
    """The adapter knows its ten sentences by heart; its base has seen none of their translations."""
    from seshat.engines.transformers_model import TransformersModel
    from seshat.examples import to_line

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
