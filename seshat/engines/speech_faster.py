"""Speech recognition with Whisper on CTranslate2 (faster-whisper)."""

from __future__ import annotations

import math
import os
from typing import Any

from seshat.engines.speech import (
    FIXTURE,
    SAMPLE_MODEL,
    SAMPLE_RATE,
    Device,
    Heard,
    Listening,
    Samples,
    Word,
    is_repository,
    versions,
    weights_digest,
)
from seshat.engines.stretches import stretches
from seshat.errors import ConfigError, EngineError


def locate(model: str, root: str) -> str:
    """A folder, ``sample`` for the fixture of the sample language, or what was fetched from the hub."""
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


def version(folder: str) -> str:
    found = versions(("faster-whisper", "ctranslate2"), _not_installed())
    return f"{found} {weights_digest(entry.path for entry in os.scandir(folder) if entry.name.endswith(('.json', '.bin', '.txt')))}"


def engine(folder: str, listening: Listening, *, device: Device, compute_type: str, threads: int) -> FasterWhisper:
    return FasterWhisper(folder, listening, device=device, compute_type=compute_type, threads=threads)


class FasterWhisper:
    """Whisper on CTranslate2. One pass without sampling, each stretch on its own: the same recording gives the same text."""

    def __init__(
        self,
        folder: str,
        listening: Listening,
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
        return [side / SAMPLE_RATE for stretch in stretches(samples, self._listening) for side in stretch]

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


def _from_hub(model: str, folder: str) -> str:
    """The folder of a model that was fetched from the hub before."""
    try:
        from faster_whisper.utils import _MODELS, download_model  # heavy
    except ImportError:
        raise _not_installed() from None
    repository = _MODELS.get(model, model if is_repository(model) else "")
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
