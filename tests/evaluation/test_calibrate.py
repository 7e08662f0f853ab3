"""Expected quality is learnt on validation sentences and holds on others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest

from seshat.confidence import CALIBRATION, Calibration
from seshat.engines.fakes import TableModel
from seshat.engines.model import Completion
from seshat.evaluation.calibrate import FEWEST, fit, reliability
from seshat.evaluation.evaluate import evaluate
from seshat.evaluation.results import Sample, read_samples
from seshat.evaluation.settings import Evaluation
from seshat.examples import read_examples, to_line
from seshat.prompts import Prompts
from seshat.serving import Bands
from seshat.store import Store
from seshat.translate import Translator
from tests.evaluation.conftest import LANGUAGE, translations

Make = Callable[[dict[str, str]], Translator]


def drawn(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Signs, and scores that follow them, bent and with noise."""
    rng = np.random.default_rng(seed)
    signs = np.column_stack([-rng.exponential(0.7, count), rng.uniform(0.3, 1.0, count)])
    truth = 90 / (1 + np.exp(-(2.5 * signs[:, 0] + 4 * signs[:, 1] - 1)))
    return signs, np.clip(truth + rng.normal(0, 12, count), 0, 100)


def test_expected_scores_hold_on_other_sentences() -> None:
    curve = fit(*drawn(500, 1))
    signs, scores = drawn(2_000, 2)
    expected = np.array([curve.at(*one) for one in signs])
    assert curve.n == 500
    assert curve.logprob > 0 < curve.coverage
    for low, high in ((0, 30), (30, 50), (50, 101)):
        inside = (expected >= low) & (expected < high)
        assert inside.sum() > 100
        assert abs(expected[inside].mean() - scores[inside].mean()) < 4
    assert np.corrcoef(expected, scores)[0, 1] > 0.8


def test_nonsense_is_not_trusted_although_all_validation_sentences_were_good() -> None:
    rng = np.random.default_rng(4)
    signs = np.column_stack([rng.uniform(-0.4, -0.1, 60), rng.uniform(0.8, 1.0, 60)])
    curve = fit(signs, np.clip(100 + 100 * signs[:, 0] + rng.normal(0, 8, 60), 0, 100))
    assert curve.at(-0.25, 0.9) > 65
    assert curve.at(-1.5, 0.9) < 20


def test_a_sign_that_never_changes_counts_for_nothing_and_curves_never_fall() -> None:
    signs, scores = drawn(200, 3)
    curve = fit(np.column_stack([signs[:, 0], np.ones(200)]), scores)
    assert curve.coverage == 0
    assert list(curve.sums) == sorted(curve.sums)
    assert list(curve.expected) == sorted(curve.expected)
    same = fit(np.ones((60, 2)) * (-1.0, 1.0), scores[:60])
    assert same.expected == (pytest.approx(scores[:60].mean()),)


def test_bands_show_what_was_expected_and_measured_with_their_numbers() -> None:
    def sample(expected: float | None, said: str) -> Sample:
        return Sample(
            direction="spa-qtm", task="translation", source="s", reference="misi pawan", hypotheses={"ours": said}, expected=expected
        )

    rows = reliability([sample(80, "misi pawan"), sample(60, "xx"), sample(10, "xx"), sample(None, "misi pawan")], Bands())
    assert [(one.band, one.n, one.expected, round(one.measured)) for one in rows] == [
        ("green", 2, 70.0, 50), ("yellow", 0, 0.0, 0), ("red", 1, 10.0, 0),
    ]  # fmt: skip
    assert reliability([sample(None, "x")], Bands()) == []


NOUNS = ("perro", "gato", "niño", "abuelo", "hombre", "sapo", "pato", "burro")
VERBS = ("come", "corre", "duerme", "canta", "bebe", "teje", "salta", "nada")
SENTENCES = [(f"El {noun} {verb}.", f"{noun[::-1]} {verb[::-1]}.") for noun in NOUNS for verb in VERBS]


@pytest.fixture
def validated(workspace: Store) -> Store:
    """With 64 validation sentences."""
    assert len(SENTENCES) >= FEWEST
    lines = "".join(f"{to_line(one)}\n" for one in translations(SENTENCES, "val"))
    workspace.write("data/training/val.jsonl", lines.encode())
    return workspace


class Doubtful(TableModel):
    """Is sure of what it knows, unless that is the answer of one who does not."""

    wrong: tuple[int, ...] = ()

    def generate(self, prompts: Sequence[Sequence[int]], *, max_new_tokens: int, stop: Sequence[int]) -> list[Completion]:
        found = super().generate(prompts, max_new_tokens=max_new_tokens, stop=stop)
        sure = [tuple(prompt) in self.answers and one.ids != self.wrong for prompt, one in zip(prompts, found, strict=True)]
        return [replace(one, logprob=-0.1 if is_sure else -3.0) for one, is_sure in zip(found, sure, strict=True)]


def knowing(store: Store, translator: Make) -> Translator:
    """Answers every validation sentence, two of each four wrongly."""
    known = {}
    for number, one in enumerate(read_examples(store.path("data/training/val.jsonl"))):
        known[one.prompt] = "zzz" if number // 2 % 2 else one.answer
    made = translator(known)
    assert isinstance(made.model, TableModel)
    model = Doubtful(made.model.answers)
    model.wrong = tuple(made.tokenizer.text("zzz"))
    return Translator(model, made.tokenizer, made.card)


def run(store: Store, translator: Make, **settings: object) -> None:
    evaluation = Evaluation.model_validate({"bootstrap": 100, "perplexity_sample": 0, "phrases": False, **settings})
    evaluate(evaluation, LANGUAGE, Prompts(), store, "tiny", ours=lambda: knowing(store, translator))


def test_eval_learns_on_the_validation_set_and_keeps_it_beside_the_card(validated: Store, translator: Make) -> None:
    run(validated, translator)
    found = Calibration.model_validate_json(validated.read(f"models/adapters/tiny/{CALIBRATION}"))
    assert found.model == validated.vouch("models/adapters/tiny/manifest.json").sha256
    assert {direction: curve.n for direction, curve in found.curves.items()} == {"spa-qtm": 64, "qtm-spa": 64}
    sure, doubtful = (found.curves["spa-qtm"].at(logprob, 0.5) for logprob in (-0.1, -3.0))
    assert sure == pytest.approx(100, abs=1)
    assert doubtful < 15
    samples = [one for one in read_samples(validated) if one.task == "translation"]
    assert all(one.expected is not None and one.expected < 15 for one in samples)
    assert all(one.expected is None for one in read_samples(validated) if one.task != "translation")


@pytest.mark.parametrize(
    "settings", [{"calibration": 0}, {"calibration": 49}, {"decoding": {"method": "mbr"}}], ids=["none", "too few", "another search"]
)
def test_without_enough_greedy_answers_no_number_is_invented(validated: Store, translator: Make, settings: dict[str, object]) -> None:
    run(validated, translator, **settings)
    assert validated.size(f"models/adapters/tiny/{CALIBRATION}") < 0
    assert {one.expected for one in read_samples(validated)} == {None}


def test_test_sentences_teach_nothing(validated: Store, translator: Make) -> None:
    run(validated, translator)
    before = validated.read(f"models/adapters/tiny/{CALIBRATION}")
    test = "".join(f"{to_line(one)}\n" for one in translations([("Otra cosa.", "Xyz.")], "test"))
    validated.write("data/training/test.jsonl", test.encode())
    run(validated, translator)
    assert validated.read(f"models/adapters/tiny/{CALIBRATION}") == before
