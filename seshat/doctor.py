"""What a machine has of what Seshat needs: each finding with the command that mends it. Nothing is changed, and Ray is not started."""

from __future__ import annotations

import importlib.metadata
import os
import re
import shutil
import socket
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil

from seshat.cluster.token import token_path
from seshat.engines.download import folder_of
from seshat.engines.ocr import engine_version
from seshat.errors import SeshatError
from seshat.finding import FAIL, PASS, WARN, Finding
from seshat.settings import Settings
from seshat.store import Store
from seshat.training.hardware import describe

PYTHON = (3, 11)
TOOLS = {
    "pdftoppm": ("poppler-utils", "ocr.renderer=pdf2image"),
    "ffmpeg": ("ffmpeg", "recordings in rare formats"),
    "espeak-ng": ("espeak-ng", "the recordings of the sample language"),
}
"""Programs, with their Debian package and what needs them; all of them optional."""
CONSTRAINTS = Path(__file__).resolve().parents[1] / "constraints.txt"
_PIN = re.compile(r"^([\w.-]+)==(\S+)", re.MULTILINE)
_REQUIRED = re.compile(r"^[\w.-]+")


def examine(settings: Settings) -> Iterator[Finding]:
    """This machine, for these settings."""
    store = Store(settings.root)
    yield python()
    yield from packages()
    yield from tools()
    yield from ocr(settings)
    if store.local:
        yield disk(store.root)
    yield memory()
    yield shared_memory()
    yield gpu()
    yield from ports(settings)
    yield token()
    yield base_model(settings, store)
    yield material(settings, store)


def python() -> Finding:
    """The interpreter."""
    version = ".".join(map(str, sys.version_info[:3]))
    old = sys.version_info < PYTHON
    return Finding(FAIL if old else PASS, "python", version, "make install PYTHON=python3.12" if old else "")


def packages() -> Iterator[Finding]:
    """What ``pyproject.toml`` requires is there, in the versions of ``constraints.txt``."""
    required = [_REQUIRED.findall(line)[0] for line in importlib.metadata.requires("seshat") or () if "extra ==" not in line]
    pins = dict(_PIN.findall(CONSTRAINTS.read_text(encoding="utf-8"))) if CONSTRAINTS.is_file() else {}
    pins = {_plain(name): version for name, version in pins.items()}
    missing, others = [], []
    for name in required:
        try:
            version = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            missing.append(name)
            continue
        pinned = pins.get(_plain(name), version)
        if version.partition("+")[0] != pinned.partition("+")[0]:
            others.append(f"{name} {version} (tested: {pinned})")
    if missing:
        yield Finding(FAIL, "packages", f"missing: {', '.join(missing)}", "make install")
    if others:
        yield Finding(WARN, "packages", f"other versions than the tested ones: {', '.join(others)}", "make install")
    if not missing and not others:
        yield Finding(PASS, "packages", f"all {len(required)} that are required, as tested")


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def tools() -> Iterator[Finding]:
    """Programs of the system."""
    for program, (package, needed_by) in TOOLS.items():
        there = shutil.which(program)
        yield Finding(
            PASS if there else WARN, program, there or f"missing, for {needed_by}", "" if there else f"sudo apt-get install {package}"
        )


def ocr(settings: Settings) -> Iterator[Finding]:
    """The engines that are configured, with their weights."""
    for engine in (settings.ocr.engine, settings.ocr.second):
        if not engine:
            continue
        try:
            yield Finding(PASS, "ocr", engine_version(engine, settings.ocr.languages, settings.ocr.weights(engine)))
        except SeshatError as error:
            yield Finding(WARN, "ocr", str(error))


def disk(root: str) -> Finding:
    """Room for the workspace."""
    folder = Path(root)
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free / 1e9
    verdict = FAIL if free < 1 else WARN if free < 20 else PASS
    return Finding(verdict, "disk", f"{free:,.0f} GB free at {folder}", "root=/a/larger/disk" if verdict != PASS else "")


def memory() -> Finding:
    """What processes may take now."""
    now = psutil.virtual_memory()
    free = now.available / 1e9
    verdict = FAIL if free < 2 else WARN if free < 6 else PASS
    said = f"{free:,.1f} of {now.total / 1e9:,.1f} GB available"
    return Finding(verdict, "memory", said, "close other programs, or train a smaller model" if verdict != PASS else "")


def shared_memory() -> Finding:
    """Where Ray keeps objects; elsewhere it is slow, and training may stop."""
    if not os.path.isdir("/dev/shm"):
        return Finding(PASS, "/dev/shm", "none on this system")
    size = shutil.disk_usage("/dev/shm").total / 1e9
    return Finding(PASS if size > 1 else WARN, "/dev/shm", f"{size:,.1f} GB", "" if size > 1 else "docker run --shm-size=8g")


def gpu() -> Finding:
    """Whether there is one, and whether torch really uses it."""
    verdict, *_ = describe()
    hidden = bool(shutil.which("nvidia-smi") or os.path.exists("/dev/nvidia0")) and "no GPU" in verdict
    return Finding(WARN if hidden else PASS, "gpu", verdict, "make check-gpu" if hidden else "")


def ports(settings: Settings) -> Iterator[Finding]:
    """Where the endpoint and the dashboard will listen."""
    for what, port, cure in (("serve", settings.serving.port, "serving.port=8001"), ("dashboard", 8265, "cluster.dashboard=false")):
        with socket.socket() as probe:
            busy = probe.connect_ex(("127.0.0.1", port)) == 0
        yield Finding(WARN if busy else PASS, what, f"port {port} is {'taken' if busy else 'free'}", cure if busy else "")


def token() -> Finding:
    """Who may read the key to the cluster."""
    path = Path(token_path())
    if not path.is_file():
        return Finding(PASS, "token", f"no {path}: this machine alone, or a cluster whose token is elsewhere")
    mode = stat.S_IMODE(path.stat().st_mode)
    private = not mode & 0o077
    return Finding(PASS if private else FAIL, "token", f"{path}, mode {mode:04o}", "" if private else f"chmod 600 {path}")


def base_model(settings: Settings, store: Store) -> Finding:
    """The model that would be trained."""
    name = settings.training.model
    if name == "small":
        return Finding(PASS, "base model", "small: it is made here")
    there = store.manifest(folder_of(name)) is not None
    return Finding(
        PASS if there else WARN,
        "base model",
        f"{name}{'' if there else ' is not in the workspace'}",
        "" if there else "make download-model",
    )


def material(settings: Settings, store: Store) -> Finding:
    """Something to learn from."""
    raw = store.path(settings.data.raw)
    number = len(Store(raw).names(""))
    if number or settings.data.sample:
        return Finding(PASS, "material", f"{number:,} files in {raw}" if number else "the sample language, which is made here")
    return Finding(
        WARN, "material", f"{raw} is empty", f"put dictionaries, tables, translations, scans and recordings into folders of {raw}"
    )
