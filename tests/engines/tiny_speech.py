"""Small speech checkpoints that are made on the spot: a Whisper of random weights, and a CTC model that knows four tones."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from seshat.engines.speech import SAMPLE_RATE, Samples

TONES = {"a": 300, "b": 700, "c": 1_500, "|": 3_000}
"""Hertz by letter."""
_FRAME = 320


def save_whisper(folder: Path, *, languages: tuple[str, ...] = ()) -> Any:
    """A Whisper of random weights in transformers' form, and its vocabulary; it babbles the same for the same sound."""
    import torch
    from faster_whisper.tokenizer import Tokenizer
    from transformers import GenerationConfig, WhisperFeatureExtractor

    from seshat.training.speech import SpeechTokens, new_model

    tokens = SpeechTokens(["Sisi yaya.", "Taki waru siʼa."], size=300)
    torch.manual_seed(3)
    model = new_model(tokens).eval()
    plan: dict[str, Any] = {"is_multilingual": bool(languages)}
    if languages:  # some of the letters stand for them: random weights do not mind
        plan |= {"lang_to_id": {f"<|{code}|>": number for number, code in enumerate(languages)}}
        plan |= {"task_to_id": {"transcribe": tokens.names.index("<|transcribe|>"), "translate": tokens.names.index("<|translate|>")}}
    model.generation_config = GenerationConfig(
        bos_token_id=tokens.end,
        eos_token_id=tokens.end,
        pad_token_id=tokens.end,
        decoder_start_token_id=tokens.start,
        no_timestamps_token_id=tokens.names.index("<|notimestamps|>"),
        prev_sot_token_id=tokens.names.index("<|startofprev|>"),
        max_length=40,
        max_initial_timestamp_index=50,
        suppress_tokens=list(Tokenizer(tokens.tokenizer, False, task="transcribe", language="en").non_speech_tokens),
        begin_suppress_tokens=[tokens.blank, tokens.end],
        alignment_heads=[[1, 0], [1, 1]],
        **plan,
    )
    model.save_pretrained(folder)
    tokens.tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "PreTrainedTokenizerFast"}))
    WhisperFeatureExtractor().save_pretrained(folder)
    return model, tokens


def melody(text: str, rng: np.random.Generator) -> tuple[Samples, list[str]]:
    """A tone for each letter with short pauses around, and the letter that is heard in every frame."""
    pieces, said = [np.zeros(6 * _FRAME)], [""] * 6
    for letter in text:
        length, rest = int(rng.integers(8, 14)), int(rng.integers(3, 6))
        pieces += [0.5 * np.sin(2 * np.pi * TONES[letter] * np.arange(length * _FRAME) / SAMPLE_RATE), np.zeros(rest * _FRAME)]
        said += [letter] * length + [""] * rest
    return np.concatenate(pieces).astype(np.float32), said


def save_ctc(folder: Path) -> None:
    """A wav2vec2 that has learnt, frame by frame, which tone it hears."""
    import torch
    from transformers import Wav2Vec2Config, Wav2Vec2CTCTokenizer, Wav2Vec2FeatureExtractor, Wav2Vec2ForCTC

    torch.manual_seed(1)
    torch.set_num_threads(1)
    vocabulary = {"<pad>": 0, "<unk>": 1, **{letter: number for number, letter in enumerate(TONES, 2)}}
    no_dropout = dict.fromkeys(("hidden_dropout", "attention_dropout", "feat_proj_dropout", "final_dropout", "layerdrop"), 0.0)
    config = Wav2Vec2Config(
        vocab_size=len(vocabulary),
        hidden_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
        conv_dim=(32, 32),
        conv_kernel=(32, 16),
        conv_stride=(20, 16),
        num_conv_pos_embeddings=8,
        num_conv_pos_embedding_groups=4,
        feat_extract_norm="layer",
        apply_spec_augment=False,
        pad_token_id=0,
        bos_token_id=None,
        eos_token_id=None,
        **no_dropout,
    )
    model, rng = Wav2Vec2ForCTC(config).train(), np.random.default_rng(1)
    optimizer = torch.optim.Adam(model.parameters(), lr=4e-3)
    features = Wav2Vec2FeatureExtractor(do_normalize=False)
    for _ in range(150):
        sound, said = melody("".join(rng.choice(list(TONES), 12)), rng)
        logits = model(torch.from_numpy(sound)[None]).logits[0]
        labels = torch.tensor([vocabulary.get(letter, 0) for letter in said])[: len(logits)]
        loss = torch.nn.functional.cross_entropy(logits[: len(labels)], labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    model.eval().save_pretrained(folder)
    (folder / "vocab.json").write_text(json.dumps(vocabulary))
    names = {"unk_token": "<unk>", "pad_token": "<pad>", "word_delimiter_token": "|", "bos_token": None, "eos_token": None}
    Wav2Vec2CTCTokenizer(str(folder / "vocab.json"), **names).save_pretrained(folder)
    features.save_pretrained(folder)
