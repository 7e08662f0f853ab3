"""What vLLM is asked for, with a stand-in of its classes: no machine of the tests has the library."""

from __future__ import annotations

import asyncio
import json
import sys
import types
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from seshat.engines.decoding import GREEDY, Decoding
from seshat.engines.vllm_model import VllmModel, VllmService, is_installed, refusal, sampling_of, settings
from seshat.errors import EngineError

END = 7
PLAIN = {"r": 24, "modules_to_save": None, "use_dora": False}


@dataclass
class Output:
    """Of one answer; for beam search, with the prompt before it."""

    token_ids: Sequence[int]
    cumulative_logprob: float | None

    @property
    def tokens(self) -> list[int]:
        return [1, 2, *self.token_ids]

    @property
    def cum_logprob(self) -> float | None:
        return self.cumulative_logprob

    finish_reason: str = "length"
    text: str = ""


class StandIn:
    """Takes what the real class takes, and answers each prompt with itself and the end."""

    made: dict[str, Any]

    def __init__(self, **asked: Any) -> None:
        StandIn.made, self.calls = asked, []
        StandIn.last = self

    def get_tokenizer(self) -> Any:
        return types.SimpleNamespace(eos_token_id=END)

    def generate(self, prompts: list[dict[str, Any]], params: list[Any], **more: Any) -> list[Any]:
        self.calls.append((prompts, params, more))
        answers = [Output([*prompt["prompt_token_ids"], END], -0.5 * (len(prompt["prompt_token_ids"]) + 1)) for prompt in prompts]
        return [types.SimpleNamespace(outputs=[answer] * one.get("n", 1)) for answer, one in zip(answers, params, strict=True)]

    def beam_search(self, prompts: list[dict[str, Any]], params: dict[str, Any], **more: Any) -> list[Any]:
        self.calls.append((prompts, params, more))
        return [types.SimpleNamespace(sequences=[Output([5, 6, END], -3.0), Output([5], -4.0)]) for _ in prompts]


class AsyncStandIn:
    """The engine for many at once: says its prompt token by token, with a text of letters where one is asked for."""

    @staticmethod
    def from_engine_args(asked: dict[str, Any]) -> AsyncStandIn:
        AsyncStandIn.made, AsyncStandIn.last = asked, AsyncStandIn()
        return AsyncStandIn.last

    made: dict[str, Any]
    last: AsyncStandIn

    def __init__(self) -> None:
        self.calls: list[tuple[list[int], dict[str, Any], str]] = []
        self.together = self.most = self.said = 0

    async def generate(self, prompt: dict[str, list[int]], params: dict[str, Any], request_id: str) -> AsyncIterator[Any]:
        ids = prompt["prompt_token_ids"]
        self.calls.append((ids, params, request_id))
        self.together += 1
        self.most = max(self.most, self.together)
        try:
            for length in range(1, len(ids) + 2):
                await asyncio.sleep(0.01)
                said = [*ids, END][:length]
                text = "".join(chr(96 + one) for one in said if one != END) if params["detokenize"] else ""
                self.said += 1
                number = params.get("n", 1)
                one = Output(said, -0.5 * length, text=text)
                if params.get("output_kind") == "final only":
                    if length == len(ids) + 1:
                        yield types.SimpleNamespace(outputs=[one] * number)
                else:  # as the real one: of several samples only the one that moved
                    yield types.SimpleNamespace(outputs=[one])
        finally:
            self.together -= 1


@pytest.fixture
def vllm(monkeypatch: pytest.MonkeyPatch) -> type[StandIn]:
    module, lora, sampling = (types.ModuleType(name) for name in ("vllm", "vllm.lora.request", "vllm.sampling_params"))
    module.LLM, module.SamplingParams, module.sampling_params = StandIn, dict, sampling  # type: ignore[attr-defined]
    module.AsyncLLMEngine, module.AsyncEngineArgs = AsyncStandIn, dict  # type: ignore[attr-defined]
    sampling.RequestOutputKind = types.SimpleNamespace(FINAL_ONLY="final only")  # type: ignore[attr-defined]
    sampling.BeamSearchParams = dict  # type: ignore[attr-defined]
    lora.LoRARequest = lambda *asked: asked  # type: ignore[attr-defined]
    for name, one in {"vllm": module, "vllm.lora": types.ModuleType("vllm.lora"), "vllm.lora.request": lora}.items():
        monkeypatch.setitem(sys.modules, name, one)
    return StandIn


def adapter(folder: Path, **config: Any) -> str:
    (folder / "adapter_config.json").write_text(json.dumps({**PLAIN, **config}))
    (folder / "adapter_model.safetensors").touch()
    return str(folder)


def ask(model: VllmModel, prompts: list[list[int]], decoding: Decoding = GREEDY) -> list[Any]:
    found = dict(model.candidates(prompts, max_new_tokens=9, stop=[END], decoding=decoding))
    return [found[place] for place in range(len(prompts))]


def test_a_whole_model_answers_greedily(vllm: type[StandIn]) -> None:
    model = VllmModel("models/merged/tiny")
    [[first], [second]] = ask(model, [[1, 2], [3]])
    assert StandIn.made == {"model": "models/merged/tiny", "dtype": "bfloat16", "seed": 0, "generation_config": "vllm"}
    assert (first.ids, first.finished, first.logprob) == ((1, 2), True, pytest.approx(-0.5))
    assert second.ids == (3,)
    [(prompts, params, more)] = vllm.last.calls  # type: ignore[attr-defined]
    assert prompts == [{"prompt_token_ids": [1, 2]}, {"prompt_token_ids": [3]}]
    assert params == [{"max_tokens": 9, "stop_token_ids": [END], "logprobs": 0, "detokenize": False, "temperature": 0.0}] * 2
    assert more == {"lora_request": None, "use_tqdm": False}


def test_an_adapter_is_put_on_its_base(vllm: type[StandIn], tmp_path: Path) -> None:
    model = VllmModel("models/base/tiny", adapter=adapter(tmp_path), context=512)
    ask(model, [[1, 2]])
    assert StandIn.made["model"] == "models/base/tiny"
    assert (StandIn.made["enable_lora"], StandIn.made["max_lora_rank"], StandIn.made["max_model_len"]) == (True, 32, 512)
    assert vllm.last.calls[0][2]["lora_request"] == (tmp_path.name, 1, str(tmp_path))  # type: ignore[attr-defined]


def test_the_seed_of_samples_is_that_of_the_prompt_whatever_its_neighbours() -> None:
    mbr = Decoding(method="mbr", samples=3, temperature=0.5)
    asked = sampling_of(mbr, [1, 2], 9, [END])
    assert (asked["n"], asked["temperature"]) == (3, 0.5)
    seeds = {sampling_of(one, prompt, 9, [END])["seed"] for one in (mbr, mbr.model_copy(update={"seed": 1})) for prompt in ([1, 2], [12])}
    assert len(seeds) == 4
    assert asked["seed"] in seeds


def test_samples_are_all_there_to_choose_from(vllm: type[StandIn]) -> None:
    [found] = ask(VllmModel("m"), [[1, 2]], Decoding(method="mbr", samples=3))
    assert [one.ids for one in found] == [(1, 2)] * 3


def test_beam_search_gives_the_best_or_all(vllm: type[StandIn]) -> None:
    [[best]] = ask(VllmModel("m"), [[1, 2]], Decoding(method="beam", beams=2, length_penalty=0.5))
    assert (best.ids, best.finished, best.logprob) == ((5, 6), True, -1.0)
    assert vllm.last.calls[0][1] == {"beam_width": 2, "max_tokens": 9, "length_penalty": 0.5}  # type: ignore[attr-defined]
    [[first, second]] = ask(VllmModel("m"), [[1, 2]], Decoding(method="mbr", candidates="beams", beams=2))
    assert (first, second.ids, second.finished, second.logprob) == (best, (5,), False, -4.0)
    with pytest.raises(EngineError, match=r"ends at token 7, .*\[3\]: set evaluation\.generation\.engine=transformers"):
        list(VllmModel("m").candidates([[1]], max_new_tokens=9, stop=[3], decoding=Decoding(method="beam")))


def test_prompts_of_several_threads_are_at_work_together(vllm: type[StandIn]) -> None:
    service = VllmService("models/merged/tiny", context=512)
    assert AsyncStandIn.made == settings("models/merged/tiny", "", 512)
    with ThreadPoolExecutor(4) as threads:
        said = list(threads.map(lambda one: service.generate([[one, 2]], max_new_tokens=9, stop=[END]), range(1, 5)))
    assert [[one.ids for one in several] for several in said] == [[(one, 2)] for one in range(1, 5)]
    assert said[0][0].logprob == pytest.approx(-0.5)
    assert AsyncStandIn.last.most > 1
    assert len({name for *_, name in AsyncStandIn.last.calls}) == 4
    service.generate([[1]], max_new_tokens=9, stop=[END])
    [[one, other]] = [
        drawn for _, drawn in service.candidates([[1]], max_new_tokens=9, stop=[END], decoding=Decoding(method="mbr", samples=2))
    ]
    assert one == other
    with pytest.raises(EngineError, match="without beam search"):
        list(service.candidates([[1]], max_new_tokens=9, stop=[END], decoding=Decoding(method="beam")))


def test_an_answer_is_told_as_it_grows_and_dropped_when_nobody_listens(vllm: type[StandIn]) -> None:
    service, heard = VllmService("m"), list[str]()
    service.stream([1, 2, 3], max_new_tokens=9, stop=[END], tell=lambda piece: not heard.append(piece))
    assert heard == ["a", "b", "c"]
    AsyncStandIn.last.said = 0
    service.stream([1, 2, 3], max_new_tokens=9, stop=[END], tell=lambda piece: False)
    assert (AsyncStandIn.last.said, AsyncStandIn.last.together) == (1, 0)


@pytest.mark.parametrize("config", [{"modules_to_save": ["embed_tokens"]}, {"use_dora": True}, {"r": 1024}])
def test_an_adapter_that_vllm_does_not_load_is_refused_with_its_cure(vllm: type[StandIn], tmp_path: Path, config: dict[str, Any]) -> None:
    folder = adapter(tmp_path, **config)
    assert refusal(folder).startswith(f"vLLM does not load {folder}, which has ")
    with pytest.raises(EngineError, match="make export-gguf"):
        VllmModel("models/base/tiny", adapter=folder)


def test_a_whole_model_of_training_needs_no_adapter(vllm: type[StandIn], tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    assert refusal(str(tmp_path)) == ""
    VllmModel("models/base/tiny", adapter=str(tmp_path))
    assert StandIn.made["model"] == str(tmp_path)
    assert "enable_lora" not in StandIn.made


@pytest.mark.skipif(is_installed(), reason="vLLM is installed")
def test_without_vllm_the_cure_is_named() -> None:
    with pytest.raises(EngineError, match=r"evaluation\.generation\.engine=transformers"):
        VllmModel("m")


def test_a_context_of_nothing_is_the_models_own() -> None:
    assert "max_model_len" not in settings("m", "", 0)
