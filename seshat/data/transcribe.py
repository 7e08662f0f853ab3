"""From recordings to utterances: decode, listen, and believe only what passes the guards."""

from __future__ import annotations

import logging
import math
import os
import unicodedata
from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Annotated, ClassVar

from pydantic import BeforeValidator, Field

from seshat.config import Typed
from seshat.data.doubts import Guards
from seshat.data.names import split_name
from seshat.data.readers import SOUND, RefusedError, open_raw, raw_files
from seshat.data.readers.audio import decode
from seshat.data.time_transcripts import Aligner, Timing, utterances
from seshat.data.transcripts import TRANSCRIPTS, Transcribed, transcribed_only, with_transcripts
from seshat.engines.speech import (
    Device,
    EngineName,
    Listening,
    SpeechEngine,
    engine_version,
    load_engine,
    model_folder,
)
from seshat.errors import EngineError
from seshat.language import Language, clean_spaces, what_was_written
from seshat.records import RawFile, Record, Utterance
from seshat.stage import Resources, Stage
from seshat.step import Part, Step
from seshat.withdrawals import NOTHING, Withdrawals

log = logging.getLogger(__name__)


def _folder_or_name(value: object) -> object:
    """A folder that was typed on the command line is relative to where the user stands; a name stays a name."""
    return os.path.abspath(value) if isinstance(value, Typed) and os.path.isdir(value) else value


class Transcribe(Guards):
    """How recordings are transcribed."""

    engine: EngineName = "faster-whisper"
    model: Annotated[str, BeforeValidator(_folder_or_name)] = "large-v3"
    """A folder that faster-whisper reads, the name of one that was fetched from the hub, or ``sample`` for the fixture of
    the sample language."""
    language: str = ""
    """As which language Whisper should hear the taught one (``es``); empty: it decides, stretch by stretch."""
    vad: bool = True
    """Look for speech first (Silero), and listen to nothing else."""
    pause: float = Field(0.5, gt=0, le=5)
    """Seconds of silence that end an utterance."""
    beam_size: int = Field(5, ge=1)
    max_minutes: float = Field(120.0, gt=0)
    """A longer recording is rejected: it is held in memory, about 8 MB a minute."""
    device: Device = "auto"
    compute_type: str = "default"
    """CTranslate2's precision: float16 or int8_float16 on a GPU, int8 or float32 elsewhere; default: as the weights are."""
    timing: Timing = Timing()
    """How a transcript that lies beside a recording is aligned to it; the engine is then not asked."""
    max_rejected: float = Field(1.0, ge=0, le=1)
    """A larger share of rejected utterances fails the run. An engine that never heard the language may well fail at all."""
    resources: Resources = Resources()


class TranscribeRecordings(Stage[RawFile, Record]):
    """Write down what is said in recordings; what is doubtful is rejected alone, and so is a file that cannot be heard."""

    version: ClassVar[int] = 2  # 2: spelling rules apply, and what the engine wrote is kept
    loads_engine: ClassVar[bool] = True

    engine: EngineName
    engine_version: str
    """Libraries and weights, so that results of other ones are not taken for these."""
    folder: str = Field("", exclude=True)
    """Where the weights lie is no part of the fingerprint; what they are is in ``engine_version``."""
    hint: str = ""
    vad: bool = True
    pause: float = 0.5
    beam_size: int = 5
    max_minutes: float = 120.0
    device: Device = Field("auto", exclude=True)
    compute_type: str = "default"
    guards: Guards = Guards()
    timing: Aligner = Aligner()
    language: Language

    def __call__(self, records: Iterable[RawFile]) -> Iterator[Record]:
        for file in records:
            if file.origin.lower().endswith(TRANSCRIPTS):  # it comes along with its recording, which has been written down from it
                continue
            try:
                yield from list(self._utterances(file))
            except RefusedError as refusal:
                log.warning("transcribe: %s: %s", file.origin, refusal)
                yield file.reject(str(refusal))

    @cached_property
    def _engine(self) -> SpeechEngine:
        listening = Listening(vad=self.vad, pause=self.pause, beam_size=self.beam_size)
        threads = max(1, math.floor(self.resources.cpus))
        return load_engine(
            self.engine,
            self.folder,
            listening,
            device=self.device,
            compute_type=self.compute_type,
            threads=threads,
        )

    def _utterances(self, file: RawFile) -> Iterator[Utterance]:
        if isinstance(file, Transcribed):
            yield from utterances(file, self.timing, self.guards, self.language, self.max_minutes)
            return
        samples = decode(open_raw(file), max_seconds=60 * self.max_minutes)
        name, code = split_name(file.origin, self.language)
        bridge = self.language.bridge
        pieces = self._engine.transcribe(samples, language=bridge.short if code == bridge.code else self.hint)
        if not pieces:
            raise RefusedError("silence: nobody speaks in the recording, as far as can be heard")
        for heard in pieces:
            text, written = self._spelt(heard.text, file.origin, code or self.language.code)
            yield Utterance(
                origin=f"{file.origin}#second={heard.start:.2f}..{heard.end:.2f}",
                collection=file.collection,
                rejected=self.guards.doubt(heard, samples),
                name=name,
                text=text,
                language=code or self.language.code,
                start=round(heard.start, 2),
                end=round(heard.end, 2),
                confidence=round(heard.confidence, 4),
                engine=self.engine_version,
                written=written,
            )

    def _spelt(self, heard: str, origin: str, code: str) -> tuple[str, str]:
        """What was heard as it is kept, and as the engine spells it if the taught language is spelt another way here."""
        if code == self.language.bridge.code:
            return clean_spaces(unicodedata.normalize("NFC", heard)), ""
        text = self.language.spell(heard, origin)
        return text, what_was_written(heard, text)


def check(transcribe: Transcribe, root: str = ".") -> None:
    """Raise an EngineError that says what to install or fetch if the engine or its weights are not there."""
    engine_version(transcribe.engine, model_folder(transcribe.engine, transcribe.model, root))


def step(
    transcribe: Transcribe,
    language: Language,
    raw: str,
    settings_yaml: str = "",
    root: str = ".",
    *,
    withdrawn: Withdrawals = NOTHING,
) -> Step:
    """Transcribe every recording, each as a part of its own; without recordings no engine is needed, and there are no parts.

    A recording with a transcript beside it is aligned with that, and needs no engine; without one, only these are parts.
    A ``model`` that is a relative folder is looked for in ``root``.
    """
    files, note = withdrawn.sift(file for file in raw_files(raw, ("audio",)) if file.origin.lower().endswith((*SOUND, *TRANSCRIPTS)))
    files = with_transcripts(files, language)
    if not files:
        return Step("transcribe", (), (), note=note)
    folder = version = ""
    try:
        folder = model_folder(transcribe.engine, transcribe.model, root)
        version = engine_version(transcribe.engine, folder)
    except EngineError as error:
        files, note = transcribed_only(files, error, note)
    stage = TranscribeRecordings(
        engine=transcribe.engine,
        engine_version=version,
        folder=folder,
        hint=transcribe.language,
        vad=transcribe.vad,
        pause=transcribe.pause,
        beam_size=transcribe.beam_size,
        max_minutes=transcribe.max_minutes,
        device=transcribe.device,
        compute_type=transcribe.compute_type,
        guards=Guards(**transcribe.model_dump(include=set(Guards.model_fields))),
        timing=transcribe.timing.aligner(root),
        language=language,
        resources=transcribe.resources,
    )
    parts = tuple(Part(file.inputs if isinstance(file, Transcribed) else (file,)) for file in files)
    return Step("transcribe", (stage,), parts, settings=settings_yaml, max_rejected=transcribe.max_rejected, note=note)
