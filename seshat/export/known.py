"""What a workspace knows of an adapter beside its card: where its base came from, what its data is, how it scored."""

from __future__ import annotations

import os
from dataclasses import dataclass, field

from seshat.evaluation.results import ScoreRow, of_run, read_details, read_scores
from seshat.examples import TRAINING
from seshat.prompts import Card
from seshat.store import Store

ADAPTERS = "models/adapters"


@dataclass(frozen=True)
class Known:
    """Facts for the page of a model; empty where nothing is known, for an adapter that came without its workspace."""

    base: str = ""
    """The name of the base on the hub."""
    revision: str = ""
    extends: str = ""
    """The folder of the model to which new tokens were added to make the base."""
    examples: dict[str, int] = field(default_factory=dict)
    """How many examples each file of the data holds, by the manifests."""
    data_manifest: str = ""
    """The SHA-256 of the manifest that vouches for the data."""
    scores: tuple[ScoreRow, ...] = ()
    """Of translations by this very adapter."""
    test_set: str = ""
    num_leaked: int = 0


NOTHING = Known()


def known(store: Store, name: str, card: Card) -> Known:
    """All that the workspace says about the adapter ``name``; what is about other data or another adapter is left out."""
    base, revision, extends = _base(store, card)
    examples, manifest = _data(store, name, card)
    scores, test_set, num_leaked = _scores(store, name)
    return Known(base, revision, extends, examples, manifest, scores, test_set, num_leaked)


def _base(store: Store, card: Card) -> tuple[str, str, str]:
    """Name and revision of a base that was downloaded, and what one with new tokens was made from."""
    manifest = None if os.path.isabs(card.base) else store.manifest(card.base)
    notes = manifest.notes if manifest else {}
    revision = notes.get("revision", "")
    return notes.get("model", "") if revision else "", revision, notes.get("extends", "")


def _data(store: Store, name: str, card: Card) -> tuple[dict[str, int], str]:
    examples: dict[str, int] = {}
    trained = store.manifest(f"{ADAPTERS}/{name}")
    if trained and trained.rows_in:
        examples["train.jsonl"] = trained.rows_in
    data = store.manifest(TRAINING)
    files = {os.path.basename(file.path): file for file in data.files} if data else {}
    if not card.data or any(file not in files or files[file].sha256 != sha for file, sha in card.data.items()):
        return examples, ""
    return {file: files[file].rows for file in card.data}, store.vouch(f"{TRAINING}/manifest.json").sha256


def _scores(store: Store, name: str) -> tuple[tuple[ScoreRow, ...], str, int]:
    """The scores of the run of this name if they are of the adapter as it is now."""
    folder, adapter = of_run(name), f"{ADAPTERS}/{name}/manifest.json"
    report, details = store.manifest(folder), read_details(store, folder)
    if report is None or details is None or store.size(adapter) < 0:
        return (), "", 0
    if report.inputs.get("adapter") != store.vouch(adapter).sha256:
        return (), "", 0
    rows = tuple(row for row in read_scores(store, folder) if row.task == "translation")
    return rows, details.test_set, sum(part.num_leaked for part in details.parts if part.task == "translation")
