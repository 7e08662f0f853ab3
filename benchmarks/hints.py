"""What hints are worth: the same small network, trained and asked with them and without, with several seeds.

    python -m benchmarks.hints --language configs/languages/shp.yaml --raw DIR --source FILE --reference FILE --direction spa-shp
        [--tokens 800000] [--seeds 3] [--output FILE] [key=value ...]

The network is ``benchmarks.pointer``, which reads a sentence with the hints of its words and can copy them; without hints it can still copy
from the sentence. All runs read and write the same number of tokens, so those with hints see fewer sentences, and all decode alike. The
difference is tested in pairs, on what each sentence counts for the metric summed over the seeds.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from benchmarks.pointer.model import HINTS, Pointer
from benchmarks.quality import RESAMPLES, SEED, WHOLE, check_direction, floors, read_pair, training_examples
from seshat.command import read_settings
from seshat.errors import DataError
from seshat.evaluation.metrics import NAMES, Metric, Statistics, statistics
from seshat.evaluation.significance import compare
from seshat.records import Example

SHOWN: tuple[Metric, ...] = ("chrf++", "bleu")
SETTINGS = {"off": HINTS.model_copy(update={"words": 0}), "on": HINTS}


def main(arguments: Sequence[str]) -> None:
    """Print a row for each metric: each seed without hints and with them, and whether the difference is beyond chance."""
    asked = _parser().parse_args(arguments)
    torch.set_num_threads(1)
    sources, references = read_pair(asked.source, asked.reference)
    with tempfile.TemporaryDirectory() as root:
        settings = read_settings("", [f"language={asked.language}", f"data.raw={asked.raw}", f"root={root}", *WHOLE, *asked.settings])
        check_direction(asked.direction, settings.language)
        examples = training_examples(settings)
    if asked.seeds < 1:
        raise DataError("--seeds: at least one is needed")
    gloss = floors(examples, asked.direction, sources).get("gloss")
    if gloss is None:
        raise DataError(f"{asked.raw} has no translations to learn {asked.direction} from")
    said = {name: [_answers(examples, asked, sources, name, seed) for seed in range(1, asked.seeds + 1)] for name in SETTINGS}
    said["gloss"] = [gloss]
    rows = [_row(asked.direction, metric, said, references) for metric in SHOWN]
    for row in rows:
        print(*(f"{name} {value}" for name, value in row.items()), sep="  ")
    if asked.output:
        Path(asked.output).write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.hints", description="What hints are worth.")
    parser.add_argument("--language", required=True, help="the profile of the language, such as configs/languages/shp.yaml")
    parser.add_argument("--raw", required=True, help="the folder of raw material")
    parser.add_argument("--source", required=True, help="the sentences to translate, one a line")
    parser.add_argument("--reference", required=True, help="their translations")
    parser.add_argument("--direction", required=True, help="two ISO 639-3 codes, such as spa-shp")
    parser.add_argument("--tokens", type=int, default=800_000, help="what each network reads and writes in training")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--output", default="", help="a JSON file for the figures")
    parser.add_argument("settings", nargs="*", help="settings of the data verbs, such as ingest.line_by_line=[translations/stories]")
    return parser


def _answers(examples: Sequence[Example], asked: argparse.Namespace, sources: Sequence[str], name: str, seed: int) -> list[str]:
    begun = time.process_time()
    pointer = Pointer.train(examples, asked.direction, hints=SETTINGS[name], tokens=asked.tokens, seed=seed)
    said = pointer.translate(sources)
    print(f"{asked.direction}  hints {name}  seed {seed}  {time.process_time() - begun:.0f} CPU seconds", flush=True)
    return said


def _row(direction: str, metric: Metric, said: dict[str, list[list[str]]], references: Sequence[str]) -> dict[str, object]:
    counted = {name: [statistics(metric, one, references) for one in its] for name, its in said.items()}
    off, on = (Statistics(metric, np.sum([one.values for one in counted[name]], axis=0)) for name in SETTINGS)
    return {
        "direction": direction,
        "metric": NAMES[metric],
        "n": len(references),
        **{name: [round(one.corpus(), 2) for one in its] for name, its in counted.items()},
        "difference": str(compare(on, off, resamples=RESAMPLES, seed=SEED)),
    }


if __name__ == "__main__":
    main(sys.argv[1:])
