"""A language model that runs in transformers: a merged model, a base, or an adapter on its base.

Legend of the shapes: B rows of the batch, T tokens so far, V vocabulary.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from seshat.engines.beams import beam_search
from seshat.engines.decoding import GREEDY, Decoding
from seshat.engines.model import Completion
from seshat.engines.threads import check_threads
from seshat.engines.weights import is_whole
from seshat.errors import EngineError
from seshat.records import digest

if TYPE_CHECKING:
    import torch

Device = Literal["auto", "cpu", "cuda"]


class TransformersModel:
    """Generation in batches of similar length, on the processor or one GPU."""

    def __init__(self, folder: str, *, adapter: str = "", device: Device = "auto", dtype: str = "auto", batch_size: int = 32) -> None:
        """Load the weights of ``folder``, with the LoRA of ``adapter`` on top if one is named.

        ``auto`` takes the GPU if there is one, bfloat16 there and float32 on the processor.
        """
        import torch  # heavy

        check_threads(torch.get_num_threads())
        self._torch = torch
        self.device: str = ("cuda" if torch.cuda.is_available() else "cpu") if device == "auto" else device
        self.dtype = getattr(torch, ("bfloat16" if self.device == "cuda" else "float32") if dtype == "auto" else dtype)
        self.batch_size = batch_size
        self.model = load(folder, adapter, self.dtype).to(self.device).eval()
        self.context = int(getattr(self.model.config, "max_position_embeddings", 0))

    @classmethod
    def around(cls, model: Any, device: str, batch_size: int = 32) -> TransformersModel:
        """An engine of a model that somebody else has loaded, on its device and in eval mode."""
        import torch  # heavy

        engine = cls.__new__(cls)
        engine._torch, engine.device, engine.batch_size, engine.model = torch, device, batch_size, model
        engine.dtype = model.dtype
        engine.context = int(getattr(model.config, "max_position_embeddings", 0))
        return engine

    def generate(self, prompts: Sequence[Sequence[int]], *, max_new_tokens: int, stop: Sequence[int]) -> list[Completion]:
        """One completion for each prompt, in their order; greedy."""
        found = dict(self.candidates(prompts, max_new_tokens=max_new_tokens, stop=stop, decoding=GREEDY))
        return [found[place][0] for place in range(len(prompts))]

    def candidates(
        self, prompts: Sequence[Sequence[int]], *, max_new_tokens: int, stop: Sequence[int], decoding: Decoding
    ) -> Iterator[tuple[int, list[Completion]]]:
        """See ``CandidateModel``; prompts of similar length go together, ``batch_size`` samples or beams at a time."""
        self._check(prompts, max_new_tokens)
        order = sorted(range(len(prompts)), key=lambda index: (len(prompts[index]), index))
        size = max(1, self.batch_size // max(1, decoding.num_beams, decoding.num_samples))
        for start in range(0, len(order), size):
            chosen = order[start : start + size]
            asked = [prompts[index] for index in chosen]
            if decoding.num_beams:
                yield from zip(chosen, beam_search(self, asked, max_new_tokens, stop, decoding), strict=True)
            else:
                for place, found in self._said(asked, max_new_tokens, frozenset(stop), decoding):
                    yield chosen[place], found

    def _said(
        self, prompts: Sequence[Sequence[int]], limit: int, stop: frozenset[int], decoding: Decoding
    ) -> Iterator[tuple[int, list[Completion]]]:
        """The greedy answer to each prompt of a batch, or its samples, when all of them have ended."""
        number = max(1, decoding.num_samples)
        rows = [prompt for prompt in prompts for _ in range(number)]
        samplers = [_sampler(decoding, prompt, one) for prompt in prompts for one in range(number)] if decoding.num_samples else []
        found: list[dict[int, Completion]] = [{} for _ in prompts]
        for row, completion in _Batch(self, rows, stop, samplers, decoding.temperature).run(limit):
            place, one = divmod(row, number)
            found[place][one] = completion
            if len(found[place]) == number:
                yield place, [found[place][one] for one in range(number)]

    def logits(self, ids: Sequence[int], last: int = 0) -> torch.Tensor:
        """The logits [T, V] after each of the ids, or the ``last`` ones, in float32 on the processor: for comparing two models."""
        with self._torch.inference_mode():
            tokens = self._torch.tensor([list(ids)], device=self.device)
            return self.model(input_ids=tokens, logits_to_keep=last).logits[0].float().cpu()

    def _check(self, prompts: Sequence[Sequence[int]], max_new_tokens: int) -> None:
        longest = max((len(prompt) for prompt in prompts), default=0)
        if self.context and longest + max_new_tokens > self.context:
            raise EngineError(
                f"a prompt of {longest} tokens and an answer of {max_new_tokens} do not fit the model's context of "
                f"{self.context}: give it a shorter text"
            )
        if any(not prompt for prompt in prompts):
            raise EngineError("a prompt without tokens cannot be completed: build prompts with seshat.prompts")


class _Batch:
    """The state of one batch while it is generated: padded on the left, so that all rows grow at the same end."""

    def __init__(
        self,
        engine: TransformersModel,
        prompts: Sequence[Sequence[int]],
        stop: frozenset[int],
        samplers: Sequence[np.random.Generator] = (),
        temperature: float = 1.0,
    ) -> None:
        """With ``samplers``, one for each prompt, tokens are drawn at random; without, the most likely one is taken."""
        from transformers import DynamicCache  # heavy

        torch = engine._torch
        self.torch, self.model, self.stop = torch, engine.model, stop
        self.samplers, self.temperature = samplers, temperature
        width = max(map(len, prompts))
        padded = [[0] * (width - len(prompt)) + list(prompt) for prompt in prompts]
        real = [[0] * (width - len(prompt)) + [1] * len(prompt) for prompt in prompts]
        self.ids_BT = torch.tensor(padded, device=engine.device)
        self.mask_BT = torch.tensor(real, device=engine.device)
        self.positions_BT = (self.mask_BT.cumsum(dim=1) - 1).clamp(min=0)
        self.cache = DynamicCache()
        self.rows = list(range(len(prompts)))
        """Which prompt each row of the batch belongs to; rows that ended are gone."""
        self.said: list[list[int]] = [[] for _ in prompts]
        self.total = [0.0] * len(prompts)
        """The sum of log-probabilities of each prompt's answer."""

    def run(self, limit: int) -> Iterator[tuple[int, Completion]]:
        """Yield each prompt's number and completion as it ends."""
        for _ in range(limit):
            if not self.rows:
                return
            with self.torch.inference_mode():
                tokens, logprobs = self._step()
            alive = []
            for place, (row, token) in enumerate(zip(list(self.rows), tokens, strict=True)):
                self.total[row] += logprobs[place]
                if token in self.stop:
                    yield row, self._completion(row, finished=True)
                else:
                    self.said[row].append(token)
                    alive.append(place)
            with self.torch.inference_mode():
                self._advance(tokens, alive)
        for row in self.rows:
            yield row, self._completion(row, finished=False)

    def _step(self) -> tuple[list[int], list[float]]:
        """The next token of each row and its log-probability."""
        output = self.model(
            input_ids=self.ids_BT,
            attention_mask=self.mask_BT,
            position_ids=self.positions_BT,
            past_key_values=self.cache,
            use_cache=True,
            logits_to_keep=1,
        )
        logprobs_BV = output.logits[:, -1].float().log_softmax(dim=-1)
        tokens_B = self._draw(logprobs_BV) if self.samplers else logprobs_BV.argmax(dim=-1)
        chosen_B = logprobs_BV.gather(1, tokens_B[:, None])[:, 0]
        return tokens_B.tolist(), chosen_B.tolist()

    def _draw(self, logprobs_BV: torch.Tensor) -> torch.Tensor:
        """A token for each row, from one random number each: where that stands among the summed probabilities."""
        sums_BV = (logprobs_BV.double() / self.temperature).softmax(dim=-1).cumsum(dim=-1)
        points = [[self.samplers[row].random()] for row in self.rows]
        points_B1 = self.torch.tensor(points, dtype=sums_BV.dtype, device=sums_BV.device) * sums_BV[:, -1:]
        return self.torch.searchsorted(sums_BV, points_B1, right=True)[:, 0].clamp(max=sums_BV.shape[1] - 1)

    def _advance(self, tokens: list[int], alive: list[int]) -> None:
        """Keep the rows that go on, each with its new token as the next input."""
        torch, device = self.torch, self.ids_BT.device
        if len(alive) < len(self.rows):
            keep = torch.tensor(alive, dtype=torch.long, device=device)
            if alive:
                self.cache.batch_select_indices(keep)
            self.mask_BT, self.positions_BT = self.mask_BT[keep], self.positions_BT[keep]
            self.rows = [self.rows[place] for place in alive]
        self.ids_BT = torch.tensor([[tokens[place]] for place in alive], dtype=torch.long, device=device)
        self.mask_BT = torch.cat([self.mask_BT, self.mask_BT.new_ones(len(alive), 1)], dim=1)
        self.positions_BT = self.positions_BT[:, -1:] + 1

    def _completion(self, row: int, *, finished: bool) -> Completion:
        ids = tuple(self.said[row])
        count = len(ids) + finished
        return Completion(ids=ids, finished=finished, logprob=self.total[row] / count if count else 0.0)


def _sampler(decoding: Decoding, prompt: Sequence[int], number: int) -> np.random.Generator:
    """The random numbers of one sample: the same whatever else is in the batch."""
    return np.random.default_rng(int(digest("sample", decoding.seed, number, *prompt), 16))


def load(folder: str, adapter: str, dtype: torch.dtype) -> Any:
    """The model of a folder in a dtype, never quantised; with the LoRA of an adapter folder on top if one is named.

    An adapter folder of a run that trained every weight holds the whole model, which is then loaded instead.
    """
    from transformers import AutoModelForCausalLM  # heavy
    from transformers.utils.logging import disable_progress_bar

    if adapter and is_whole(adapter):
        folder, adapter = adapter, ""
    if not os.path.isfile(os.path.join(folder, "config.json")):
        raise EngineError(f"{folder} holds no model (no config.json): run 'make download-model' or 'make export-gguf' first")
    disable_progress_bar()
    try:
        model = AutoModelForCausalLM.from_pretrained(folder, dtype=dtype, local_files_only=True)
    except (OSError, ValueError) as error:
        raise EngineError(f"{folder}: the weights cannot be loaded ({error})") from None
    if not adapter:
        return model
    from peft import PeftModel  # heavy

    if not os.path.isfile(os.path.join(adapter, "adapter_model.safetensors")):
        raise EngineError(f"{adapter} holds no adapter (no adapter_model.safetensors): run 'make train' first")
    try:
        return PeftModel.from_pretrained(model, adapter, torch_dtype=dtype)
    except (OSError, ValueError, RuntimeError) as error:
        problem = str(error).strip().splitlines()
        raise EngineError(f"{adapter} does not fit the model {folder} ({problem[0] if problem else type(error).__name__})") from None
