"""The first step of the quickstart: the sample's raw material in a workspace, written once."""

from __future__ import annotations

import time
from pathlib import Path

from seshat.errors import StoreError
from seshat.preview import about_to_make
from seshat.records import digest
from seshat.sample.speech import available
from seshat.sample.write import write
from seshat.step import Outcome
from seshat.store import Manifest, Store

VERSION = 2
"""Raised when the same seed gives other files."""
FOLDER = "data/gold"


def make_sample(store: Store, raw: str, *, seed: int) -> Outcome:
    """Write the sample into the raw folder and its gold answers into ``data/gold``, unless they are there."""
    start, fingerprint = time.monotonic(), digest("sample", VERSION, seed, available())
    done = store.done(FOLDER, fingerprint)
    if done:
        return Outcome(stage="sample", rows_in=done.rows_in, kept=done.kept, done_before=True)
    about_to_make("sample", FOLDER, store)
    if not store.local:
        raise StoreError(f"{store.root}: the sample is written to a folder of this machine; set root to one")
    report = write(Path(raw), Path(store.path(FOLDER)), seed=seed)
    names = sorted(
        str(path.relative_to(store.root)) for folder in (raw, store.path(FOLDER)) for path in Path(folder).rglob("*") if path.is_file()
    )
    files = tuple(store.vouch(name) for name in names if not name.endswith("manifest.json"))
    store.finish(FOLDER, Manifest(stage="sample", fingerprint=fingerprint, files=files, rows_in=report.num_pairs, kept=report.num_pairs))
    note = "; ".join(f"{folder} left out: {why}" for folder, why in report.left_out.items())
    return Outcome(stage="sample", rows_in=report.num_pairs, kept=report.num_pairs, seconds=time.monotonic() - start, note=note)
