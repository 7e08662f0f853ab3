"""Speech recognition: what an engine is to Seshat, how one is found by its name, and an engine that needs no weights.

Every other engine is a module of its own, which has ``locate``, ``version`` and ``engine`` (see ``EngineModule``).
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.metadata
import os
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from seshat.errors import EngineError
from seshat.records import digest

EngineName = Literal["faster-whisper", "whisper", "transformers", "fake"]
Device = Literal["auto", "cpu", "cuda"]
Samples = NDArray[np.float32]
"""Mono at SAMPLE_RATE, between -1 and 1."""

SAMPLE_RATE = 16_000
SAMPLE_MODEL = "sample"
"""The name of the fixture that knows the spoken sentences of the sample language."""
FIXTURE = Path(__file__).parents[1] / "sample" / "speech_model"
_MODULES = {"faster-whisper": "speech_faster", "whisper": "speech_whisper", "transformers": "speech_transformers"}
"""Where the engines live; loaded by name, as they bring heavy libraries."""


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


class EngineModule(Protocol):
    """What the module of an engine offers."""

    def locate(self, model: str, root: str) -> str:
        """As ``model_folder``."""
        ...

    def version(self, folder: str) -> str:
        """As ``engine_version``."""
        ...

    def engine(self, folder: str, listening: Listening, *, device: Device, compute_type: str, threads: int) -> SpeechEngine:
        """As ``load_engine``."""
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
    return _module(name).engine(folder, listening, device=device, compute_type=compute_type, threads=threads)


def model_folder(name: EngineName, model: str, root: str = ".") -> str:
    """Where the weights lie that a setting means: a folder or file (relative to ``root``), or what was fetched before.

    Nothing is downloaded; an EngineError says how to get what is missing.
    """
    return "" if name == "fake" else _module(name).locate(model, root)


def engine_version(name: EngineName, folder: str) -> str:
    """What results depend on: the versions of the libraries and the digest of the weights. Nothing is loaded."""
    return "fake 1" if name == "fake" else _module(name).version(folder)


def versions(packages: Iterable[str], missing: EngineError) -> str:
    """The packages with their versions; ``missing`` is raised if one is not installed."""
    try:
        return " ".join(f"{package} {importlib.metadata.version(package)}" for package in packages)
    except importlib.metadata.PackageNotFoundError:
        raise missing from None


def weights_digest(paths: Iterable[str]) -> str:
    """A digest of files by name and content."""
    return digest(*(f"{os.path.basename(path)} {_sha256(path, os.stat(path).st_mtime_ns)}" for path in sorted(paths)))


def from_hub(repository: str, folder: str) -> str:
    """The folder of a model that was fetched from the hub before."""
    from huggingface_hub import snapshot_download  # slow to import

    try:
        return str(snapshot_download(repository, local_files_only=True))
    except (OSError, ValueError):
        raise EngineError(
            f"The speech model {repository} is neither the folder {folder} nor fetched from the hub: run "
            f"'.venv/bin/hf download {repository}', or set transcribe.model to a folder with its weights"
        ) from None


def is_repository(model: str) -> bool:
    """Whether a name can be one of the hub: ``owner/name``."""
    return model.count("/") == 1 and not model.startswith((".", "/"))


def _module(name: EngineName) -> EngineModule:
    return cast(EngineModule, importlib.import_module(f"seshat.engines.{_MODULES[name]}"))


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


@lru_cache
def _sha256(path: str, changed: int) -> str:
    """The digest of a file; taken again only after the file ``changed``, as weights are large."""
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
