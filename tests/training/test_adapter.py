"""The files of an adapter are those that peft itself would write."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from seshat.errors import StoreError
from seshat.training import adapter
from seshat.training.model import add_lora, trainable
from seshat.training.settings import Lora


@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize(("embeddings", "rows"), [(True, ()), (False, (5, 6)), (True, (5, 6)), (False, ())])
def test_names_and_numbers_are_those_of_peft(tmp_path: Path, tied: bool, embeddings: bool, rows: tuple[int, ...]) -> None:
    from peft import get_peft_model_state_dict
    from transformers import Qwen3Config, Qwen3ForCausalLM

    sizes = {"vocab_size": 99, "hidden_size": 32, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
    base = Qwen3ForCausalLM(Qwen3Config(**sizes, num_key_value_heads=1, head_dim=16, tie_word_embeddings=tied))
    model = add_lora(base, Lora(r=2, alpha=2, train_embeddings=embeddings), rows)
    checkpoint = tmp_path / "weights.safetensors"
    save_file({name: weight.detach().clone() for name, weight in trainable(model)}, checkpoint)
    model.peft_config["default"].save_pretrained(tmp_path)
    adapter.write_weights(str(checkpoint), str(tmp_path))
    ours, theirs = load_file(tmp_path / adapter.WEIGHTS), get_peft_model_state_dict(model, save_embedding_layers=False)
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(weight, theirs[name].float()) for name, weight in ours.items())


def test_weights_that_were_not_gathered_are_refused(tmp_path: Path) -> None:
    save_file({"lora_A.default.weight": torch.zeros(0)}, tmp_path / "weights.safetensors")
    (tmp_path / "adapter_config.json").write_text(json.dumps({"ensure_weight_tying": False}))
    with pytest.raises(StoreError, match="weights are empty; they were not gathered"):
        adapter.write_weights(str(tmp_path / "weights.safetensors"), str(tmp_path))
