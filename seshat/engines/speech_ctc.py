"""Speech recognition with a CTC model (Graves et al., 2006): wav2vec2, MMS and their kin, letter by letter.

A model with adapters (MMS) is told its language by the code of the adapter; it then has that language's letters.
Legend of the shapes: F frames, V letters.
"""

from __future__ import annotations

import logging
import math
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from seshat.engines.speech import SAMPLE_RATE, Device, Heard, Listening, Samples, Word
from seshat.engines.speech_transformers import loaded, placed
from seshat.engines.stretches import stretches
from seshat.errors import ConfigError

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Letter:
    """A letter, or a space, on the best path."""

    text: str
    start: float
    """Seconds from the start of the stretch."""
    end: float
    logprob: float
    """The mean over its frames, natural."""


class Ctc:
    """The best letter of every frame, doubles joined and blanks left out; every stretch is an utterance."""

    def __init__(
        self, folder: str, listening: Listening, *, device: Device = "auto", compute_type: str = "default", threads: int = 1
    ) -> None:
        import torch
        from transformers import AutoFeatureExtractor, AutoModelForCTC, AutoTokenizer  # heavy

        self._torch, self._listening = torch, listening
        self._model = placed(loaded(AutoModelForCTC, folder, use_safetensors=True), device, compute_type, threads)
        self._features = loaded(AutoFeatureExtractor, folder)
        self._tokenizer = loaded(AutoTokenizer, folder)
        names = [name.split(".") for name in sorted(os.listdir(folder)) if name.startswith("adapter.") and name.endswith(".safetensors")]
        self._adapters = [name[1] for name in names if len(name) == 3]
        self._language = ""

    def transcribe(self, samples: Samples, *, language: str = "", everywhere: bool = False) -> list[Heard]:
        """One piece for each stretch of speech in which a letter was heard. A model without adapters ignores ``language``."""
        self._speak(language)
        with self._torch.inference_mode():
            pieces = (
                self._piece(samples[start:stop], start / SAMPLE_RATE)
                for start, stop in stretches(samples, self._listening, everywhere=everywhere)
            )
            return [heard for heard in pieces if heard]

    def _speak(self, language: str) -> None:
        """Take the adapter of a language; without a language, the one that was loaded stays."""
        if not language or not self._adapters or language == self._language:
            return
        if language not in self._adapters:
            raise ConfigError(
                f"transcribe.language: the model has no adapter {language!r}, but {', '.join(self._adapters[:40])}; take one of them"
            )
        self._tokenizer.set_target_lang(language)
        self._model.load_adapter(language, local_files_only=True, use_safetensors=True)
        self._language = language

    def _piece(self, samples: Samples, offset: float) -> Heard | None:
        if len(samples) < SAMPLE_RATE // 20:  # shorter than any sound, and than what the model can take
            return None
        inputs = self._features(samples, sampling_rate=SAMPLE_RATE, return_tensors="pt").input_values
        logprobs_FV = self._model(inputs.to(device=self._model.device, dtype=self._model.dtype)).logits[0].float().log_softmax(dim=-1)
        best = logprobs_FV.max(dim=-1)
        seconds = len(samples) / SAMPLE_RATE / max(1, len(logprobs_FV))
        letters = list(self._letters(best.indices.tolist(), best.values.tolist(), seconds))
        words = [_word(list(run), offset) for space, run in groupby(letters, lambda one: one.text == " ") if not space]
        if not words:
            return None
        said = [letter for letter in letters if letter.text != " "]
        sure = math.exp(sum(letter.logprob for letter in said) / len(said))
        text = " ".join(word.text for word in words)
        return Heard(text, words[0].start, words[-1].end, sure, words=tuple(words) if self._listening.words else ())

    def _letters(self, path: Sequence[int], logprobs: Sequence[float], seconds: float) -> Iterator[Letter]:
        """What the best path says, with the frames of each letter as its time."""
        tokenizer: Any = self._tokenizer
        place = 0
        for token, run in groupby(path):
            first, place = place, place + sum(1 for _ in run)
            if token in (tokenizer.pad_token_id, tokenizer.bos_token_id, tokenizer.eos_token_id, tokenizer.unk_token_id):
                continue
            text = tokenizer.convert_ids_to_tokens(token)
            mean = sum(logprobs[first:place]) / (place - first)
            yield Letter(" " if text == tokenizer.word_delimiter_token else text, first * seconds, place * seconds, mean)


def _word(letters: Sequence[Letter], offset: float) -> Word:
    sure = math.exp(sum(letter.logprob for letter in letters) / len(letters))
    return Word("".join(letter.text for letter in letters), offset + letters[0].start, offset + letters[-1].end, sure)
