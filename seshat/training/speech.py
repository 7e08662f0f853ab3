"""A small Whisper from nothing: its vocabulary, its batches, its training, and the folder that faster-whisper reads.

Legend of the shapes: B clips of a batch, M mel bands, F frames of 10 ms, T tokens.
"""

from __future__ import annotations

import json
import logging
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

if TYPE_CHECKING:
    from tokenizers import Tokenizer
    from transformers import WhisperForConditionalGeneration

log = logging.getLogger(__name__)

SAMPLE_RATE = 16_000
FULL = 3_000
"""Frames of a window, as every Whisper is given them in use."""
WINDOWS = (300, 400, 500, 700)
"""Frames of the shorter windows in which it learns faster."""
IGNORE = -100
_MOMENT = 0.02
"""Seconds between two time codes."""
_SPECIAL = (
    *("<|endoftext|>", "<|startoftranscript|>", "<|translate|>", "<|transcribe|>", "<|startoflm|>"),
    *("<|startofprev|>", "<|nospeech|>", "<|notimestamps|>"),
)
"""In the order of Whisper's one-language checkpoints: the end comes first, the time codes follow the last."""
_NEVER_SAID = (" -", " '", *(f" {note}" for note in "♩♪♫♬♭♮♯"))
"""Whisper's decoding forbids the first token of these everywhere. So it must be a token of its own: else it is the blank before words."""

Samples = NDArray[np.float32]


@dataclass(frozen=True)
class Clip:
    """A short recording, and what is said in it."""

    text: str
    samples: Samples
    """Mono at 16 kHz."""


@dataclass(frozen=True)
class Plan:
    """How long to learn, and how fast."""

    steps: int = 1_200
    batch: int = 12
    full_share: float = 0.05
    """So many of the steps take full windows, as in use; the others take windows as long as the clips, at a fraction of the cost."""
    full_batch: int = 4
    rate: float = 1.5e-3
    variants: int = 2
    """How often each clip is there, each time with other loudness, noise and pauses."""
    forget: float = 0.3
    """So many of the tokens that were said are hidden from the decoder, or it learns the sentences by heart and does not listen."""
    seed: int = 1


class SpeechTokens:
    """A byte-level vocabulary with Whisper's special tokens and time codes behind it."""

    def __init__(self, texts: Iterable[str], size: int = 512) -> None:
        """Learn ``size`` tokens for text: any text can be written, words of ``texts`` in few tokens."""
        from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers

        alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
        self.tokenizer: Tokenizer = Tokenizer(models.BPE())
        self.tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        self.tokenizer.decoder = decoders.ByteLevel()
        trainer = trainers.BpeTrainer(vocab_size=size, initial_alphabet=alphabet, show_progress=False)
        spoken = [f" {text}" for text in texts]
        self.tokenizer.train_from_iterator([*spoken, *_NEVER_SAID * len(spoken)], trainer)
        moments = [f"<|{number * _MOMENT:.2f}|>" for number in range(1 + round(FULL / 100 / _MOMENT))]
        self.tokenizer.add_tokens([AddedToken(name, special=True, normalized=False) for name in (*_SPECIAL, *moments)])
        self.names = [self.tokenizer.id_to_token(number) or "" for number in range(self.tokenizer.get_vocab_size())]
        self.end, self.start, self.no_speech = map(self.names.index, (_SPECIAL[0], _SPECIAL[1], "<|nospeech|>"))
        self.blank, self.zero = map(self.names.index, ("Ġ", "<|0.00|>"))

    def spoken(self, text: str, start: float, end: float) -> list[int]:
        """What the model should say: the text between the seconds at which it is spoken."""
        text_ids = self.tokenizer.encode(f" {text}", add_special_tokens=False).ids
        return [self.start, self._moment(start), *text_ids, self._moment(end), self.end]

    def silence(self) -> list[int]:
        """What the model should say where nobody speaks."""
        return [self.start, self.no_speech, self.end]

    def moments(self, ids: Sequence[int], length: int) -> list[int]:
        """Which token is said at each moment of a window, from the time codes and the lengths of the tokens; ``end`` for none."""
        text = [token for token in ids if 0 <= token < self.end]
        spread = [token for token in text for _ in self.names[token]]
        codes = [token - self.zero for token in ids if token >= self.zero]
        first, last = (codes[0], codes[-1]) if len(codes) > 1 else (0, 0)
        return [
            spread[(moment - first) * len(spread) // (last - first)] if first <= moment < last else self.end for moment in range(length)
        ]

    def _moment(self, seconds: float) -> int:
        """The time code, to a tenth of a second: nobody can tell better, and what cannot be told costs confidence."""
        return self.zero + round(seconds * 10) * round(0.1 / _MOMENT)


class Batches:
    """Random batches of clips with varied loudness, noise and pauses, and of noise in which nobody speaks."""

    def __init__(self, clips: Sequence[Clip], tokens: SpeechTokens, plan: Plan) -> None:
        from faster_whisper.feature_extractor import FeatureExtractor

        self.extract, self.tokens, self.forget = FeatureExtractor(), tokens, plan.forget
        self.rng, self.noise = random.Random(plan.seed), np.random.default_rng(plan.seed)
        spoken = [self._varied(clip) for clip in clips for _ in range(plan.variants)]
        silent = [self._silent() for _ in range(len(spoken) // 16)]
        self.by_window: dict[int, list[tuple[Samples, list[int]]]] = {window: [] for window in (*WINDOWS, FULL)}
        for features_MF, ids in spoken + silent:
            window = next(window for window in self.by_window if features_MF.shape[1] <= window)
            self.by_window[window].append((features_MF, ids))

    def draw(self, size: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Features [B, M, F] of clips of similar length, the tokens [B, T] that go in (some forgotten), and those that should come out."""
        windows = list(self.by_window)
        window = self.rng.choices(windows, [len(self.by_window[window]) for window in windows])[0]
        drawn = self.rng.choices(self.by_window[window], k=size)
        length = max(len(ids) for _, ids in drawn) - 1
        ids_BT = torch.full((size, length), self.tokens.end)
        labels_BT = torch.full((size, length), IGNORE)
        for row, (_, ids) in enumerate(drawn):
            ids_BT[row, : len(ids) - 1] = torch.tensor(self._forgetting(ids[:-1]))
            labels_BT[row, : len(ids) - 1] = torch.tensor(ids[1:])
        return padded([features_MF for features_MF, _ in drawn], window), ids_BT, labels_BT

    def _forgetting(self, ids: list[int]) -> list[int]:
        """Some of the tokens of the text, each replaced by any other."""
        return [
            self.rng.randrange(self.tokens.end) if token < self.tokens.end and self.rng.random() < self.forget else token for token in ids
        ]

    def _varied(self, clip: Clip) -> tuple[Samples, list[int]]:
        before, after = (int(self.rng.uniform(0, 0.6) * SAMPLE_RATE) for _ in range(2))
        samples = np.pad(clip.samples, (before, after)) * np.float32(self.rng.uniform(0.3, 1))
        samples = samples + self._hiss(len(samples), self.rng.choice((0, 1e-4, 1e-3, 1e-2)))
        start = before / SAMPLE_RATE
        ids = self.tokens.spoken(clip.text, start, start + len(clip.samples) / SAMPLE_RATE)
        return self.extract(samples)[:, :-1], ids

    def _silent(self) -> tuple[Samples, list[int]]:
        length = int(self.rng.uniform(0.5, 5) * SAMPLE_RATE)
        return self.extract(self._hiss(length, self.rng.choice((0, 1e-4, 1e-2, 0.1))))[:, :-1], self.tokens.silence()

    def _hiss(self, length: int, level: float) -> Samples:
        return np.float32(level) * self.noise.standard_normal(length, dtype=np.float32)


def padded(features: Sequence[Samples], frames: int) -> torch.Tensor:
    """Features [B, M, F] of one length; as in faster-whisper, the rest of the window is filled with zeros."""
    full_BMF = [np.pad(features_MF, ((0, 0), (0, frames - features_MF.shape[1]))) for features_MF in features]
    return torch.from_numpy(np.stack(full_BMF)).float()


def new_model(tokens: SpeechTokens, *, width: int = 128) -> WhisperForConditionalGeneration:
    """Two layers on each side."""
    from transformers import WhisperConfig, WhisperForConditionalGeneration

    config = WhisperConfig(
        vocab_size=len(tokens.names),
        d_model=width,  # CTranslate2 takes every head to be 64 wide, and says nothing if it is not
        encoder_layers=2,
        decoder_layers=2,
        encoder_attention_heads=width // 64,
        decoder_attention_heads=width // 64,
        encoder_ffn_dim=4 * width,
        decoder_ffn_dim=4 * width,
        max_source_positions=FULL // 2,
        init_std=0.09,  # for so narrow a model; at the usual 0.02 position codes drown the sound
        dropout=0.05,
        bos_token_id=tokens.end,
        eos_token_id=tokens.end,
        pad_token_id=tokens.end,
        decoder_start_token_id=tokens.start,
    )
    return WhisperForConditionalGeneration(config)


def train(clips: Sequence[Clip], tokens: SpeechTokens, plan: Plan) -> WhisperForConditionalGeneration:
    """Learn in windows as short as the clips, and now and then in full ones.

    A second loss asks the encoder, moment by moment, for the token that is being said, as if all letters took the same time. It is
    what makes the encoder hear so soon: without it the decoder has long learnt the sentences by heart, and listens to nothing.
    """
    torch.manual_seed(plan.seed)
    batches, model = Batches(clips, tokens, plan), new_model(tokens)
    hear = torch.nn.Linear(model.config.d_model, tokens.end + 1)
    weights = [*model.parameters(), *hear.parameters()]
    optimizer = torch.optim.AdamW(weights, lr=plan.rate, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, plan.rate, total_steps=plan.steps, pct_start=0.1)
    positions = model.model.encoder.embed_positions.weight.detach().clone()
    model.train()
    for step in range(1, plan.steps + 1):
        full = batches.rng.random() < plan.full_share
        features_BMF, ids_BT, labels_BT = batches.draw(plan.full_batch if full else plan.batch)
        if full:
            features_BMF = padded(list(features_BMF.numpy()), FULL)
        _set_window(model, positions[: features_BMF.shape[2] // 2])
        output = model(input_features=features_BMF, decoder_input_ids=ids_BT, labels=labels_BT)
        moments_BF = torch.stack([torch.tensor(tokens.moments(row.tolist(), features_BMF.shape[2] // 2)) for row in labels_BT])
        heard = torch.nn.functional.cross_entropy(hear(output.encoder_last_hidden_state).flatten(0, 1), moments_BF.flatten())
        optimizer.zero_grad()
        (output.loss + heard).backward()
        torch.nn.utils.clip_grad_norm_(weights, 1.0)
        optimizer.step()
        schedule.step()
        if step % 25 == 0 or step == plan.steps:
            log.info("speech: step %d of %d: loss %.3f, heard %.3f", step, plan.steps, output.loss.item(), heard.item())
    _set_window(model, positions)
    return model.eval()


def _set_window(model: WhisperForConditionalGeneration, positions: torch.Tensor) -> None:
    """Let the encoder take windows of another length (its position codes are sinusoids, which nobody trains)."""
    encoder = model.model.encoder
    encoder.embed_positions = torch.nn.Embedding.from_pretrained(positions, freeze=True)
    encoder.config.max_source_positions = len(positions)


def save_transformers(model: WhisperForConditionalGeneration, tokens: SpeechTokens, folder: Path) -> None:
    """A folder in transformers' format, as one that is fetched from the hub: what ``seshat speech-train`` takes as its base."""
    generation = model.generation_config
    generation.suppress_tokens, generation.begin_suppress_tokens = [], [tokens.blank, tokens.end]
    generation.alignment_heads = [[1, head] for head in range(model.config.decoder_attention_heads)]
    model.save_pretrained(folder)
    tokens.tokenizer.save(str(folder / "tokenizer.json"), pretty=False)
    special = {"tokenizer_class": "PreTrainedTokenizerFast", "eos_token": _SPECIAL[0], "unk_token": _SPECIAL[0]}
    (folder / "tokenizer_config.json").write_text(json.dumps(special, indent=1) + "\n", encoding="utf-8")


def save_ctranslate2(model: WhisperForConditionalGeneration, tokens: SpeechTokens, folder: Path) -> None:
    """A CTranslate2 folder with 8-bit weights and all that faster-whisper would otherwise look for on the hub."""
    from ctranslate2.converters.transformers import WhisperLoader

    spec = WhisperLoader().get_model_spec(model)
    spec.register_vocabulary(tokens.names)
    spec.config.suppress_ids = []
    spec.config.suppress_ids_begin = [tokens.blank, tokens.end]
    spec.config.lang_ids = []
    spec.config.alignment_heads = [[1, 0], [1, 1]]
    spec.validate()
    spec.optimize(quantization="int8")
    folder.mkdir(parents=True, exist_ok=True)
    spec.save(str(folder))
    tokens.tokenizer.save(str(folder / "tokenizer.json"), pretty=False)
    features = {"feature_size": 80, "sampling_rate": SAMPLE_RATE, "hop_length": 160, "chunk_length": 30, "n_fft": 400}
    (folder / "preprocessor_config.json").write_text(json.dumps(features, indent=1) + "\n", encoding="utf-8")
