"""One file that brings a model to somebody else: ``seshat package`` writes it, ``seshat apply`` takes it in and checks everything.

It is a tar archive of an adapter's folder: weights, settings, tokenizer, card, page, the licences, and ``SHA256SUMS``. peft loads the
unpacked folder alone; the page says how.
"""

from __future__ import annotations

import hashlib
import io
import logging
import os
import shutil
import tarfile
from collections.abc import Mapping
from typing import TypeVar

from pydantic import ValidationError

from seshat.confidence import CALIBRATION, Calibration
from seshat.config import Section
from seshat.engines.download import fetch
from seshat.engines.weights import is_whole, weights_sha256
from seshat.errors import ConfigError, EngineError, StoreError
from seshat.export.check import MANIFEST, check_base, check_files
from seshat.export.export import base_folder
from seshat.export.known import ADAPTERS, known
from seshat.export.package import PAGE, USES, package
from seshat.hints import KNOWLEDGE
from seshat.prompts import CARD, Card
from seshat.rights import Use
from seshat.store import Store
from seshat.translate import read_card
from seshat.withdrawals import read_withdrawals

log = logging.getLogger(__name__)
PACKAGES = "models/packages"
ENDING = ".seshat.tar"
SUMS, LICENCE, ABOUT = "SHA256SUMS", "LICENCE.txt", "package.json"
MOST_FILES = 1_000
S = TypeVar("S", bound=Section)
AGAIN = "ask whoever sent it for a new copy"


class About(Section):
    """``package.json``."""

    name: str
    base: str
    """The name of the base on the hub; empty if it did not come from there."""
    revision: str = ""
    base_sha256: str
    """Over its weights, see ``Card``; empty if the package holds a whole model."""


def pack(store: Store, name: str) -> str:
    """Write ``models/packages/NAME.seshat.tar``; its path.

    Raises:
        ConfigError: If a source does not allow that the model is published, or what it needs to know its hints from.
        StoreError: If the adapter is not whole, or was withdrawn.
    """
    adapter = store.path(f"{ADAPTERS}/{name}")
    card = read_card(adapter)
    read_withdrawals(store).refuse_model(card, store, adapter)
    check_published(card)
    manifest = check_files(adapter)
    package(store, name)
    about = known(store, name, card)
    files = {os.path.basename(file.path) for file in manifest.files} | {PAGE, MANIFEST}
    if _is_calibrated(store, name):
        files.add(CALIBRATION)
    contents = {file: _read(os.path.join(adapter, file)) for file in sorted(files)}
    contents[LICENCE] = licences(card).encode()
    sha256 = "" if is_whole(adapter) else card.base_sha256
    contents[ABOUT] = About(name=name, base=about.base, revision=about.revision, base_sha256=sha256).model_dump_json(indent=1).encode()
    contents[SUMS] = "".join(f"{hashlib.sha256(data).hexdigest()}  {file}\n" for file, data in contents.items()).encode()
    path = store.path(f"{PACKAGES}/{name}{ENDING}")
    os.makedirs(os.path.dirname(path), exist_ok=True)
    _write(f"{path}.partial", name, contents)
    os.replace(f"{path}.partial", path)
    return path


def check_published(card: Card) -> None:
    """Refuse to give away what the owners of a source keep."""
    needed: tuple[Use, ...] = ("publish_model", "publish_text") if card.hints else ("publish_model",)
    for use in needed:
        if refusal := card.rights.refusal(use):
            why = f", because its hints are training texts ({KNOWLEDGE})" if use == "publish_text" else ""
            raise ConfigError(
                f"{card.name!r} cannot be packaged: to {USES[use]} is needed{why}, and {refusal}: ask them and note it in SOURCE.yaml "
                f"(consent: {use}), then train again"
            )


def licences(card: Card) -> str:
    """What a receiver may do, source by source."""
    lines = [f"What {card.name} learnt from, and what its owners allow.", ""]
    for name, source in sorted(card.rights.sources.items()):
        allowed = [words for use, words in USES.items() if getattr(source.consent, use)]
        lines += [f"{source.title or name}: {source.licence}" + (f" ({source.steward})" if source.steward else "")]
        lines += [f"  allowed: {', '.join(allowed) or 'nothing'}"]
        lines += [f"  restriction: {text}" for text in source.restrictions]
        lines += [f"  withdrawal: {source.withdrawal}"] if source.withdrawal else []
    return "\n".join([*lines, ""])


def apply(store: Store, path: str, base: str = "") -> str:
    """Take a package into a workspace, with its base; the name of its adapter.

    The base is the folder ``base``, else the workspace's own, else it is fetched from the hub.

    Raises:
        StoreError: If the file is no package, is damaged, or another adapter of that name is there.
        EngineError: If there is no base with the weights that it was trained on.
    """
    contents = unpacked(path)
    about, card = _parsed(About, contents, ABOUT, path), _parsed(Card, contents, CARD, path)
    if not about.name.isprintable() or os.path.basename(about.name) != about.name or about.name.startswith("."):
        raise StoreError(f"{path}: {about.name!r} is no name of an adapter: {AGAIN}")
    check_published(card)
    read_withdrawals(store).refuse_model(card, store, path)
    folder = store.path(f"{ADAPTERS}/{about.name}")
    if os.path.isdir(folder) and _read_if_there(os.path.join(folder, MANIFEST)) != contents[MANIFEST]:
        raise StoreError(f"{folder} is there and is another adapter: move it away, or set another root")
    if not os.path.isdir(folder):  # or the same adapter is there, perhaps with checkpoints
        _place(folder, contents)
    check_files(folder)
    if about.base_sha256:
        _find_base(store, card, about, base)
    return about.name


def unpacked(path: str) -> dict[str, bytes]:
    """The files of a package by name, if every one of them is what ``SHA256SUMS`` says."""
    if not os.path.isfile(path):
        raise StoreError(f"{path} is not there: give the file that 'seshat package' wrote (NAME{ENDING})")
    contents: dict[str, bytes] = {}
    try:
        with tarfile.open(path, "r:") as archive:  # never packed: a small file cannot unpack to a large one
            for member in archive:
                file = os.path.basename(member.name)
                if not member.isfile() or member.name.count("/") != 1 or file in contents or len(contents) >= MOST_FILES:
                    raise StoreError(f"{path}: {member.name!r} does not belong into a package of ours: {AGAIN}")
                stream = archive.extractfile(member)
                contents[file] = stream.read() if stream else b""
    except (tarfile.TarError, EOFError, OSError) as error:
        raise StoreError(f"{path} cannot be unpacked ({error}): {AGAIN}") from None
    lines = contents.get(SUMS, b"").decode("utf-8", "replace").splitlines()
    sums = {name: sha256 for sha256, _, name in (line.partition("  ") for line in lines)}
    expected = {SUMS, *sums}
    wrong = sorted(name for name, sha256 in sums.items() if hashlib.sha256(contents.get(name, b"")).hexdigest() != sha256)
    if wrong or not {CARD, MANIFEST, ABOUT} <= expected or contents.keys() != expected:
        odd = ", ".join(wrong or sorted(contents.keys() ^ expected) or [SUMS])
        raise StoreError(f"{path} is not what {SUMS} in it says ({odd}), so it is damaged or was changed: {AGAIN}")
    return contents


def _is_calibrated(store: Store, name: str) -> bool:
    """True if the confidence of an adapter was measured on the weights that it has."""
    place = f"{ADAPTERS}/{name}/{CALIBRATION}"
    if store.size(place) < 0:
        return False
    return Calibration.model_validate_json(store.read(place)).model == store.vouch(f"{ADAPTERS}/{name}/{MANIFEST}").sha256


def _find_base(store: Store, card: Card, about: About, base: str) -> None:
    """Bring the base to where the card says it is, and make sure that it is the one."""
    if base:
        if weights_sha256(base) != card.base_sha256:
            raise EngineError(
                f"{base} is not the model that {about.name!r} was trained on: the SHA-256 of its weights is not {card.base_sha256[:12]}…"
            )
        fetch(base, store)
        place = store.path(f"models/base/{os.path.basename(card.base.rstrip('/'))}")
        if not os.path.exists(place):
            os.symlink(os.path.abspath(base), place)
    try:
        check_base(card, base_folder(card, store))
        return
    except StoreError:
        if not about.base:
            raise StoreError(
                f"the base model {card.base!r} of {about.name!r} is not here, and no hub has it: ask whoever sent the package for its "
                "folder, and run 'seshat apply FILE --base FOLDER'"
            ) from None
    log.info("apply: fetching %s", about.base)
    fetch(about.base, store, revision=about.revision)
    check_base(card, base_folder(card, store))


def _place(folder: str, contents: Mapping[str, bytes]) -> None:
    """Write a folder whole or not at all."""
    draft = os.path.join(os.path.dirname(folder), f".{os.path.basename(folder)}.partial")
    shutil.rmtree(draft, ignore_errors=True)
    os.makedirs(draft)
    for name, data in contents.items():
        if name not in (SUMS, ABOUT):
            with open(os.path.join(draft, name), "wb") as stream:
                stream.write(data)
    shutil.rmtree(folder, ignore_errors=True)
    os.rename(draft, folder)


def _write(path: str, name: str, contents: Mapping[str, bytes]) -> None:
    """A tar archive with a folder of files: the same bytes from the same files."""
    with tarfile.open(path, "w") as archive:
        for file, data in contents.items():
            entry = tarfile.TarInfo(f"{name}/{file}")
            entry.size, entry.mode = len(data), 0o644
            archive.addfile(entry, io.BytesIO(data))


def _parsed(kind: type[S], contents: Mapping[str, bytes], name: str, path: str) -> S:
    try:
        return kind.model_validate_json(contents[name])
    except ValidationError as error:
        raise StoreError(f"{path}: {name} in it is none of ours ({error.error_count()} errors): {AGAIN}") from None


def _read(path: str) -> bytes:
    with open(path, "rb") as stream:
        return stream.read()


def _read_if_there(path: str) -> bytes:
    return _read(path) if os.path.isfile(path) else b""
