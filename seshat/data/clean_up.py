"""The verb ``clean-up``: delete parts that no manifest names, left by runs with other settings or material, or broken off.

Whoever reads opens only what a manifest names, and that is never deleted. A run that is at work has parts that no manifest
names yet, or reads those of the manifest before: so a stage in which anything was written lately is left alone.
"""

from __future__ import annotations

import posixpath
from collections import Counter

from seshat.config import Section
from seshat.store import PROCESSED, Store

DAY = 86_400.0
"""Seconds."""


class Superseded(Section):
    """What can go."""

    files: tuple[str, ...]
    num_bytes: int
    left_alone: tuple[str, ...]
    """Folders in which something was written lately, or that are not finished."""

    def __str__(self) -> str:
        folders = Counter(posixpath.dirname(name) for name in self.files)
        lines = [f"  {folder}: {count} files" for folder, count in folders.items()]
        lines += [f"  {folder}: left alone; it was written to lately, or is not finished" for folder in self.left_alone]
        return "\n".join(lines)


def superseded(store: Store, now: float, *, age: float = DAY) -> Superseded:
    """What no manifest names, in every stage that is finished and in which nothing was written in the last ``age`` seconds."""
    by_folder: dict[str, list[str]] = {}
    for name in store.names(PROCESSED):
        folder, _, file = name.rpartition("/")
        if file.startswith("part-"):
            by_folder.setdefault(folder, []).append(name)
    found: list[str] = []
    left_alone = []
    for folder, names in by_folder.items():
        manifest = store.manifest(folder)
        named = set() if manifest is None else {file.path for part in manifest.parts for file in part.files}
        named |= set() if manifest is None else {f"{folder}/part-{part.key}.json" for part in manifest.parts}
        unnamed = [name for name in names if name not in named]
        if unnamed and (manifest is None or any(now - store.modified(name) < age for name in (*unnamed, f"{folder}/manifest.json"))):
            left_alone.append(folder)
        else:
            found += sorted(unnamed, key=lambda name: not name.endswith(".json"))  # first what makes a part count
    return Superseded(files=tuple(found), num_bytes=sum(map(store.size, found)), left_alone=tuple(left_alone))
