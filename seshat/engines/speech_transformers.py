"""Speech recognition in transformers: Whisper checkpoints, and CTC checkpoints (wav2vec2, MMS), told apart by ``config.json``.

Legend of the shapes: T tokens, V vocabulary.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from seshat.engines.speech import (
    SAMPLE_RATE,
    Device,
    Heard,
    Listening,
    Samples,
    SpeechEngine,
    Word,
    from_hub,
    is_repository,
    versions,
    weights_digest,
)
from seshat.engines.stretches import stretches
from seshat.errors import ConfigError, EngineError

_MOMENT = 0.02
"""Seconds between two of Whisper's time codes."""
_SHORTEST = 0.1
"""Seconds that are worth listening to."""


def locate(model: str, root: str) -> str:
    """A folder with a checkpoint, or what was fetched from the hub (``owner/name``)."""
    folder = os.path.join(root, model)
    if not os.path.isdir(folder):
        if not is_repository(model):
            raise EngineError(
                f"transcribe.model: there is no folder {folder}, and {model!r} is no name on the hub (openai/whisper-small, "
                "facebook/mms-1b-all): give one of them"
            )
        folder = from_hub(model, folder)
    kind_of(folder)
    if not any(name.endswith(".safetensors") for name in os.listdir(folder)):
        raise EngineError(f"{folder} has no weights as safetensors: load it in transformers and save it again with save_pretrained")
    return folder


def version(folder: str) -> str:
    files = [entry.path for entry in os.scandir(folder) if entry.name.endswith((".json", ".safetensors", ".txt", ".model"))]
    return f"{versions(('transformers', 'torch'), _not_installed())} {weights_digest(files)}"


def engine(folder: str, listening: Listening, *, device: Device, compute_type: str, threads: int) -> SpeechEngine:
    if kind_of(folder) == "whisper":
        return TransformersWhisper(folder, listening, device=device, compute_type=compute_type, threads=threads)
    from seshat.engines.speech_ctc import Ctc

    return Ctc(folder, listening, device=device, compute_type=compute_type, threads=threads)


def kind_of(folder: str) -> str:
    """``whisper`` or ``ctc``; an EngineError for any other checkpoint."""
    try:
        config = json.loads(Path(folder, "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise EngineError(f"{folder} is no checkpoint that transformers reads ({error}); set transcribe.model to one") from None
    architectures = config.get("architectures") or ()
    if config.get("model_type") == "whisper":
        return "whisper"
    if any(name.endswith("ForCTC") for name in architectures):
        return "ctc"
    raise EngineError(
        f"{folder} is a {config.get('model_type', 'nameless')} ({', '.join(architectures) or 'no architecture'}), and neither Whisper nor "
        "a CTC model: transcribe.engine=transformers reads these two"
    )


def placed(model: Any, device: Device, compute_type: str, threads: int) -> Any:
    """A model where it should run, in its precision."""
    import torch

    torch.set_num_threads(threads)
    place = ("cuda" if torch.cuda.is_available() else "cpu") if device == "auto" else device
    types = {"default": "float16" if place == "cuda" else "float32", **{name: name for name in ("float32", "float16", "bfloat16")}}
    if compute_type not in types:
        raise EngineError(f"transcribe.compute_type: transformers has no {compute_type!r}; set it to {', '.join(types)}")
    return model.to(device=place, dtype=getattr(torch, types[compute_type])).eval()


def loaded(kind: Any, folder: str, **options: Any) -> Any:
    """Something of transformers from a folder; nothing is fetched, and no pickle is opened."""
    from transformers.utils import logging

    logging.disable_progress_bar()
    try:
        return kind.from_pretrained(folder, local_files_only=True, **options)
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise EngineError(f"{folder}: transformers cannot load it ({str(error).strip()}); copy the whole checkpoint again") from None


class TransformersWhisper:
    """Whisper in transformers. One pass without sampling, each stretch on its own."""

    def __init__(
        self, folder: str, listening: Listening, *, device: Device = "auto", compute_type: str = "default", threads: int = 1
    ) -> None:
        try:
            import torch
            from transformers import AutoTokenizer, WhisperFeatureExtractor, WhisperForConditionalGeneration  # heavy
        except ImportError:
            raise _not_installed() from None
        self._torch, self._listening = torch, listening
        model = loaded(WhisperForConditionalGeneration, folder, use_safetensors=True)
        self._model = placed(model, device, compute_type, threads)
        self._features = loaded(WhisperFeatureExtractor, folder)
        self._tokenizer = loaded(AutoTokenizer, folder)
        plan = self._model.generation_config
        if getattr(plan, "no_timestamps_token_id", None) is None:
            raise EngineError(f"{folder} has no generation_config.json of Whisper: copy the one of the checkpoint that it was trained from")
        self._zero = plan.no_timestamps_token_id + 1
        self._end = plan.eos_token_id[0] if isinstance(plan.eos_token_id, list) else plan.eos_token_id
        self._languages: dict[str, int] = getattr(plan, "lang_to_id", None) or {}
        self._words = listening.words and bool(getattr(plan, "alignment_heads", None))

    def transcribe(self, samples: Samples, *, language: str = "", everywhere: bool = False) -> list[Heard]:
        """One or more pieces for each stretch of speech. A model of one language ignores ``language``."""
        if self._languages and language and f"<|{language}|>" not in self._languages:
            raise ConfigError(
                f"transcribe.language: this Whisper has no language {language!r}; give the code of one that sounds like it, or none"
            )
        found = stretches(samples, self._listening, everywhere=everywhere)
        with self._torch.inference_mode():
            return [heard for start, stop in found for heard in self._piece(samples[start:stop], start / SAMPLE_RATE, language)]

    def _piece(self, samples: Samples, offset: float, language: str) -> list[Heard]:
        """What is said in a stretch: where the model stops before the end, it goes on from its last time code."""
        found, seek = list[Heard](), 0.0
        while len(rest := samples[round(seek * SAMPLE_RATE) :]) > _SHORTEST * SAMPLE_RATE:
            pieces, further = self._pass(rest, offset + seek, language)
            found += pieces
            if not further:
                break
            seek += further
        return found

    def _pass(self, samples: Samples, offset: float, language: str) -> tuple[list[Heard], float]:
        """What one window gives, and the second in it at which to go on; 0 if all of it was heard."""
        inputs = self._features(samples, sampling_rate=SAMPLE_RATE, return_tensors="pt", return_attention_mask=True)
        features = inputs.input_features * inputs.attention_mask[:, None, :]  # zeros behind the sound, as OpenAI's own code has them
        features = features.to(device=self._model.device, dtype=self._model.dtype)
        prompt, spoken = self._prompt(features, language)
        made = self._model.generate(
            input_features=features,
            attention_mask=inputs.attention_mask.to(self._model.device),
            return_timestamps=True,
            return_token_timestamps=self._words,
            num_beams=self._listening.beam_size,
            do_sample=False,
            force_unique_generate_call=True,
            **spoken,
        )
        ids, moments = (made["sequences"][0], made["token_timestamps"][0].tolist()) if self._words else (made[0], [])
        said = ids.tolist()
        first = next((place for place, token in enumerate(said) if token < self._end or token >= self._zero), len(said))
        tokens = [token for token in said[first:] if token < self._end or token >= self._zero]
        moments = moments[first : first + len(tokens)]
        tokens, further = self._whole(tokens)
        sure, no_speech = self._sure(features, prompt, tokens)
        return self._segments(tokens, sure, moments, no_speech, offset, len(samples) / SAMPLE_RATE), further

    def _whole(self, tokens: list[int]) -> tuple[list[int], float]:
        """The tokens up to the last pair of time codes if what follows has no end, and the second of that pair; else all, and 0."""
        pairs = [place for place in range(len(tokens) - 1) if min(tokens[place : place + 2]) >= self._zero]
        if not pairs or (tokens[-1] >= self._zero > tokens[-2]):
            return tokens, 0.0
        return tokens[: pairs[-1] + 1], (tokens[pairs[-1]] - self._zero) * _MOMENT

    def _prompt(self, features: Any, language: str) -> tuple[list[int], dict[str, str]]:
        """The tokens before what is said, and what ``generate`` is told of them."""
        plan = self._model.generation_config
        if not self._languages:
            return [plan.decoder_start_token_id], {}
        code = self._languages[f"<|{language}|>"] if language else int(self._model.detect_language(features)[0])
        name = next(name for name, token in self._languages.items() if token == code)
        return [plan.decoder_start_token_id, code, plan.task_to_id["transcribe"]], {"language": name, "task": "transcribe"}

    def _sure(self, features: Any, prompt: Sequence[int], tokens: Sequence[int]) -> tuple[list[float], float]:
        """The natural log-probability of each token, and how probable it is that nobody speaks."""
        ids = self._torch.tensor([[*prompt, *tokens]], device=self._model.device)
        logits_TV = self._model(input_features=features, decoder_input_ids=ids).logits[0].float().log_softmax(dim=-1)
        said = [float(logits_TV[len(prompt) - 1 + place, token]) for place, token in enumerate(tokens)]
        return said, float(logits_TV[0, self._zero - 2].exp())  # the token before <|notimestamps|> is <|nospeech|>

    def _segments(
        self, tokens: Sequence[int], sure: Sequence[float], moments: Sequence[float], no_speech: float, offset: float, length: float
    ) -> list[Heard]:
        """What stands between two time codes; the last may lack its end."""
        found: list[Heard] = []
        start, places = 0.0, list[int]()
        for place, token in enumerate([*tokens, self._zero + round(length / _MOMENT)]):
            if token < self._end:
                places.append(place)
            elif token >= self._zero:
                second = min((token - self._zero) * _MOMENT, length)
                if places:
                    second = max(start, second)
                    text = self._text([tokens[place] for place in places])
                    mean = math.exp(sum(sure[place] for place in places) / len(places))
                    words = self._placed_words(tokens, places, sure, moments, offset, (start, second)) if moments else ()
                    found.append(Heard(text.strip(), offset + start, offset + second, mean, no_speech, words))
                start, places = second, []
        return found

    def _placed_words(
        self,
        tokens: Sequence[int],
        places: Sequence[int],
        sure: Sequence[float],
        moments: Sequence[float],
        offset: float,
        within: tuple[float, float],
    ) -> tuple[Word, ...]:
        """Tokens up to the next space, from the moment of the first to that of the next word's; all within the segment."""
        start, end = within
        groups: list[list[int]] = []
        for place in places:
            if not groups or self._text([tokens[place]])[:1].isspace():
                groups.append([])
            groups[-1].append(place)
        begins = [min(max(moments[group[0]], start), end) for group in groups]
        return tuple(
            Word(
                self._text([tokens[place] for place in group]).strip(),
                offset + begin,
                offset + max(begin, following),
                math.exp(sum(sure[place] for place in group) / len(group)),
            )
            for group, begin, following in zip(groups, begins, [*begins[1:], end], strict=True)
        )

    def _text(self, ids: Sequence[int]) -> str:
        return str(self._tokenizer.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False))


def _not_installed() -> EngineError:
    return EngineError("transcribe.engine=transformers needs the packages transformers and torch: run 'make install'")
