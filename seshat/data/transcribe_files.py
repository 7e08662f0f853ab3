"""Plain recordings to text, without a language's configuration or a workspace: a JSON and a TXT file for each.

What is dear is kept in ``.seshat`` beside them, part by part: a run that was killed, or is repeated, listens to nothing again.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from seshat.data.readers import raw_file
from seshat.data.transcribe import Transcribe, measure, ranges, stage_of, weights_of
from seshat.errors import DataError
from seshat.records import RawFile, Record, Utterance
from seshat.step import Part, Step
from seshat.store import Slice, Store


@dataclass(frozen=True)
class Recording:
    """One input that can be listened to; ``str`` says what came of it."""

    path: str
    """As it was given."""
    stem: str
    file: RawFile
    seconds: float
    parts: tuple[Part, ...]
    kept: int = 0
    rejected: int = 0

    def __str__(self) -> str:
        return f"{self.stem:<30} {self.seconds:>9.1f} s {self.kept:>6} utterances {self.rejected:>6} rejected"


@dataclass(frozen=True)
class Bad:
    """One input of which not all, or nothing, can be used."""

    path: str
    reason: str


def transcribe_files(
    settings: Transcribe, names: Mapping[Path, str], store: Store, output: Store, run: Callable[[Step], object]
) -> Iterator[Recording | Bad]:
    """Listen to all files (``run`` does the work), write what was heard, and yield what came of each input.

    ``names`` are those of the results of each. A file of which a part cannot be used is written without it, and is bad as well.
    """
    measured = measure(settings)
    found = [_recording(str(path), name, settings, measured) for path, name in names.items()]
    good = [one for one in found if isinstance(one, Recording)]
    step, engine = Step("transcribe", (), ()), ""
    if good:
        parts = tuple(part for one in good for part in one.parts)
        stage = stage_of(settings, None, *weights_of(settings))
        step, engine = Step("transcribe", (stage,), parts, max_rejected=settings.max_rejected), stage.engine_version
        run(step)
    for one in found:
        if isinstance(one, Recording):
            yield from _write(one, list(_records(one, step, store)), engine, output)
        else:
            yield one


def _recording(path: str, stem: str, settings: Transcribe, measured: Callable[[RawFile], float]) -> Recording | Bad:
    if not os.path.isfile(path):
        return Bad(path, "missing: there is no such file")
    try:
        file = raw_file(path)
        seconds = measured(file)
    except DataError as error:
        return Bad(path, str(error))
    return Recording(path, stem, file, seconds, tuple(Part((piece,)) for piece in ranges(file, settings, measured)))


def _records(one: Recording, step: Step, store: Store) -> Iterator[Record]:
    for part in one.parts:
        line = step.committed(part, store)
        for stored in line.files if line else ():
            yield from store.slice(Slice(stored), Utterance if stored.kind == "Utterance" else RawFile)


def _write(one: Recording, records: Sequence[Record], engine: str, output: Store) -> Iterator[Recording | Bad]:
    utterances = [record for record in records if isinstance(record, Utterance)]
    left_out = [record for record in records if isinstance(record, RawFile)]
    page = {
        "file": one.path,
        "sha256": one.file.sha256,
        "duration": round(one.seconds, 2),
        "engine": engine,
        "utterances": [_as_json(utterance) for utterance in utterances],
        "left_out": [_range(piece, one.seconds) for piece in left_out],
    }
    bad = [piece for piece in left_out if piece.reason != "silence"]
    if utterances or not bad:
        text = "".join(f"{utterance.text}\n" for utterance in utterances if not utterance.rejected)
        output.write(f"{one.stem}.json", (json.dumps(page, ensure_ascii=False, indent=1) + "\n").encode())
        output.write(f"{one.stem}.txt", text.encode())
        doubted = sum(bool(utterance.rejected) for utterance in utterances)
        yield replace(one, kept=len(utterances) - doubted, rejected=doubted)
    yield from (Bad(one.path, piece.rejected) for piece in bad)


def _as_json(utterance: Utterance) -> dict[str, Any]:
    times = zip(utterance.word_times[::2], utterance.word_times[1::2], strict=True)
    words = [
        {"text": text, "start": start, "end": end, "confidence": confidence}
        for text, (start, end), confidence in zip(utterance.words, times, utterance.word_confidences, strict=True)
    ]
    said = {"text": utterance.text, "start": utterance.start, "end": utterance.end, "confidence": utterance.confidence}
    return {**said, "rejected": utterance.rejected, "channel": utterance.channel, "words": words}


def _range(piece: RawFile, seconds: float) -> dict[str, Any]:
    """A part that gave no utterance; its ends are nominal."""
    return {"start": piece.start, "end": piece.stop if piece.stop >= 0 else round(seconds, 2), "reason": piece.rejected}
