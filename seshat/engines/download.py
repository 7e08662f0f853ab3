"""Fetching a base model: from the hub, or from a folder of this machine, into ``models/base`` with a manifest."""

from __future__ import annotations

import fnmatch
import hashlib
import logging
import os
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from seshat.errors import EngineError
from seshat.preview import about_to_make
from seshat.records import digest
from seshat.store import Manifest, Store, StoredFile

log = logging.getLogger(__name__)
BASES = "models/base"
WANTED = ("*.safetensors", "*.safetensors.index.json", "*.json", "*.jinja", "*.txt", "*.model")
"""Weights are safetensors only: another format may run code when it is loaded."""
NEEDED = ("config.json", "tokenizer.json")
CURE = "give a local folder instead (training.model=/path/to/model with config.json, tokenizer.json and *.safetensors)"


@dataclass(frozen=True)
class HubModel:
    """A model on the hub, as it stands there now."""

    name: str
    revision: str
    files: tuple[str, ...]
    size: int
    """Of all the files, in bytes."""

    def __str__(self) -> str:
        return f"{self.name} (revision {self.revision[:12]}): {len(self.files)} files, {self.size / 1e9:.2f} GB"


def folder_of(model: str) -> str:
    """Where a base model is kept, in the workspace: ``models/base/Qwen--Qwen3-14B``; of a folder, its own name."""
    name = model.rstrip("/")
    return f"{BASES}/{os.path.basename(name) if os.path.isdir(model) else name.strip('./').replace('/', '--')}"


def fetch(model: str, store: Store, announce: Callable[[str], None] = log.info, revision: str = "") -> tuple[Manifest, bool]:
    """The manifest of a base model in the workspace, and whether it was there before.

    Without a ``revision`` it is the newest of the hub. ``announce`` is told what is downloaded, and how large it is, before anything is.
    """
    source = local_folder(model, store)
    folder = folder_of(source or model)
    fingerprint = digest("base", os.path.abspath(source) if source else model)
    done = store.done(folder, fingerprint)
    if done:
        return done, True
    about_to_make("download-model", folder, store)
    os.makedirs(store.path(folder), exist_ok=True)
    revision = _link(source, store.path(folder)) if source else _download(model, store.path(folder), announce, revision)
    return commit(model, folder, fingerprint, store, {"revision": revision} if revision else {}), False


def commit(model: str, folder: str, fingerprint: str, store: Store, notes: dict[str, str], stage: str = "download-model") -> Manifest:
    """Vouch for the files of a base model's folder, which ``stage`` made."""
    names = sorted(name for name in os.listdir(store.path(folder)) if _wanted(name) and name != "manifest.json")
    check_complete(model, names)
    files = tuple(store.vouch(f"{folder}/{name}") for name in names)
    notes = {"model": model, "base_sha256": combined(files), **notes}
    manifest = Manifest(stage=stage, fingerprint=fingerprint, files=files, notes=notes)
    store.finish(folder, manifest)
    return manifest


def check_complete(model: str, names: Iterable[str]) -> None:
    """Refuse a model without weights as safetensors, configuration or tokenizer."""
    found = set(names)
    missing = [name for name in NEEDED if name not in found]
    if not any(name.endswith(".safetensors") for name in found):
        missing.append("*.safetensors")
    if missing:
        raise EngineError(f"{model}: there is no {' and no '.join(missing)}; take another model, or {CURE}")


def combined(files: Iterable[StoredFile]) -> str:
    """One SHA-256 over the weights among some files, as ``seshat.engines.weights.weights_sha256`` takes it from a folder."""
    weights = sorted((os.path.basename(file.path), file.sha256) for file in files if file.path.endswith(".safetensors"))
    return hashlib.sha256("".join(f"{name} {sha256}\n" for name, sha256 in weights).encode()).hexdigest()


def local_folder(model: str, store: Store) -> str:
    """The folder that a model's name means, from here or from the workspace; empty if it is none."""
    places = (os.path.expanduser(model), store.path(model)) if store.local else (os.path.expanduser(model),)
    return next((place for place in places if os.path.isfile(os.path.join(place, "config.json"))), "")


def on_hub(model: str, revision: str = "") -> HubModel:
    """What would be downloaded, and how large it is; the newest revision, if none is named."""
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError

    try:
        info = HfApi().model_info(model, revision=revision or None, files_metadata=True, timeout=30)
    except HFValidationError:
        raise EngineError(f"{model!r} is neither a folder with a model nor a name on the hub; {CURE}") from None
    except HfHubHTTPError as error:
        raise EngineError(f"{model}: the hub does not give it ({_first_line(error)}); look at the name, or {CURE}") from None
    except Exception as error:
        if not _is_network(error):
            raise
        raise EngineError(f"{model}: the hub cannot be reached ({_first_line(error)}); {CURE}") from None
    files = {file.rfilename: file.size or 0 for file in info.siblings or () if _wanted(file.rfilename)}
    check_complete(model, files)
    return HubModel(model, info.sha or "main", tuple(sorted(files)), sum(files.values()))


def _download(model: str, folder: str, announce: Callable[[str], None], revision: str) -> str:
    """Download a model; its revision."""
    from huggingface_hub import snapshot_download

    found = on_hub(model, revision)
    announce(f"download-model: {found}, into {folder}")
    free = shutil.disk_usage(folder).free
    if found.size > free:
        raise EngineError(f"{model}: {found.size / 1e9:.1f} GB are needed and {folder} has {free / 1e9:.1f} GB left; make room, or {CURE}")
    try:
        snapshot_download(model, revision=found.revision, local_dir=folder, allow_patterns=list(found.files))
    except Exception as error:
        if not _is_network(error):
            raise
        raise EngineError(
            f"{model}: the download broke off ({_first_line(error)}); run the same command again to go on, or {CURE}"
        ) from None
    return found.revision


def _link(source: str, folder: str) -> str:
    """Link a local model's files into the workspace; nothing is copied."""
    names = [name for name in os.listdir(source) if _wanted(name) and name != "manifest.json"]
    check_complete(source, names)
    if os.path.realpath(source) != os.path.realpath(folder):
        for name in names:
            link = os.path.join(folder, name)
            if os.path.lexists(link):
                os.remove(link)
            os.symlink(os.path.abspath(os.path.join(source, name)), link)
    return ""


def _wanted(name: str) -> bool:
    return "/" not in name and any(fnmatch.fnmatch(name, pattern) for pattern in WANTED)


def _is_network(error: Exception) -> bool:
    """Whether an exception of the hub's client means that the network, and not the program, failed."""
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError, OfflineModeIsEnabled

    kinds = (HfHubHTTPError, LocalEntryNotFoundError, OfflineModeIsEnabled, OSError)
    return isinstance(error, kinds) or type(error).__module__.split(".")[0] in ("httpx", "httpx2", "httpcore", "httpcore2", "requests")


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).split("\n")[0]
