"""A run from settings to adapter, but for the place where it happens: prepare here, work on one or many workers, finish here."""

from __future__ import annotations

import json
import logging
import os
import time
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import torch
import torch.distributed as dist

from seshat.config import to_yaml
from seshat.engines import download
from seshat.engines.threads import check_threads
from seshat.engines.weights import sha256
from seshat.errors import StoreError
from seshat.examples import TRAINING, read_examples
from seshat.hints import Knowledge
from seshat.language import Language
from seshat.prompts import Card, ChatTokenizer, Hinting, Prompts
from seshat.records import digest
from seshat.rights import Rights
from seshat.store import PROCESSED, Manifest, Store
from seshat.training import adapter, candidates, checkpoint, loop, small
from seshat.training.batches import Packed
from seshat.training.estimate import RUNTIME, Estimate, estimate, read_shapes
from seshat.training.extend import extend, new_rows
from seshat.training.hardware import used_memory
from seshat.training.lines import Window, windows
from seshat.training.model import build, uses_bf16
from seshat.training.pack import Make, pack_phases, packing
from seshat.training.phases import ALL, num_steps
from seshat.training.settings import ADAPTERS, SMALL, Training
from seshat.training.strategy import Place
from seshat.training.watch import too_slow
from seshat.withdrawals import read_withdrawals
from seshat.working_copy import discard, fetch, publish

log = logging.getLogger(__name__)
VERSION = 2
LOSSES = ("loss", "eval_loss")
READ = (f"{PROCESSED}/pack", TRAINING)
"""What workers read beside the base model."""


@dataclass(frozen=True)
class Job:
    """All that a worker needs to know; it travels by pickle."""

    training: Training
    root: str
    base: str
    """The folder of the base model, in the workspace."""
    card: Card
    rows: Packed
    validation: Packed | None
    fingerprint: str

    @property
    def folder(self) -> str:
        """Where the adapter goes, in the workspace."""
        return f"{ADAPTERS}/{self.training.name}"

    @property
    def checkpoints(self) -> str:
        """Where its checkpoints go, as a path."""
        return os.path.join(Store(self.root).path(self.folder), "checkpoints")

    @property
    def identity(self) -> dict[str, object]:
        """What a run must share with a checkpoint to go on from it."""
        training = self.training
        return {
            "base": self.card.base_sha256,
            "data": self.rows.name,
            "rows per step": training.rows_per_step,
            "precision": training.precision,
            "optimizer": training.optimizer,
            "lora": training.lora.model_dump(),
            "learning_rate": training.learning_rate,
            "warmup_ratio": training.warmup_ratio,
            "weight_decay": training.weight_decay,
            "max_grad_norm": training.max_grad_norm,
            "steps": num_steps(training, self.rows.spans),
            "seed": training.seed,
            **({"phases": [phase.model_dump() for phase in training.phases]} if training.phases else {}),
        }


def ensure_base(training: Training, language: Language, prompts: Prompts, store: Store) -> tuple[Manifest, bool]:
    """The manifest of the base model in the workspace, fetched or made if it is not there, and whether it was there before."""
    if training.model == SMALL:
        return small.build(training.small, language, prompts, store)
    return download.fetch(training.model, store)


def base_folder(training: Training, store: Store) -> str:
    """Where the base model of some settings is, in the workspace."""
    return download.folder_of(download.local_folder(training.model, store) or training.model)


def ensure_trained_base(
    training: Training, language: Language, prompts: Prompts, store: Store, rights: Rights | None = None
) -> tuple[Manifest, str, bool]:
    """The manifest and the folder of the model that is trained: the base, or the base with new tokens; and whether it was there.

    Tokens are learnt from the training text, so a source that forbids training forbids them too.
    """
    base, before = ensure_base(training, language, prompts, store)
    folder = base_folder(training, store)
    if not training.extend.tokens:
        return base, folder, before
    (rights or Rights()).to_train({example.collection for example in read_examples(store.path(f"{TRAINING}/train.jsonl"))})
    read_withdrawals(store).refuse_examples(store)
    return extend(training.extend, base, folder, language, store)


def finished_adapter(training: Training, base: Manifest, store: Store) -> str:
    """The folder of the adapter of some settings if it is whole and was trained on this base, else empty."""
    folder = f"{ADAPTERS}/{training.name}"
    adapter = store.manifest(folder)
    return folder if adapter and adapter.notes.get("base_sha256") == base.notes["base_sha256"] else ""


def fingerprint(training: Training, card: Card) -> str:
    """The name of everything that an adapter depends on."""
    settings = json.dumps(training.decides(), sort_keys=True)
    asked = (card.language.model_dump_json(), card.prompts.model_dump_json(), *([card.hints.model_dump_json()] if card.hints else []))
    return digest("train", VERSION, settings, *asked, card.base_sha256, *sorted(card.data.items()))


def data_digests(store: Store) -> dict[str, str]:
    """SHA-256 of the training and validation examples."""
    paths = {f"{split}.jsonl": store.path(f"{TRAINING}/{split}.jsonl") for split in ("train", "val")}
    if not os.path.isfile(paths["train.jsonl"]):
        raise StoreError(f"{paths['train.jsonl']} is not there: run 'make format' first")
    return {name: sha256(path) for name, path in paths.items() if os.path.isfile(path)}


def prepare(
    training: Training,
    language: Language,
    prompts: Prompts,
    store: Store,
    rights: Rights | None = None,
    make: Make | None = None,
    *,
    asked: Training | None = None,
) -> Job:
    """Look at the data, fetch the base, pack the data, and say what the workers have to do.

    ``make`` does what is left of packing; without, it is done here. ``asked`` are the settings that the result is known by, where
    what is trained had to be changed to fit into memory.
    """
    data = data_digests(store)
    lines = {name: found for name in data if (found := windows(store.path(f"{TRAINING}/{name}"), name)) or name == "train.jsonl"}
    base, folder, _ = ensure_trained_base(training, language, prompts, store, rights)
    tokenizer = ChatTokenizer.load(store.path(folder))
    tokenizer.check()
    hints = _hints(store)
    packs = {name: _pack(name, found, training, tokenizer, store.path(folder), hints, store, make) for name, found in lines.items()}
    withdrawn = read_withdrawals(store)
    withdrawn.refuse_examples(store)
    card = Card(
        name=training.name,
        language=language,
        prompts=prompts,
        hints=hints,
        base=folder,
        base_sha256=base.notes["base_sha256"],
        max_seq_length=training.max_seq_length,
        data=data,
        rights=(rights or Rights()).to_train({name for window in lines["train.jsonl"] for name in window.collections}),
        without=tuple(one.source for one in withdrawn.sources),
    )
    name = fingerprint(asked or training, card)
    return Job(training, store.root, folder, card, packs["train.jsonl"], packs.get("val.jsonl"), name)


def start(job: Job) -> None:
    """Clear away what a finished run with other settings or data left under the same name; refuse what a broken-off one left.

    From a working copy, what the workers need is published.
    """
    store = Store(job.root)
    old = store.manifest(job.folder)
    if old and old.fingerprint != job.fingerprint:
        log.info("train: settings or data have changed since %s was finished: it is made anew", job.folder)
        discard(store.path(job.folder))
    found = checkpoint.newest(job.checkpoints)
    if found:
        checkpoint.check_identity(found, job.identity)
    publish(*(store.path(name) for name in (*READ, job.base, job.folder)))


def estimated(job: Job, workers: int, device: torch.device) -> Estimate:
    """What the run will need, before anything is loaded."""
    shapes = read_shapes(Store(job.root).path(job.base))
    compute = 2 if uses_bf16(job.training, device) else 4
    runtime = RUNTIME if device.type == "cpu" else 0.0
    return estimate(job.training, shapes, job.rows, workers=workers, compute=compute, runtime=runtime)


def work(job: Job, place: Place, listener: loop.Listener) -> dict[str, float]:
    """What every worker does: setup, rehearse, fit. The last numbers, with what was needed. The weights are in the checkpoints."""
    store = Store(job.root)
    _bring(job, place)
    _import_bitsandbytes()
    tokenizer = ChatTokenizer.load(store.path(job.base))
    check_threads(torch.get_num_threads())
    model = build(store.path(job.base), job.training, place.device, new_rows(store.path(job.base)))
    found = checkpoint.newest(job.checkpoints)
    if found:
        checkpoint.check_identity(found, job.identity)
    run = loop.setup(job.training, model, job.rows, job.validation, tokenizer.pad, place, found)
    if found:
        log.info("train: goes on from step %d of %d (%s)", run.step, run.schedule.total_steps, found.folder)
    remarks = [*run.rehearsed.remarks, *too_slow(place.device.type, sum(weight.numel() for weight in model.parameters()))]
    if remarks:
        listener.report(run.step, {}, remarks)
    expected, started = loop.expected_seconds(run), time.monotonic()
    listener.news(run.step, f"about {timedelta(seconds=round(expected))} for {run.schedule.total_steps - run.step:,} steps")
    last = loop.fit(run, job.checkpoints, job.identity, listener)
    gigabytes = used_memory(place.device, peak=True)
    if place.rank == 0:
        adapter.describe(model, tokenizer, job.card, store.path(job.folder))
        publish(store.path(job.folder))
    return last | {"seconds": time.monotonic() - started, "expected_seconds": expected, "peak_gigabytes": gigabytes}


def _bring(job: Job, place: Place) -> None:
    """Have in a working copy what a worker reads. The first worker goes first, and publishes a checkpoint that it could not before it was
    killed, so that all go on from the same one."""
    store = Store(job.root)
    if place.world > 1 and place.rank:
        dist.barrier()
    fetch(*(store.path(name) for name in (*READ, job.base, job.folder)))
    if place.rank == 0:
        publish(store.path(job.folder))
        if place.world > 1:
            dist.barrier()


def _import_bitsandbytes() -> None:
    """Load it without torch's compiler, which it wants for devices without kernels, and which takes longer to load than all the rest."""
    torch.compiler.set_default_backend("eager")
    try:
        import bitsandbytes  # noqa: F401
    finally:
        torch.compiler.set_default_backend(None)


def finish(job: Job, numbers: dict[str, float]) -> Manifest:
    """Write the adapter, that of the best checkpoint or of the last one, and commit it."""
    store = Store(job.root)
    fetch(store.path(job.folder))
    weights, notes = _chosen(job)
    adapter.write_weights(weights, store.path(job.folder))
    if job.card.hints:
        Knowledge(job.card.hints, read_examples(store.path(f"{TRAINING}/train.jsonl"))).write(store.path(job.folder))
    manifest = Manifest(
        stage="train",
        fingerprint=job.fingerprint,
        inputs={**job.card.data, "base": job.card.base_sha256},
        settings=to_yaml(job.training),
        rows_in=job.rows.num_read,
        kept=job.rows.num_examples,
        rejected={"length": job.rows.num_read - job.rows.num_examples} if job.rows.num_read > job.rows.num_examples else {},
        notes={"base_sha256": job.card.base_sha256, **notes, **{name: f"{numbers[name]:.4f}" for name in LOSSES if name in numbers}},
    )
    return adapter.finish(store, job.folder, manifest)


def _chosen(job: Job) -> tuple[str, dict[str, str]]:
    """The file of the weights that become the adapter, and what is to be noted about them."""
    last = checkpoint.newest(job.checkpoints)
    if last is None:
        raise StoreError(f"{job.checkpoints} holds no whole checkpoint any more: run 'make train' again")
    evaluator, scores = job.training.evaluator, candidates.read(job.checkpoints)
    best = candidates.best(scores, evaluator.patience)
    notes = {"steps": str(last.step)}
    if best is None or not evaluator.keep_best:
        return os.path.join(last.folder, checkpoint.WEIGHTS), notes
    left = candidates.waiting(job.checkpoints)
    if left and not candidates.is_exhausted(scores, evaluator.patience):
        log.warning("train: %d checkpoints could not be scored, so the last one is taken, not the best one", len(left))
        return os.path.join(last.folder, checkpoint.WEIGHTS), notes
    notes |= {"step": str(best.step), **{name: f"{value:.4g}" for name, value in best.numbers.items()}}
    return candidates.path_of(job.checkpoints, best.step), notes


def _hints(store: Store) -> Hinting:
    """What the training data was formatted with; data from elsewhere has none."""
    manifest = store.manifest(TRAINING)
    return Hinting.model_validate_json(manifest.notes["hints"]) if manifest and "hints" in manifest.notes else Hinting()


def _pack(name: str, lines: tuple[Window, ...], training: Training, tokenizer: ChatTokenizer, folder: str, hints: Hinting,
          store: Store, make: Make | None) -> Packed:  # fmt: skip
    """The rows of a file: those of all phases to train on, or as they are to validate."""
    known: dict[str, Any] = {"folder": folder, "tokenizer": tokenizer, "max_length": training.max_seq_length, "seed": training.seed}
    known["hint_tokens"] = hints.tokens if hints else 0
    phases = training.phases if name == "train.jsonl" else ()
    steps = [packing(name, lines, phase, label=f"{name} in phase {phase.name!r}", **known) for phase in phases]
    return pack_phases(steps or [packing(name, lines, ALL, **known)], store, make or (lambda step: step.run(store)))
