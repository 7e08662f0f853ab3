"""Folders that appear whole or not at all: built under another name, with their manifest inside, then put in place."""

from __future__ import annotations

import json
import os
import shutil

from seshat.errors import StoreError
from seshat.store import Manifest, Store
from seshat.working_copy import discard

MANIFEST = "manifest.json"


class Building:
    """A folder of the workspace while it is being made."""

    def __init__(self, store: Store, folder: str, stage: str) -> None:
        """Refuse to replace a folder that another verb, or a person, has made."""
        if not store.local:
            raise StoreError(f"{store.root} is an object store, and models are written with local files: set root to a folder")
        self.store, self.folder, self.stage = store, folder, stage
        parent, name = os.path.split(folder)
        self._draft = f"{parent}/.{name}.partial"
        self._refuse_foreign()
        shutil.rmtree(self.path, ignore_errors=True)  # what a killed run left behind
        os.makedirs(self.path)

    @property
    def path(self) -> str:
        """Where to write the files."""
        return self.store.path(self._draft)

    def finish(self, manifest: Manifest) -> Manifest:
        """Vouch for every file, write the manifest and put the folder in place of the one before."""
        self._refuse_foreign()
        files = [self.store.vouch(f"{self._draft}/{name}") for name in sorted(os.listdir(self.path))]
        placed = [file.model_copy(update={"path": f"{self.folder}/{os.path.basename(file.path)}"}) for file in files]
        whole = manifest.model_copy(update={"files": tuple(placed)})
        self.store.finish(self._draft, whole)
        final = self.store.path(self.folder)
        discard(final)
        os.rename(self.path, final)
        return whole

    def _refuse_foreign(self) -> None:
        final = self.store.path(self.folder)
        there = sorted(os.listdir(final)) if os.path.isdir(final) else []
        if not there:
            return
        made_by, files = _made(os.path.join(final, MANIFEST))
        cure = "move it away, or give this run another name"
        if made_by != self.stage:
            who = f"'{made_by}'" if made_by else "somebody else"
            raise StoreError(f"{final} was made by {who}, not by '{self.stage}': {cure}")
        if others := [name for name in there if name != MANIFEST and name not in files and not name.endswith(".tmp")]:
            raise StoreError(
                f"{final} would be made anew, and holds what '{self.stage}' did not put there ({', '.join(others[:5])}): {cure}"
            )


def _made(manifest: str) -> tuple[str, set[str]]:
    """Which verb made a folder, and the names of its files, whether or not they are all still there; an empty verb if nobody says so."""
    try:
        with open(manifest, encoding="utf-8") as stream:
            data = json.load(stream)
        return str(data["stage"]), {os.path.basename(str(file["path"])) for file in data.get("files", ())}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return "", set()


def require_space(folder: str, needed: int) -> None:
    """Fail before hours of work, not after, if the disk is too small."""
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise StoreError(f"{folder}: {needed / 1e9:.1f} GB are needed and {free / 1e9:.1f} GB are free: make room, or set another root")
