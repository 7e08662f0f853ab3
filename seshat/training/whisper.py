"""Whisper as it is fine-tuned: what goes in, what should come out, the adapter, and the folders that it is saved to.

Legend of the shapes: B utterances of a batch, M mel bands, F frames of 10 ms, T tokens, V vocabulary, N target tokens.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn

from seshat.engines.speech import SAMPLE_RATE, Samples
from seshat.errors import ConfigError, EngineError
from seshat.training.model import IGNORED
from seshat.training.speech_settings import SpeechLora

HEAD = 64
"""CTranslate2 takes every attention head of a Whisper to be so wide, and says nothing if it is not."""
_MOMENT = 0.02
"""Seconds between two time codes."""
_TOKENIZER = ("tokenizer.json", "tokenizer_config.json", "vocab.json", "merges.txt", "special_tokens_map.json", "added_tokens.json")
_BESIDE = (*_TOKENIZER, "normalizer.json", "preprocessor_config.json", "generation_config.json")
"""What a folder in transformers' format holds beside the model; transformers may write the last one anew, without its languages."""


@dataclass(frozen=True)
class Base:
    """What the configuration of a base says."""

    folder: str
    multilingual: bool
    """Told as CTranslate2 does, which decides it in use: a vocabulary with an empty token is that of one of many languages."""
    num_mels: int
    num_frames: int
    """Of a full window, which is what Whisper is always given."""
    max_tokens: int
    """What a text may have, with all that Whisper puts around it."""

    @classmethod
    def read(cls, folder: str) -> Base:
        """The configuration of a folder; an EngineError says what is wrong with it."""
        missing = [name for name in ("config.json", "tokenizer.json") if not os.path.isfile(os.path.join(folder, name))]
        if not any(name.endswith(".safetensors") for name in os.listdir(folder)):
            missing.append("*.safetensors")
        if missing:
            raise EngineError(f"{folder} is no Whisper in transformers' format (no {', '.join(missing)}): give a folder that is one")
        with open(os.path.join(folder, "config.json"), encoding="utf-8") as stream:
            config = json.load(stream)
        if config.get("model_type") != "whisper":
            raise EngineError(f"{folder} holds a model of type {config.get('model_type')!r}, not a Whisper: set speech.model to one")
        widths = {config["d_model"] / config[f"{side}_attention_heads"] for side in ("encoder", "decoder")}
        if widths != {HEAD}:
            raise EngineError(f"{folder}: faster-whisper needs attention heads that are {HEAD} wide, as all of OpenAI's have; take another")
        frames, length = 2 * config["max_source_positions"], config["max_target_positions"]
        with open(os.path.join(folder, "tokenizer.json"), encoding="utf-8") as stream:
            multilingual = "" in json.load(stream)["model"]["vocab"]
        return cls(folder, multilingual, config["num_mel_bins"], frames, length)


class Targets:
    """From texts to what Whisper should write, with the tokens that tell it what to do before them."""

    def __init__(self, base: Base, language: str) -> None:
        from tokenizers import Tokenizer

        self._tokenizer: Any = Tokenizer.from_file(os.path.join(base.folder, "tokenizer.json"))
        self._tokenizer.encode_special_tokens = True  # a text that holds <|endoftext|> is a text
        self._longest = base.max_tokens
        if base.multilingual and not language:
            raise ConfigError(
                "speech.language is empty, and a multilingual Whisper must be told as which language it hears yours: give the code of one "
                "of its own that sounds like it, for example speech.language=es, and the same as transcribe.language afterwards"
            )
        asked = (f"<|{language}|>", "<|transcribe|>") if base.multilingual else ()
        self.prompt = [self._special("<|startoftranscript|>", base), *(self._special(name, base) for name in asked)]
        self.end, self._untimed = self._special("<|endoftext|>", base), self._special("<|notimestamps|>", base)
        self._zero = self._untimed + 1

    def ids(self, text: str, start: float, end: float, *, timed: bool) -> tuple[list[int], int]:
        """A prompt, what should follow, and how long the prompt is; with the times of beginning and end, or without."""
        said = self._tokenizer.encode(f" {text}", add_special_tokens=False).ids
        if timed:
            return [*self.prompt, self._moment(start), *said, self._moment(end), self.end], len(self.prompt)
        return [*self.prompt, self._untimed, *said, self.end], len(self.prompt) + 1

    def fits(self, text: str) -> bool:
        """Whether Whisper can write so long a text."""
        return len(self.ids(text, 0.0, 0.0, timed=True)[0]) <= self._longest

    def _moment(self, seconds: float) -> int:
        return self._zero + round(seconds / _MOMENT)

    def _special(self, name: str, base: Base) -> int:
        number = self._tokenizer.token_to_id(name)
        if number is None and name.strip("<|>").isalpha() and len(name) <= len("<|haw|>"):
            raise ConfigError(
                f"speech.language: Whisper has no language {name.strip('<|>')!r}; give the code of one that sounds like yours"
            )
        if number is None:
            raise EngineError(f"{base.folder}: the tokenizer has no {name}, so this is no Whisper's; take the tokenizer.json of the model")
        return int(number)


Batch = tuple[torch.Tensor, torch.Tensor, torch.Tensor]
"""Features [B, M, F], the tokens [B, T] that go in, and those that should come out."""


def collate(sounds: Sequence[Samples], targets: Sequence[tuple[list[int], int]], base: Base, pad: int) -> Batch:
    """Sounds in full windows, as faster-whisper gives them to the model; what is after the prompt is trained."""
    from faster_whisper.feature_extractor import FeatureExtractor

    extract, length = FeatureExtractor(feature_size=base.num_mels), max(len(ids) for ids, _ in targets) - 1
    features_BMF = np.zeros((len(sounds), base.num_mels, base.num_frames), np.float32)
    ids_BT, labels_BT = torch.full((len(sounds), length), pad), torch.full((len(sounds), length), IGNORED)
    for row, (samples, (ids, prompt)) in enumerate(zip(sounds, targets, strict=True)):
        features_MF = extract(samples)[:, :-1][:, : base.num_frames]
        features_BMF[row, :, : features_MF.shape[1]] = features_MF
        ids_BT[row, : len(ids) - 1] = torch.tensor(ids[:-1])
        labels_BT[row, prompt - 1 : len(ids) - 1] = torch.tensor(ids[prompt:])
    return torch.from_numpy(features_BMF), ids_BT, labels_BT


class SpeechObjective(nn.Module):
    """The sum of the losses of a batch's target tokens."""

    def __init__(self, model: Any, *, bf16: bool) -> None:
        """``bf16``: compute in bfloat16, keep what is trained in float32."""
        super().__init__()
        self.model = model
        self._bf16 = bf16

    def checkpoint_activations(self) -> None:
        """From now on compute activations again in the backward pass instead of keeping them."""
        self.model.get_base_model().gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})

    def forward(self, features_BMF: torch.Tensor, ids_BT: torch.Tensor, labels_BT: torch.Tensor) -> torch.Tensor:
        with torch.autocast(features_BMF.device.type, torch.bfloat16, enabled=self._bf16):
            logits_BTV = self.model(input_features=features_BMF, decoder_input_ids=ids_BT, use_cache=False).logits
        targets_N = torch.nonzero(labels_BT.flatten() != IGNORED).flatten()
        logits_NV = logits_BTV.flatten(0, 1)[targets_N]
        return nn.functional.cross_entropy(logits_NV.float(), labels_BT.flatten()[targets_N], reduction="sum")


def load_base(folder: str, device: torch.device) -> Any:
    """A Whisper in 32 bits, frozen, in training mode."""
    from transformers import WhisperForConditionalGeneration
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()
    try:
        model = WhisperForConditionalGeneration.from_pretrained(
            folder, dtype=torch.float32, attn_implementation="sdpa", local_files_only=True, use_safetensors=True
        )
    except (OSError, ValueError) as error:
        raise EngineError(f"{folder}: the base cannot be loaded ({str(error).splitlines()[0]}); fetch or save it again") from None
    model.config.apply_spec_augment = False  # it draws from numpy's global numbers, so a run could not be repeated
    for weight in model.parameters():
        weight.requires_grad_(False)
    return model.to(device).train()


def add_lora(model: Any, lora: SpeechLora, *, seed: int) -> Any:
    """The model with a trainable adapter."""
    from peft import LoraConfig, get_peft_model

    known = {name.rpartition(".")[2] for name, module in model.named_modules() if isinstance(module, nn.Linear)}
    if unknown := [name for name in lora.target_modules if name not in known]:
        raise ConfigError(f"speech.lora.target_modules: Whisper has no linear layer {unknown[0]!r}; it has {', '.join(sorted(known))}")
    config = LoraConfig(r=lora.r, lora_alpha=lora.alpha, lora_dropout=lora.dropout, target_modules=list(lora.target_modules))
    torch.manual_seed(seed)  # LoRA's first matrices are drawn
    return get_peft_model(model, config)


def save_merged(adapted: Any, base: str, folder: str) -> None:
    """Write the base with the adapter added to its weights, in the precision of the base, with the base's tokenizer."""
    from transformers import AutoConfig

    precision = getattr(AutoConfig.from_pretrained(base, local_files_only=True), "dtype", None) or torch.float32
    merged = adapted.merge_and_unload().to("cpu", precision)
    shutil.rmtree(folder, ignore_errors=True)
    merged.save_pretrained(folder)
    for name in _BESIDE:
        if os.path.isfile(path := os.path.join(base, name)):
            shutil.copyfile(path, os.path.join(folder, name))


def convert(source: str, folder: str) -> None:
    """A folder in transformers' format as one that faster-whisper reads, whole or not at all."""
    from ctranslate2.converters import TransformersConverter
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()
    draft = f"{folder}.tmp"
    shutil.rmtree(draft, ignore_errors=True)
    TransformersConverter(source).convert(draft, force=True)
    shutil.copyfile(os.path.join(source, "tokenizer.json"), os.path.join(draft, "tokenizer.json"))
    features = {
        "feature_size": Base.read(source).num_mels,
        "sampling_rate": SAMPLE_RATE,
        "hop_length": 160,
        "chunk_length": 30,
        "n_fft": 400,
    }
    with open(os.path.join(draft, "preprocessor_config.json"), "w", encoding="utf-8") as stream:
        json.dump(features, stream, indent=1)
    shutil.rmtree(folder, ignore_errors=True)
    os.rename(draft, folder)
