"""The evaluated runs of a workspace, each with all that was found in its own folder, to be read and compared later."""

from __future__ import annotations

import posixpath
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from seshat.config import Section, did_you_mean, flat, to_yaml
from seshat.errors import StoreError
from seshat.evaluation.measured import Measured, read_measured
from seshat.evaluation.results import FOLDER, RUNS, STATISTICS, Sample, beside, of_run, read_samples, read_scores
from seshat.examples import TRAINING
from seshat.language import Language
from seshat.prompts import Prompts
from seshat.records import Example
from seshat.store import Manifest, Store, StoredFile

MADE = f"{FOLDER}/run.json"
ADAPTERS = "models/adapters"
DATA_SETTINGS = ("data", "ingest", "ocr", "transcribe", "align", "clean", "format")
"""The sections of the settings that training data depend on."""


class Made(Section):
    """What a run was made of. It is kept beside the scores, because later runs overwrite data and settings."""

    name: str
    """Of the adapter."""
    settings: dict[str, str]
    """By dotted key; those of the data only if the data on disk were still those of the adapter."""
    inputs: dict[str, str]
    """SHA-256 of the training files and of the base, by name."""
    num_examples: int
    """That it was trained on."""
    examples: dict[str, int]
    """Of these, by collection and task; none if the data on disk were no longer those of the adapter."""


def made_of(store: Store, name: str, training: Iterable[Example], language: Language, prompts: Prompts) -> Made:
    """What the adapter ``name`` was made of, as far as the workspace still knows; ``training`` is what is on disk."""
    adapter = store.manifest(f"{ADAPTERS}/{name}") or Manifest(stage="train", fingerprint="")
    settings = {"language": to_yaml(language), "prompts": to_yaml(prompts), "training": adapter.settings}
    found = {f"{section}.{key}": value for section, text in settings.items() for key, value in flat(text, section).items()}
    found.pop("training.name", None)
    data = store.manifest(TRAINING)
    files = {posixpath.basename(file.path): file.sha256 for file in data.files} if data else {}
    same = bool(adapter.inputs.get("train.jsonl")) and store.vouch(f"{TRAINING}/train.jsonl").sha256 == adapter.inputs["train.jsonl"]
    if same and data and files.get("train.jsonl") == adapter.inputs["train.jsonl"]:
        asked = flat(data.settings, TRAINING)
        found |= {key: asked[key] for key in asked if key.split(".")[0] in DATA_SETTINGS and ".resources." not in key}
        found |= {f"hints.{key}": value for key, value in flat(data.notes.get("hints", "{}"), TRAINING).items()}
    counts = Counter(f"{one.collection}, {one.task}{', back-translated' * bool(one.synthetic)}" for one in training if same)
    return Made(
        name=name,
        settings=found,
        inputs=adapter.inputs,
        num_examples=adapter.rows_in,
        examples=dict(sorted(counts.items())),
    )


def write_made(store: Store, folder: str, made: Made) -> StoredFile:
    """Write ``run.json``."""
    return store.write(beside(folder, MADE), made.model_dump_json(indent=1).encode())


def publish(store: Store, run: Manifest) -> None:
    """Make a finished run the one that lies in ``reports/`` itself, if it is not."""
    if store.done(FOLDER, run.fingerprint) is not None:
        return
    store.remove(f"{FOLDER}/manifest.json")
    files = tuple(store.write(f"{FOLDER}/{posixpath.basename(file.path)}", store.read(file.path)) for file in run.files)
    store.finish(FOLDER, run.model_copy(update={"files": files}))


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """A finished evaluation."""

    label: str
    """As the user called it."""
    made: Made
    evaluation: dict[str, str]
    """The settings of the evaluation, by dotted key."""
    parts: tuple[Measured, ...]
    samples: dict[tuple[str, str], list[Sample]]
    """By direction and task, in the order of the cases."""
    signatures: dict[str, str]
    """By metric."""


def read_run(label: str, here: Store) -> Run:
    """The run that a user calls NAME (of the workspace ``here``) or FOLDER:NAME (of another one).

    Raises:
        StoreError: If it was never evaluated; the message says which runs were.
    """
    root, _, name = label.rpartition(":")
    store = Store(root) if root else here
    folder = of_run(name)
    manifest = store.manifest(folder)
    if manifest is None:
        there = [other.split("/")[2] for other in store.names(RUNS) if posixpath.basename(other) == "manifest.json"]
        known = did_you_mean(name, there) if there else "; no run is evaluated there"
        raise StoreError(
            f"{store.path(folder)} is not there or not complete, so {label!r} has no evaluation: run 'make eval "
            f'ARGS="{f"root={root} " if root else ""}training.name={name}"\' first{known}'
        )
    samples: dict[tuple[str, str], list[Sample]] = {}
    for one in read_samples(store, folder):
        samples.setdefault((one.direction, one.task), []).append(one)
    return Run(
        label=label,
        made=Made.model_validate_json(store.read(beside(folder, MADE))),
        evaluation=flat(manifest.settings, "evaluation"),
        parts=tuple(read_measured(store, beside(folder, STATISTICS))),
        samples=samples,
        signatures={row.metric: row.signature for row in read_scores(store, folder)},
    )
