"""Which checkpoint is the best: the weights that wait for their scores, and the scores that they got.

``checkpoints/candidates/step-000123.safetensors`` is a hard link to the weights of a checkpoint, so it outlives the checkpoint and
costs nothing until then; ``checkpoints/scores.json`` has what was found, in the order of the steps. Scores are given in that order and
only that order decides, so it makes no difference how far the training was when a score came.

A few dozen sentences cannot tell two good checkpoints apart, and the highest of many scores is high by luck as well. So the last
checkpoint is the best one, unless an earlier one is better than it beyond chance.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np

from seshat.working_copy import discard

METRIC = "chrf++"
CHANCE = 0.025
"""How often two equal checkpoints may be taken for a better and a worse one (half of 5 %: one side of the usual interval)."""
RESAMPLES = 9_999
FOLDER, SCORES = "candidates", "scores.json"
_NAME = re.compile(r"step-(\d{6,})\.safetensors")


@dataclass(frozen=True)
class Scored:
    """What was found of the weights of a step."""

    step: int
    numbers: dict[str, float]
    sentences: tuple[float, ...] = ()
    """The chrF++ of each sentence of the sample, in its order."""
    sample: str = ""
    """The digest of that sample: scores of another one say nothing beside these."""


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
            return [Scored(one["step"], one["numbers"], tuple(one["sentences"]), one["sample"]) for one in json.load(stream)]
    except FileNotFoundError:
        return []


def note(root: str, scored: Scored, patience: int) -> None:
    """Write a score down, and let go of all weights that are scored and can no longer become the best."""
    scores = sorted([*(one for one in read(root) if one.step != scored.step), scored], key=lambda one: one.step)
    _write(root, scores)
    counted = counting(scores, patience)
    for one in scores:
        path = path_of(root, one.step)
        if one not in (_highest(counted), counted[-1]) and os.path.exists(path):
            discard(path)


def forget(root: str, sample: str) -> None:
    """Drop all scores of other samples than the one of this digest; weights that are still there wait again."""
    scores = read(root)
    known = [one for one in scores if one.sample == sample]
    if len(known) < len(scores):
        _write(root, known)


def _write(root: str, scores: Sequence[Scored]) -> None:
    draft = os.path.join(root, f"{SCORES}.{uuid.uuid4().hex[:8]}.tmp")
    with open(draft, "w", encoding="utf-8") as stream:
        json.dump([asdict(one) for one in scores], stream, indent=1)
        stream.flush()
        os.fsync(stream.fileno())
    os.replace(draft, os.path.join(root, SCORES))


def best(scores: Sequence[Scored], patience: int = 0) -> Scored | None:
    """The last of those that count, unless the one with the highest score is better than it beyond chance."""
    counted = counting(scores, patience)
    if not counted:
        return None
    highest, last = _highest(counted), counted[-1]
    return highest if _beyond_chance(highest, last) else last


def _highest(scores: Sequence[Scored]) -> Scored:
    """The earliest of those with the highest score."""
    return max(scores, key=lambda one: one.numbers[METRIC])


def _beyond_chance(one: Scored, other: Scored) -> bool:
    """Whether a paired permutation test finds the sentences of the first better than those of the second."""
    from scipy.stats import permutation_test

    differences = np.subtract(one.sentences, other.sentences)
    if not differences.any():
        return False
    found = permutation_test(
        (differences,), np.mean, permutation_type="samples", alternative="greater", n_resamples=RESAMPLES, rng=np.random.default_rng(1)
    )
    return bool(found.pvalue < CHANCE)


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
