"""From an evaluation on disk to what the report says beside its scores."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from seshat.engines.fakes import TableModel
from seshat.errors import StoreError
from seshat.evaluation import conclude as concluding
from seshat.evaluation.conclude import conclude, read_findings
from seshat.evaluation.evaluate import evaluate
from seshat.evaluation.report import write_report
from seshat.evaluation.settings import Evaluation
from seshat.examples import read_examples
from seshat.prompts import ChatTokenizer, Prompts
from seshat.store import Manifest, Store
from seshat.translate import Translator
from tests.evaluation.conftest import LANGUAGE
from tests.make import finish, pair

Make = Callable[[dict[str, str]], Translator]
SETTINGS = "model: Qwen3\nnum_train_epochs: 2.0\nlearning_rate: 0.0001\nlora: {r: 8, alpha: 16}\nseed: 1\n"


@pytest.fixture
def evaluated(workspace: Store, translator: Make) -> Store:
    workspace.finish("models/adapters/tiny", Manifest(stage="train", fingerprint="one", settings=SETTINGS))
    known = {one.prompt: f"{one.answer} blabla" for one in read_examples(workspace.path("data/training/test.jsonl"))}
    loads = {"ours": lambda: translator(known), "base": lambda: translator({})}
    evaluate(Evaluation(bootstrap=100, perplexity_sample=0, base_sample=1), LANGUAGE, Prompts(), workspace, "tiny", **loads)
    return workspace


def test_without_an_evaluation_there_is_nothing_to_conclude(workspace: Store) -> None:
    assert conclude(workspace, LANGUAGE) is None
    assert read_findings(workspace) is None


def test_findings_rest_on_answers_data_and_the_settings_of_the_adapter(evaluated: Store) -> None:
    noisy = [pair(f"wasi{place}", "casa", origin="translations/laws.tsv#1", rejected="ratio: 1 to 9") for place in range(3)]
    finish(evaluated, "align", noisy)
    found = conclude(evaluated, LANGUAGE)
    assert found is not None
    assert {(row.direction, row.task, row.speaker) for row in found.rates} >= {
        ("spa-qtm", "translation", "ours"),
        ("qtm-spa", "dictionary", "ours"),
    }
    ours = next(row.rates for row in found.rates if (row.direction, row.task, row.speaker) == ("spa-qtm", "translation", "ours"))
    assert ours.invented is not None
    assert ours.invented.hits >= 2
    assert ours.ended is not None
    assert ours.ended.share == 1
    assert "now 0.0001" in found.advice[-1].do
    assert [one.file for one in found.files] == ["translations/laws"]
    assert read_findings(evaluated) == found


def test_what_rests_on_the_same_is_not_computed_again(evaluated: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    first = conclude(evaluated, LANGUAGE)
    with monkeypatch.context() as patch:
        patch.setattr(concluding, "find", lambda *_: pytest.fail("computed again"))
        assert conclude(evaluated, LANGUAGE) == first
    again = conclude(evaluated, LANGUAGE, not_better_than="spring")
    assert again is not None
    assert "spring" in again.advice[0].what


def test_findings_of_an_older_version_are_made_again(evaluated: Store) -> None:
    evaluated.write("reports/findings.json", b'{"old": 1}')
    assert read_findings(evaluated) is None
    assert conclude(evaluated, LANGUAGE) is not None


def test_text_of_the_user_is_read_for_words_that_are_lacking(evaluated: Store) -> None:
    evaluated.write("texts.txt", "\ufeffEl presupuesto alcanza.\n".encode())
    found = conclude(evaluated, LANGUAGE, bridge_texts="texts.txt")
    assert found is not None
    assert "presupuesto" in {gap.word for gap in found.gaps[0].words}
    with pytest.raises(StoreError, match=r"nothing\.txt is not there; next\.texts"):
        conclude(evaluated, LANGUAGE, bridge_texts="nothing.txt")


def test_the_report_shows_findings_if_there_are_any(evaluated: Store) -> None:
    assert "What the model cannot do" not in Path(write_report(evaluated, LANGUAGE)).read_text(encoding="utf-8")
    conclude(evaluated, LANGUAGE)
    page = Path(write_report(evaluated, LANGUAGE)).read_text(encoding="utf-8")
    assert page.count("<h2>What the model cannot do</h2>") == page.count('href="#limits"') == 1
    assert "<code>training.lora.r</code>" in page


def test_base_and_model_read_the_bridge_language(workspace: Store, tokenizer: ChatTokenizer, translator: Make) -> None:
    torch = pytest.importorskip("torch")
    size = len(tokenizer.tokenizer)

    class Reader(TableModel):
        """Gives the token that it likes this weight above all others."""

        def __init__(self, weight: float) -> None:
            super().__init__({})
            self.weight = weight

        def logits(self, ids: Sequence[int]) -> Any:
            table = torch.zeros(len(ids), size)
            table[:, 0] = self.weight
            return table

    def load(weight: float) -> Callable[[], Translator]:
        return lambda: Translator(Reader(weight), tokenizer, translator({}).card)

    evaluate(Evaluation(bootstrap=100), LANGUAGE, Prompts(), workspace, "tiny", ours=load(9.0), base=load(0.0))
    found = conclude(workspace, LANGUAGE)
    assert found is not None
    assert found.forgetting is not None
    assert (found.forgetting.num_texts, found.forgetting.after > found.forgetting.before) == (2, True)
    assert any("has forgotten some español" in sentence for sentence in found.limits)
