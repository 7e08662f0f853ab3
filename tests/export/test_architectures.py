"""GGUF files of other architectures say what transformers says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from seshat.engines.llamacpp import LlamaCppModel
from seshat.engines.transformers_model import TransformersModel
from seshat.errors import EngineError
from seshat.export import gguf
from seshat.export.gate import Parity, parity
from seshat.export.gguf import write_gguf
from seshat.prompts import Card, ChatTokenizer
from tests.tiny_model import CONTROL, LANGUAGE, make_tokenizer

pytestmark = pytest.mark.heavy
LLAMA3: dict[str, Any] = {
    "rope_type": "llama3",
    "rope_theta": 500_000.0,
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 64,
}
DEFAULT: dict[str, Any] = {"rope_type": "default", "rope_theta": 10_000.0}


def make_llama(folder: Path, rope: dict[str, Any], **changes: Any) -> None:
    """A Llama with random weights, far from ties."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    tokenizer = make_tokenizer(folder)
    torch.manual_seed(3)
    shape = {"hidden_size": 128, "intermediate_size": 256, "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2}
    ends = {"bos_token_id": None, "eos_token_id": tokenizer.end, "pad_token_id": tokenizer.pad}
    config = LlamaConfig(vocab_size=len(tokenizer.tokenizer), max_position_embeddings=512, rope_parameters=rope, **shape, **ends, **changes)
    model = LlamaForCausalLM(config)
    for weight in model.parameters():
        if weight.dim() > 1:
            torch.nn.init.normal_(weight, std=0.3)
    with torch.no_grad():
        model.get_output_embeddings().weight[: len(CONTROL)] = 0  # llama.cpp stops at any of them
    model.half().save_pretrained(folder)


def judged(folder: Path) -> Parity:
    """The file of a folder's model beside transformers, on prompts of all lengths."""
    path = str(folder / "llama-F16.gguf")
    write_gguf(str(folder), path, Card(name="llama", language=LANGUAGE, base="b"))
    prompts = [[(7 * place + number) % 300 + 5 for place in range(10 + 14 * number)] for number in range(12)]
    model = TransformersModel(str(folder), device="cpu", dtype="float32")
    end = ChatTokenizer.load(str(folder)).end
    return parity(model, LlamaCppModel(path, threads=1, context=256, exact=True), prompts, stop=end, limit=16, near_tie=0.1)


@pytest.mark.parametrize("rope", [DEFAULT, LLAMA3], ids=["default", "llama3"])
@pytest.mark.parametrize("tied", [True, False])
def test_a_llama_answers_as_it_does_in_transformers(tmp_path: Path, rope: dict[str, Any], tied: bool) -> None:
    make_llama(tmp_path, rope, tie_word_embeddings=tied)
    found = judged(tmp_path)
    assert found.holds, found
    assert found.equal >= 8, found


def test_rows_in_the_wrong_order_are_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_llama(tmp_path, DEFAULT)
    monkeypatch.setattr(gguf, "ROTATED", {})
    assert not judged(tmp_path).holds


def test_what_cannot_be_written_is_named(tmp_path: Path) -> None:
    make_llama(tmp_path, {"rope_type": "yarn", "rope_theta": 1e4, "factor": 2.0})
    with pytest.raises(EngineError, match="yarn"):
        write_gguf(str(tmp_path), str(tmp_path / "x.gguf"), Card(name="llama", language=LANGUAGE, base="b"))
