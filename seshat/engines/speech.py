"""Speech recognition: what an engine is to Seshat, faster-whisper, and an engine that needs no weights."""

from __future__ import annotations

import hashlib
import importlib.metadata
import math
import os
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from seshat.errors import ConfigError, EngineError
from seshat.records import digest

EngineName = Literal["faster-whisper", "fake"]
Device = Literal["auto", "cpu", "cuda"]
Samples = NDArray[np.float32]
"""Mono at SAMPLE_RATE, between -1 and 1."""

SAMPLE_RATE = 16_000
SAMPLE_MODEL = "sample"
"""The name of the fixture that knows the spoken sentences of the sample language."""
FIXTURE = Path(__file__).parents[1] / "sample" / "speech_model"
_WINDOW = 28.0
"""Seconds of speech that are given to Whisper at once; its window holds 30."""
_PADDING_MS = 200
"""What is kept before and after speech, so that no sound is cut."""


@dataclass(frozen=True, slots=True)
class Word:
    """A word that was heard."""

    text: str
    start: float
    """Seconds from the start of the recording."""
    end: float
    confidence: float
    """How sure the engine is of it; from 0 to 1."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What an engine heard between two moments of a recording."""

    text: str
    start: float
    """Seconds from the start of the recording."""
    end: float
    confidence: float
    """The geometric mean of the token probabilities; from 0 to 1."""
    no_speech: float = 0.0
    """How probable the engine finds it that nobody speaks there."""
    words: tuple[Word, ...] = ()
    """Only if they were asked for (``Listening.words``), and from an engine that can tell."""


@dataclass(frozen=True, slots=True)
class Listening:
    """How an engine listens."""

    vad: bool = True
    """Look for speech first (Silero), and listen to nothing else."""
    pause: float = 0.5
    """Seconds of silence that end an utterance; only with ``vad``."""
    beam_size: int = 5
    words: bool = False
    """Say when each word is said."""


class SpeechEngine(Protocol):
    """A recogniser with its weights loaded."""

    def transcribe(self, samples: Samples, *, language: str = "", everywhere: bool = False) -> list[Heard]:
        """What is said, in order; nothing for silence. ``language`` is the engine's code for it; empty: it finds out.

        ``everywhere``: listen to all of it, also if ``Listening.vad`` says to look for speech first.
        """
        ...


def load_engine(
    name: EngineName,
    folder: str,
    listening: Listening,
    *,
    device: Device = "auto",
    compute_type: str = "default",
    threads: int = 1,
) -> SpeechEngine:
    """The engine of a name, with the weights of a folder that ``model_folder`` found."""
    if name == "fake":
        return SpeechFake(listening)
    return FasterWhisper(folder, listening, device=device, compute_type=compute_type, threads=threads)


def model_folder(name: EngineName, model: str, root: str = ".") -> str:
    """Where the weights lie that a setting means: a folder (relative to ``root``), ``sample``, or what came from the hub before.

    Nothing is downloaded; an EngineError says how to get what is missing.
    """
    if name == "fake":
        return ""
    folder = os.path.join(root, model)
    if model == SAMPLE_MODEL:
        folder = str(FIXTURE)
        if not FIXTURE.is_dir():
            raise EngineError(f"{folder} is not there: make it with 'python -m benchmarks.make_speech_fixture' (two minutes)")
    elif not os.path.isdir(folder):
        folder = _from_hub(model, folder)
    present = os.listdir(folder) if os.path.isdir(folder) else []
    needed = ("config.json", "model.bin", "tokenizer.json")
    missing = [file for file in needed if file not in present]
    if missing:
        raise EngineError(
            f"{folder} is no Whisper model for faster-whisper (no {', '.join(missing)}): convert one with "
            "'ct2-transformers-converter --model FOLDER --output_dir NEW --copy_files tokenizer.json preprocessor_config.json'"
        )
    return folder


def engine_version(name: EngineName, folder: str) -> str:
    """What results depend on: the versions of the libraries and the digest of the weights. Nothing is loaded."""
    if name == "fake":
        return "fake 1"
    versions = []
    for package in ("faster-whisper", "ctranslate2"):
        try:
            versions.append(f"{package} {importlib.metadata.version(package)}")
        except importlib.metadata.PackageNotFoundError:
            raise _not_installed() from None
    files = sorted(entry.path for entry in os.scandir(folder) if entry.name.endswith((".json", ".bin", ".txt")))
    weights = digest(*(f"{os.path.basename(path)} {_sha256(path, os.stat(path).st_mtime_ns)}" for path in files))
    return f"{' '.join(versions)} {weights}"


class FasterWhisper:
    """Whisper on CTranslate2. One pass without sampling, each stretch on its own: the same recording gives the same text."""

    def __init__(
        self,
        folder: str,
        listening: Listening = Listening(),
        *,
        device: Device = "auto",
        compute_type: str = "default",
        threads: int = 1,
    ) -> None:
        try:
            from faster_whisper import WhisperModel  # heavy
        except ImportError:
            raise _not_installed() from None
        self._listening = listening
        try:
            self._model = WhisperModel(folder, device=device, compute_type=compute_type, cpu_threads=threads, local_files_only=True)
        except (RuntimeError, ValueError) as error:
            raise EngineError(
                f"{folder}: faster-whisper cannot load it for device={device}, compute_type={compute_type} ({error}); "
                "set transcribe.device and transcribe.compute_type to what this machine has, or convert the model again"
            ) from None

    def transcribe(self, samples: Samples, *, language: str = "", everywhere: bool = False) -> list[Heard]:
        """One or more pieces for each stretch of speech. A model of one language ignores ``language``."""
        if self._model.model.is_multilingual and language and language not in self._model.supported_languages:
            raise ConfigError(
                f"transcribe.language: Whisper has no language {language!r}; give the code of one that sounds like it, or leave it empty"
            )
        clips = self._clips(samples, everywhere)
        if not clips:
            return []
        segments = self._segments(samples, clips, language if self._model.model.is_multilingual else "en")
        last = len(samples) / SAMPLE_RATE
        return [
            Heard(
                text=segment.text.strip(),
                start=min(float(segment.start), last),
                end=min(float(segment.end), last),
                confidence=min(1.0, math.exp(segment.avg_logprob)),
                no_speech=float(segment.no_speech_prob),
                words=tuple(
                    Word(word.word.strip(), min(float(word.start), last), min(float(word.end), last), float(word.probability))
                    for word in segment.words or ()
                ),
            )
            for segment in segments
        ]

    def _clips(self, samples: Samples, everywhere: bool) -> list[float]:
        """Where to listen, in seconds: from, to, from, to."""
        if everywhere or not self._listening.vad:
            return [0.0, len(samples) / SAMPLE_RATE] if len(samples) else []
        from faster_whisper.vad import VadOptions, get_speech_timestamps

        options = VadOptions(
            min_silence_duration_ms=round(self._listening.pause * 1000),
            speech_pad_ms=_PADDING_MS,
            max_speech_duration_s=_WINDOW,
        )
        stretches = get_speech_timestamps(samples, options) if len(samples) else []
        return [stretch[side] / SAMPLE_RATE for stretch in stretches for side in ("start", "end")]

    def _segments(self, samples: Samples, clips: list[float], language: str) -> list[Any]:
        """No thresholds here: what the engine doubts comes out, and is rejected with its reason by whoever asked."""
        segments, _ = self._model.transcribe(
            samples,
            language=language or None,
            multilingual=not language,
            clip_timestamps=clips,
            beam_size=self._listening.beam_size,
            temperature=0.0,
            condition_on_previous_text=False,
            compression_ratio_threshold=None,
            log_prob_threshold=None,
            no_speech_threshold=None,
            word_timestamps=self._listening.words,
        )
        return list(segments)


class SpeechFake:
    """Hears where a recording is loud and calls each stretch by its number, the surer the louder: for tests without weights."""

    def __init__(self, listening: Listening) -> None:
        self._pause, self._words = listening.pause, listening.words

    def transcribe(self, samples: Samples, *, language: str = "", everywhere: bool = False) -> list[Heard]:
        """One piece for each stretch between pauses; both of its words take half of it."""
        frame = SAMPLE_RATE // 50
        frames = samples[: len(samples) // frame * frame].reshape(-1, frame)
        loud = np.flatnonzero(np.sqrt((frames**2).mean(axis=1)) > 0.01)
        stretches = np.split(loud, np.flatnonzero(np.diff(loud) > self._pause * 50) + 1) if len(loud) else []
        return [
            self._heard(number, float(stretch[0]) / 50, float(stretch[-1] + 1) / 50, min(1.0, 5 * float(np.abs(frames[stretch]).mean())))
            for number, stretch in enumerate(stretches, 1)
        ]

    def _heard(self, number: int, start: float, end: float, confidence: float) -> Heard:
        middle = (start + end) / 2
        words = (Word("stretch", start, middle, confidence), Word(str(number), middle, end, confidence))
        return Heard(f"stretch {number}", start, end, confidence, words=words if self._words else ())


def _from_hub(model: str, folder: str) -> str:
    """The folder of a model that was fetched from the hub before."""
    try:
        from faster_whisper.utils import _MODELS, download_model  # heavy
    except ImportError:
        raise _not_installed() from None
    repository = _MODELS.get(model, model if model.count("/") == 1 and not model.startswith((".", "/")) else "")
    if repository:
        try:
            return str(download_model(repository, local_files_only=True))
        except (OSError, ValueError):
            raise EngineError(
                f"The Whisper model {model} is neither the folder {folder} nor fetched from the hub: run "
                f"'.venv/bin/hf download {repository}', or set transcribe.model to a folder that faster-whisper reads"
            ) from None
    raise EngineError(
        f"transcribe.model: there is no folder {folder}, and {model!r} is no name of a Whisper model (large-v3, small, "
        "Systran/faster-whisper-tiny): give one of them"
    )


def _not_installed() -> EngineError:
    return EngineError("Transcribing needs the package faster-whisper: run 'make install', or pip install faster-whisper")


@lru_cache
def _sha256(path: str, changed: int) -> str:
    """The digest of a file; taken again only after the file ``changed``, as weights are large."""
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
