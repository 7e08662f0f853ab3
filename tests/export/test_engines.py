"""The two engines that hold weights: equal answers whatever the batch, clean errors, and the traps of llama.cpp."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from seshat.engines.decoding import Decoding
from seshat.engines.llamacpp import LlamaCppModel, _completion
from seshat.engines.model import Completion
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


# Searching for answers


def ask(engine: TransformersModel, prompts: list[list[int]], tiny: Tiny, **decoding: object) -> list[list[Completion]]:
    asked = Decoding.model_validate(decoding)
    found = dict(engine.candidates(prompts, max_new_tokens=40, stop=[tiny.tokenizer.end], decoding=asked))
    return [found[place] for place in range(len(prompts))]


def total(engine: TransformersModel, prompt: list[int], one: Completion, end: int) -> float:
    """The sum of the log-probabilities of an answer, by the logits."""
    ids = [*one.ids, *([end] if one.finished else [])]
    logprobs = engine.logits([*prompt, *ids]).log_softmax(dim=-1)
    return sum(float(logprobs[len(prompt) - 1 + place, token]) for place, token in enumerate(ids))


SEARCHES = [{"method": "beam", "beams": 3}, {"method": "mbr", "samples": 3, "temperature": 1.0}, {"method": "mbr", "candidates": "beams"}]


@pytest.mark.parametrize("decoding", SEARCHES, ids=["beam", "samples", "beams"])
def test_candidates_do_not_depend_on_the_batch(tiny: Tiny, decoding: dict[str, object]) -> None:
    """The two sentences that it has never seen are those with several good answers."""
    prompts = tiny.prompts[-5:]
    together = ask(tiny.merged, prompts, tiny, **decoding)
    alone = [ask(tiny.merged, [prompt], tiny, **decoding)[0] for prompt in reversed(prompts)][::-1]
    assert [[one.ids for one in found] for found in together] == [[one.ids for one in found] for found in alone]
    assert len({one.ids for one in together[-1]}) > 1 or decoding["method"] == "beam"


@pytest.mark.parametrize("decoding", [*SEARCHES, {"method": "beam", "length_penalty": 0.3}], ids=["beam", "samples", "beams", "penalty"])
def test_the_log_probabilities_of_candidates_are_those_of_the_logits(tiny: Tiny, decoding: dict[str, object]) -> None:
    prompt = tiny.prompts[-1]
    for one in ask(tiny.merged, [prompt], tiny, **decoding)[0]:
        expected = total(tiny.merged, prompt, one, tiny.tokenizer.end) / (len(one.ids) + one.finished)
        assert one.logprob == pytest.approx(expected, abs=1e-4)


def test_beam_search_finds_what_is_at_least_as_likely_as_the_greedy_answer(tiny: Tiny) -> None:
    unseen = ["El perro canta temprano.", "La abuela come en el río.", "¿Qué bebe el sol?", "Mañana teje tu hermano.", "Adiós, casa."]
    prompts, end = [tiny.tokenizer.prompt(text) for text in unseen], tiny.tokenizer.end
    better = 0
    for prompt, [beam], [greedy] in zip(
        prompts, ask(tiny.merged, prompts, tiny, method="beam", length_penalty=0.0), ask(tiny.merged, prompts, tiny), strict=True
    ):
        found, usual = (total(tiny.merged, prompt, one, end) for one in (beam, greedy))
        assert found > usual - 1e-4
        better += found > usual + 1e-4
    assert better, "the search never found anything else"


def test_samples_follow_the_seed_and_the_temperature(tiny: Tiny) -> None:
    prompts = tiny.prompts[-2:]
    [greedy] = ask(tiny.merged, prompts[:1], tiny)
    first, again, other, cold = (
        ask(tiny.merged, prompts, tiny, method="mbr", samples=4, **more)
        for more in ({"temperature": 1.0}, {"temperature": 1.0}, {"temperature": 1.0, "seed": 1}, {"temperature": 1e-4})
    )
    assert first == again != other
    assert [one.ids for one in cold[0]] == [greedy[0].ids] * 4


def test_samples_are_drawn_as_often_as_the_model_says(tiny: Tiny) -> None:
    """The first token of 400 samples against its probability."""
    prompt = tiny.prompts[-1]
    probabilities = tiny.merged.logits(prompt)[-1].softmax(dim=-1)
    asked = Decoding(method="mbr", samples=400, temperature=1.0)
    [(_, found)] = tiny.merged.candidates([prompt], max_new_tokens=1, stop=[tiny.tokenizer.end], decoding=asked)
    token = int(probabilities.argmax())
    share, expected = sum(one.ids[:1] == (token,) for one in found) / 400, float(probabilities[token])
    assert 0.02 < expected < 0.999
    assert abs(share - expected) < 4 * (expected * (1 - expected) / 400) ** 0.5
