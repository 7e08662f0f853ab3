"""How a run went, step by step: ``checkpoints/history.jsonl``, a line for each step of which something was told."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping

FILE = "history.jsonl"
KEPT = ("loss", "eval_loss", "learning_rate", "grad_norm", "chrf++", "bleu")


def append(checkpoints: str, step: int, numbers: Mapping[str, float]) -> None:
    """Add what was told of a step."""
    kept = {name: numbers[name] for name in KEPT if name in numbers}
    if kept:
        os.makedirs(checkpoints, exist_ok=True)
        with open(os.path.join(checkpoints, FILE), "a", encoding="utf-8") as stream:
            stream.write(json.dumps({"step": step, **kept}) + "\n")


def read(checkpoints: str) -> dict[str, list[tuple[int, float]]]:
    """The values of each number by step; a step that was done again after a loss has its last value. Empty if nothing was kept."""
    path = os.path.join(checkpoints, FILE)
    found: dict[str, dict[int, float]] = {}
    if os.path.isfile(path):
        with open(path, encoding="utf-8") as stream:
            for line in stream:
                if not line.endswith("\n"):
                    break  # whoever wrote it was killed
                told = json.loads(line)
                step = told.pop("step")
                for name, value in told.items():
                    found.setdefault(name, {})[step] = value
    return {name: sorted(values.items()) for name, values in found.items()}
