"""A language model in a GGUF file, run by llama.cpp: the fast engine on processors, many requests at once."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from seshat.engines.decoding import Decoding
from seshat.engines.model import Completion
from seshat.errors import EngineError
from seshat.records import digest

GREEDILY: Mapping[str, Any] = {"temperature": 0.0, "samplers": ["top_k"], "top_k": 1}


class LlamaCppModel:
    """Greedy generation with continuous batching: prompts take turns on the slots as these become free.

    ``generate`` may be called from several threads at once. llama.cpp opens a port of its own on 127.0.0.1; it is locked
    with a key that nobody knows.
    """

    def __init__(self, path: str, *, threads: int = 0, slots: int = 4, context: int = 2048, exact: bool = False) -> None:
        """Load a file; ``context`` is the room for prompt and answer of one slot, in tokens.

        ``threads`` 0 takes every core that this process may use, and more than those are never taken, because llama.cpp
        crawls when its threads wait for a core. ``exact`` keeps keys and values in float32, for comparing with another engine.
        """
        try:
            import xllamacpp  # heavy
        except ImportError as error:
            raise EngineError(
                f"xllamacpp, which runs GGUF files, cannot be loaded ({error}): run 'make install', or set serving.engine=transformers"
            ) from None
        if not os.path.isfile(path):
            raise EngineError(f"{path} is not there: run 'make export-gguf' first")
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        self.path, self.context = path, context
        self.threads = min(threads or cores, cores)
        settings = xllamacpp.CommonParams()
        settings.model.path = path
        settings.cpuparams.n_threads = settings.cpuparams_batch.n_threads = self.threads
        settings.n_parallel, settings.n_ctx = slots, slots * context
        settings.fit_params = settings.warmup = settings.ui = settings.endpoint_slots = False
        settings.cache_ram_mib = 0  # prompts of other people are not kept
        settings.verbosity = -1
        settings.hostnames, settings.api_keys = ["127.0.0.1"], [secrets.token_hex()]
        if exact:
            settings.cache_type_k = settings.cache_type_v = xllamacpp.ggml_type.GGML_TYPE_F32
        try:
            self._server = xllamacpp.Server(settings)
        except (RuntimeError, ValueError) as error:
            raise EngineError(f"{path} cannot be loaded by llama.cpp ({error}): run 'make export-gguf' again") from None
        self._callers = ThreadPoolExecutor(max_workers=slots, thread_name_prefix="llamacpp")
        # One token shows that the file works, and waits for the server's loop: deleted before that, it would hang forever.
        self.generate([[0]], max_new_tokens=1, stop=())

    def generate(self, prompts: Sequence[Sequence[int]], *, max_new_tokens: int, stop: Sequence[int]) -> list[Completion]:
        """One completion for each prompt, in order; as many at a time as there are slots."""
        ends = frozenset(stop)
        if len(prompts) == 1:  # no other thread is needed
            return [self._ask(prompts[0], max_new_tokens, ends)]
        return list(self._callers.map(lambda prompt: self._ask(prompt, max_new_tokens, ends), prompts))

    def candidates(
        self, prompts: Sequence[Sequence[int]], *, max_new_tokens: int, stop: Sequence[int], decoding: Decoding
    ) -> Iterator[tuple[int, list[Completion]]]:
        """See ``CandidateModel``; greedy answers and samples.

        Raises:
            EngineError: For beam search, which llama.cpp does not have.
        """
        if decoding.num_beams:
            raise EngineError("llama.cpp has no beam search: decode greedily or from samples, or with the engine transformers")
        ends = frozenset(stop)
        drawn = [
            (prompt, _drawing(decoding, prompt, one) if decoding.num_samples else GREEDILY)
            for prompt in prompts
            for one in range(max(1, decoding.num_samples))
        ]
        said = self._callers.map(lambda one: self._ask(one[0], max_new_tokens, ends, one[1]), drawn)
        for place in range(len(prompts)):
            yield place, [next(said) for _ in range(max(1, decoding.num_samples))]

    def stream(self, prompt: Sequence[int], *, max_new_tokens: int, stop: Sequence[int], tell: Callable[[str], bool]) -> None:
        """Tell a greedy answer piece by piece, as it is made; ``tell`` says whether to go on. Control tokens have no text."""
        ends, refused = frozenset(stop), []

        def hear(reply: dict[str, Any]) -> bool:
            if "error" in reply:  # raised below: what is raised in here is lost
                refused.append(reply)
                return True
            choice = reply["choices"][0]
            ended = ends.intersection(reply.get("__verbose", {}).get("tokens", ()))
            return bool(ended) or (bool(choice["text"]) and not tell(choice["text"]))

        asked = {"prompt": list(prompt), "n_predict": max_new_tokens, "stream": True, **GREEDILY, "cache_prompt": False}
        self._server.handle_completions(asked | {"return_tokens": True, "verbose": True}, hear)
        for reply in refused:
            _answered(reply, self.path)

    def _ask(self, prompt: Sequence[int], limit: int, stop: frozenset[int], how: Mapping[str, Any] = GREEDILY) -> Completion:
        reply: dict[str, Any] = self._server.handle_completions(
            {
                "prompt": list(prompt),
                "n_predict": limit,
                **how,
                "n_probs": 1,
                "return_tokens": True,
                "verbose": True,  # or the reply has no ids, see _completion
                "cache_prompt": False,
            }
        )
        return _completion(_answered(reply, self.path), stop)


def _drawing(decoding: Decoding, prompt: Sequence[int], number: int) -> Mapping[str, Any]:
    """How one sample is drawn: the same whatever else is asked at the same time."""
    seed = int(digest("sample", decoding.seed, number, *prompt), 16) % 2**32
    return {"temperature": decoding.temperature, "samplers": ["temperature"], "seed": seed}


def _answered(reply: dict[str, Any], path: str) -> dict[str, Any]:
    if "error" in reply:
        raise EngineError(f"{path}: llama.cpp refused a prompt: {reply['error'].get('message', reply['error'])}")
    return reply


def _completion(reply: dict[str, Any], stop: frozenset[int]) -> Completion:
    """The ids of an answer without its end; the file's own end of turn comes last if the answer ended by itself.

    llama.cpp gives no probability for a token that ends inside a character (one that holds the first byte of "ó"), and
    leaves it out of the list of probabilities. The ids are therefore read from another list, which is whole, and the mean
    is taken over the tokens that have a probability.
    """
    choice = reply["choices"][0]
    ids = [int(token) for token in reply["__verbose"]["tokens"]]
    ended = len(ids) - 1 if choice["finish_reason"] == "stop" and ids else len(ids)
    end = next((place for place, token in enumerate(ids) if token in stop), ended)
    content = (choice.get("logprobs") or {}).get("content") or []
    logprobs = [float(token["logprob"]) for token in content][: end + 1]
    return Completion(ids=tuple(ids[:end]), finished=end < len(ids), logprob=sum(logprobs) / len(logprobs) if logprobs else 0.0)
