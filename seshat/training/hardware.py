"""What torch sees of this machine: the answer to ``make check-gpu``."""

from __future__ import annotations

import importlib.metadata
import platform
import resource

import psutil
import torch


def describe() -> list[str]:
    """Lines about devices, memory and whether 4-bit arithmetic really runs; the first says yes or no."""
    lines = [_verdict()]
    for index in range(torch.cuda.device_count()):
        properties = torch.cuda.get_device_properties(index)
        bf16 = "bf16" if torch.cuda.is_bf16_supported() else "no bf16: set bf16=false"
        lines.append(f"  device {index}: {properties.name}, {properties.total_memory / 2**30:.0f} GiB, {bf16}")
    lines.append(f"  torch {torch.__version__} built for {build()}, Python {platform.python_version()}, {torch.get_num_threads()} threads")
    lines.append(f"  bitsandbytes {importlib.metadata.version('bitsandbytes')}: {four_bit()}")
    return lines


def build() -> str:
    """What this torch was built for."""
    return f"ROCm {torch.version.hip}" if torch.version.hip else f"CUDA {torch.version.cuda}" if torch.version.cuda else "CPU only"


def _verdict() -> str:
    if torch.cuda.is_available():
        return f"torch uses {torch.cuda.device_count()} GPU(s)"
    if torch.version.cuda or torch.version.hip:
        return "no GPU: this torch is built for one, but finds no device; look at the driver (nvidia-smi or rocm-smi)"
    return "no GPU: this torch is a CPU build; training runs, slowly: take the quickstart's small model, or a machine with a GPU"


def used_memory(device: torch.device, *, peak: bool = False) -> float:
    """Gigabytes that this process takes of the memory of a GPU, or of the machine; with ``peak`` the most it ever took."""
    if device.type == "cuda":
        return float(torch.cuda.max_memory_allocated(device) if peak else torch.cuda.memory_allocated(device)) / 1e9
    if peak:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9
    return float(psutil.Process().memory_info().rss) / 1e9


def free_memory(device: torch.device) -> float:
    """Gigabytes that nobody takes."""
    return float(torch.cuda.mem_get_info(device)[0] if device.type == "cuda" else psutil.virtual_memory().available) / 1e9


def four_bit() -> str:
    """Whether a 4-bit product comes out right on the device that training would use."""
    import bitsandbytes as bnb

    device = "cuda" if torch.cuda.is_available() else "cpu"
    exact = torch.nn.Linear(256, 64, bias=False)
    layer = bnb.nn.Linear4bit(256, 64, bias=False, quant_type="nf4", compute_dtype=torch.float32)
    layer.load_state_dict(exact.state_dict())
    values = torch.eye(256)
    with torch.no_grad():
        error = (layer.to(device)(values.to(device)).cpu() - exact(values)).abs().mean() / exact.weight.abs().mean()
    return (
        f"NF4 works on the {device} (mean error {float(error):.0%} of a weight)"
        if error < 0.2
        else f"NF4 gives wrong results on the {device}"
    )
