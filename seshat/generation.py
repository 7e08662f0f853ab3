"""Many answers of one model: batched by length, and resumable, because every finished answer is on disk at once.

An answer is kept under a key of all that it depends on: the weights, the engine, the decoding, and the prompt with its hints and
limit. So a run that was killed at any moment asks only what it has not heard, and so does one with more test sentences. Where the
work is done is up to a callable: in this process (``Here``), or on the actors of ``seshat.cluster.generate``.
"""

from __future__ import annotations

import glob
import logging
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import numpy as np
from pydantic import ValidationError

from seshat.config import Section
from seshat.engines.decoding import GREEDY, Decoding
from seshat.engines.model import CandidateModel, Completion, Request
from seshat.errors import StoreError
from seshat.phrases.consensus import consensus
from seshat.prompts import ChatTokenizer
from seshat.records import digest

if TYPE_CHECKING:
    import torch

    from seshat.engines.transformers_model import TransformersModel

log = logging.getLogger(__name__)
VERSION = 1
"""Raised when the same request gets another answer."""
BATCH = {"transformers": 32, "vllm": 256}
"""Prompts that are given to an engine together."""
Keyed = tuple[str, Completion]
Decode = Callable[[Sequence[int]], str]


class Speaker(Section):
    """A model as it is asked. All but paths and sizes is in the keys of its answers."""

    engine: Literal["transformers", "vllm"] = "transformers"
    base: str
    """The folder of a whole model."""
    adapter: str = ""
    """The folder of what was trained on it; empty: the model alone."""
    tokenizer: str
    """The folder of the tokenizer, which mbr needs to compare texts."""
    weights: str
    """A digest of the weights, wherever they lie."""
    decoding: Decoding = GREEDY
    stop: tuple[int, ...] = ()
    """The tokens that end an answer."""
    batch_size: int = 0
    """Prompts that are given to the engine together; 0: what is usual for it."""

    def key(self, request: Request) -> str:
        """The name of an answer."""
        whole = "merged" if not self.adapter else "adapter"
        asked = (self.engine, whole, self.weights, self.decoding.used, self.stop, request.limit, *request.ids)
        return digest("answer", VERSION, *asked)

    def load(self) -> CandidateModel:
        """The model with its weights in memory."""
        if self.engine == "vllm":
            from seshat.engines.vllm_model import VllmModel

            return VllmModel(self.base, adapter=self.adapter)
        from seshat.engines.transformers_model import TransformersModel

        return TransformersModel(self.base, adapter=self.adapter, batch_size=self.batch_size or BATCH["transformers"])


@dataclass(frozen=True, slots=True)
class Batch:
    """Prompts of like length and one limit."""

    limit: int
    prompts: Mapping[str, tuple[int, ...]]
    """By the keys of their answers."""


Work = Callable[[Speaker, Sequence[Batch], str], Iterator[Keyed]]
"""Answers batches of a speaker, and writes each answer into a folder before it is yielded; in any order."""


def generate(speaker: Speaker, requests: Sequence[Request], folder: str, work: Work) -> list[Completion]:
    """One completion for each request, in order. Those whose answers are in the folder are not asked again."""
    keys = [speaker.key(request) for request in requests]
    wanted = dict(zip(keys, requests, strict=True))
    found = {key: one for key, one in read_answers(folder).items() if key in wanted}
    todo = {key: request for key, request in wanted.items() if key not in found}
    if found:
        log.info("generate: %d of %d answers are in %s already", len(found), len(wanted), folder)
    if todo:
        found.update(work(speaker, batches(todo, speaker.batch_size or BATCH[speaker.engine]), folder))
    return [found[key] for key in keys]


def batches(requests: Mapping[str, Request], size: int) -> list[Batch]:
    """Requests of one limit and like length together, the longest first, so that what does not fit into memory fails at once."""
    made = []
    for limit in sorted({request.limit for request in requests.values()}, reverse=True):
        prompts = [(key, request.ids) for key, request in requests.items() if request.limit == limit]
        prompts.sort(key=lambda one: (-len(one[1]), one[0]))
        made += [Batch(limit, dict(prompts[start : start + size])) for start in range(0, len(prompts), size)]
    return made


def answer(speaker: Speaker, model: CandidateModel, decode: Decode, batch: Batch, folder: str) -> Iterator[Keyed]:
    """Ask for a batch; every answer is on disk before it is yielded.

    A batch that was broken off in this folder goes on where it was.
    """
    path = os.path.join(folder, f"{digest(*batch.prompts)}.jsonl")
    done = {key: one for key, one in _read(path).items() if key in batch.prompts}
    yield from done.items()
    todo = [key for key in batch.prompts if key not in done]
    if not todo:
        return
    prompts = [batch.prompts[key] for key in todo]
    for place, candidates in model.candidates(prompts, max_new_tokens=batch.limit, stop=speaker.stop, decoding=speaker.decoding):
        completion = choose(candidates, speaker.decoding, decode)
        _append(path, _Line(key=todo[place], ids=completion.ids, finished=completion.finished, logprob=completion.logprob))
        yield todo[place], completion


def choose(candidates: Sequence[Completion], decoding: Decoding, decode: Decode) -> Completion:
    """The candidate whose text agrees best with all others by chrF++; for other methods than mbr, the only one.

    Samples count alike, for a likely text is drawn more than once; beams count as the model finds them likely.
    """
    if decoding.method != "mbr":
        return candidates[0]
    totals = np.array([one.logprob * (len(one.ids) + one.finished) for one in candidates])
    weights = np.exp(totals - totals.max()) if decoding.num_beams else np.ones(len(candidates))
    return candidates[consensus([decode(one.ids) for one in candidates], weights)]


class Here:
    """Does the work in this process, with one model."""

    def __init__(self, load: Callable[[], CandidateModel]) -> None:
        self._load = load

    def __call__(self, speaker: Speaker, todo: Sequence[Batch], folder: str) -> Iterator[Keyed]:
        """See ``Work``."""
        model, decode = self._load(), ChatTokenizer.load(speaker.tokenizer).decode
        for batch in todo:
            yield from answer(speaker, model, decode, batch, folder)


class Generation:
    """Stands in for a speaker's model: knows what is on disk, has the rest made, and loads weights only if they are needed.

    It is a ``LanguageModel`` and a ``RequestModel``, and tells logits.
    """

    def __init__(
        self, speaker: Callable[[], Speaker], folder: str, load: Callable[[], TransformersModel], work: Work | None = None
    ) -> None:
        """``speaker`` is asked for when there is something to do, and ``load`` called when this process needs the weights.

        Without ``work`` all is done in this process.
        """
        self._speaker, self._folder, self._load, self._work = speaker, folder, load, work

    @cached_property
    def _model(self) -> TransformersModel:
        return self._load()

    def complete(self, requests: Sequence[Request], *, stop: Sequence[int]) -> list[Completion]:
        """See ``RequestModel``."""
        if not requests:
            return []
        speaker = self._speaker().model_copy(update={"stop": tuple(stop)})
        work = self._work or Here(speaker.load if speaker.engine == "vllm" else lambda: self._model)
        return generate(speaker, requests, self._folder, work)

    def generate(self, prompts: Sequence[Sequence[int]], *, max_new_tokens: int, stop: Sequence[int]) -> list[Completion]:
        """See ``LanguageModel``; with the speaker's own decoding."""
        return self.complete([Request(tuple(prompt), max_new_tokens) for prompt in prompts], stop=stop)

    def logits(self, ids: Sequence[int], last: int = 0) -> torch.Tensor:
        """See ``TransformersModel.logits``; in this process, wherever answers are made."""
        return self._model.logits(ids, last)


class _Line(Section):
    """An answer on disk."""

    key: str
    ids: tuple[int, ...]
    finished: bool
    logprob: float


def read_answers(folder: str) -> dict[str, Completion]:
    """All answers of a folder by their keys; none if it is not there."""
    found: dict[str, Completion] = {}
    for path in sorted(glob.glob(os.path.join(glob.escape(folder), "*.jsonl"))):
        found.update(_read(path))
    return found


def _read(path: str) -> dict[str, Completion]:
    """The answers of a file; what a killed process left half-written is not among them, and is asked again."""
    if not os.path.isfile(path):
        return {}
    found = {}
    with open(path, "rb") as stream:
        for text in filter(bytes.strip, stream):
            try:
                line = _Line.model_validate_json(text)
            except ValidationError:
                log.info("generate: %s holds half an answer, which is asked for again", path)
                continue
            found[line.key] = Completion(ids=line.ids, finished=line.finished, logprob=line.logprob)
    return found


def _append(path: str, line: _Line) -> None:
    """Write an answer; it begins with the line break, so that it stands alone even after half a line."""
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "ab") as stream:
            stream.write(b"\n" + line.model_dump_json().encode())
    except OSError as error:
        raise StoreError(f"{path}: an answer could not be written ({error}); make room, and run the same command again") from None
