"""The verb export-gguf: the same model in every form, made once, and nothing that is not the same."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from safetensors import safe_open

from seshat.confidence import CALIBRATION, Calibration, Curve, card_key, read_calibration
from seshat.engines.llamacpp import LlamaCppModel
from seshat.engines.transformers_model import TransformersModel
from seshat.errors import ConfigError, EngineError, StoreError
from seshat.examples import to_line
from seshat.export.export import base_folder, check_allowed, export
from seshat.export.gate import drift, parity, prompts
from seshat.export.gguf import write_gguf
from seshat.export.settings import Export
from seshat.prompts import Task
from seshat.records import Example
from seshat.rights import Consent, Rights, Source, Use
from seshat.store import Store
from seshat.training.adapter import finish
from seshat.translate import read_card
from seshat.withdrawals import Withdrawal, Withdrawals, write_withdrawals
from tests.export.conftest import Tiny
from tests.tiny_model import make_workspace

pytestmark = pytest.mark.heavy

ONE_THREAD = Export(threads=1)


def test_greedy_output_of_f16_equals_the_merged_model_in_fp32(tiny: Tiny) -> None:
    engine = LlamaCppModel(tiny.gguf("F16"), threads=1, context=256)
    ours = tiny.merged.generate(tiny.prompts, max_new_tokens=48, stop=[tiny.tokenizer.end])
    theirs = engine.generate(tiny.prompts, max_new_tokens=48, stop=[tiny.tokenizer.end])
    assert [one.ids for one in theirs] == [one.ids for one in ours]


@pytest.mark.parametrize("kind", ["Q8_0", "Q4_K_M"])
def test_smaller_files_load_and_say_what_was_taught(tiny: Tiny, kind: str) -> None:
    engine = LlamaCppModel(tiny.gguf(kind), threads=1, context=256)
    made = engine.generate(tiny.prompts[:20], max_new_tokens=48, stop=[tiny.tokenizer.end])
    expected = tiny.merged.generate(tiny.prompts[:20], max_new_tokens=48, stop=[tiny.tokenizer.end])
    equal = sum(one.ids == two.ids for one, two in zip(made, expected, strict=True))
    assert equal >= 19
    assert Path(tiny.gguf(kind)).stat().st_size < 0.6 * Path(tiny.gguf("F16")).stat().st_size


def test_the_manifests_record_the_checks(tiny: Tiny) -> None:
    store = Store(str(tiny.root))
    merged, gguf = store.manifest("models/merged/tiny"), store.manifest("models/gguf/tiny")
    assert merged is not None
    share = re.search(r"same best token at ([\d.]+)% of places", merged.notes["logits"])
    assert share
    assert float(share.group(1)) > 99, "in bfloat16, where the processor has it, two tokens may be equally good"
    assert merged.notes["logits beside NF4"].startswith("largest difference of a logit ")
    assert merged.notes["logits beside NF4"] != merged.notes["logits"], "4-bit weights are other numbers"
    assert gguf is not None
    assert merged.notes["answers"] == "64 of 64 greedy answers equal"
    assert gguf.notes["F16"] == "12 of 12 greedy answers equal"
    assert "PeftModel" in store.read("models/adapters/tiny/README.md").decode()
    assert {Path(file.path).name for file in gguf.files} >= {"tiny-F16.gguf", "tiny-Q8_0.gguf", "tiny-Q4_K_M.gguf", "seshat.json"}


def test_a_second_run_does_nothing(copy: Store) -> None:
    before = copy.read("models/gguf/tiny/manifest.json")
    outcome = export(ONE_THREAD, copy, "tiny")
    assert outcome.done_before
    assert "models/gguf/tiny/tiny-Q8_0.gguf; merged: 64 of 64 greedy answers equal; F16: 12 of 12" in outcome.note
    assert copy.read("models/gguf/tiny/manifest.json") == before


def test_confidence_that_was_measured_later_is_copied_without_new_weights(copy: Store) -> None:
    adapter, folders = "models/adapters/tiny", ("models/merged/tiny", "models/gguf/tiny")
    card = read_card(copy.path(adapter))
    curve = Curve(logprob=1.0, coverage=1.0, sums=(0.0,), expected=(50.0,), n=60)
    made = Calibration(model=copy.vouch(f"{adapter}/manifest.json").sha256, card=card_key(card), curves={"spa-qtm": curve}, words={})
    for curves in ({"spa-qtm": curve}, {"qtm-spa": curve}):
        data = made.model_copy(update={"curves": curves}).model_dump_json().encode()
        copy.write(f"{adapter}/{CALIBRATION}", data)
        assert export(ONE_THREAD, copy, "tiny").done_before
        for folder in folders:
            manifest = copy.manifest(folder)
            assert manifest is not None
            assert [file.path for file in manifest.files].count(f"{folder}/{CALIBRATION}") == 1
            assert copy.read(f"{folder}/{CALIBRATION}") == data
            assert read_calibration(copy.path(folder), read_card(copy.path(folder))) is not None
    copy.write(f"{adapter}/{CALIBRATION}", made.model_copy(update={"model": "other"}).model_dump_json().encode())
    with pytest.raises(StoreError, match=r"calibration\.json was measured on other weights: run 'make eval' again"):
        export(ONE_THREAD, copy, "tiny")
    trained = copy.manifest(adapter)
    assert trained is not None
    finish(copy, adapter, trained)
    assert copy.size(f"{adapter}/{CALIBRATION}") < 0, "it was of the weights before"


def test_other_quantizations_do_not_merge_again(copy: Store) -> None:
    merged = Path(copy.path("models/merged/tiny/model.safetensors")).stat().st_mtime_ns
    outcome = export(Export(threads=1, quantizations=("Q6_K",)), copy, "tiny")
    assert not outcome.done_before
    assert copy.size("models/gguf/tiny/tiny-Q6_K.gguf") > 0
    assert copy.size("models/gguf/tiny/tiny-Q8_0.gguf") == -1
    assert Path(copy.path("models/merged/tiny/model.safetensors")).stat().st_mtime_ns == merged


def test_a_file_that_went_missing_is_made_again_to_the_same_bytes(copy: Store, tiny: Tiny) -> None:
    Path(copy.path("models/gguf/tiny/tiny-Q4_K_M.gguf")).unlink()
    (Path(copy.path("models/gguf")) / ".tiny.partial").mkdir()  # and a killed run has left this
    assert not export(ONE_THREAD, copy, "tiny").done_before
    for kind in ("F16", "Q8_0", "Q4_K_M"):
        assert copy.read(f"models/gguf/tiny/tiny-{kind}.gguf") == Path(tiny.gguf(kind)).read_bytes()
    assert not (Path(copy.path("models/gguf")) / ".tiny.partial").exists()


@pytest.mark.parametrize("manifest", ["", '{"stage": "train", "fingerprint": "x"}', '{"name": "an app of the web", "icons": []}', "[1"])
def test_a_folder_of_somebody_else_is_not_replaced(copy: Store, manifest: str) -> None:
    folder = Path(copy.path("models/merged/tiny"))
    shutil.rmtree(folder)
    folder.mkdir()
    (folder / "thesis.txt").write_text("mine")
    if manifest:
        (folder / "manifest.json").write_text(manifest)
    with pytest.raises(StoreError, match="move it away"):
        export(ONE_THREAD, copy, "tiny")
    assert (folder / "thesis.txt").read_text() == "mine"


def test_what_a_person_put_beside_our_files_is_not_deleted(copy: Store) -> None:
    thesis = Path(copy.path("models/gguf/tiny/thesis.txt"))
    thesis.write_text("mine")
    assert export(ONE_THREAD, copy, "tiny").done_before, "nothing has to be made anew"
    with pytest.raises(StoreError, match=r"holds what 'export-gguf' did not put there \(thesis\.txt\): move it away"):
        export(Export(threads=1, quantizations=("Q6_K",)), copy, "tiny")
    assert thesis.read_text() == "mine"
    assert copy.size("models/gguf/tiny/tiny-Q8_0.gguf") > 0


def test_an_adapter_is_refused_on_another_base(copy: Store, tmp_path: Path) -> None:
    card = read_card(copy.path("models/adapters/tiny"))
    other = card.model_copy(update={"base": copy.path("models/base/tiny"), "base_sha256": "0" * 64})
    Path(copy.path("models/adapters/tiny/seshat.json")).write_text(other.model_dump_json())
    with pytest.raises(EngineError, match="is not the model that the adapter 'tiny' was trained on"):
        export(ONE_THREAD, copy, "tiny")


def test_what_is_missing_names_the_verb_that_makes_it(tmp_path: Path, tiny: Tiny) -> None:
    with pytest.raises(StoreError, match="make train"):
        export(ONE_THREAD, Store(str(tmp_path)), "tiny")
    with pytest.raises(StoreError, match="make download-model"):
        base_folder(tiny.card.model_copy(update={"base": "somewhere/else"}), Store(str(tmp_path)))


def test_a_withdrawn_source_stops_the_export(copy: Store) -> None:
    rights = Rights(sources={"scans": Source()})
    path = Path(copy.path("models/adapters/tiny/seshat.json"))
    path.write_text(read_card(str(path.parent)).model_copy(update={"rights": rights}).model_dump_json())
    write_withdrawals(copy, Withdrawals(sources=(Withdrawal(source="scans"),)))
    with pytest.raises(StoreError, match="models/adapters/tiny learnt from what was withdrawn, scans"):
        export(ONE_THREAD, copy, "tiny")


@pytest.mark.parametrize("use", ["publish_model", "publish_text", "serve_public", "commercial"])
def test_an_export_for_a_use_that_a_source_forbids_is_refused_by_name(copy: Store, use: Use) -> None:
    allowed = Source(consent=Consent.model_validate({use: True}))
    path = Path(copy.path("models/adapters/tiny/seshat.json"))
    card, store = read_card(str(path.parent)), copy
    for sources, who in (({}, "nobody says whose data it holds"), ({"scans": Source(), "audio": allowed}, "the owners of scans have not")):
        with pytest.raises(ConfigError, match=f"{who}.*leave {use} out"):
            check_allowed(Export(uses=(use,)), card.model_copy(update={"rights": Rights(sources=sources)}), store, "a")
    check_allowed(Export(uses=(use,)), card.model_copy(update={"rights": Rights(sources={"audio": allowed})}), store, "a")
    check_allowed(Export(), card, store, "a")


def test_a_full_disk_is_found_before_the_work(copy: Store) -> None:
    shutil.rmtree(copy.path("models/merged/tiny"))
    with pytest.raises(StoreError, match="GB are needed and"):
        export(Export(threads=1, min_free=1e9), copy, "tiny")


@pytest.mark.parametrize(("tied", "apart"), [(True, False), (True, True), (False, False)])
def test_trained_embeddings_and_heads_survive_the_merge(tmp_path: Path, tied: bool, apart: bool) -> None:
    make_workspace(tmp_path, steps=4, tied=tied, apart=apart)
    store = Store(str(tmp_path))
    export(Export(threads=1, quantizations=(), num_prompts=8, gguf_prompts=4), store, "tiny")
    with safe_open(store.path("models/merged/tiny/model.safetensors"), framework="pt") as weights:
        names = set(weights.keys())
    assert ("lm_head.weight" in names) == (apart or not tied)
    merged = TransformersModel(store.path("models/merged/tiny"), device="cpu")
    whole = TransformersModel(store.path("models/base/tiny"), adapter=store.path("models/adapters/tiny"), device="cpu")
    base = TransformersModel(store.path("models/base/tiny"), device="cpu")
    ids = [list(range(3, 60))]
    before, after = [whole.logits(one) for one in ids], [merged.logits(one) for one in ids]
    assert drift(before, after).largest < 0.02
    assert drift([base.logits(one) for one in ids], after).largest > 0.1, "the adapter changed nothing"


def test_a_model_that_drifts_is_not_exported(copy: Store) -> None:
    shutil.rmtree(copy.path("models/merged/tiny"))
    with pytest.raises(EngineError, match=r"more than export.tolerance=1e-06"):
        export(Export(threads=1, tolerance=1e-6), copy, "tiny")
    assert copy.manifest("models/merged/tiny") is None


def test_parity_notices_a_file_of_another_model(tiny: Tiny, tmp_path: Path) -> None:
    base = tiny.root / "models" / "base" / "tiny"
    write_gguf(str(base), str(tmp_path / "base.gguf"), tiny.card)
    other = LlamaCppModel(str(tmp_path / "base.gguf"), threads=1, context=256)
    found = parity(tiny.merged, other, tiny.prompts[:4], stop=tiny.tokenizer.end, limit=20, near_tie=0.05)
    assert not found.holds
    assert found.worst > 1


def write_examples(root: Path, split: str, *prompts_and_tasks: tuple[str, Task]) -> None:
    folder = root / "data" / "training"
    folder.mkdir(parents=True, exist_ok=True)
    rest = {"origin": "x", "collection": "x", "direction": "spa-qtm", "answer": "a", "group": "g", "split": split, "parent": "p"}
    lines = [to_line(Example(prompt=prompt, task=task, **rest)) for prompt, task in prompts_and_tasks]
    (folder / f"{split}.jsonl").write_text("\n".join(lines))


def test_prompts_of_the_checks_come_from_the_validation_set(tiny: Tiny, tmp_path: Path) -> None:
    tasks: list[Task] = ["translation", "dictionary"] * 10
    write_examples(tmp_path, "val", *((f"frase {number}", task) for number, task in enumerate(tasks)))
    found = [tiny.tokenizer.decode(ids) for ids in prompts(Store(str(tmp_path)), tiny.card, tiny.tokenizer, 5)]
    assert [text.split()[2] for text in found] == ["0", "4", "8", "12", "16"]


def test_where_the_validation_set_is_small_others_are_asked_too(tiny: Tiny, tmp_path: Path) -> None:
    store = Store(str(tmp_path))
    alone = prompts(store, tiny.card, tiny.tokenizer, 64)
    assert len({tuple(ids) for ids in alone}) == 64
    write_examples(tmp_path, "val", ("frase val", "translation"), ("frase val", "translation"), ("palabra val", "dictionary"))
    write_examples(tmp_path, "train", ("frase " * 100, "translation"), ("frase train", "translation"))
    found = prompts(store, tiny.card, tiny.tokenizer, 64, room=100)
    assert [tiny.tokenizer.decode(ids).split("\n")[1] for ids in found[:3]] == ["frase val", "palabra val", "frase train"]
    assert found[3:] == alone[:61]
