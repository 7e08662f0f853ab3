"""A Whisper of many languages, as faster-whisper reads it."""

from __future__ import annotations

from pathlib import Path

import pytest

from seshat.engines.speech import Listening
from seshat.engines.speech_faster import FasterWhisper
from seshat.errors import ConfigError
from tests.recordings import tone


@pytest.fixture(scope="module")
def polyglot(tmp_path_factory: pytest.TempPathFactory) -> FasterWhisper:
    """A Whisper of random weights that has languages: it babbles in any of them.

    CTranslate2 takes a vocabulary with an empty token for one of many languages, as Whisper's is.
    """
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

    codes = ("en", "es", "yo")
    special = ["<|endoftext|>", "<|startoftranscript|>", *(f"<|{code}|>" for code in codes), "<|translate|>", "<|transcribe|>"]
    special += ["<|startoflm|>", "<|startofprev|>", "<|nospeech|>", "<|notimestamps|>", *(f"<|{n / 50:.2f}|>" for n in range(1501))]
    plain = [*sorted(pre_tokenizers.ByteLevel.alphabet()), ""]
    tokenizer = Tokenizer(models.BPE(vocab={token: number for number, token in enumerate(plain)}, merges=[]))
    tokenizer.pre_tokenizer, tokenizer.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
    tokenizer.add_tokens([AddedToken(token, special=True, normalized=False) for token in special])
    folder = tmp_path_factory.mktemp("polyglot")
    tokenizer.save(str(folder / "tokenizer.json"))
    _random_whisper([*plain, *special], [len(plain) + 2 + number for number in range(len(codes))], folder)
    return FasterWhisper(str(folder), Listening(vad=False, beam_size=1))


def _random_whisper(names: list[str], languages: list[int], folder: Path) -> None:
    import torch
    from ctranslate2.converters.transformers import WhisperLoader
    from transformers import WhisperConfig, WhisperForConditionalGeneration

    torch.manual_seed(1)
    heads = {"encoder_attention_heads": 1, "decoder_attention_heads": 1}
    small = {"d_model": 8, "encoder_layers": 1, "decoder_layers": 1, "encoder_ffn_dim": 8, "decoder_ffn_dim": 8, "pad_token_id": 0}
    config = WhisperConfig(vocab_size=len(names), eos_token_id=names.index("<|endoftext|>"), **heads, **small)
    spec = WhisperLoader().get_model_spec(WhisperForConditionalGeneration(config).eval())
    spec.register_vocabulary(names)
    spec.config.suppress_ids, spec.config.suppress_ids_begin, spec.config.lang_ids = [], [names.index("Ġ")], languages
    spec.config.alignment_heads = [[0, 0]]
    spec.validate()
    spec.optimize()
    spec.save(str(folder))


def test_a_model_of_many_languages_takes_a_hint_or_decides_itself(polyglot: FasterWhisper) -> None:
    detected, hinted = polyglot.transcribe(tone(0.2)), polyglot.transcribe(tone(0.2), language="es")
    assert detected
    assert hinted
    assert all(0 <= one.confidence <= 1 and 0 <= one.start <= one.end <= 2.2 for one in (*detected, *hinted))
    assert hinted == polyglot.transcribe(tone(0.2), language="es")


def test_a_language_that_whisper_lacks_is_a_wrong_setting(polyglot: FasterWhisper) -> None:
    with pytest.raises(ConfigError, match=r"transcribe\.language: Whisper has no language 'shp'"):
        polyglot.transcribe(tone(1.0), language="shp")
