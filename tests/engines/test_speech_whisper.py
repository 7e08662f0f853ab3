"""OpenAI's Whisper: with a stand-in for the package, and with the package itself where it is installed."""

from __future__ import annotations

import importlib.metadata
import sys
import types
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from seshat.engines import speech_whisper
from seshat.engines.speech import SAMPLE_RATE, Heard, Listening, Word, engine_version, load_engine, model_folder
from seshat.errors import ConfigError, EngineError
from tests.recordings import tone

PLAIN = Listening(vad=False, beam_size=1, words=True)


class StandIn:
    """Takes weights and answers as the package does."""

    is_multilingual = True

    def __init__(self, dims: Any) -> None:
        self.dims, self.asked = dims, list[dict[str, Any]]()

    def load_state_dict(self, weights: Any) -> None:
        self.weights = weights

    def to(self, device: str) -> StandIn:
        return self

    def eval(self) -> StandIn:
        return self

    def transcribe(self, samples: Any, **options: Any) -> dict[str, Any]:
        self.asked.append({"seconds": len(samples) / SAMPLE_RATE, **options})
        words = [
            {"word": " Sisi", "start": 0.5, "end": 1.0, "probability": 0.9},
            {"word": " yaya.", "start": 1.0, "end": 99.0, "probability": 1},
        ]
        segment = {"text": " Sisi yaya.", "start": 0.5, "end": 99.0, "avg_logprob": -0.1, "no_speech_prob": 0.2}
        return {"segments": [segment | ({"words": words} if options["word_timestamps"] else {})]}


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    import torch

    torch.save({"dims": {"n_mels": 80}, "model_state_dict": {}}, tmp_path / "mine.pt")
    return tmp_path / "mine.pt"


@pytest.fixture
def package(monkeypatch: pytest.MonkeyPatch) -> None:
    """The package is there."""
    whisper = types.ModuleType("whisper")
    whisper.tokenizer = types.SimpleNamespace(LANGUAGES={"es": "spanish"})  # type: ignore[attr-defined]
    whisper.model = types.SimpleNamespace(Whisper=StandIn, ModelDimensions=dict)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "whisper", whisper)


@pytest.fixture
def no_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "whisper", None)


@pytest.mark.usefixtures("package")
def test_each_window_is_heard_by_itself_and_placed_in_the_recording(checkpoint: Path) -> None:
    engine = load_engine("whisper", str(checkpoint), PLAIN)
    first, second = engine.transcribe(tone(38.0), language="es")
    assert (first.text, first.start, first.no_speech) == ("Sisi yaya.", 0.5, 0.2)
    assert first.confidence == pytest.approx(np.exp(-0.1))
    assert first.words == (Word("Sisi", 0.5, 1.0, 0.9), Word("yaya.", 1.0, first.end, 1.0))
    assert 23 <= first.end <= 28, "never behind its window"
    assert (second.start, second.end) == (first.end + 0.5, 40.0)
    asked = engine._model.asked[0]  # type: ignore[attr-defined]
    assert (asked["language"], asked["temperature"], asked["no_speech_threshold"], asked["fp16"]) == ("es", 0.0, None, False)


@pytest.mark.usefixtures("package")
def test_a_language_that_whisper_lacks_is_a_wrong_setting(checkpoint: Path) -> None:
    with pytest.raises(ConfigError, match=r"transcribe\.language: Whisper has no language 'shp'"):
        load_engine("whisper", str(checkpoint), PLAIN).transcribe(tone(1.0), language="shp")


@pytest.mark.usefixtures("package")
def test_a_pickle_of_anything_else_is_not_opened(tmp_path: Path) -> None:
    import torch

    torch.save({"dims": Heard, "model_state_dict": {}}, tmp_path / "evil.pt")
    with pytest.raises(EngineError, match=r"evil\.pt is no checkpoint of OpenAI's Whisper"):
        load_engine("whisper", str(tmp_path / "evil.pt"), PLAIN)


@pytest.mark.usefixtures("no_package")
def test_without_the_package_the_cure_is_named(checkpoint: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> str:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "version", missing)
    with pytest.raises(EngineError, match=r"needs the package openai-whisper: pip install -e '\.\[whisper\]'"):
        load_engine("whisper", str(checkpoint), PLAIN)
    with pytest.raises(EngineError, match=r"needs the package openai-whisper"):
        engine_version("whisper", str(checkpoint))


def test_a_checkpoint_is_a_file_or_what_was_fetched_before(checkpoint: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speech_whisper, "CACHE", str(checkpoint.parent))
    assert model_folder("whisper", "mine.pt", str(checkpoint.parent)) == str(checkpoint)
    assert model_folder("whisper", "mine", "/nowhere") == str(checkpoint)
    with pytest.raises(EngineError, match=r"whisper\.load_model\(\"small\"\)"):
        model_folder("whisper", "large-v3", "/nowhere")


# With the package itself


@pytest.mark.heavy
def test_the_same_weights_say_the_same_in_transformers(tmp_path: Path) -> None:
    pytest.importorskip("whisper")
    import torch

    torch.manual_seed(5)
    tokenizer = _save_both(tmp_path)
    sound = (0.1 * np.random.default_rng(2).standard_normal(2 * SAMPLE_RATE)).astype(np.float32)
    plain = Listening(vad=False, beam_size=1)
    ours = load_engine("whisper", model_folder("whisper", str(tmp_path / "tiny.pt")), plain, device="cpu")
    other = load_engine("transformers", model_folder("transformers", str(tmp_path / "hf")), plain, device="cpu")
    other._tokenizer = tokenizer  # type: ignore[attr-defined]
    here, there = ours.transcribe(sound), other.transcribe(sound)
    assert (here[0].text, round(here[0].start, 1)) == (there[0].text, round(there[0].start, 1))
    assert here[0].no_speech == pytest.approx(there[0].no_speech, rel=0.01)


class _Decoder:
    """OpenAI's vocabulary for an engine of transformers."""

    def __init__(self, tokenizer: Any) -> None:
        self.tokenizer = tokenizer

    def decode(self, ids: list[int], **_: Any) -> str:
        return str(self.tokenizer.encoding.decode(ids))


def _save_both(folder: Path) -> _Decoder:
    """Random weights of a model of one language, as the package keeps them and as transformers does."""
    import json

    import torch
    import whisper
    from transformers import GenerationConfig, WhisperConfig, WhisperFeatureExtractor, WhisperForConditionalGeneration

    dims = {"n_mels": 80, "n_audio_ctx": 1500, "n_audio_state": 64, "n_audio_head": 1, "n_audio_layer": 1}
    dims |= {"n_vocab": 51_864, "n_text_ctx": 448, "n_text_state": 64, "n_text_head": 1, "n_text_layer": 2}
    model = whisper.model.Whisper(whisper.model.ModelDimensions(**dims)).eval()
    for weight in model.parameters():
        torch.nn.init.normal_(weight, std=0.3)
    torch.save({"dims": dims, "model_state_dict": model.state_dict()}, folder / "tiny.pt")
    tokenizer = whisper.tokenizer.get_tokenizer(False)
    unsaid = {tokenizer.transcribe, tokenizer.translate, tokenizer.sot, tokenizer.sot_prev, tokenizer.sot_lm, tokenizer.no_speech}
    config = WhisperConfig(
        vocab_size=dims["n_vocab"],
        d_model=64,
        encoder_layers=1,
        decoder_layers=2,
        encoder_attention_heads=1,
        decoder_attention_heads=1,
        encoder_ffn_dim=256,
        decoder_ffn_dim=256,
        pad_token_id=tokenizer.eot,
        bos_token_id=tokenizer.eot,
        eos_token_id=tokenizer.eot,
        decoder_start_token_id=tokenizer.sot,
    )
    other = WhisperForConditionalGeneration(config).eval()
    names = {
        "blocks": "layers", "mlp.0": "fc1", "mlp.2": "fc2", "mlp_ln": "final_layer_norm", ".cross_attn.query": ".encoder_attn.q_proj",
        ".cross_attn.key": ".encoder_attn.k_proj", ".cross_attn.value": ".encoder_attn.v_proj", ".cross_attn.out": ".encoder_attn.out_proj",
        ".cross_attn_ln": ".encoder_attn_layer_norm", ".attn.query": ".self_attn.q_proj", ".attn.key": ".self_attn.k_proj",
        ".attn.value": ".self_attn.v_proj", ".attn.out": ".self_attn.out_proj", ".attn_ln": ".self_attn_layer_norm",
        "ln_post": "layer_norm", "decoder.ln.": "decoder.layer_norm.", "token_embedding": "embed_tokens",
        "encoder.positional_embedding": "encoder.embed_positions.weight", "decoder.positional_embedding": "decoder.embed_positions.weight",
    }  # fmt: skip
    weights = {}
    for name, value in model.state_dict().items():
        for old, new in names.items():
            name = name.replace(old, new)
        weights[f"model.{name}"] = value
    missing, unexpected = other.load_state_dict(weights, strict=False)
    assert (missing, unexpected) == (["proj_out.weight"], [])
    other.tie_weights()
    other.generation_config = GenerationConfig(
        bos_token_id=tokenizer.eot, eos_token_id=tokenizer.eot, pad_token_id=tokenizer.eot, decoder_start_token_id=tokenizer.sot,
        no_timestamps_token_id=tokenizer.no_timestamps, prev_sot_token_id=tokenizer.sot_prev, max_length=448,
        max_initial_timestamp_index=50,
        begin_suppress_tokens=[tokenizer.encode(" ")[0], tokenizer.eot], is_multilingual=False, alignment_heads=[[1, 0]],
        suppress_tokens=sorted({*tokenizer.non_speech_tokens, *unsaid}),
    )  # fmt: skip
    other.save_pretrained(folder / "hf")
    WhisperFeatureExtractor().save_pretrained(folder / "hf")
    (folder / "hf" / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "PreTrainedTokenizerFast"}))
    (folder / "hf" / "tokenizer.json").write_text(_EMPTY)
    return _Decoder(tokenizer)


_EMPTY = '{"version": "1.0", "added_tokens": [], "model": {"type": "BPE", "vocab": {}, "merges": []}}'
