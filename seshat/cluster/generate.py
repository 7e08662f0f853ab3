"""Answers for an evaluation on Ray Data actors, each with a model in memory.

The row of the dataset is the number of a batch. An actor writes each answer before it goes on, so an actor that dies costs what it
was just saying: Ray starts another one, which finds on disk what the batch had got to.
"""

from __future__ import annotations

import logging
import os
import pickle
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from seshat.cluster.connect import connect
from seshat.cluster.data import cause
from seshat.cluster.placement import even_share, require
from seshat.engines import vllm_model
from seshat.engines.weights import weights_sha256
from seshat.errors import EngineError, SeshatError
from seshat.evaluation.results import of_run
from seshat.evaluation.settings import Generation as Where
from seshat.export.export import MERGED, base_folder
from seshat.export.known import ADAPTERS
from seshat.generation import Batch, Generation, Keyed, Speaker, answer
from seshat.hints import Knowledge
from seshat.progress import Progress, Rate
from seshat.prompts import ChatTokenizer
from seshat.records import digest
from seshat.stage import Resources
from seshat.store import Store
from seshat.translate import Translator, read_card
from seshat.working_copy import fetch, publish

if TYPE_CHECKING:
    import ray.data

    from seshat.settings import Settings

log = logging.getLogger(__name__)
ATTEMPTS = 4
"""How often a batch is begun before it is given up: Ray replaces actors for ever, and a batch may kill every one of them."""
KEYS = {"CPU": "evaluation.generation.cpus", "GPU": "evaluation.generation.actors"}
"""Of the configuration, for what an actor takes."""
System = Literal["ours", "base"]


def translator_of(settings: Settings, system: System) -> Translator:
    """The trained model of the settings, or its base, ready to be asked; weights are loaded where and when they are needed."""
    store, name = Store(settings.root), settings.training.name
    adapter = store.path(f"{ADAPTERS}/{name}")
    card = read_card(adapter)
    base, over = base_folder(card, store), adapter if system == "ours" else ""

    def load() -> Any:
        from seshat.engines.transformers_model import TransformersModel

        return TransformersModel(base, adapter=over)

    work = partial(on_actors, settings) if settings.execution == "ray" else None
    answers = store.path(f"{of_run(name)}/answers")
    model = Generation(lambda: speaker_of(settings, base, over), answers, load, work)
    return Translator(model, ChatTokenizer.load(over or base), card, Knowledge.read(adapter, card.hints))


def speaker_of(settings: Settings, base: str, adapter: str) -> Speaker:
    """How a model is asked on the machines at hand."""
    store, name, asked = Store(settings.root), settings.training.name, settings.evaluation
    engine, folder, over = _form(asked.generation, _num_gpus(settings), base, adapter, _merged(store, name))
    weights = digest("base", read_card(store.path(f"{ADAPTERS}/{name}")).base_sha256 or weights_sha256(base))
    return Speaker(
        engine=engine,
        base=folder,
        adapter=over,
        tokenizer=adapter or base,
        weights=digest("adapter", weights, store.vouch(f"{ADAPTERS}/{name}/manifest.json").sha256) if adapter else weights,
        decoding=asked.decoding,
        batch_size=asked.generation.batch_size,
    )


def _form(where: Where, gpus: int, base: str, adapter: str, merged: str) -> tuple[Literal["transformers", "vllm"], str, str]:
    """Engine, model folder and adapter folder."""
    if where.engine == "transformers" or (where.engine == "auto" and not (gpus and vllm_model.is_installed())):
        return "transformers", base, adapter
    reason = vllm_model.refusal(adapter)
    if not reason:
        return "vllm", base, adapter
    if merged:
        return "vllm", merged, ""
    cure = "run 'make export-gguf' first, which merges it"
    if where.engine == "auto":
        log.info("eval: %s, so transformers is used: for vLLM %s", reason, cure)
        return "transformers", base, adapter
    raise EngineError(f"{reason}: {cure}, or set evaluation.generation.engine=transformers")


def _merged(store: Store, name: str) -> str:
    """The folder of the merged model, if it was made of the adapter as it is now; else empty."""
    merged, trained = store.manifest(f"{MERGED}/{name}"), store.manifest(f"{ADAPTERS}/{name}")
    if merged is None or trained is None:
        return ""
    weights = {os.path.basename(file.path): file.sha256 for file in trained.files if file.path.endswith(".safetensors")}
    return store.path(f"{MERGED}/{name}") if weights and weights.items() <= merged.inputs.items() else ""


def _num_gpus(settings: Settings) -> int:
    if settings.execution == "local":
        import torch

        return int(torch.cuda.device_count())
    import ray

    with connect(settings):
        return int(ray.cluster_resources().get("GPU", 0))


def on_actors(settings: Settings, speaker: Speaker, todo: Sequence[Batch], folder: str) -> Iterator[Keyed]:
    """See ``seshat.generation.Work``; in the open or a new Ray session."""
    from ray.exceptions import RayError

    num_done, rate = 0, Rate(sum(len(one.prompts) for one in todo))
    with connect(settings), Progress() as progress:
        try:
            for row in dataset(settings.evaluation.generation, speaker, todo, folder, settings.cluster.patience).iter_rows():
                if row["error"]:
                    raise pickle.loads(row["error"])
                found: list[Keyed] = pickle.loads(row["answers"])
                yield from found
                num_done += len(found)
                progress(f"generate: {rate(num_done)}")
        except RayError as error:
            raise SeshatError(f"eval: an actor failed ({cause(error)}); run the same command again, and it goes on") from error


def dataset(where: Where, speaker: Speaker, todo: Sequence[Batch], folder: str, patience: float) -> ray.data.Dataset:
    """The numbers of the batches, turned into their answers; lazy."""
    import ray.data

    logging.getLogger("ray.data").setLevel(logging.WARNING)
    logging.getLogger("ray.data._internal.progress").setLevel(logging.ERROR)  # it warns that there is no bar
    ray.data.DataContext.get_current().enable_progress_bars = False
    gpus = float(ray.cluster_resources().get("GPU", 0))
    nodes = [node["Resources"]["CPU"] for node in ray.nodes() if node["Alive"] and node["Resources"].get("CPU")] or [1.0]
    actors = min(where.actors or int(gpus) or len(nodes), len(todo))
    asked = Resources(cpus=where.cpus or (1 if gpus else even_share(nodes, actors)), gpus=min(1.0, gpus / actors))
    require("eval", asked, patience, KEYS)

    class Speaking:
        """A model in memory, and batches that it answers."""

        def __init__(self) -> None:
            fetch(*filter(None, (speaker.base, speaker.adapter, speaker.tokenizer, folder)))
            self._model, self._decode = speaker.load(), ChatTokenizer.load(speaker.tokenizer).decode

        def __call__(self, row: dict[str, Any]) -> dict[str, Any]:
            batch = todo[row["batch"]]
            tries = os.path.join(folder, f"{digest(*batch.prompts)}.tries")
            try:
                _begin(tries)
                found = list(answer(speaker, self._model, self._decode, batch, folder))
                publish(os.path.join(folder, f"{digest(*batch.prompts)}.jsonl"))
            except SeshatError as error:  # raised here, it would arrive in Ray's wrapping, without its type
                _end(tries)
                return {"answers": b"", "error": pickle.dumps(error)}
            _end(tries)
            return {"answers": pickle.dumps(found), "error": b""}

    Speaking.__name__ = Speaking.__qualname__ = "generate"
    rows = ray.data.from_items([{"batch": number} for number in range(len(todo))], override_num_blocks=len(todo))
    return rows.map(
        Speaking,
        compute=ray.data.ActorPoolStrategy(size=actors),
        num_cpus=asked.cpus,
        num_gpus=asked.gpus,
    )


def _begin(tries: str) -> None:
    """Count that a batch is begun, in a file that goes when it has ended."""
    os.makedirs(os.path.dirname(tries), exist_ok=True)
    with open(tries, "ab") as stream:
        stream.write(b".")
    if os.path.getsize(tries) > ATTEMPTS:
        os.remove(tries)
        raise EngineError(
            f"{ATTEMPTS} actors died of the same sentences, most likely for want of memory: set a smaller "
            "evaluation.generation.batch_size, or fewer evaluation.generation.actors, and run the same command again"
        )


def _end(tries: str) -> None:
    """Nobody died of a batch. An actor that was cut off and came back may have said so before."""
    with suppress(FileNotFoundError):
        os.remove(tries)
