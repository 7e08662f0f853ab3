"""From one recording, or a part of a long one, to utterances: decode, listen, and believe only what passes the guards."""

from __future__ import annotations

import logging
import math
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cached_property
from typing import ClassVar

from pydantic import Field

from seshat.data.doubts import Guards
from seshat.data.echoes import Echoes
from seshat.data.names import split_name
from seshat.data.readers import RefusedError, raw_stream
from seshat.data.readers.audio import Channels, Tracks, decode_tracks, seconds_of
from seshat.data.readers.spans import stretch
from seshat.data.time_transcripts import Aligner, utterances
from seshat.data.transcripts import TRANSCRIPTS, Transcribed
from seshat.engines.speech import SAMPLE_RATE, Device, EngineName, Heard, Listening, Samples, SpeechEngine, load_engine
from seshat.language import Language, clean_spaces, what_was_written
from seshat.records import RawFile, Record, Utterance
from seshat.stage import Stage
from seshat.watched import LostError, Watched

log = logging.getLogger(__name__)


class TranscribeRecordings(Stage[RawFile, Record]):
    """Write down what is said in recordings; what is doubtful is rejected alone, and so is a file that cannot be heard."""

    version: ClassVar[int] = 3  # 3: what the engine also writes for silence is rejected
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
    words: bool = False
    channels: Channels = "mix"
    max_minutes: float = 600.0
    device: Device = Field("auto", exclude=True)
    compute_type: str = "default"
    guards: Guards = Guards()
    timing: Aligner = Aligner()
    seconds: float = Field(0.0, exclude=True)
    """See ``Transcribe.part_seconds``; 0: recordings are heard in this process."""
    megabytes: float = Field(0.0, exclude=True)
    language: Language | None = None
    """None: plain files, whose names say nothing and whose text stays as the engine writes it."""

    def __call__(self, records: Iterable[RawFile]) -> Iterator[Record]:
        for file in records:
            if file.origin.lower().endswith(TRANSCRIPTS):  # it comes along with its recording, which has been written down from it
                continue
            for record in self._survive(file) if self.seconds else self._read(file):
                if isinstance(record, RawFile):
                    log.warning("transcribe: %s: %s", file.origin, record.rejected)
                yield record

    def _survive(self, file: RawFile) -> Iterator[Record]:
        """What is said, found by another process; a file that is lost with it twice is rejected."""
        try:
            yield from self._elsewhere.twice(file)
        except LostError as lost:
            yield file.reject(str(lost))

    @cached_property
    def _elsewhere(self) -> Watched[RawFile, Record]:
        return Watched(self._read, seconds=self.seconds, megabytes=self.megabytes)

    def _read(self, file: RawFile) -> Iterator[Record]:
        """All that is said, or the file with the reason why it cannot be heard."""
        try:
            if isinstance(file, Transcribed) and self.language:
                found: list[Utterance] = list(utterances(file, self.timing, self.guards, self.language, self.max_minutes))
            else:
                found = list(self._utterances(file))
        except RefusedError as refusal:
            yield file.reject(str(refusal))
        else:
            yield from found

    @cached_property
    def _engine(self) -> SpeechEngine:
        listening = Listening(vad=self.vad, pause=self.pause, beam_size=self.beam_size, words=self.words)
        threads = max(1, math.floor(self.resources.cpus))
        return load_engine(
            self.engine,
            self.folder,
            listening,
            device=self.device,
            compute_type=self.compute_type,
            threads=threads,
        )

    @cached_property
    def _echoes(self) -> Echoes:
        return Echoes(self._engine, self.guards.max_no_speech)

    def _utterances(self, file: RawFile) -> Iterator[Utterance]:
        begins, tracks = self._sound(file)
        name, code = split_name(file.origin, self.language) if self.language else (file.origin, "")
        hint = self.language.bridge.short if self.language and code == self.language.bridge.code else self.hint
        code = code or (self.language.code if self.language else self.hint)
        first = 0 if self.channels == "mix" else 2 if self.channels == "right" else 1
        found = [
            (self._placed(heard, begins), self._doubt(heard, samples, hint), channel)
            for channel, samples in enumerate(tracks, first)
            for heard in self._engine.transcribe(samples, language=hint)
        ]
        if not found:
            where = f" from second {begins:.0f} to {begins + tracks.shape[1] / SAMPLE_RATE:.0f}" if _is_part(file) else ""
            raise RefusedError(f"silence: nobody speaks in the recording{where}, as far as can be heard")
        for heard, doubt, channel in sorted(found, key=lambda one: (one[0].start, one[2])):
            text, written = self._spelt(heard.text, file.origin, code)
            track = f"&channel={channel}" if channel else ""
            yield Utterance(
                origin=f"{file.origin}#second={heard.start:.2f}..{heard.end:.2f}{track}",
                collection=file.collection,
                rejected=doubt,
                name=name,
                text=text,
                language=code,
                start=heard.start,
                end=heard.end,
                confidence=round(heard.confidence, 4),
                engine=self.engine_version,
                written=written,
                channel=channel,
                words=tuple(word.text for word in heard.words),
                word_times=tuple(second for word in heard.words for second in (word.start, word.end)),
                word_confidences=tuple(round(word.confidence, 4) for word in heard.words),
            )

    def _sound(self, file: RawFile) -> tuple[float, Tracks]:
        """Where the file, or its range, begins, and its channels."""
        with raw_stream(file) as stream:
            if _is_part(file):
                seconds = seconds_of(stream) if file.stop < 0 else float(file.stop)
                return stretch(stream, file.start, file.stop, seconds=seconds, channels=self.channels)
            return 0.0, decode_tracks(stream, max_seconds=60 * self.max_minutes, channels=self.channels)

    @staticmethod
    def _placed(heard: Heard, begins: float) -> Heard:
        """With its seconds counted from the start of the recording."""
        words = tuple(replace(word, start=round(begins + word.start, 2), end=round(begins + word.end, 2)) for word in heard.words)
        return replace(heard, start=round(begins + heard.start, 2), end=round(begins + heard.end, 2), words=words)

    def _doubt(self, heard: Heard, samples: Samples, hint: str) -> str:
        doubt = self.guards.doubt(heard, samples)
        return doubt or (self._echoes.doubt(heard, hint) if self.guards.echoes else "")

    def _spelt(self, heard: str, origin: str, code: str) -> tuple[str, str]:
        """What was heard as it is kept, and as the engine spells it if the taught language is spelt another way here."""
        if self.language is None or code == self.language.bridge.code:
            return clean_spaces(unicodedata.normalize("NFC", heard)), ""
        text = self.language.spell(heard, origin)
        return text, what_was_written(heard, text)


def _is_part(file: RawFile) -> bool:
    return bool(file.start) or file.stop >= 0
