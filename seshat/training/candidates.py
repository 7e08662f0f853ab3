"""Which checkpoint is the best: the weights that wait for their scores, and the scores that they got.

``checkpoints/candidates/step-000123.safetensors`` is a hard link to the weights of a checkpoint, so it outlives the checkpoint and
costs nothing until then; ``checkpoints/scores.json`` has what was found, in the order of the steps. Scores are given in that order and
only that order decides, so it makes no difference how far the training was when a score came.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass

METRIC = "chrf++"
FOLDER, SCORES = "candidates", "scores.json"
_NAME = re.compile(r"step-(\d{6,})\.safetensors")


@dataclass(frozen=True)
class Scored:
    """What was found of the weights of a step."""

    step: int
    numbers: dict[str, float]


def offer(root: str, step: int, weights: str) -> None:
    """Keep the weights of a checkpoint until they are scored."""
    os.makedirs(os.path.join(root, FOLDER), exist_ok=True)
    path = path_of(root, step)
    draft = f"{path}.{uuid.uuid4().hex[:8]}.tmp"
    try:
        os.link(weights, draft)
    except OSError:  # a file system without hard links
        shutil.copyfile(weights, draft)
    os.replace(draft, path)


def path_of(root: str, step: int) -> str:
    """Where the weights of a step wait."""
    return os.path.join(root, FOLDER, f"step-{step:06d}.safetensors")


def waiting(root: str) -> list[int]:
    """The steps whose weights have no scores yet, the earliest first."""
    folder = os.path.join(root, FOLDER)
    found = {int(name[1]) for entry in os.listdir(folder) if (name := _NAME.fullmatch(entry))} if os.path.isdir(folder) else set()
    return sorted(found - {one.step for one in read(root)})


def read(root: str) -> list[Scored]:
    """All scores of a run, in the order of the steps."""
    try:
        with open(os.path.join(root, SCORES), encoding="utf-8") as stream:
            return [Scored(one["step"], one["numbers"]) for one in json.load(stream)]
    except FileNotFoundError:
        return []


def note(root: str, scored: Scored, patience: int) -> None:
    """Write a score down, and let go of all weights that are scored and not the best."""
    scores = sorted([*(one for one in read(root) if one.step != scored.step), scored], key=lambda one: one.step)
    draft = os.path.join(root, f"{SCORES}.{uuid.uuid4().hex[:8]}.tmp")
    with open(draft, "w", encoding="utf-8") as stream:
        json.dump([asdict(one) for one in scores], stream, indent=1)
        stream.flush()
        os.fsync(stream.fileno())
    os.replace(draft, os.path.join(root, SCORES))
    winner = best(scores, patience)
    for one in scores:
        path = path_of(root, one.step)
        if one is not winner and os.path.exists(path):
            os.remove(path)


def best(scores: Sequence[Scored], patience: int = 0) -> Scored | None:
    """The best of those that count; the earlier one of two that are equal."""
    return max(counting(scores, patience), key=lambda one: one.numbers[METRIC], default=None)


def is_exhausted(scores: Sequence[Scored], patience: int) -> bool:
    """Whether ``patience`` scores in a row were not better than the best before them; never with 0."""
    return patience > 0 and _misses(counting(scores, patience)) >= patience


def counting(scores: Sequence[Scored], patience: int) -> Sequence[Scored]:
    """The scores up to where patience was exhausted: what came while the workers had not yet heard of it does not count."""
    for end in range(1, len(scores) + 1):
        if patience and _misses(scores[:end]) >= patience:
            return scores[:end]
    return scores


def _misses(scores: Sequence[Scored]) -> int:
    """How many scores came after the best one."""
    values = [one.numbers[METRIC] for one in scores]
    return len(values) - 1 - values.index(max(values)) if values else 0
