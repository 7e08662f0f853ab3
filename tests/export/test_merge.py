"""The merged model is base plus adapter, whatever was trained; both gates say so, and each notices what the other does not."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open

from seshat.cluster.train import train
from seshat.engines.transformers_model import TransformersModel
from seshat.errors import EngineError
from seshat.export import merge as merging
from seshat.export.export import export
from seshat.export.gate import drift
from seshat.export.settings import Export
from seshat.prompts import ChatTokenizer
from seshat.store import Manifest, Store
from seshat.training import adapter
from seshat.training.extend import new_rows
from seshat.translate import read_card
from tests.export.conftest import Tiny
from tests.tiny_model import both_ways, make_workspace
from tests.training.test_extend import make_base
from tests.training.tiny import LANGUAGE, PROMPTS, settings, write_examples

pytestmark = pytest.mark.heavy
FEW = Export(threads=1, quantizations=(), num_prompts=8, gguf_prompts=4, answer_tokens=16)
ADAPTER, MERGED = "models/adapters/tiny", "models/merged/tiny"


@pytest.mark.parametrize("stored", ["float16", "bfloat16"])
def test_the_gates_compare_sixty_four_prompts(copy: Store, stored: str) -> None:
    shutil.rmtree(copy.path(MERGED))
    wanted = Export.model_validate({"stored": stored, "threads": 1, "quantizations": (), "compare_nf4_below": 0})
    export(wanted, copy, "tiny")
    manifest = copy.manifest(MERGED)
    assert manifest is not None
    assert " of 64 greedy answers equal" in manifest.notes["answers"]
    with safe_open(copy.path(f"{MERGED}/model.safetensors"), framework="pt") as weights:
        assert {weights.get_slice(name).get_dtype() for name in weights.keys()} == {{"float16": "F16", "bfloat16": "BF16"}[stored]}  # noqa: SIM118


@pytest.fixture
def damaged(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Token ids whose embedding gets lost on the way to the disk."""
    lost: list[int] = []
    store = merging._store

    def careless(model: Any, folder: str, stored: str) -> None:
        with torch.no_grad():
            model.get_input_embeddings().weight[lost] = 0
        store(model, folder, stored)

    monkeypatch.setattr(merging, "_store", careless)
    return lost


def test_a_fault_that_only_answers_show_is_found(tmp_path: Path, damaged: list[int]) -> None:
    """Tokens that stand in answers and in no prompt: the logits after the prompts are those of before."""
    card = make_workspace(tmp_path, tied=False)
    store = Store(str(tmp_path))
    tokenizer = ChatTokenizer.load(store.path(ADAPTER))
    asked = [tokenizer.prompt(card.prompts.instruction("translation", text, language=card.language, source=source, target=target))
             for text, _, source, target in both_ways() if source == "spa"]  # fmt: skip
    answers = {token for _, answer, source, _ in both_ways() if source == "spa" for token in tokenizer.answer(answer)}
    damaged += sorted(answers - {token for prompt in asked for token in prompt})
    (tmp_path / "merged").mkdir()
    with pytest.raises(
        EngineError, match=r"does not answer as base plus adapter does \(. of 10 greedy answers equal, .*nothing was exported"
    ):
        merging.merge(store.path("models/base/tiny"), store.path(ADAPTER), str(tmp_path / "merged"), card, FEW, asked)
    damaged.clear()
    good = merging.merge(store.path("models/base/tiny"), store.path(ADAPTER), str(tmp_path / "merged"), card, FEW, asked)
    assert good.answers.holds
    assert good.answers.total == len(asked)


def test_a_fault_in_the_logits_is_found(copy: Store, tiny: Tiny, damaged: list[int]) -> None:
    shutil.rmtree(copy.path(MERGED))
    damaged += tiny.prompts[0]
    with pytest.raises(EngineError, match=r"is not base plus adapter .*more than export\.tolerance=0\.25"):
        export(FEW, copy, "tiny")
    assert copy.manifest(MERGED) is None


@pytest.mark.parametrize("whole", [False, True], ids=["rows", "embeddings"])
@pytest.mark.parametrize("tied", [True, False], ids=["tied", "untied"])
def test_new_tokens_survive_the_merge(tmp_path: Path, tied: bool, whole: bool) -> None:
    write_examples(tmp_path)
    make_base(tmp_path / "given" / "tiny", tied=tied)
    store, name = Store(str(tmp_path)), "grown"
    lora, extension = {"r": 4, "alpha": 8, "train_embeddings": whole}, {"tokens": 20, "min_count": 4}
    trained = settings(name=name, model=store.path("given/tiny"), extend=extension, lora=lora, learning_rate=1e-2)
    train(trained, LANGUAGE, PROMPTS, store, execution="local")
    export(FEW, store, name)
    base, folder = store.path(read_card(store.path(f"models/adapters/{name}")).base), store.path(f"models/merged/{name}")
    rows = new_rows(base)
    assert len(rows) == 20
    merged, before = TransformersModel(folder, device="cpu"), TransformersModel(base, device="cpu")
    both = TransformersModel(base, adapter=store.path(f"models/adapters/{name}"), device="cpu")
    assert drift([both.logits(rows)], [merged.logits(rows)]).largest < 0.02
    assert drift([before.logits(rows)], [merged.logits(rows)]).largest > 0.1, "training changed nothing"
    for table, old in (
        (model.get_input_embeddings().weight, model.get_output_embeddings().weight) for model in (merged.model, before.model)
    ):
        assert (table is old) == tied
    table, old = merged.model.get_input_embeddings().weight, before.model.get_input_embeddings().weight
    assert table.shape == old.shape
    assert not torch.allclose(table[rows], old[rows], atol=1e-3), "no new row was trained"
    if not whole:
        kept = [row for row in range(len(old)) if row not in rows]
        assert torch.equal(table[kept], old[kept].half().float())
    assert ChatTokenizer.load(folder).tokenizer.get_vocab() == ChatTokenizer.load(base).tokenizer.get_vocab()


def test_a_whole_model_is_stored_and_compared_like_a_merged_one(copy: Store, tiny: Tiny) -> None:
    """What ``precision: full`` leaves: there is nothing to add, and the base need not be there."""
    folder = Path(copy.path(ADAPTER))
    tiny.merged.model.save_pretrained(folder)
    for name in ("adapter_model.safetensors", "adapter_config.json", "README.md"):
        (folder / name).unlink()
    (folder / "seshat.json").write_text(read_card(str(folder)).model_copy(update={"base": "models/base/gone"}).model_dump_json())
    adapter.finish(copy, ADAPTER, Manifest(stage="train", fingerprint="whole", settings="precision: full\n"))
    export(FEW, copy, "tiny")
    manifest = copy.manifest(MERGED)
    assert manifest is not None
    assert manifest.notes["answers"] == "8 of 8 greedy answers equal"
    assert (
        drift([tiny.merged.logits(tiny.prompts[0])], [TransformersModel(copy.path(MERGED), device="cpu").logits(tiny.prompts[0])]).largest
        < 0.02
    )
    assert "AutoModelForCausalLM" in (folder / "README.md").read_text()


def test_the_adapter_s_folder_alone_is_loaded_by_plain_peft(tiny: Tiny, tmp_path: Path) -> None:
    from peft import PeftModel
    from transformers import AutoModelForCausalLM, AutoTokenizer

    shared = shutil.copytree(tiny.root / ADAPTER, tmp_path / "shared")
    base = AutoModelForCausalLM.from_pretrained(tiny.root / "models" / "base" / "tiny", dtype=torch.float32)
    model = PeftModel.from_pretrained(base, shared).eval()
    tokenizer = AutoTokenizer.from_pretrained(shared)
    text, answer, source, target = next(iter(both_ways()))
    message = tiny.card.prompts.instruction("translation", text, language=tiny.card.language, source=source, target=target)
    chat = [{"role": "user", "content": message}]
    asked = tokenizer.apply_chat_template(chat, add_generation_prompt=True, return_tensors="pt", return_dict=True)
    said = model.generate(**asked, max_new_tokens=40, do_sample=False)[0, asked["input_ids"].shape[1] :]
    assert tokenizer.decode(said, skip_special_tokens=True).strip() == answer
    assert json.loads((shared / "seshat.json").read_text())["base_sha256"] == tiny.card.base_sha256
    assert {path.suffix for path in shared.iterdir()} <= {".json", ".md", ".safetensors", ".jinja"}, "something else than text and weights"
