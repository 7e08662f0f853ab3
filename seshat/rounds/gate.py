"""How well an engine translates the validation part, and whether that is well enough to learn from.

The validation part decides, not the test: a test that has decided something has been used up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from seshat.evaluation.cases import Part, read_split, seen
from seshat.evaluation.floors import Floors
from seshat.evaluation.judge import Answer, guess, judge
from seshat.evaluation.measured import Measured, read_measured, write_measured
from seshat.evaluation.metrics import NAMES, Metric
from seshat.evaluation.scoring import Draws, best_floor
from seshat.evaluation.significance import FEWEST, Comparison, compare
from seshat.examples import by_people
from seshat.language import Language, words
from seshat.lexicon import Lexicon
from seshat.records import Example, digest
from seshat.rounds.engines import Speaker
from seshat.store import PROCESSED, Store

VERSION = 2
"""Raised when the same engine and the same sentences give other numbers."""
FOLDER = f"{PROCESSED}/rounds"
"""It holds sentences of people, so it goes when one of them is withdrawn."""
METRIC: Metric = "chrf++"


def file_of(speaker: Speaker, store: Store, most: int) -> str:
    """Where the measurement of an engine is kept: it depends on these sentences and on what the floors may know."""
    files = (store.vouch(f"data/training/{split}.jsonl").sha256 for split in ("train", "val"))
    return f"{FOLDER}/val-{digest(VERSION, speaker.identity, most, *files)}.parquet"


def measure(speaker: Speaker, language: Language, store: Store, *, most: int, gloss_minimum: float) -> dict[str, Measured]:
    """The engine beside its floors in both directions of which val has translations; measured once."""
    name = file_of(speaker, store, most)
    if store.size(name) < 0:
        training = [*by_people(read_split(store, "train"))]
        write_measured(store, name, _measured(speaker, language, training, read_split(store, "val"), most, gloss_minimum))
    return read(store, name)


def read(store: Store, name: str) -> dict[str, Measured]:
    """A measurement, by direction."""
    return {part.direction: part for part in read_measured(store, name)}


def _measured(
    speaker: Speaker, language: Language, training: Sequence[Example], val: Sequence[Example], most: int, gloss_minimum: float
) -> list[Measured]:
    engine, found = speaker.load(), []
    for source, target in ((language.bridge.code, language.code), (language.code, language.bridge.code)):
        direction = f"{source}-{target}"
        asked = sorted((one for one in val if one.task == "translation" and one.direction == direction), key=lambda one: one.digest)[:most]
        if asked:
            part = Part(direction, "translation", tuple(asked), len(asked))
            lexicon = Lexicon.estimate((words(one), words(other)) for one, other in seen(training, direction, "translation", "dictionary"))
            floors = Floors(
                seen(training, direction, "translation"),
                lexicon,
                gloss_minimum=gloss_minimum,
                phrases=speaker.kind != "phrases",
                entries=seen(training, direction, "dictionary"),
            )
            ours = {place: Answer(said.text) for place, said in enumerate(engine.say([one.source for one in asked], source, target))}
            found.append(judge(part, {"ours": ours, **guess(floors, part)}).measured)
    return found


def refusal(measured: Mapping[str, Measured], direction: str, least: float, draws: Draws) -> str:
    """Why nothing should be learnt from translations in a direction; empty if they are good enough."""
    part = measured.get(direction)
    number = len(part.cases) if part else 0
    if part is None or number < FEWEST:
        return (
            f"val has {number} translations {direction}, fewer than {FEWEST}: neither the engine nor what comes of a round can be "
            "judged by them; raise format.val and run make format"
        )
    ours = part.systems["ours"].statistics[METRIC].corpus()
    reached = f"{direction}: {NAMES[METRIC]} {ours:.1f} on val"
    floor = best_floor((system, spoken.statistics[METRIC].corpus()) for system, spoken in part.systems.items())
    if floor:
        against = compare(*part.pair("ours", floor, METRIC), **draws)
        if against.verdict != "better":
            return f"{reached}, which is not better than the floor {floor!r} ({against}): what it writes would teach nothing"
    return f"{reached}, less than back_translate.least={least:g}" if ours < least else ""


def scores(measured: Mapping[str, Measured]) -> dict[str, float]:
    """chrF++ of ours by direction."""
    return {direction: part.systems["ours"].statistics[METRIC].corpus() for direction, part in measured.items()}


def compared(after: Mapping[str, Measured], before: Mapping[str, Measured], draws: Draws) -> dict[str, Comparison]:
    """One measurement against an earlier one, by direction, on the sentences that both have."""
    found = {}
    for direction in after.keys() & before.keys():
        earlier = {key: place for place, key in enumerate(before[direction].keys())}
        both = [(place, earlier[key]) for place, key in enumerate(after[direction].keys()) if key in earlier]
        if both:
            new = after[direction].systems["ours"].statistics[METRIC].at([place for place, _ in both])
            old = before[direction].systems["ours"].statistics[METRIC].at([place for _, place in both])
            found[direction] = compare(new, old, **draws)
    return dict(sorted(found.items()))
