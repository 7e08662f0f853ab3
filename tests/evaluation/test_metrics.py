import pytest
from sacrebleu.metrics import BLEU, CHRF

from seshat.evaluation.metrics import METRICS, Metric, score

REFERENCES = ["El gato come pescado en la casa.", "La mujer canta.", "Mañana vamos al río con los niños.", "No.", "¿Dónde está tu hermano?"]
HYPOTHESES = ["El gato come pescado en casa.", "Una mujer cantaba.", "Vamos al río mañana.", "No.", ""]


@pytest.mark.parametrize(("metric", "judge"), [("bleu", BLEU(force=True)), ("chrf++", CHRF(word_order=2))])
def test_the_score_is_sacrebleus_to_the_last_digit(metric: Metric, judge: BLEU | CHRF) -> None:
    found = score(metric, HYPOTHESES, REFERENCES, resamples=100)
    theirs = judge.corpus_score(HYPOTHESES, [REFERENCES])
    assert found.score == theirs.score
    assert found.signature == f"{theirs.name}|{judge.get_signature()}"
    assert "version:" in found.signature
    assert found.num_sentences == 5


@pytest.mark.parametrize("metric", METRICS)
def test_the_interval_is_seeded_holds_the_score_and_shrinks(metric: Metric) -> None:
    few = score(metric, HYPOTHESES * 4, REFERENCES * 4, seed=1)
    assert few == score(metric, HYPOTHESES * 4, REFERENCES * 4, seed=1)
    assert few.low < few.score < few.high
    many = score(metric, HYPOTHESES * 40, REFERENCES * 40, seed=1)
    assert many.score == pytest.approx(few.score)
    assert many.high - many.low < (few.high - few.low) / 2


def test_bootstrap_agrees_with_scoring_each_resample() -> None:
    """The resampled sums give what sacrebleu gives for the resampled sentences."""
    import numpy as np

    metric = CHRF(word_order=2)
    drawn = np.random.default_rng(3).multinomial(5, np.full(5, 0.2), size=200)
    chosen = [[place for place, times in enumerate(row) for _ in range(times)] for row in drawn]
    values = [metric.corpus_score([HYPOTHESES[i] for i in row], [[REFERENCES[i] for i in row]]).score for row in chosen]
    found = score("chrf++", HYPOTHESES, REFERENCES, resamples=1_000, seed=3)
    assert found.low == pytest.approx(np.percentile(values, 2.5), abs=6)
    assert found.high == pytest.approx(np.percentile(values, 97.5), abs=6)


def test_nothing_to_score_is_refused() -> None:
    with pytest.raises(ValueError, match="0 hypotheses for 0 references"):
        score("bleu", [], [])
    with pytest.raises(ValueError, match="1 hypotheses for 2 references"):
        score("bleu", ["a"], ["a", "b"])
