"""Whisper and CTC checkpoints in transformers, from local folders."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from seshat.engines.speech import SAMPLE_RATE, Listening, Samples, SpeechEngine, engine_version, load_engine, model_folder
from seshat.errors import ConfigError, EngineError
from tests.engines.tiny_speech import melody, save_ctc, save_whisper

PLAIN = Listening(vad=False, beam_size=1, words=True)


@pytest.fixture(scope="module")
def whisper(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Whisper of one language."""
    folder = tmp_path_factory.mktemp("whisper")
    save_whisper(folder)
    return folder


@pytest.fixture(scope="module")
def ctc(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A CTC model that hears tones."""
    folder = tmp_path_factory.mktemp("ctc")
    save_ctc(folder)
    return folder


def loaded(folder: Path, listening: Listening = PLAIN) -> SpeechEngine:
    return load_engine("transformers", model_folder("transformers", str(folder)), listening, device="cpu")


def noise(seconds: float) -> Samples:
    return (0.1 * np.random.default_rng(2).standard_normal(round(seconds * SAMPLE_RATE))).astype(np.float32)


# Whisper


def test_whisper_gives_times_words_and_doubts(whisper: Path) -> None:
    found = loaded(whisper).transcribe(noise(4.0))
    assert found
    assert found == loaded(whisper).transcribe(noise(4.0))
    for one in found:
        assert 0 <= one.start <= one.end <= 4.0
        assert 0 <= one.confidence <= 1
        assert 0 <= one.no_speech <= 1
        assert "".join(word.text for word in one.words) == "".join(one.text.split())
        assert all(one.start <= a.end <= b.end <= one.end + 0.01 for a, b in pairwise(one.words))
    assert not any(one.words for one in loaded(whisper, Listening(vad=False, beam_size=2)).transcribe(noise(4.0)))


def test_a_long_stretch_is_heard_in_windows(whisper: Path) -> None:
    found = loaded(whisper).transcribe(noise(40.0))
    assert max(one.end for one in found) > 30.0
    assert all(a.start <= b.start for a, b in pairwise(found))


@pytest.mark.heavy
def test_whisper_of_many_languages_takes_a_hint_or_decides(tmp_path: Path) -> None:
    save_whisper(tmp_path, languages=("es", "en"))
    engine = loaded(tmp_path)
    assert engine.transcribe(noise(2.0), language="es")
    assert engine.transcribe(noise(2.0))
    with pytest.raises(ConfigError, match=r"transcribe\.language: this Whisper has no language 'shp'"):
        engine.transcribe(noise(2.0), language="shp")


# CTC


def test_ctc_hears_letters_words_and_their_times(ctc: Path) -> None:
    sound, said = melody("abc|cab|aab", np.random.default_rng(9))
    (one,) = loaded(ctc).transcribe(np.concatenate([np.zeros(SAMPLE_RATE, np.float32), sound]))
    assert one.text == "abc cab aab"
    assert one.confidence > 0.7
    assert [word.text for word in one.words] == ["abc", "cab", "aab"]
    first, last = 1 + 0.02 * said.index("a"), 1 + 0.02 * len(said)
    assert (one.start, one.words[0].start) == (pytest.approx(first, abs=0.06), pytest.approx(first, abs=0.06))
    assert one.end == pytest.approx(last, abs=0.15)
    delimiter = 1 + 0.02 * said.index("|")
    assert one.words[0].end == pytest.approx(delimiter, abs=0.15)
    assert one.words[1].start > delimiter


def test_ctc_hears_nothing_in_silence(ctc: Path) -> None:
    engine = loaded(ctc)
    assert engine.transcribe(np.zeros(2 * SAMPLE_RATE, np.float32)) == []
    assert engine.transcribe(np.zeros(100, np.float32)) == []
    assert engine.transcribe(np.zeros(0, np.float32)) == []


def test_voice_detection_comes_before_any_engine(ctc: Path) -> None:
    tones, _ = melody("abc", np.random.default_rng(9))
    assert loaded(ctc, Listening(vad=True)).transcribe(np.zeros(3 * SAMPLE_RATE, np.float32)) == []
    assert loaded(ctc, Listening(vad=True)).transcribe(tones, everywhere=True)[0].text == "abc"


def test_an_adapter_is_taken_by_its_code(ctc: Path, tmp_path: Path) -> None:
    import shutil

    folder = tmp_path / "mms"
    shutil.copytree(ctc, folder)
    (folder / "adapter.shp.safetensors").touch()
    with pytest.raises(ConfigError, match=r"no adapter 'es', but shp; take one of them"):
        loaded(folder).transcribe(noise(1.0), language="es")


# Folders


def test_a_version_knows_the_weights(ctc: Path, whisper: Path) -> None:
    assert engine_version("transformers", str(ctc)).startswith("transformers 5.")
    assert len({engine_version("transformers", str(folder)) for folder in (ctc, whisper)}) == 2


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (None, r"is no checkpoint that transformers reads"),
        ({"model_type": "qwen3", "architectures": ["Qwen3ForCausalLM"]}, r"is a qwen3 \(Qwen3ForCausalLM\), and neither Whisper nor"),
        ({"model_type": "whisper"}, r"has no weights as safetensors: load it in transformers and save it again"),
    ],
)
def test_a_folder_that_cannot_be_read_says_why(tmp_path: Path, config: dict[str, object] | None, message: str) -> None:
    (tmp_path / "model").mkdir()
    if config is not None:
        (tmp_path / "model" / "config.json").write_text(json.dumps(config))
    with pytest.raises(EngineError, match=message):
        model_folder("transformers", "model", str(tmp_path))


@pytest.mark.parametrize(("model", "message"), [("facebook/nowhere", "hf download facebook/nowhere"), ("nowhere", "is no name on the hub")])
def test_a_missing_checkpoint_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, model: str, message: str) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    with pytest.raises(EngineError, match=message):
        model_folder("transformers", model, str(tmp_path))
