"""The verb ``export-gguf``: merge the adapter into 16-bit weights, write F16 and smaller GGUF files, check each copy."""

from __future__ import annotations

import logging
import os
import time

from seshat.confidence import CALIBRATION, Calibration
from seshat.engines.llamacpp import LlamaCppModel
from seshat.engines.transformers_model import TransformersModel
from seshat.engines.weights import is_whole, weight_files
from seshat.errors import ConfigError, EngineError, StoreError
from seshat.examples import TRAINING, read_examples
from seshat.export.check import check_adapter, check_base, check_files, check_numbers
from seshat.export.folders import Building, require_space
from seshat.export.gate import Parity, parity, prompts
from seshat.export.gguf import quantize, write_gguf
from seshat.export.known import ADAPTERS
from seshat.export.loss import losses
from seshat.export.merge import merge, nf4_drift
from seshat.export.ollama import MODELFILE, modelfile
from seshat.export.package import USES, copy_tokenizer, describe, package
from seshat.export.settings import Export
from seshat.preview import about_to_make, is_on
from seshat.prompts import Card, ChatTokenizer
from seshat.records import digest
from seshat.step import Outcome
from seshat.store import Manifest, Store
from seshat.translate import read_card
from seshat.withdrawals import read_withdrawals
from seshat.working_copy import discard

log = logging.getLogger(__name__)
VERSION = 1
"""Raised when the same inputs give other files."""
MERGED, GGUF = "models/merged", "models/gguf"


def export(export: Export, store: Store, name: str) -> Outcome:
    """Merge and write the adapter ``name`` of a workspace; what is there from the same inputs is not made again."""
    started = time.perf_counter()
    adapter = store.path(f"{ADAPTERS}/{name}")
    card = read_card(adapter)
    check_allowed(export, card, store, adapter)
    base = "" if is_whole(adapter) else base_folder(card, store)
    if base:
        check_base(card, base)
    trained = check_files(adapter)
    merged, merged_before = _merged(export, store, name, card, base, trained)
    if not is_on():
        package(store, name)
    gguf, gguf_before = _gguf(export, store, name, card, merged)
    for folder in (MERGED, GGUF) if not is_on() else ():
        _calibrate(store, name, f"{folder}/{name}")
    best = f"{GGUF}/{name}/{name}-{next(kind for kind in (*export.quantizations, 'F16') if _is_kept(gguf, kind))}.gguf"
    return Outcome(
        stage="export-gguf",
        seconds=time.perf_counter() - started,
        done_before=merged_before and gguf_before,
        note=f"{best}; merged: {merged.notes['answers']}; F16: {gguf.notes['F16']}",
    )


def check_allowed(export: Export, card: Card, store: Store, adapter: str) -> None:
    """Refuse what was withdrawn, and the uses that the owners of a source do not allow."""
    read_withdrawals(store).refuse_model(card, store, adapter)
    for use in export.uses:
        if refusal := card.rights.refusal(use):
            raise ConfigError(
                f"export.uses: {USES[use]} is asked for, and {refusal}: leave {use} out, or ask them and note it in SOURCE.yaml "
                f"(consent: {use}), then train again"
            )


def base_folder(card: Card, store: Store) -> str:
    """Where the base of an adapter lies: the folder that its card names, or the downloaded model of that name."""
    places = [store.path(card.base), store.path(f"models/base/{os.path.basename(card.base.rstrip('/'))}")]
    for place in places:
        if os.path.isfile(os.path.join(place, "config.json")):
            return place
    raise StoreError(f"the base model {card.base!r} of {card.name!r} is neither at {' nor at '.join(places)}: run 'make download-model'")


def _merged(export: Export, store: Store, name: str, card: Card, base: str, trained: Manifest) -> tuple[Manifest, bool]:
    """The manifest of the merged model, and whether it was there already; ``base`` is empty where a whole model was trained."""
    adapter, folder = store.path(f"{ADAPTERS}/{name}"), f"{MERGED}/{name}"
    inputs = {os.path.basename(file.path): file.sha256 for file in trained.files} | {"base": card.base_sha256}
    parameters = export.model_dump_json(include={"stored", "compute", "tolerance", "num_prompts", "answer_tokens", "near_tie"})
    fingerprint = digest("merge", VERSION, parameters, *sorted(inputs.items()))
    done = store.done(folder, fingerprint)
    if done:
        return done, True
    about_to_make("export-gguf", folder, store)
    if base:
        check_adapter(adapter, base)
    else:
        check_numbers(adapter)
    building = Building(store, folder, "merge")
    size = sum(os.path.getsize(file) for file in weight_files(base or adapter))
    require_space(adapter, int(export.min_free * size * (1 + len(export.quantizations))))
    log.info("merge: adapter %s into %s", name, base)
    asked = _asked(export, store, card, ChatTokenizer.load(adapter), export.num_prompts)
    found = merge(base, adapter, building.path, card, export, asked)
    notes = {"logits": str(found.logits), "answers": str(found.answers)}
    if base and "precision: nf4" in trained.settings.splitlines() and size <= export.compare_nf4_below:
        notes["logits beside NF4"] = str(nf4_drift(base, adapter, building.path, asked))
        log.info("merge: beside the NF4 weights of training: %s", notes["logits beside NF4"])
    describe(store, name, card, building.path, kind="merged")
    manifest = Manifest(stage="merge", fingerprint=fingerprint, inputs=inputs, settings=parameters, notes=notes)
    return building.finish(manifest), False


def _calibrate(store: Store, name: str, folder: str) -> None:
    """Bring a model the confidence of the adapter that it was made of, if it was measured since; no weights are written for it."""
    source, place = f"{ADAPTERS}/{name}/{CALIBRATION}", f"{folder}/{CALIBRATION}"
    manifest = store.manifest(folder)
    assert manifest is not None  # made just now, or found to be up to date
    files = [file for file in manifest.files if file.path != place]
    if store.size(source) >= 0:
        data = store.read(source)
        found = Calibration.model_validate_json(data)
        if found.model != store.vouch(f"{ADAPTERS}/{name}/manifest.json").sha256:
            raise StoreError(f"{store.path(source)} was measured on other weights: run 'make eval' again, or delete it")
        files.append(store.write(place, data))
    else:
        discard(store.path(place))
    if tuple(files) != manifest.files:
        store.finish(folder, manifest.model_copy(update={"files": tuple(files)}))


def _asked(export: Export, store: Store, card: Card, tokenizer: ChatTokenizer, count: int) -> list[list[int]]:
    """Prompts for the checks that leave room for an answer."""
    return prompts(store, card, tokenizer, count, room=max(32, card.max_seq_length - export.answer_tokens))


def _gguf(export: Export, store: Store, name: str, card: Card, merged: Manifest) -> tuple[Manifest, bool]:
    """The manifest of the GGUF files, and whether they were there already."""
    folder, source = f"{GGUF}/{name}", store.path(f"{MERGED}/{name}")
    inputs = {os.path.basename(file.path): file.sha256 for file in merged.files}
    inputs.pop(CALIBRATION, None)  # it may come later than the weights, which it does not change
    parameters = export.model_dump_json(include={"quantizations", "gguf_prompts", "near_tie", "answer_tokens", "val_sentences"})
    fingerprint = digest("gguf", VERSION, parameters, *sorted(inputs.items()))
    done = store.done(folder, fingerprint)
    if done:
        return done, True
    about_to_make("export-gguf", folder, store)
    building = Building(store, folder, "export-gguf")
    full = os.path.join(building.path, f"{name}-F16.gguf")
    write_gguf(source, full, card)
    files = {"F16": full}
    for kind in export.quantizations:
        files[kind] = os.path.join(building.path, f"{name}-{kind}.gguf")
        quantize(full, files[kind], kind, export.threads or os.cpu_count() or 1)
    found = _compare(export, store, source, card, files)
    notes = {kind: str(one) for kind, one in found.items()} | _lost(export, store, source, card, files)
    copy_tokenizer(source, building.path)
    describe(store, name, card, building.path, kind="gguf")
    smallest = next(kind for kind in (*export.quantizations, "F16") if os.path.isfile(files[kind]))
    with open(os.path.join(building.path, MODELFILE), "w", encoding="utf-8") as stream:
        stream.write(modelfile(card, ChatTokenizer.load(source), os.path.basename(files[smallest])))
    manifest = Manifest(stage="export-gguf", fingerprint=fingerprint, inputs=inputs, settings=parameters, notes=notes)
    return building.finish(manifest), False


def _is_kept(gguf: Manifest, kind: str) -> bool:
    return any(file.path.endswith(f"-{kind}.gguf") for file in gguf.files)


def _lost(export: Export, store: Store, source: str, card: Card, files: dict[str, str]) -> dict[str, str]:
    """What each file loses on the validation set, in words; one that loses too much is deleted, and that is said."""
    path = store.path(f"{TRAINING}/val.jsonl")
    if not export.val_sentences or not os.path.isfile(path):
        log.info("gguf: what the smaller files lose is not measured: %s", "as set" if os.path.isfile(path) else f"{path} is not there")
        return {}
    found = losses(files, source, card, read_examples(path), most=export.val_sentences, threads=export.threads)
    for kind, loss in found.items():
        log.log(logging.INFO if loss.holds else logging.WARNING, "gguf: %s: %s%s", kind, loss, "" if loss.holds else "; left out")
        if not loss.holds:
            os.remove(files[kind])
    return {f"{kind} on val": f"{loss}{'' if loss.holds else '; left out'}" for kind, loss in found.items()}


def _compare(export: Export, store: Store, source: str, card: Card, files: dict[str, str]) -> dict[str, Parity]:
    """Greedy answers of each file beside those of the merged model in float32; F16 must give the same."""
    tokenizer = ChatTokenizer.load(source)
    asked = _asked(export, store, card, tokenizer, export.gguf_prompts)
    model = TransformersModel(source, device="cpu", dtype="float32")
    context = max(map(len, asked)) + export.answer_tokens
    found = {}
    for kind, path in files.items():
        other = LlamaCppModel(path, threads=export.threads, context=context, exact=True)
        found[kind] = parity(model, other, asked, stop=tokenizer.end, limit=export.answer_tokens, near_tie=export.near_tie)
        log.info("gguf: %s (%.1f MB): %s", os.path.basename(path), os.path.getsize(path) / 1e6, found[kind])
    if not found["F16"].holds:
        raise EngineError(
            f"{files['F16']}: llama.cpp does not answer as the merged model does ({found['F16']}), so nothing was exported; "
            "the smaller files cannot be trusted either"
        )
    return found
