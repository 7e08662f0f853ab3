import pytest

from seshat.evaluation.forgetting import Surprises, forgetting, surprises
from seshat.prompts import ChatTokenizer

torch = pytest.importorskip("torch")

BEFORE = Surprises(bits=tuple(10.0 + place % 3 for place in range(30)), characters=(10,) * 30)


def shifted(bits: float, spread: float = 0.0) -> Surprises:
    values = (one + bits + (spread if place % 2 else -spread) for place, one in enumerate(BEFORE.bits))
    return Surprises(bits=tuple(values), characters=BEFORE.characters)


def test_a_model_that_is_more_surprised_has_forgotten() -> None:
    found = forgetting(BEFORE, shifted(2.0))
    assert found is not None
    assert (found.num_texts, found.before, found.after) == (30, pytest.approx(1.1), pytest.approx(1.3))
    assert found.low == found.high == pytest.approx(0.2)
    assert "has forgotten some español: 1.10 bits a character before training, 1.30 after, 18% more" in found.sentence("español")


@pytest.mark.parametrize(
    ("change", "spread", "verdict"), [(0.1, 5.0, "No sign that the model has forgotten"), (-2.0, 0.0, "knows español better than before")]
)
def test_the_verdict_claims_no_more_than_the_interval_allows(change: float, spread: float, verdict: str) -> None:
    found = forgetting(BEFORE, shifted(change, spread))
    assert found is not None
    assert verdict in found.sentence("español")


def test_both_models_must_have_read_the_same() -> None:
    assert forgetting(Surprises(bits=(), characters=()), Surprises(bits=(), characters=())) is None
    with pytest.raises(ValueError, match="30 and 1 texts"):
        forgetting(BEFORE, Surprises(bits=(1.0,), characters=(10,)))


def test_each_text_is_measured_by_itself(tokenizer: ChatTokenizer) -> None:
    size = len(tokenizer.tokenizer)
    asked = [("Di algo", "Wasi hatun ka."), ("Más", "Allku pawa.")]
    found = surprises(lambda ids: torch.zeros(len(ids), size), tokenizer, asked)
    assert found.characters == (14, 11)
    tokens = [len(tokenizer.text(text)) for _, text in asked]
    assert found.bits[0] / found.bits[1] == pytest.approx(tokens[0] / tokens[1])
