"""A CTC model of transformers is heard window by window, and a folder that holds none says what is missing."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from seshat.data.ctc import Vocabulary, align_emissions
from seshat.engines.emissions import CtcModel, model_version
from seshat.errors import EngineError
from tests.recordings import tone


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A network of one layer that has learnt nothing."""
    import torch
    from transformers import Wav2Vec2Config, Wav2Vec2ForCTC

    torch.manual_seed(1)
    place = tmp_path_factory.mktemp("ctc")
    config = Wav2Vec2Config(
        vocab_size=5,
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        conv_dim=(8,) * 7,
        num_conv_pos_embeddings=16,
        num_conv_pos_embedding_groups=2,
        pad_token_id=0,
    )
    Wav2Vec2ForCTC(config).save_pretrained(place)
    (place / "vocab.json").write_text(json.dumps({"<pad>": 0, "|": 1, "a": 2, "b": 3}), encoding="utf-8")
    return str(place)


@pytest.mark.parametrize("seconds", [0.5, 21.0])
def test_every_fiftieth_of_a_second_has_a_row(folder: str, seconds: float) -> None:
    model = CtcModel(folder)
    heard = model.emissions(tone(seconds, pause=0.0))
    assert heard.shape == (int(seconds * 50), 5)
    assert np.exp(heard).sum(axis=1) == pytest.approx(1.0, abs=1e-4)
    assert (model.letters, model.blank) == (("<pad>", "|", "a", "b", "<4>"), 0)


def test_what_it_hears_can_be_aligned(folder: str) -> None:
    model = CtcModel(folder)
    samples = tone(2.0, pause=0.2)
    spans = align_emissions(model.emissions(samples), Vocabulary(model.letters, model.blank), ["ab", "ba"], seconds=len(samples) / 16_000)
    assert 0 <= spans[0].start < spans[0].end <= spans[1].start < spans[1].end <= 2.41


def test_a_folder_without_a_model_says_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match=r"no config.json, vocab.json, model.safetensors"):
        CtcModel(str(tmp_path))


def test_the_version_is_that_of_the_weights(folder: str) -> None:
    assert model_version(folder) == model_version(folder)
    (Path(folder) / "vocab.json").write_text(json.dumps({"<pad>": 0, "|": 1, "a": 2, "k": 3}), encoding="utf-8")
    changed = model_version(folder)
    (Path(folder) / "vocab.json").write_text(json.dumps({"<pad>": 0, "|": 1, "a": 2, "b": 3}), encoding="utf-8")
    assert changed != model_version(folder)
