"""From an evaluation on disk to ``reports/findings.json``: what the model cannot do, and what to do next."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator

from pydantic import ValidationError

from seshat.config import load_text
from seshat.errors import StoreError
from seshat.evaluation.advice import NO_SETTINGS, TrainingSettings
from seshat.evaluation.cases import read_split
from seshat.evaluation.findings import Findings, Key, Material, find
from seshat.evaluation.results import DETAILS, FOLDER, SAMPLES, PartDetails, read_details, read_samples
from seshat.evaluation.shares import Share
from seshat.evaluation.weak import FileQuality, qualities
from seshat.examples import TRAINING, by_people
from seshat.language import Language
from seshat.records import SentencePair, digest
from seshat.store import PROCESSED, Store

FINDINGS = f"{FOLDER}/findings.json"
VERSION = 1
"""Raised when the same inputs give other findings."""


def conclude(store: Store, language: Language, *, bridge_texts: str = "", not_better_than: str = "") -> Findings | None:
    """Find what the last evaluation says beside its scores, and write it down; None if there has been none.

    ``bridge_texts`` names a file of text in the bridge language as its readers write it, ``not_better_than`` an earlier run that
    the evaluated one is not better than. What rests on the same files as before is not computed again.
    """
    details = read_details(store)
    if details is None:
        return None
    adapter = store.manifest(f"models/adapters/{details.name}")
    settings = adapter.settings if adapter else ""
    known = [store.vouch(name).sha256 for name in (SAMPLES, DETAILS, f"{TRAINING}/train.jsonl")]
    aligned = store.manifest(f"{PROCESSED}/align")
    given = _lines(store.path(bridge_texts)) if bridge_texts else []
    texts = hashlib.sha256("\n".join(given).encode()).hexdigest()
    key = digest("findings", VERSION, *known, aligned and aligned.fingerprint, settings, language.model_dump_json(), texts, not_better_than)
    before = read_findings(store)
    if before is not None and before.key == key:
        return before
    material = Material(
        language=language,
        training=[*by_people(read_split(store, "train"))],
        test_set=details.test_set,
        ended=dict(_ended(details.parts)),
        bridge_texts=given,
        files=_files(store),
        settings=load_text(TrainingSettings, settings, f"the settings of {details.name}") if settings else NO_SETTINGS,
        forgetting=details.forgetting,
        not_better_than=not_better_than,
    )
    found = find(read_samples(store), material).model_copy(update={"key": key})
    store.write(FINDINGS, found.model_dump_json(indent=1).encode())
    return found


def read_findings(store: Store) -> Findings | None:
    """What was found last; None if nothing was, or by an older version."""
    if store.size(FINDINGS) < 0:
        return None
    try:
        return Findings.model_validate_json(store.read(FINDINGS))
    except ValidationError:
        return None


def _files(store: Store) -> tuple[FileQuality, ...]:
    return qualities(store.values("align", SentencePair, "origin", "rejected", "aligned", "score"))


def _ended(parts: tuple[PartDetails, ...]) -> Iterator[tuple[Key, Share]]:
    for part in parts:
        if part.unfinished is not None:
            cut = round(part.unfinished * part.num_scored)
            yield (part.direction, part.task), Share.of(part.num_scored - cut, part.num_scored)


def _lines(path: str) -> list[str]:
    if not os.path.isfile(path):
        raise StoreError(f"{path} is not there; next.texts names a text in the bridge language, one sentence or paragraph a line")
    with open(path, encoding="utf-8-sig") as stream:
        return [line.strip() for line in stream if line.strip()]
