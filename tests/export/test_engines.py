"""The two engines that hold weights: equal answers whatever the batch, clean errors, and the traps of llama.cpp."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from seshat.engines.llamacpp import LlamaCppModel, _completion
from seshat.engines.transformers_model import TransformersModel
from seshat.errors import EngineError
from tests.export.conftest import Tiny
from tests.tiny_model import both_ways

pytestmark = pytest.mark.heavy


@pytest.fixture(scope="module")
def llamacpp(tiny: Tiny) -> LlamaCppModel:
    return LlamaCppModel(tiny.gguf("F16"), threads=1, slots=3, context=256)


def test_the_merged_model_says_what_it_was_taught(tiny: Tiny) -> None:
    made = tiny.merged.generate(tiny.prompts, max_new_tokens=40, stop=[tiny.tokenizer.end])
    assert [tiny.tokenizer.decode(one.ids) for one in made[:-2]] == [answer for _, answer, _, _ in both_ways()]
    assert all(one.finished and -0.05 < one.logprob < 0 for one in made[:-2])


@pytest.mark.parametrize("batch_size", [1, 3, 64])
def test_answers_do_not_depend_on_the_batch(tiny: Tiny, batch_size: int) -> None:
    whole = tiny.merged.generate(tiny.prompts, max_new_tokens=40, stop=[tiny.tokenizer.end])
    tiny.merged.batch_size, before = batch_size, tiny.merged.batch_size
    try:
        cut = tiny.merged.generate(tiny.prompts, max_new_tokens=40, stop=[tiny.tokenizer.end])
    finally:
        tiny.merged.batch_size = before
    assert [one.ids for one in cut] == [one.ids for one in whole]
    assert [one.logprob for one in cut] == pytest.approx([one.logprob for one in whole], abs=1e-5)


def test_greedy_generation_is_that_of_transformers(tiny: Tiny) -> None:
    import torch

    for prompt in tiny.prompts[::7]:
        expected = tiny.merged.model.generate(
            torch.tensor([prompt]), max_new_tokens=24, do_sample=False, eos_token_id=tiny.tokenizer.end, pad_token_id=0
        )[0, len(prompt) :].tolist()
        made = tiny.merged.generate([prompt], max_new_tokens=24, stop=[tiny.tokenizer.end])[0]
        assert [*made.ids, *([tiny.tokenizer.end] if made.finished else [])] == expected


def test_the_mean_log_probability_is_that_of_the_logits(tiny: Tiny) -> None:
    prompt = tiny.prompts[0]
    made = tiny.merged.generate([prompt], max_new_tokens=40, stop=[tiny.tokenizer.end])[0]
    ids = [*made.ids, tiny.tokenizer.end]
    logprobs = tiny.merged.logits([*prompt, *ids]).log_softmax(dim=-1)
    expected = sum(float(logprobs[len(prompt) - 1 + place, token]) for place, token in enumerate(ids)) / len(ids)
    assert made.logprob == pytest.approx(expected, abs=1e-5)


def test_an_answer_that_reaches_the_limit_says_so(tiny: Tiny, llamacpp: LlamaCppModel) -> None:
    for engine in (tiny.merged, llamacpp):
        made = engine.generate(tiny.prompts[:2], max_new_tokens=3, stop=[tiny.tokenizer.end])
        assert [(len(one.ids), one.finished) for one in made] == [(3, False), (3, False)]


def test_an_adapter_on_its_base_answers_as_the_merged_model(tiny: Tiny) -> None:
    models = tiny.root / "models"
    engine = TransformersModel(str(models / "base" / "tiny"), adapter=str(models / "adapters" / "tiny"), device="cpu")
    ours = engine.generate(tiny.prompts, max_new_tokens=40, stop=[tiny.tokenizer.end])
    assert [one.ids for one in ours] == [
        one.ids for one in tiny.merged.generate(tiny.prompts, max_new_tokens=40, stop=[tiny.tokenizer.end])
    ]


def test_llamacpp_loses_no_token_that_ends_inside_a_character(tiny: Tiny, llamacpp: LlamaCppModel) -> None:
    """In this vocabulary the first byte of "ó" is the end of one token and its second byte the next."""
    prompt = tiny.prompts[[text for text, *_ in both_ways()].index("¿Maypi wawqi ka?")]
    made = llamacpp.generate([prompt], max_new_tokens=40, stop=[tiny.tokenizer.end])[0]
    expected = tiny.merged.generate([prompt], max_new_tokens=40, stop=[tiny.tokenizer.end])[0]
    pieces = [tiny.tokenizer.tokenizer.decode([token]) for token in expected.ids]
    assert any("\ufffd" in piece for piece in pieces), "the vocabulary has no such token any more: choose another sentence"
    assert made.ids == expected.ids
    assert made.logprob == pytest.approx(expected.logprob, abs=0.01)


def test_llamacpp_stops_at_any_id_that_it_is_given(tiny: Tiny, llamacpp: LlamaCppModel) -> None:
    whole = llamacpp.generate(tiny.prompts[:1], max_new_tokens=40, stop=[tiny.tokenizer.end])[0]
    early = llamacpp.generate(tiny.prompts[:1], max_new_tokens=40, stop=[whole.ids[2]])[0]
    assert early.ids == whole.ids[:2]
    assert early.finished


def test_llamacpp_answers_many_callers_at_once(tiny: Tiny, llamacpp: LlamaCppModel) -> None:
    alone = [llamacpp.generate([prompt], max_new_tokens=40, stop=[tiny.tokenizer.end])[0].ids for prompt in tiny.prompts]
    with ThreadPoolExecutor(6) as callers:
        together = list(
            callers.map(lambda prompt: llamacpp.generate([prompt], max_new_tokens=40, stop=[tiny.tokenizer.end])[0].ids, tiny.prompts)
        )
    assert together == alone


def test_an_answer_ended_by_another_token_of_the_file_is_finished() -> None:
    content = [{"id": token, "logprob": -1.0} for token in (5, 6, 0)]
    reply = {"choices": [{"finish_reason": "stop", "logprobs": {"content": content}}], "__verbose": {"tokens": [5, 6, 0]}}
    made = _completion(reply, frozenset({2}))
    assert (made.ids, made.finished, made.logprob) == ((5, 6), True, -1.0)


def test_threads_never_exceed_the_cores(tiny: Tiny) -> None:
    import os

    assert LlamaCppModel(tiny.gguf("Q8_0"), threads=10_000, slots=1, context=128).threads == len(os.sched_getaffinity(0))


def test_what_does_not_fit_is_refused_with_a_sentence(tiny: Tiny, llamacpp: LlamaCppModel) -> None:
    with pytest.raises(EngineError, match="exceeds the available context"):
        llamacpp.generate([[5] * 300], max_new_tokens=4, stop=[2])
    with pytest.raises(EngineError, match="do not fit the model's context of 512"):
        tiny.merged.generate([[5] * 510], max_new_tokens=4, stop=[2])
    with pytest.raises(EngineError, match="without tokens"):
        tiny.merged.generate([[5], []], max_new_tokens=4, stop=[2])


def test_missing_and_damaged_models_name_the_cure(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="make export-gguf"):
        LlamaCppModel(str(tmp_path / "none.gguf"))
    (tmp_path / "half.gguf").write_bytes(b"GGUF\x03\x00")
    with pytest.raises(EngineError, match=r"half.gguf cannot be loaded"):
        LlamaCppModel(str(tmp_path / "half.gguf"))
    with pytest.raises(EngineError, match="make download-model"):
        TransformersModel(str(tmp_path))
