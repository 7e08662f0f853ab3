"""Sentence vectors from a model of sentence-transformers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from seshat.engines.sentences import SentenceEncoder, identity
from seshat.errors import EngineError

pytestmark = pytest.mark.heavy


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A model of random weights that reads letters, as a hub would hold it."""
    pytest.importorskip("sentence_transformers")
    import torch
    from sentence_transformers import SentenceTransformer, models
    from transformers import BertConfig, BertModel, BertTokenizer

    torch.manual_seed(1)
    path = tmp_path_factory.mktemp("encoder")
    letters = "abcdefghijklmnopqrstuvwxyz"
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *letters, *(f"##{letter}" for letter in letters)]
    (path / "vocab.txt").write_text("\n".join(vocabulary))
    config = BertConfig(vocab_size=len(vocabulary), hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16)
    BertModel(config).save_pretrained(path / "bert")
    BertTokenizer(str(path / "vocab.txt")).save_pretrained(path / "bert")
    words = models.Transformer(str(path / "bert"))
    SentenceTransformer(modules=[words, models.Pooling(16)]).save(str(path / "whole"))
    return str(path / "whole")


def test_vectors_have_length_one_and_follow_the_texts(folder: str) -> None:
    encoder = SentenceEncoder(folder)
    found = encoder(["ama joni", "kene", "ama joni"])
    assert found.shape == (3, 16)
    assert found.dtype == np.float32
    assert np.linalg.norm(found, axis=1) == pytest.approx(1, abs=1e-5)
    assert found[0] == pytest.approx(found[2], abs=1e-5)
    assert np.abs(found[0] - found[1]).max() > 1e-3
    assert encoder([]).shape == (0, 16)


def test_the_weights_are_the_identity_of_a_folder(folder: str) -> None:
    assert len(identity(folder)) == 64
    assert identity("sentence-transformers/LaBSE") == "sentence-transformers/LaBSE"


def test_what_is_no_model_is_an_error_with_its_name(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(EngineError, match=r"align\.embeddings\.model=.*empty: not a model of sentence-transformers"):
        SentenceEncoder(str(tmp_path / "empty"))
