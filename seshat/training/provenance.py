"""What a run was made with: the revision of this code, the machine, the versions of what it rests on. For MLflow, never for results."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import subprocess
from pathlib import Path

import torch

from seshat.training.hardware import build

CODE = Path(__file__).resolve().parents[1]
PACKAGES = (
    "seshat",
    "torch",
    "transformers",
    "peft",
    "bitsandbytes",
    "accelerate",
    "deepspeed",
    "ray",
    "safetensors",
    "tokenizers",
    "mlflow",
)
"""What can change the numbers of a run."""
_PATIENCE = 20.0
"""Seconds that git may take on a slow disk."""


def facts(device: torch.device, world: int) -> dict[str, str]:
    """Tags for one start of a run: code, machine of the first worker, packages."""
    return {"world_size": str(world), **revision(), **hardware(device), **packages()}


def revision(code: Path = CODE) -> dict[str, str]:
    """The commit of the checkout that holds this code and whether it was changed since; empty without git or outside a checkout.

    A package that was installed into somebody's checkout is not part of it: git must know the file.
    """
    if _git(code, "ls-files", "--error-unmatch", "__init__.py") is None:
        return {}
    commit, changes = _git(code, "rev-parse", "HEAD"), _git(code, "status", "--porcelain", "--untracked-files=no")
    if not commit:
        return {}
    # MLflow's page shows its own tag as the version of a run.
    return {
        "mlflow.source.git.commit": commit,
        "git.revision": f"{commit} dirty" if changes else commit,
        "git.dirty": str(bool(changes)).lower(),
    }


def hardware(device: torch.device) -> dict[str, str]:
    """The device that trains, memory and cores of the machine, and what torch was built for."""
    found = {
        "hardware.device": device.type,
        "hardware.processor": _processor(),
        "hardware.cores": str(os.cpu_count() or 1),
        "hardware.threads": str(torch.get_num_threads()),
        "hardware.memory": _gib(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")),
        "hardware.torch": f"{torch.__version__} built for {build()}",
        "hardware.system": f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
    }
    if device.type == "cuda":
        properties = torch.cuda.get_device_properties(device)
        found["hardware.device"] = f"{properties.name} ({torch.cuda.device_count()} in this machine)"
        found["hardware.device_memory"] = _gib(properties.total_memory)
    return found


def packages() -> dict[str, str]:
    """The versions of the packages that are installed."""
    found = {}
    for name in PACKAGES:
        try:
            found[f"package.{name}"] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def _git(folder: Path, *arguments: str) -> str | None:
    """What git says in a folder; None if it says no, or is not there."""
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments], capture_output=True, text=True, timeout=_PATIENCE, check=False, stdin=subprocess.DEVNULL
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def _processor() -> str:
    """The name that the processor gives itself."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, "") or platform.processor() or platform.machine()


def _gib(size: int) -> str:
    return f"{size / 2**30:.1f} GiB"
