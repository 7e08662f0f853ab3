"""A Whisper of random weights, and recordings in which each word is a tone of its own: enough to learn from in seconds."""

from __future__ import annotations

import functools
import json
import shutil
import tempfile
from pathlib import Path

import numpy as np
import torch

from seshat.engines.speech import SAMPLE_RATE, Samples
from seshat.sample.speech import write_wav
from seshat.training.speech import SpeechTokens, new_model, save_transformers

TONES = {"taki": 300.0, "waru": 500.0, "miku": 800.0, "puñu": 1300.0}
"""What each word sounds like, in Hertz."""


def said(number: int) -> str:
    """Two words and a full stop."""
    words = list(TONES)
    return f"{words[number % 4].capitalize()} {words[number // 4 % 4]}."


def sound(text: str, *, loudness: float = 0.3) -> Samples:
    """The tones of a text, a third of a second each."""
    times = np.arange(SAMPLE_RATE // 3) / SAMPLE_RATE
    tones = [np.sin(2 * np.pi * TONES[word.strip(".").lower()] * times) for word in text.split()]
    return (loudness * np.concatenate(tones)).astype(np.float32)


def make_base(folder: Path) -> Path:
    """The base in transformers' format."""
    shutil.copytree(_made_once(), folder, dirs_exist_ok=True)
    return folder


@functools.cache
def _made_once() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="seshat-whisper-"))
    torch.manual_seed(1)
    tokens = SpeechTokens([said(number) for number in range(16)], size=300)
    model = new_model(tokens, width=64)
    model.config.dropout = 0.0  # as OpenAI's; that of the adapter is enough
    save_transformers(model, tokens, folder)
    return folder


def make_multilingual(folder: Path) -> Path:
    """A base with the vocabulary of OpenAI's multilingual ones: 50,257 tokens of text, a token for each of 99 languages, time codes."""
    from tokenizers import Tokenizer
    from transformers.models.whisper.tokenization_whisper import LANGUAGES

    tokens = SpeechTokens([said(number) for number in range(16)], size=300)
    plan = json.loads(tokens.tokenizer.to_str())
    vocab, names = plan["model"]["vocab"], tokens.names
    vocab |= {f"<unused {number}>": number for number in range(len(vocab), 50_256)} | {"": 50_256}
    languages = [f"<|{code}|>" for code in list(LANGUAGES)[:99]]
    first = names.index("<|endoftext|>")
    special = [*names[first : first + 2], *languages, *names[first + 2 :]]
    pattern = plan["added_tokens"][0]
    plan["added_tokens"] = [pattern | {"id": 50_257 + place, "content": name} for place, name in enumerate(special)]
    tokens.tokenizer = Tokenizer.from_str(json.dumps(plan))
    tokens.names = [tokens.tokenizer.id_to_token(number) for number in range(50_257 + len(special))]
    tokens.end, tokens.start = 50_257, 50_258
    torch.manual_seed(1)
    model = new_model(tokens, width=64)
    model.generation_config.lang_to_id = {name: special.index(name) + 50_257 for name in languages}
    save_transformers(model, tokens, folder)
    return folder


def make_recordings(folder: Path, number: int = 24) -> Path:
    """WAV files with a table of what is said in them: a third of a second a word, each recording as loud as no other."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = ["file,qtm,es"]
    for place in range(number):
        write_wav(folder / f"r{place:02}.wav", sound(said(place), loudness=0.2 + place / 100))
        lines.append(f"r{place:02}.wav,{said(place)},frase {place}")
    table = folder / "transcripts.csv"
    table.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return table
