"""Translation quality within a budget of processor time: from raw files to hypotheses and scores, beside the floors.

    python -m benchmarks.quality --language configs/languages/shp.yaml --raw DIR --source FILE [--reference FILE]
        --direction spa-shp --cpu-minutes 20 --output DIR [key=value ...]

The raw files are made into sentence pairs by the verbs ingest, align and format (``key=value`` are their settings), which is counted
apart. What is learnt from the pairs then has the budget, in seconds of processor time of this process. ``hypotheses.txt`` has a line for
each line of the source; ``scores.json`` has the copy, the nearest neighbour, the gloss and ours with their intervals, and ours against the
gloss by a paired bootstrap. The reference is used for scores alone: without it, the hypotheses are the same.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from jobs import align, format, ingest
from seshat.command import read_settings
from seshat.errors import DataError, SeshatError
from seshat.evaluation.cases import seen
from seshat.evaluation.floors import Floors
from seshat.evaluation.metrics import METRICS, NAMES, score, statistics
from seshat.evaluation.significance import compare
from seshat.examples import TRAINING, read_examples
from seshat.language import Language, words
from seshat.lexicon import Lexicon
from seshat.phrases.translator import PhraseTranslator
from seshat.records import Example
from seshat.settings import Settings

GLOSS_MINIMUM = 0.05
RESAMPLES, SEED = 1_000, 12345
WHOLE = ("format.val=0", "format.test=0", "execution=local")
"""Settings with which all of the raw material is learnt from."""


class Clock:
    """Seconds of processor time by phase."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Count what runs inside."""
        begun = time.process_time()
        yield
        self.seconds[name] = round(time.process_time() - begun, 1)

    @property
    def learning(self) -> float:
        """All that the budget pays for."""
        return sum(spent for name, spent in self.seconds.items() if name not in ("data", "floors"))


def main(arguments: Sequence[str]) -> None:
    """Write the hypotheses and the scores, and print the table."""
    asked = _parser().parse_args(arguments)
    sources, references = read_pair(asked.source, asked.reference)
    clock = Clock()
    with tempfile.TemporaryDirectory() as root:
        settings = read_settings("", [f"language={asked.language}", f"data.raw={asked.raw}", f"root={root}", *WHOLE, *asked.settings])
        check_direction(asked.direction, settings.language)
        with clock.phase("data"):
            examples = training_examples(settings)
    said = {"ours": _translate(examples, asked.direction, sources, clock)}
    if clock.learning > 60 * asked.cpu_minutes:
        raise SeshatError(
            f"{clock.learning:.0f} CPU-seconds were spent, and --cpu-minutes {asked.cpu_minutes:g} allows {60 * asked.cpu_minutes:.0f}"
        )
    output = Path(asked.output)
    output.mkdir(parents=True, exist_ok=True)
    (output / "hypotheses.txt").write_text("".join(f"{line}\n" for line in said["ours"]), encoding="utf-8")
    if references:
        with clock.phase("floors"):
            said = floors(examples, asked.direction, sources) | said
    result = {
        "direction": asked.direction,
        "num_examples": len(examples),
        "cpu_seconds": clock.seconds,
        "scores": _scores(said, references) if references else [],
        "ours_against_gloss": _against_gloss(said, references) if "gloss" in said else {},
    }
    (output / "scores.json").write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    _print(result)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.quality", description="Translation quality within a budget of processor time."
    )
    parser.add_argument("--language", required=True, help="the profile of the language, such as configs/languages/shp.yaml")
    parser.add_argument("--raw", required=True, help="the folder of raw material")
    parser.add_argument("--source", required=True, help="the sentences to translate, one a line")
    parser.add_argument("--reference", default="", help="their translations, for the scores alone")
    parser.add_argument("--direction", required=True, help="two ISO 639-3 codes, such as spa-shp")
    parser.add_argument("--cpu-minutes", type=float, default=20.0, help="what learning and translating may take")
    parser.add_argument("--output", required=True, help="the folder of hypotheses.txt and scores.json")
    parser.add_argument("settings", nargs="*", help="settings of the data verbs, such as ingest.line_by_line=[translations/stories]")
    return parser


def check_direction(direction: str, language: Language) -> None:
    """A direction is one of two."""
    known = (f"{language.code}-{language.bridge.code}", f"{language.bridge.code}-{language.code}")
    if direction not in known:
        raise DataError(f"--direction {direction}: with this language it is {' or '.join(known)}")


def read_pair(source: str, reference: str) -> tuple[list[str], list[str]]:
    """The sentences of two files, one a line; of one, where there is no reference."""
    sources, references = _lines(source), _lines(reference) if reference else []
    if reference and len(references) != len(sources):
        raise DataError(f"{source} has {len(sources)} lines and {reference} has {len(references)}: they must be the same sentences")
    return sources, references


def _lines(path: str) -> list[str]:
    with open(path, encoding="utf-8-sig") as stream:
        return [line.strip() for line in stream]


def training_examples(settings: Settings) -> list[Example]:
    """All training examples that the raw material gives."""
    for job in (ingest, align, format):
        job.run(settings)
    return list(read_examples(f"{settings.root}/{TRAINING}/train.jsonl"))


def _translate(examples: Sequence[Example], direction: str, sources: Sequence[str], clock: Clock) -> list[str]:
    target = direction.partition("-")[2]
    pairs = [(one.source, one.answer) for one in examples if one.task == "translation" and one.direction == direction]
    entries = [(one.source, one.answer) for one in examples if one.task == "dictionary" and one.direction == direction]
    texts = [f"{one.source} {one.answer}" for one in examples if one.task == "completion" and one.direction == target]
    with clock.phase("learn"):
        translator = PhraseTranslator.train(pairs, entries=entries, texts=texts)
    with clock.phase("translate"):
        return translator.translate(sources)


def floors(examples: Sequence[Example], direction: str, sources: Sequence[str]) -> dict[str, list[str]]:
    """What each floor makes of the sources."""
    memory = seen(examples, direction, "translation")
    lexicon = Lexicon.estimate((words(source), words(target)) for source, target in memory)
    return {**Floors(memory, lexicon, gloss_minimum=GLOSS_MINIMUM).translate(sources)}


def _scores(said: dict[str, list[str]], references: Sequence[str]) -> list[dict[str, object]]:
    characters = sum(map(len, references))
    return [
        {
            "system": system,
            "metric": metric,
            "score": round(found.score, 2),
            "low": round(found.low, 2),
            "high": round(found.high, 2),
            "n": found.num_sentences,
            "length_ratio": round(sum(map(len, texts)) / characters, 3),
            "signature": found.signature,
        }
        for system, texts in said.items()
        for metric in METRICS
        for found in [score(metric, texts, references)]
    ]


def _against_gloss(said: dict[str, list[str]], references: Sequence[str]) -> dict[str, str]:
    """The paired comparison with the floor that knows the same words, by metric."""
    pairs = {metric: [statistics(metric, said[system], references) for system in ("ours", "gloss")] for metric in METRICS}
    return {metric: str(compare(*pair, resamples=RESAMPLES, seed=SEED)) for metric, pair in pairs.items()}


def _print(result: dict[str, object]) -> None:
    print(f"{result['direction']}  {result['num_examples']} examples  CPU seconds: {result['cpu_seconds']}")
    for row in result["scores"]:  # type: ignore[attr-defined]
        interval = f"[{row['low']:.1f}, {row['high']:.1f}]"
        print(f"{row['system']:<10}{row['metric']:<8}{row['score']:>7.2f}  {interval:<14} length {row['length_ratio']:.2f}  n {row['n']}")
    for metric, comparison in result["ours_against_gloss"].items():  # type: ignore[attr-defined]
        print(f"ours against gloss, {NAMES[metric]}: {comparison}")


if __name__ == "__main__":
    main(sys.argv[1:])
