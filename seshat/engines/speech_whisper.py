"""Speech recognition with OpenAI's own Whisper (extra: ``seshat[whisper]``)."""

from __future__ import annotations

import math
import os
import pickle
from typing import Any

from seshat.engines.speech import SAMPLE_RATE, Device, Heard, Listening, Samples, Word, versions, weights_digest
from seshat.engines.stretches import stretches
from seshat.errors import ConfigError, EngineError

CACHE = "~/.cache/whisper"
"""Where the package keeps what it has fetched."""


def locate(model: str, root: str) -> str:
    """A ``.pt`` file, or the name of one that the package has fetched before."""
    path = os.path.join(root, model)
    if os.path.isfile(path):
        return path
    cached = os.path.join(os.path.expanduser(CACHE), f"{model}.pt")
    if os.path.isfile(cached):
        return cached
    raise EngineError(
        f"There is neither the file {path} nor {cached}: set transcribe.model to a .pt file of Whisper, or fetch one with "
        f"python -c 'import whisper; whisper.load_model(\"small\")' and set transcribe.model=small"
    )


def version(folder: str) -> str:
    return f"{versions(('openai-whisper', 'torch'), _not_installed())} {weights_digest([folder])}"


def engine(folder: str, listening: Listening, *, device: Device, compute_type: str, threads: int) -> OpenAIWhisper:
    return OpenAIWhisper(folder, listening, device=device, compute_type=compute_type, threads=threads)


class OpenAIWhisper:
    """One pass without sampling, each stretch on its own: the same recording gives the same text."""

    def __init__(
        self, file: str, listening: Listening, *, device: Device = "auto", compute_type: str = "default", threads: int = 1
    ) -> None:
        try:
            import torch
            import whisper  # heavy
        except ImportError:
            raise _not_installed() from None
        torch.set_num_threads(threads)
        place = ("cuda" if torch.cuda.is_available() else "cpu") if device == "auto" else device
        halves = {"default": place == "cuda", "float16": True, "float32": False}
        if compute_type not in halves:
            raise EngineError(f"transcribe.compute_type: Whisper has no {compute_type!r}; set it to float16, float32 or default")
        self._fp16, self._listening = halves[compute_type], listening
        self._languages = whisper.tokenizer.LANGUAGES
        try:
            self._model = _load(file, place)
        except (RuntimeError, KeyError, TypeError, ValueError, EOFError, OSError, pickle.UnpicklingError) as error:
            why = str(error).partition("\n")[0]
            raise EngineError(f"{file} is no checkpoint of OpenAI's Whisper ({why}); set transcribe.model to a .pt file") from None

    def transcribe(self, samples: Samples, *, language: str = "", everywhere: bool = False) -> list[Heard]:
        """One or more pieces for each stretch of speech. A model of one language ignores ``language``."""
        if self._model.is_multilingual and language and language not in self._languages:
            raise ConfigError(
                f"transcribe.language: Whisper has no language {language!r}; give the code of one that sounds like it, or leave it empty"
            )
        found = stretches(samples, self._listening, everywhere=everywhere)
        return [heard for start, stop in found for heard in self._piece(samples[start:stop], start / SAMPLE_RATE, language)]

    def _piece(self, samples: Samples, offset: float, language: str) -> list[Heard]:
        """No thresholds here: what the engine doubts comes out, and is rejected with its reason by whoever asked."""
        result = self._model.transcribe(
            samples,
            language=(language or None) if self._model.is_multilingual else "en",
            beam_size=self._listening.beam_size,
            temperature=0.0,
            condition_on_previous_text=False,
            compression_ratio_threshold=None,
            logprob_threshold=None,
            no_speech_threshold=None,
            word_timestamps=self._listening.words,
            fp16=self._fp16,
            verbose=None,
        )
        last = len(samples) / SAMPLE_RATE

        def at(second: float) -> float:
            return offset + min(float(second), last)

        return [
            Heard(
                text=segment["text"].strip(),
                start=at(segment["start"]),
                end=at(segment["end"]),
                confidence=min(1.0, math.exp(segment["avg_logprob"])),
                no_speech=float(segment["no_speech_prob"]),
                words=tuple(
                    Word(word["word"].strip(), at(word["start"]), at(word["end"]), float(word["probability"]))
                    for word in segment.get("words", ())
                ),
            )
            for segment in result["segments"]
        ]


def _load(file: str, device: str) -> Any:
    """The package's own way unpickles whatever is in the file; weights alone are enough."""
    import torch
    import whisper

    checkpoint = torch.load(file, map_location=device, weights_only=True)
    model = whisper.model.Whisper(whisper.model.ModelDimensions(**checkpoint["dims"]))
    model.load_state_dict(checkpoint["model_state_dict"])
    heads = getattr(whisper, "_ALIGNMENT_HEADS", {}).get(os.path.splitext(os.path.basename(file))[0])
    if heads is not None and os.path.dirname(file) == os.path.expanduser(CACHE):  # one of the package's own, which is what its name says
        model.set_alignment_heads(heads)
    return model.to(device).eval()


def _not_installed() -> EngineError:
    return EngineError("transcribe.engine=whisper needs the package openai-whisper: pip install -e '.[whisper]', or set faster-whisper")
