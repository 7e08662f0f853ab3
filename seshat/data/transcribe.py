"""The verb ``transcribe``: which recordings are listened to, in which parts, and how."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Annotated

from pydantic import BeforeValidator, Field

from seshat.config import Typed
from seshat.data.doubts import Guards
from seshat.data.listen import TranscribeRecordings
from seshat.data.readers import SOUND, raw_files, raw_stream
from seshat.data.readers.audio import Channels, seconds_of
from seshat.data.time_transcripts import Timing
from seshat.data.transcripts import TRANSCRIPTS, Transcribed, transcribed_only, with_transcripts
from seshat.engines.speech import Device, EngineName, engine_version, model_folder
from seshat.errors import DataError, EngineError
from seshat.language import Language
from seshat.records import RawFile
from seshat.stage import Resources
from seshat.step import Part, Step
from seshat.watched import Watched
from seshat.withdrawals import NOTHING, Withdrawals

_MEASURING = 600.0
"""Seconds that it may take to say how long a recording is."""


def _place_or_name(value: object) -> object:
    """A folder or file that was typed on the command line is relative to where the user stands; a name stays a name."""
    return os.path.abspath(value) if isinstance(value, Typed) and os.path.exists(value) else value


class Transcribe(Guards):
    """How recordings are transcribed."""

    engine: EngineName = "faster-whisper"
    model: Annotated[str, BeforeValidator(_place_or_name)] = "large-v3"
    """What the engine reads: a folder (``whisper``: a ``.pt`` file), or the name of what was fetched before. faster-whisper also
    takes ``sample`` for the fixture of the sample language."""
    language: str = ""
    """As which language the engine should hear the taught one (Whisper: ``es``; a CTC model with adapters: the adapter's code,
    ``shp``); empty: it decides, stretch by stretch."""
    vad: bool = True
    """Look for speech first (Silero), and listen to nothing else."""
    pause: float = Field(0.5, gt=0, le=5)
    """Seconds of silence that end an utterance."""
    beam_size: int = Field(5, ge=1)
    words: bool = False
    """Keep when each word is said, where the engine can tell."""
    channels: Channels = "mix"
    """Which channels are heard: the mean of all, one of two, or each by itself (``split``): where every speaker has a microphone."""
    minutes_per_part: float = Field(10.0, ge=1, le=60)
    """A recording of more than one and a half times as many is listened to in parts, which meet where it is quiet."""
    max_minutes: float = Field(600.0, gt=0)
    """A longer recording is rejected."""
    device: Device = "auto"
    compute_type: str = "default"
    """faster-whisper: float16 or int8_float16 on a GPU, int8 or float32 elsewhere; default: as the weights are. The others take
    float32, float16 or bfloat16; default: float16 on a GPU, else float32."""
    part_seconds: float = Field(10_800.0, ge=0)
    """A part that takes longer is given up, as is one that brings the engine down, after a second try; 0: they are not watched."""
    part_megabytes: float = Field(0.0, ge=0)
    """A part for which the engine takes more memory is given up, too; 0: any."""
    timing: Timing = Timing()
    """How a transcript that lies beside a recording is aligned to it; the engine is then not asked."""
    max_rejected: float = Field(1.0, ge=0, le=1)
    """A larger share of rejected utterances fails the run. An engine that never heard the language may well fail at all."""
    resources: Resources = Resources()


def check(transcribe: Transcribe, root: str = ".") -> None:
    """Raise an EngineError that says what to install or fetch if the engine or its weights are not there."""
    weights_of(transcribe, root)


def step(
    transcribe: Transcribe,
    language: Language,
    raw: str,
    settings_yaml: str = "",
    root: str = ".",
    *,
    withdrawn: Withdrawals = NOTHING,
) -> Step:
    """Transcribe every recording, each as a part of its own, or a long one in several.

    A recording with a transcript beside it is aligned with that, and needs no engine; without one, only these are parts. A ``model``
    that is a relative folder is looked for in ``root``.
    """
    files, note = withdrawn.sift(file for file in raw_files(raw, ("audio",)) if file.origin.lower().endswith((*SOUND, *TRANSCRIPTS)))
    files = with_transcripts(files, language)
    if not files:
        return Step("transcribe", (), (), note=note)
    folder = version = ""
    try:
        folder, version = weights_of(transcribe, root)
    except EngineError as error:
        files, note = transcribed_only(files, error, note)
    stage = stage_of(transcribe, language, folder, version, root)
    measured = measure(transcribe)
    pieces = (file.inputs if isinstance(file, Transcribed) else (piece,) for file in files for piece in ranges(file, transcribe, measured))
    parts = tuple(Part(piece) for piece in pieces)
    return Step("transcribe", (stage,), parts, settings=settings_yaml, max_rejected=transcribe.max_rejected, note=note)


def weights_of(transcribe: Transcribe, root: str = ".") -> tuple[str, str]:
    """Where the weights of the engine lie, and what its results depend on; they must be there."""
    folder = model_folder(transcribe.engine, transcribe.model, root)
    return folder, engine_version(transcribe.engine, folder)


def stage_of(transcribe: Transcribe, language: Language | None, folder: str, version: str, root: str = ".") -> TranscribeRecordings:
    """The stage of some settings, with weights that ``weights_of`` found."""
    return TranscribeRecordings(
        engine=transcribe.engine,
        engine_version=version,
        folder=folder,
        hint=transcribe.language,
        vad=transcribe.vad,
        pause=transcribe.pause,
        beam_size=transcribe.beam_size,
        words=transcribe.words,
        channels=transcribe.channels,
        max_minutes=transcribe.max_minutes,
        device=transcribe.device,
        compute_type=transcribe.compute_type,
        guards=Guards(**transcribe.model_dump(include=set(Guards.model_fields))),
        timing=transcribe.timing.aligner(root),
        seconds=transcribe.part_seconds,
        megabytes=transcribe.part_megabytes,
        language=language,
        resources=transcribe.resources,
    )


def measure(transcribe: Transcribe) -> Callable[[RawFile], float]:
    """A function that says for how many seconds a recording plays; it raises a DataError if nobody can say.

    Where parts are watched another process looks, that a file may bring down.
    """
    elsewhere = Watched(_length, seconds=_MEASURING, megabytes=0)

    def measured(file: RawFile) -> float:
        [seconds] = elsewhere.twice(file) if transcribe.part_seconds else _length(file)
        return seconds

    return measured


def _length(file: RawFile) -> Iterator[float]:
    with raw_stream(file) as stream:
        yield seconds_of(stream)


def ranges(file: RawFile, transcribe: Transcribe, measured: Callable[[RawFile], float]) -> Iterator[RawFile]:
    """A long recording in ranges of about equal length, by nominal seconds; a short one, or one with a transcript, stays whole.

    So does one that is too long or cannot be heard: whoever listens will refuse it with the reason.
    """
    if isinstance(file, Transcribed):
        yield file
        return
    size, seconds = round(60 * transcribe.minutes_per_part), 0.0
    try:
        seconds = measured(replace(file, sha256=""))
    except DataError:
        yield file
        return
    num_parts = round(seconds / size) if seconds <= 60 * transcribe.max_minutes else 1
    for number in range(max(1, num_parts)):
        yield replace(file, start=number * size, stop=(number + 1) * size if number < num_parts - 1 else -1)
