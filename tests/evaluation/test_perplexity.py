import math
from collections.abc import Sequence

import pytest

from seshat.evaluation.cases import continuations
from seshat.prompts import ChatTokenizer, Prompts
from tests.evaluation.conftest import LANGUAGE

torch = pytest.importorskip("torch")


def test_a_model_that_knows_nothing_hesitates_between_all_tokens(tokenizer: ChatTokenizer) -> None:
    from seshat.evaluation.perplexity import perplexity

    size = len(tokenizer.tokenizer)
    found = perplexity(lambda ids: torch.zeros(len(ids), size), tokenizer, [("Di algo", "Wasi hatun ka."), ("Más", "Allku pawa.")])
    assert found.per_token == pytest.approx(size, rel=1e-4)
    assert found.num_characters == len("Wasi hatun ka.Allku pawa.")
    assert found.bits_per_character == pytest.approx(found.num_tokens * math.log2(size) / found.num_characters, rel=1e-4)


def test_only_the_answer_is_counted_and_each_token_given_all_before(tokenizer: ChatTokenizer) -> None:
    from seshat.evaluation.perplexity import perplexity

    seen: list[list[int]] = []
    prompt, answer = tokenizer.prompt("Di algo"), tokenizer.text("Wasi hatun ka.")

    def oracle(ids: Sequence[int]) -> torch.Tensor:
        """Sure of the right next token, from the last token of the prompt on."""
        seen.append(list(ids))
        logits = torch.zeros(len(ids), len(tokenizer.tokenizer))
        for place, token in enumerate(answer, len(prompt) - 1):
            logits[place, token] = 100.0
        return logits

    found = perplexity(oracle, tokenizer, [("Di algo", "Wasi hatun ka.")])
    assert found.per_token == pytest.approx(1.0)
    assert found.num_tokens == len(answer)
    assert seen == [[*prompt, *answer[:-1]]]


def test_continuations_cut_texts_in_the_middle() -> None:
    asked = list(continuations(["uno dos tres cuatro cinco", "solo"], LANGUAGE, Prompts()))
    message = Prompts().instruction("completion", "uno dos", language=LANGUAGE, source="qtm")
    assert asked == [(message, "tres cuatro cinco")]
