"""A language model that runs in vLLM, the fast engine on GPUs: a whole model, or an adapter on its base."""

from __future__ import annotations

import asyncio
import importlib.util
import itertools
import json
import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from seshat.engines.decoding import GREEDY, Decoding
from seshat.engines.model import Completion
from seshat.engines.weights import is_whole
from seshat.errors import EngineError
from seshat.records import digest

RANKS = (8, 16, 32, 64, 128, 256, 320, 512)
"""The ranks that vLLM makes room for."""


def is_installed() -> bool:
    """Whether vLLM is there; it is not imported."""
    return importlib.util.find_spec("vllm") is not None


def refusal(adapter: str) -> str:
    """Why vLLM cannot put an adapter on its base; empty if it can.

    It knows plain LoRA alone: no embeddings that were trained with it (``modules_to_save``) and no DoRA.
    """
    if not adapter or is_whole(adapter):
        return ""
    config = _adapter_config(adapter)
    trained = [name for name in ("modules_to_save", "trainable_token_indices", "use_dora") if config.get(name)]
    if not trained and int(config["r"]) <= RANKS[-1]:
        return ""
    return f"vLLM does not load {adapter}, which has {' and '.join(trained) or 'rank ' + str(config['r'])}"


class VllmModel:
    """Generation with continuous batching; the prompts of a call run together."""

    def __init__(self, folder: str, *, adapter: str = "", context: int = 0) -> None:
        """Load the weights of ``folder``, with the LoRA of ``adapter`` on top if one is named.

        ``context`` is the room for prompt and answer in tokens; 0: what the model has.
        """
        vllm = _library("evaluation.generation.engine")
        if reason := refusal(adapter):
            raise EngineError(f"{reason}: run 'make export-gguf' first, or set evaluation.generation.engine=transformers")
        if adapter and is_whole(adapter):
            folder, adapter = adapter, ""
        self._vllm = vllm
        self._llm: Any = vllm.LLM(**settings(folder, adapter, context))
        self._lora = _lora_request(adapter) if adapter else None

    def generate(self, prompts: Sequence[Sequence[int]], *, max_new_tokens: int, stop: Sequence[int]) -> list[Completion]:
        """See ``LanguageModel``."""
        return [one for _, [one] in self.candidates(prompts, max_new_tokens=max_new_tokens, stop=stop, decoding=GREEDY)]

    def candidates(
        self, prompts: Sequence[Sequence[int]], *, max_new_tokens: int, stop: Sequence[int], decoding: Decoding
    ) -> Iterator[tuple[int, list[Completion]]]:
        """See ``CandidateModel``; all come when the last one has ended."""
        asked = [{"prompt_token_ids": list(prompt)} for prompt in prompts]
        if decoding.num_beams:
            made = self._beams(asked, max_new_tokens, stop, decoding)
        else:
            sampling = [self._vllm.SamplingParams(**sampling_of(decoding, prompt, max_new_tokens, stop)) for prompt in prompts]
            outputs = self._llm.generate(asked, sampling, lora_request=self._lora, use_tqdm=False)
            made = [[_completion(one.token_ids, one.cumulative_logprob, stop) for one in output.outputs] for output in outputs]
        yield from enumerate(made)

    def _beams(self, asked: Sequence[Mapping[str, Any]], limit: int, stop: Sequence[int], decoding: Decoding) -> list[list[Completion]]:
        """vLLM's beam search ends an answer at the tokenizer's own end alone, so that has to be the one that we stop at."""
        end = self._llm.get_tokenizer().eos_token_id
        if list(stop) != [end]:
            raise EngineError(
                f"vLLM's beam search ends at token {end}, and this model's answers end at {list(stop)}: "
                "set evaluation.generation.engine=transformers, or another evaluation.decoding.method"
            )
        params = self._vllm.sampling_params.BeamSearchParams(
            beam_width=decoding.num_beams, max_tokens=limit, length_penalty=decoding.length_penalty
        )
        outputs = self._llm.beam_search(list(asked), params, lora_request=self._lora)
        number = decoding.num_beams if decoding.method == "mbr" else 1
        return [
            [
                _completion(one.tokens[len(prompt["prompt_token_ids"]) :], one.cum_logprob, stop, ended=one.finish_reason == "stop")
                for one in output.sequences[:number]
            ]
            for prompt, output in zip(asked, outputs, strict=True)
        ]


class VllmService:
    """A whole model for many who ask at once, from several threads: each prompt joins those at work, and leaves as it ends."""

    def __init__(self, folder: str, *, context: int = 0) -> None:
        """See ``VllmModel``; vLLM's engine works on an event loop in a thread of its own."""
        self._vllm = _library("serving.engine")
        self._names = itertools.count()
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, name="vllm", daemon=True).start()
        self._engine: Any = asyncio.run_coroutine_threadsafe(self._start(settings(folder, "", context)), self._loop).result()

    async def _start(self, asked: Mapping[str, Any]) -> Any:
        return self._vllm.AsyncLLMEngine.from_engine_args(self._vllm.AsyncEngineArgs(**asked))

    def generate(self, prompts: Sequence[Sequence[int]], *, max_new_tokens: int, stop: Sequence[int]) -> list[Completion]:
        """See ``LanguageModel``."""
        return [one for _, [one] in self.candidates(prompts, max_new_tokens=max_new_tokens, stop=stop, decoding=GREEDY)]

    def candidates(
        self, prompts: Sequence[Sequence[int]], *, max_new_tokens: int, stop: Sequence[int], decoding: Decoding
    ) -> Iterator[tuple[int, list[Completion]]]:
        """See ``CandidateModel``; greedy answers and samples.

        Raises:
            EngineError: For beam search, which vLLM does not do beside other work.
        """
        if decoding.num_beams:
            raise EngineError("vLLM serves without beam search: decode greedily or from samples, or with the engine transformers")
        whole = {"output_kind": self._vllm.sampling_params.RequestOutputKind.FINAL_ONLY}  # all samples of a prompt, when the last has ended
        sampling = [sampling_of(decoding, prompt, max_new_tokens, stop) | whole for prompt in prompts]
        asked = [
            asyncio.run_coroutine_threadsafe(self._answer(prompt, one), self._loop) for prompt, one in zip(prompts, sampling, strict=True)
        ]
        for place, one in enumerate(asked):
            yield place, [_completion(said.token_ids, said.cumulative_logprob, stop) for said in one.result()]

    def stream(self, prompt: Sequence[int], *, max_new_tokens: int, stop: Sequence[int], tell: Callable[[str], bool]) -> None:
        """Tell a greedy answer piece by piece, as it is made; ``tell`` says whether to go on. Control tokens have no text."""
        sampling = sampling_of(GREEDY, prompt, max_new_tokens, stop) | {"detokenize": True}
        asyncio.run_coroutine_threadsafe(self._answer(prompt, sampling, tell), self._loop).result()

    async def _answer(
        self, prompt: Sequence[int], sampling: Mapping[str, Any], tell: Callable[[str], bool] = lambda piece: True
    ) -> Sequence[Any]:
        """All that is said to a prompt, its text told as it grows; vLLM drops what nobody waits for."""
        told, outputs = 0, ()
        running = self._engine.generate({"prompt_token_ids": list(prompt)}, self._vllm.SamplingParams(**sampling), str(next(self._names)))
        async for so_far in running:
            outputs = so_far.outputs
            text = outputs[0].text
            if text[told:] and not tell(text[told:]):
                await running.aclose()
                break
            told = len(text)
        return outputs


def settings(folder: str, adapter: str, context: int) -> dict[str, Any]:
    """What ``vllm.LLM`` is made with."""
    asked: dict[str, Any] = {"model": folder, "dtype": "bfloat16", "seed": 0, "generation_config": "vllm"}
    if context:
        asked["max_model_len"] = context
    if adapter:
        rank = int(_adapter_config(adapter)["r"])
        asked |= {"enable_lora": True, "max_loras": 1, "max_lora_rank": next(size for size in RANKS if size >= rank)}
    return asked


def sampling_of(decoding: Decoding, prompt: Sequence[int], limit: int, stop: Sequence[int]) -> dict[str, Any]:
    """What ``vllm.SamplingParams`` is made with: the seed depends on the prompt, never on its neighbours."""
    asked: dict[str, Any] = {"max_tokens": limit, "stop_token_ids": list(stop), "logprobs": 0, "detokenize": False, "temperature": 0.0}
    if decoding.num_samples:
        seed = int(digest("sample", decoding.seed, *prompt)[:8], 16)
        asked |= {"n": decoding.num_samples, "temperature": decoding.temperature, "seed": seed}
    return asked


def _completion(ids: Sequence[int], total: float | None, stop: Sequence[int], *, ended: bool = False) -> Completion:
    """An answer from its ids, with or without its end, and the sum of its log-probabilities, which counts the end."""
    end = next((place for place, token in enumerate(ids) if token in stop), len(ids))
    finished = ended or end < len(ids)
    count = end + finished
    if total is None:
        raise EngineError("this version of vLLM gives no log-probabilities: set evaluation.generation.engine=transformers")
    return Completion(ids=tuple(ids[:end]), finished=finished, logprob=total / count if count else 0.0)


def _library(setting: str) -> Any:
    """vLLM itself; ``setting`` is what chose it."""
    try:
        import vllm  # heavy
    except ImportError as error:
        raise EngineError(
            f"vLLM cannot be loaded ({error}): pip install vllm in an environment of its own, or set {setting}=transformers"
        ) from None
    return vllm


def _lora_request(adapter: str) -> Any:
    from vllm.lora.request import LoRARequest

    return LoRARequest(os.path.basename(adapter.rstrip("/")), 1, adapter)


def _adapter_config(adapter: str) -> dict[str, Any]:
    path = os.path.join(adapter, "adapter_config.json")
    try:
        with open(path, encoding="utf-8") as stream:
            config: dict[str, Any] = json.load(stream)
    except (OSError, ValueError) as error:
        raise EngineError(f"{path} cannot be read ({error}): run 'make train' first") from None
    return config
